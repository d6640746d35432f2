package lmbench

import (
	"fmt"

	"xsmbench/bench"
)

const helloPath = "/bin/hello"

// dynamic is what operations need that are of processes linked with the C library.
var dynamic = []bench.Facility{bench.DynamicPrograms}

// registerProc registers lat_proc. A process of the plain operations has a few
// pages, and so has the program that it starts: what they cost is the kernel's
// part and little else. Those of lmbench are linked with the C library.
func registerProc() {
	register(bench.Benchmark{
		Name: "lat_proc/op=fork", Source: "lat_proc fork",
		Doc:   "fork a process of a few pages, exit and wait (lmbench: see /process=dynamic)",
		Hooks: forkHooks(1),
		Setup: native(bench.NativeFork, forkAndExit),
	})
	register(bench.Benchmark{
		Name: "lat_proc/op=fork/process=dynamic", Source: "lat_proc fork", Full: true, CLibrary: true, Needs: dynamic,
		Doc:   "fork a process that is linked with the C library, exit and wait (lmbench's own)",
		Hooks: forkHooks(1),
		Setup: native(bench.NativeLibraryFork, forkAndExit),
	})
	register(bench.Benchmark{
		Name: "lat_proc/op=exec", Source: "lat_proc exec",
		Doc:   "fork, exec a program of a few pages that prints a line to a closed descriptor, and wait (lmbench: see /process=dynamic)",
		Hooks: forkHooks(2),
		Setup: native(bench.NativeExec, forkAndExec),
	})
	register(bench.Benchmark{
		Name: "lat_proc/op=exec/process=dynamic", Source: "lat_proc exec", Full: true, CLibrary: true, Needs: dynamic,
		Doc:   "the same where both programs are linked with the C library (lmbench's own)",
		Hooks: forkHooks(2),
		Setup: native(bench.NativeLibraryExec, forkAndExec),
	})
	register(bench.Benchmark{
		Name: "lat_proc/op=sh", Source: "lat_proc shell",
		Doc:   "fork, exec a shell of a few pages that forks and execs the same program, and wait (lmbench: see /process=dynamic)",
		Hooks: forkHooks(4),
		Setup: native(bench.NativeShell, forkAndShell),
	})
	// The usual shells start the last command in their own process.
	register(bench.Benchmark{
		Name: "lat_proc/op=sh/process=dynamic", Source: "lat_proc shell", Full: true, CLibrary: true, Needs: dynamic, Whole: true,
		Doc:   "fork, exec the system's /bin/sh with the name of a program, all linked with the C library, and wait (lmbench's own)",
		Hooks: forkHooks(3),
		Setup: native(bench.NativeLibraryShell, forkAndShell),
	})
}

func forkAndExit(d bench.Domain) (bench.Loop, func(), error) {
	return children(d.OS(), 1, func(bench.OS) int { return 1 })
}

func forkAndExec(d bench.Domain) (bench.Loop, func(), error) {
	return children(d.OS(), 0, execute(helloPath, helloPath))
}

func forkAndShell(d bench.Domain) (bench.Loop, func(), error) {
	return children(d.OS(), 0, execute("/bin/sh", "sh", "-c", helloPath))
}

// execute is a child that becomes another program.
func execute(path string, args ...string) func(bench.OS) int {
	return func(os bench.OS) int {
		os.Close(1)
		return os.Exec(path, args...)
	}
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
