package bench

import (
	"errors"
	"fmt"
	"sort"
	"time"
)

// Clock is what windows are timed with. OS is one.
type Clock interface {
	Now() time.Duration
}

// Constants of lib_timing.c.
const (
	defaultRepetitions = 11
	// A window shorter than keepFrom of what is wanted is not kept; one
	// outside [growBelow, shrinkAbove] changes the number of iterations.
	keepFrom    = 0.95
	growBelow   = 0.99
	shrinkAbove = 1.2
	aim         = 1.1
	// Below measurable microseconds a window says too little to compute
	// the next number of iterations from; it is multiplied by 8 instead,
	// up to mostIterations, or mostNegative if the overheads exceed it.
	measurable     = 150
	mostIterations = 1 << 27
	mostNegative   = 1 << 20
	// mostWindows bounds the windows of one sample and mostComputed the
	// iterations of one window, as lmbench does not: a clock that stands
	// still or jumps would keep it busy for ever.
	mostWindows  = 1000
	mostComputed = 1 << 40
)

var errTooShort = errors.New("operation is too short for the clock")

// window is one timed run of the loop: n iterations in us microseconds,
// overheads subtracted.
type window struct {
	n  int64
	us float64
}

// perOp is the window's time per iteration in microseconds.
func (w window) perOp() float64 { return w.us / float64(w.n) }

// timer times an operation's windows.
type timer struct {
	clock       Clock
	enough      float64 // µs
	repetitions int
	cal         Calibration
	probe       *probe // nil: every window is kept
	again       int    // windows that were timed again
	disturbed   int    // windows kept although the processor was slow
}

// sample times windows until it has kept as many as repetitions asks for, and
// returns those whose time is not zero, in the order in which they ran. The
// rules are benchmp_interval's, for one process.
func (t *timer) sample(op Interval) ([]window, error) {
	kept := make([]window, 0, t.repetitions)
	n := int64(1)
	for done, tried := 0, 0; done < t.repetitions; tried++ {
		if tried == mostWindows {
			return kept, fmt.Errorf("time loop: %d windows and only %d of %d long enough", tried, done, t.repetitions)
		}
		w, err := t.undisturbed(op, n)
		if err != nil {
			return kept, err
		}
		if w.us > keepFrom*t.enough {
			done++
			if w.us > 0 {
				kept = append(kept, w)
			}
		}
		if done == t.repetitions {
			break
		}
		var ok bool
		if n, ok = t.next(w); !ok {
			return kept, fmt.Errorf("time loop: %d iterations take %.3g µs: %w", w.n, w.us, errTooShort)
		}
	}
	return kept, nil
}

// undisturbed times a window on a processor at its full speed, if patience
// lasts.
func (t *timer) undisturbed(op Interval, n int64) (window, error) {
	for {
		slow := t.probe.slow()
		w, err := t.window(op, n)
		if err != nil || !slow && !t.probe.slow() {
			return w, err
		}
		if !t.probe.wait(time.Duration(w.us * 1e3)) {
			t.disturbed++
			return w, nil
		}
		t.again++
	}
}

// next chooses the iterations of the window after w; it is false if there is
// no use in going on.
func (t *timer) next(w window) (int64, bool) {
	if w.us >= growBelow*t.enough && w.us <= shrinkAbove*t.enough {
		return w.n, true
	}
	if w.us > measurable {
		n := float64(w.n)/w.us*aim*t.enough + 1
		return int64(n), n <= mostComputed
	}
	n := w.n << 3
	return n, n <= mostIterations && (w.us >= 0 || n <= mostNegative)
}

// window times n iterations. What it returns may be negative if the overheads
// exceed the time.
func (t *timer) window(op Interval, n int64) (window, error) {
	var elapsed time.Duration
	runs := 0
	for left := n; left > 0; runs++ {
		k := left
		if op.Most > 0 {
			k = min(k, op.Most)
		}
		if op.Before != nil {
			if err := op.Before(k); err != nil {
				return window{}, fmt.Errorf("ready loop: %w", err)
			}
		}
		start := t.clock.Now()
		err := op.Loop(k)
		elapsed += t.clock.Now() - start
		if err != nil {
			return window{}, fmt.Errorf("run loop: %w", err)
		}
		if op.After != nil {
			if err := op.After(k); err != nil {
				return window{}, fmt.Errorf("tidy loop: %w", err)
			}
		}
		left -= k
	}
	us := float64(elapsed)/1e3 - float64(runs)*t.cal.ClockNS/1e3 - float64(n)*t.cal.LoopNS/1e3
	return window{n, us}, nil
}

// median is lmbench's: windows sorted by time per iteration; of an even
// number, the means of the middle two's iterations and times.
func median(windows []window) window {
	if len(windows) == 0 {
		return window{n: 1}
	}
	sorted := append([]window(nil), windows...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].perOp() > sorted[j].perOp() })
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	a, b := sorted[mid-1], sorted[mid]
	return window{(a.n + b.n) / 2, (a.us + b.us) / 2}
}

// fastest is save_minimum's choice: the window with the least time per
// iteration.
func fastest(windows []window) window {
	best := window{n: 1}
	for i, w := range windows {
		if i == 0 || w.perOp() < best.perOp() {
			best = w
		}
	}
	return best
}
