package workloads

import (
	"fmt"

	"xsmbench/bench"
)

// task is a piece of what a workload does: some milliseconds of it at most.
type task func(bench.OS) error

// beside makes a workload of a process beside the benchmarks that does a task over and
// over. What a task needs is made ready before, in the process that benchmarks run in,
// so that an error can be told.
func beside(ready func(bench.Domain) (task, error)) func(bench.Domain) (stop func(), err error) {
	return func(d bench.Domain) (func(), error) {
		t, err := ready(d)
		if err != nil {
			return nil, fmt.Errorf("start workload: %w", err)
		}
		return startProcess(d.OS(), t)
	}
}

// startProcess starts a process that works until its pipe becomes readable.
func startProcess(os bench.OS, t task) (stop func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start workload: %w", err)
	}
	pid, err := os.Fork(func(os bench.OS) int {
		os.Close(w)
		return work(os, r, t)
	})
	os.Close(r)
	if err != nil {
		os.Close(w)
		return nil, fmt.Errorf("start workload: %w", err)
	}
	return func() {
		os.Write(w, []byte{1})
		os.Wait(pid)
		os.Close(w)
	}, nil
}

// work does a task until the pipe becomes readable.
func work(os bench.OS, stop bench.FD, t task) int {
	for {
		if err := t(os); err != nil {
			return 1
		}
		var set bench.FDSet
		set.Set(stop)
		if n, err := os.Select(int(stop)+1, &set); err != nil || n > 0 {
			return 0
		}
		os.Yield()
	}
}
