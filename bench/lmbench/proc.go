package lmbench

import (
	"fmt"

	"xsmbench/bench"
)

const helloPath = "/bin/hello"

// registerProc registers lat_proc.
func registerProc() {
	register(bench.Benchmark{
		Name: "lat_proc/op=fork", Source: "lat_proc fork",
		Doc:   "fork, exit and wait",
		Hooks: forkHooks(1),
		Setup: native(bench.NativeFork, func(d bench.Domain) (bench.Loop, func(), error) {
			return children(d.OS(), 1, func(bench.OS) int { return 1 })
		}),
	})
	register(bench.Benchmark{
		Name: "lat_proc/op=exec", Source: "lat_proc exec",
		Doc:   "fork, exec a program that prints a line to a closed descriptor, and wait",
		Hooks: forkHooks(2),
		Setup: native(bench.NativeExec, func(d bench.Domain) (bench.Loop, func(), error) {
			args := []string{helloPath}
			return children(d.OS(), 0, func(os bench.OS) int {
				os.Close(1)
				return os.Exec(helloPath, args...)
			})
		}),
	})
	register(bench.Benchmark{
		Name: "lat_proc/op=sh", Source: "lat_proc shell",
		Doc:   "fork, exec a shell that forks and execs the same program, and wait",
		Hooks: forkHooks(4),
		Setup: native(bench.NativeShell, func(d bench.Domain) (bench.Loop, func(), error) {
			args := []string{"sh", "-c", helloPath}
			return children(d.OS(), 0, func(os bench.OS) int {
				os.Close(1)
				return os.Exec("/bin/sh", args...)
			})
		}),
	})
}

// forkHooks are the crossings of operations that make and drop some number of
// address spaces. T is an address space's number of page tables.
func forkHooks(spaces int) []bench.Crossing {
	return []bench.Crossing{
		{Hook: updateVAMapping, Note: fmt.Sprintf("%d × about T+1 to pin and as many to unpin, and 1 per page fault", spaces)},
		{Hook: memoryPinPage, PerOp: float64(spaces)},
		{Hook: mmuNormalUpdate, Note: "1 per page table that a fault adds"},
	}
}

// children times fork, what the child does, and wait.
func children(os bench.OS, want int, child func(bench.OS) int) (bench.Loop, func(), error) {
	return func(n int64) error {
		for ; n > 0; n-- {
			pid, err := os.Fork(child)
			if err != nil {
				return fmt.Errorf("fork: %w", err)
			}
			status, err := os.Wait(pid)
			if err != nil {
				return fmt.Errorf("wait for child: %w", err)
			}
			if status != want {
				return fmt.Errorf("child ended with status %d, not %d", status, want)
			}
		}
		return nil
	}, nil, nil
}
