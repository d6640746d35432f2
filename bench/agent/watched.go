package agent

import (
	"fmt"
	"time"

	"xsmbench/bench"
)

// Beside begins a warning that warns of nothing: it says what went on beside benchmarks,
// and how much was done.
const Beside = "beside "

// watched is a load that must go on until the end.
type watched struct {
	load  bench.Load
	begun bench.Done // what it had done when measuring began
}

// watch starts a load, which has done something when it returns.
func watch(start func() (bench.Load, error)) (*watched, error) {
	load, err := start()
	if err != nil {
		return nil, err
	}
	w := &watched{load: load}
	if w.begun, err = load.Did(); err != nil {
		load.Stop()
		return nil, err
	}
	return w, nil
}

// standstill is how long a load may do nothing. A piece of its work takes some
// milliseconds.
const standstill = 5 * time.Second

// goesOn says what was done while benchmarks were measured, and fails if that is
// nothing, also not in a while.
func (w *watched) goesOn(os bench.OS) (bench.Done, error) {
	for begun := os.Now(); ; os.Yield() {
		now, err := w.load.Did()
		done := now.Since(w.begun)
		switch {
		case err != nil:
			return done, err
		case done.Tasks > 0:
			return done, nil
		case os.Now()-begun > standstill:
			return done, fmt.Errorf("the workload stood still: %v when measuring began, and no more until %v after its end", now, standstill)
		}
	}
}
