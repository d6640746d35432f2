//go:build linux && (amd64 || 386) && !race

// Not under the race detector: its allocator's locks belong to all threads, and
// a forked child, which has one, waits for ever for a lock that another held.

package linux_test

import (
	"errors"
	"testing"
	"time"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/bench/agent"
	"xsmbench/workloads"
)

// status forks a child and waits for it. It is called in children too, which
// have no test to report to: an error is a status that no test expects.
func status(o bench.OS, child func(bench.OS) int) int {
	pid, err := o.Fork(child)
	if err != nil {
		return -1
	}
	got, err := o.Wait(pid)
	if err != nil {
		return -2
	}
	return got
}

var sink []byte

// TestForkInFork: each child's status reaches its parent, three deep, however
// a child ends.
func TestForkInFork(t *testing.T) {
	const broken = 99
	ends := []struct {
		name string
		end  func(bench.OS) int
		want int
	}{
		{"returns", func(bench.OS) int { return 42 }, 42},
		{"panics", func(bench.OS) int { panic("a test's") }, 2},
		{"divides by zero", func(o bench.OS) int { return 1 / int(o.Now()/time.Hour) }, 2},
		{"dies of a signal", func(o bench.OS) int { o.Kill(o.Getpid(), 9); return 0 }, 128 + 9},
		{"has no child", func(o bench.OS) int {
			if _, err := o.Wait(-1); !errors.Is(err, abi.ECHILD) {
				return broken
			}
			return 5
		}, 5},
		{"runs a program", func(o bench.OS) int {
			return o.Exec("/bin/sh", "sh", "-c", "/bin/missing")
		}, 127},
		{"finds no program", func(o bench.OS) int { return o.Exec("/bin/missing", "missing") }, 127},
		{"allocates", func(bench.OS) int {
			for range 1000 {
				sink = make([]byte, 10000)
			}
			return 7
		}, 7},
	}
	o := open(t, false)
	for _, e := range ends {
		t.Run(e.name, func(t *testing.T) {
			got := status(o, func(o bench.OS) int {
				return 1 + status(o, func(o bench.OS) int {
					return 1 + status(o, e.end)
				})
			})
			if got != e.want+2 {
				t.Errorf("status %d, want %d", got, e.want+2)
			}
		})
	}
}

// TestManyForksInFork: a child forks as often as it likes.
func TestManyForksInFork(t *testing.T) {
	o := open(t, false)
	got := status(o, func(o bench.OS) int {
		for i := range 200 {
			if status(o, func(bench.OS) int { return i }) != i {
				return 1
			}
		}
		return 0
	})
	if got != 0 {
		t.Errorf("status %d", got)
	}
}

// listener keeps the samples of an agent.
type listener struct{ samples []bench.Measurement }

func (*listener) Calibrated(bench.Calibration) error { return nil }
func (*listener) Begin(string, int, int) error       { return nil }
func (*listener) Skip(string, string) error          { return nil }
func (*listener) Warning(string) error               { return nil }
func (l *listener) Sample(m bench.Measurement) error {
	l.samples = append(l.samples, m)
	return nil
}

// TestBusyWorkload runs the agent with the workload that forks in a forked
// child; its benchmarks run in forked children as well.
func TestBusyWorkload(t *testing.T) {
	o := open(t, false)
	busy, err := workloads.Find("busy")
	if err != nil {
		t.Fatal(err)
	}
	plan := bench.Plan{
		Benchmarks: []string{"Lmbench/lat_syscall/op=null", "Lmbench/lat_proc/op=fork"},
		Options:    bench.Options{EnoughUS: 1000, Repetitions: 3},
	}
	l := &listener{}
	done := time.AfterFunc(5*time.Minute, func() { panic("the agent hangs") })
	defer done.Stop()
	if err := agent.Run(domain{o}, agent.Config{Domain: "dom0", Plan: plan, Workload: busy.Start}, l); err != nil {
		t.Fatal(err)
	}
	if len(l.samples) != len(plan.Benchmarks) {
		t.Errorf("%d samples", len(l.samples))
	}
	for _, m := range l.samples {
		if m.Error != "" {
			t.Errorf("%s: %s", m.Benchmark, m.Error)
		}
	}
}
