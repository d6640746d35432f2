package workloads

import "xsmbench/bench"

// busy is a process beside the benchmarks that never sleeps.
var busy = Workload{Name: "busy", Doc: "a process computes and forks", Start: beside(func(bench.Domain) (task, error) {
	return compute, nil
})}

// burst is how many rounds of arithmetic lie between two forks.
const burst = 20000

// compute computes, and forks.
func compute(os bench.OS) (int64, error) {
	sum := uint64(1)
	for range burst {
		sum = sum*6364136223846793005 + 1442695040888963407
	}
	seed := int(sum >> 63) // the work must not be optimised away
	pid, err := os.Fork(func(bench.OS) int { return seed })
	if err != nil {
		return 0, err
	}
	_, err = os.Wait(pid)
	return 0, err
}
