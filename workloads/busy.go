package workloads

import (
	"fmt"

	"xsmbench/bench"
)

// busy is a process beside the benchmarks that never sleeps.
var busy = Workload{Name: "busy", Doc: "a process computes and forks", Start: startBusy}

// burst is how many rounds of arithmetic lie between two forks.
const burst = 20000

// startBusy starts a process that computes and forks until its pipe becomes
// readable.
func startBusy(os bench.OS) (stop func(), err error) {
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
