package lmbench

import (
	"fmt"
	"time"

	"xsmbench/bench"
)

// What lat_pmake runs: jobs that compute as long as this.
const (
	pmakeJobs   = 4
	pmakeMicros = 200
)

// Sizes and processes of lat_ctx in lmbench's script.
var (
	contextSizes = []int{0, 4, 8, 16, 32, 64}
	contextProcs = []int{2, 4, 8, 16, 24, 32, 64, 96}
)

// registerProcessMore registers what works with processes and the default suite
// leaves out: lat_proc procedure, lat_cmd, lat_pmake and the rest of lat_ctx.
func registerProcessMore() {
	register(bench.Benchmark{
		Name: "lat_proc/op=procedure", Source: "lat_proc procedure", Full: true,
		Doc:   "call a function that returns its argument",
		Setup: computing(callProcedure),
	})
	register(bench.Benchmark{
		Name: "lat_cmd/cmd=hello", Source: "lat_cmd /bin/hello", Full: true,
		Doc:   "run a command: fork, exec a program that prints a line to a closed descriptor, and wait (lmbench's child does not exec, by mistake)",
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
		Name: fmt.Sprintf("lat_pmake/jobs=%d", pmakeJobs), Source: fmt.Sprintf("lat_pmake %d %d", pmakeJobs, pmakeMicros), Full: true,
		Doc:   fmt.Sprintf("fork %d jobs that compute for %d µs each, and wait for them", pmakeJobs, pmakeMicros),
		Hooks: forkHooks(pmakeJobs),
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return jobs(d.OS()) },
	})
	for _, kb := range contextSizes {
		for _, procs := range contextProcs {
			if kb == 0 && procs == 2 || kb == 16 && procs == 8 {
				continue // the default suite has them
			}
			register(bench.Benchmark{
				Name:   fmt.Sprintf("lat_ctx/size=%dK/procs=%d", kb, procs),
				Source: fmt.Sprintf("lat_ctx -s %d %d", kb, procs), Full: true,
				Doc: fmt.Sprintf("switch to the next of %d processes that sum %d KiB each and pass a word on over pipes, less the same in one process",
					procs, kb),
				Ops: int64(procs), Hooks: sendEvent,
				Setup: native(bench.NativeRing, func(d bench.Domain) (bench.Loop, func(), error) {
					return ring(d.OS(), procs, kb<<10)
				}, int64(procs), int64(kb<<10)),
				Baseline: native(bench.NativeRingAlone, func(d bench.Domain) (bench.Loop, func(), error) {
					return ringAlone(d.OS(), procs, kb<<10)
				}, int64(procs), int64(kb<<10)),
			})
		}
	}
}

// jobs times a number of children that compute, and waits for all of them.
func jobs(os bench.OS) (bench.Loop, func(), error) {
	work := workFor(os, pmakeMicros*time.Microsecond)
	pids := make([]int, 0, pmakeJobs)
	// wait waits for the jobs that were started.
	wait := func() error {
		for _, pid := range pids {
			status, err := os.Wait(pid)
			if err == nil && status != 0 {
				err = fmt.Errorf("its status is %d", status)
			}
			if err != nil {
				return fmt.Errorf("wait for job: %w", err)
			}
		}
		pids = pids[:0]
		return nil
	}
	job := func(bench.OS) int { work(); return 0 }
	loop := func(n int64) error {
		for ; n > 0; n-- {
			for range pmakeJobs {
				pid, err := os.Fork(job)
				if err != nil {
					return fmt.Errorf("fork job: %w", err)
				}
				pids = append(pids, pid)
			}
			if err := wait(); err != nil {
				return err
			}
		}
		return nil
	}
	return loop, func() { _ = wait() }, nil
}

// workFor finds work that takes a while: dependent loads, as many as the clock says.
// A clock that stands still ends the search.
func workFor(c bench.Clock, d time.Duration) func() {
	const (
		first = 1 << 10
		most  = 1 << 24
	)
	chase := newSelfChase()
	for n := int64(first); ; n *= 2 {
		start := c.Now()
		chase.run(n)
		took := c.Now() - start
		if took >= d {
			n = max(1, int64(float64(n)*float64(d)/float64(took)))
		}
		if took >= d || n >= most {
			return func() {
				own := *chase // several processes work at once, and a fake domain's share their memory
				own.run(n)
			}
		}
	}
}

// selfChase is memory that points to itself.
type selfChase struct{ at *selfLink }

type selfLink struct{ next *selfLink }

func newSelfChase() *selfChase {
	l := new(selfLink)
	l.next = l
	return &selfChase{l}
}

// run does n loads, each of which needs the one before.
func (c *selfChase) run(n int64) {
	p := c.at
	for ; n > 0; n-- {
		p = p.next
	}
	c.at = p
}
