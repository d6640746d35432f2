package workloads

import (
	"fmt"

	"xsmbench/bench"
)

// task is a piece of what a workload does: some milliseconds of it at most. It returns
// how many bytes it moved.
type task func(bench.OS) (bytes int64, err error)

// beside makes a workload of a process beside the benchmarks that does a task over and
// over. What a task needs is made ready before, in the process that benchmarks run in,
// so that an error can be told.
func beside(ready func(bench.Domain) (task, error)) func(bench.Domain) (bench.Load, error) {
	return func(d bench.Domain) (bench.Load, error) {
		t, err := ready(d)
		if err != nil {
			return nil, fmt.Errorf("start workload: %w", err)
		}
		return startProcess(d.OS(), t, nil)
	}
}

// startProcess starts a process that does a task until it is told to stop. What is to be
// done after that, or if there is no process, is done here; nil for nothing.
func startProcess(os bench.OS, t task, after func()) (bench.Load, error) {
	l, err := newWorker(os, t)
	if err != nil {
		if after != nil {
			after()
		}
		return nil, fmt.Errorf("start workload: %w", err)
	}
	l.after = after
	return l, nil
}
