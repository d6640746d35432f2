package bench

import "fmt"

// ShortestWindow is the shortest that lmbench tries, µs.
const ShortestWindow = 5000

// Fastest times a loop as a benchmark's is timed and returns the least time of an
// iteration, in microseconds: what programs of lmbench take that look for a
// machine's best (save_minimum). It is for operations that measure themselves (Run).
func Fastest(c Clock, o Options, loop Loop) (float64, error) { return timed(c, o, loop, fastest) }

// Typical is the same but for the window that counts: lmbench's median.
func Typical(c Clock, o Options, loop Loop) (float64, error) { return timed(c, o, loop, median) }

func timed(c Clock, o Options, loop Loop, choose func([]window) window) (float64, error) {
	t := timer{clock: c, enough: float64(o.EnoughUS), repetitions: o.Repetitions}
	if t.enough <= 0 {
		t.enough = ShortestWindow
	}
	if t.repetitions <= 0 {
		t.repetitions = defaultRepetitions
	}
	if err := loop(1); err != nil {
		return 0, err
	}
	windows, err := t.sample(Interval{Loop: loop})
	if err != nil {
		return 0, err
	}
	if len(windows) == 0 {
		return 0, fmt.Errorf("time loop: no window took any time")
	}
	return choose(windows).perOp(), nil
}
