package agent

import (
	"fmt"

	"xsmbench/bench"
)

// burst is how many rounds of arithmetic the busy workload does between forks.
const burst = 20000

// startWorkload starts what the domain does besides the benchmarks and returns
// what ends it. The busy workload is a process that computes and forks until
// its pipe becomes readable.
func startWorkload(os bench.OS, name string) (stop func(), err error) {
	switch name {
	case "", bench.WorkloadIdle:
		return func() {}, nil
	case bench.WorkloadBusy:
	default:
		return nil, fmt.Errorf("start workload: unknown workload %q", name)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start workload: %w", err)
	}
	pid, err := os.Fork(func(os bench.OS) int {
		os.Close(w)
		return keepBusy(os, r)
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

func keepBusy(os bench.OS, stop bench.FD) int {
	sum := uint64(1)
	for {
		for range burst {
			sum = sum*6364136223846793005 + 1442695040888963407
		}
		seed := int(sum >> 63) // the work must not be optimised away
		pid, err := os.Fork(func(bench.OS) int { return seed })
		if err != nil {
			return 1
		}
		if _, err := os.Wait(pid); err != nil {
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
