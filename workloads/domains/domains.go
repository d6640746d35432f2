// Package domains is the macro workload of a toolstack: what an administrator does
// to domains, over and over. Each operation is one or two commands, with all that
// they cause: programs that start, hypercalls, the domain store, the domain's own
// kernel.
//
// The domain is one of the benchmark's own, the scratch domain (bench.Toolstack).
package domains

import (
	"fmt"
	"time"

	"xsmbench/bench"
)

// windows of a sample: each is long.
const windows = 2

// patience is for three starts of a domain, with another to warm up, on a slow
// machine.
const patience = 10 * time.Minute

func init() {
	for _, o := range []operation{
		{
			name: "create_destroy", doc: "make a domain that does not run (xl create -p), and destroy it", source: "xl create, xl destroy",
			op: createDestroy, hooks: []bench.Crossing{
				{Hook: "domain_create", PerOp: 1}, {Hook: "destroydomain", Note: "1 or more: it is asked again until all memory is given back"},
				{Hook: "max_vcpus", PerOp: 1}, {Hook: "mmu_normal_update", Note: "1 per page table of the domain's"},
			},
		},
		{
			name: "pause_unpause", doc: "pause an idle domain, and let it run on", source: "xl pause, xl unpause", runs: true,
			op: pauseUnpause, hooks: []bench.Crossing{{Hook: "pausedomain", PerOp: 1}, {Hook: "unpausedomain", PerOp: 1}},
		},
		{
			name: "save_restore", doc: "write a running domain to a file, and make it from that again", source: "xl save, xl restore", runs: true,
			op: saveRestore, hooks: []bench.Crossing{
				{Hook: "domain_create", PerOp: 1}, {Hook: "getvcpucontext", PerOp: 1}, {Hook: "setvcpucontext", PerOp: 1},
				{Hook: "mmu_normal_update", Note: "1 per page of the domain's that dom0 maps"},
			},
		},
		{
			name: "reboot", doc: "have a running domain start anew, until its first program answers", source: "xl reboot", runs: true,
			op: reboot, hooks: []bench.Crossing{
				{Hook: "domain_create", PerOp: 1}, {Hook: "max_vcpus", PerOp: 1}, {Hook: "update_va_mapping", Note: "those of a Linux kernel that starts"},
				{Hook: "mmu_normal_update", Note: "those of a Linux kernel that starts"},
			},
		},
	} {
		bench.Register(o.benchmark())
	}
}

// operation is one of the things that are done to a domain.
type operation struct {
	name, doc, source string
	runs              bool // on a domain that runs
	op                func(*loop) error
	hooks             []bench.Crossing
}

func (o operation) benchmark() bench.Benchmark {
	b := bench.Benchmark{
		Suite: "Workload", Name: "domain/op=" + o.name, Unit: "ns/op", Workload: true, Later: true, Dom0Only: true,
		Doc: o.doc, Source: o.source, Hooks: o.hooks,
		Needs: []bench.Facility{bench.Domains}, Patience: patience,
		Job: &bench.Job{Windows: windows, Intervals: func(d bench.Domain, _ bench.Options) (bench.Interval, error) { return o.ready(d.OS()) }},
	}
	b.Run = bench.TimeJob(b)
	return b
}

// loop does an operation again and again.
type loop struct {
	bench.Toolstack
	looked bool // what each step leads to was looked at
}

// ready makes the domain that an operation needs.
func (o operation) ready(os bench.OS) (bench.Interval, error) {
	owner, ok := os.(bench.ToolstackOwner)
	if !ok || owner.Toolstack() == nil {
		return bench.Interval{}, bench.Lack("%s", bench.Missing(os, bench.Domains))
	}
	l := &loop{Toolstack: owner.Toolstack()}
	if err := l.Room(); err != nil {
		return bench.Interval{}, err
	}
	// What an earlier benchmark left when it failed is in the way.
	if s, err := l.State(); err != nil || s.ID != 0 {
		if err == nil {
			err = l.Destroy()
		}
		if err != nil {
			return bench.Interval{}, err
		}
	}
	if o.runs {
		if err := l.start(); err != nil {
			return bench.Interval{}, err
		}
	}
	return bench.Interval{
		Most: 1,
		Loop: func(int64) error {
			err := o.op(l)
			l.looked = true
			return err
		},
		After:   func(int64) error { return l.check(o.runs) },
		Cleanup: l.end,
	}, nil
}

// start makes a domain that runs.
func (l *loop) start() error {
	if err := l.Create(); err != nil {
		return err
	}
	err := l.Unpause()
	if err == nil {
		err = l.Answers()
	}
	if err != nil {
		l.end()
	}
	return err
}

// check looks, after an operation, whether the domain is there and alive, or gone.
func (l *loop) check(runs bool) error {
	s, err := l.State()
	switch {
	case err != nil:
		return err
	case runs && s.ID == 0:
		return fmt.Errorf("the domain is gone")
	case runs && s.Paused:
		return fmt.Errorf("domain %d is paused", s.ID)
	case runs:
		return l.Answers()
	case s.ID != 0:
		return fmt.Errorf("domain %d is still there", s.ID)
	}
	return nil
}

// end leaves no domain.
func (l *loop) end() {
	if s, err := l.State(); err == nil && s.ID != 0 {
		_ = l.Destroy()
	}
}

// see looks, in the iteration that warms up, at what a step led to.
func (l *loop) see(step string, ok func(bench.DomainState) bool) error {
	if l.looked {
		return nil
	}
	s, err := l.State()
	if err == nil && !ok(s) {
		err = fmt.Errorf("after %s the domain is %+v", step, s)
	}
	return err
}

func createDestroy(l *loop) error {
	if err := l.Create(); err != nil {
		return err
	}
	if err := l.see("create", func(s bench.DomainState) bool { return s.ID != 0 && s.Paused }); err != nil {
		return err
	}
	return l.Destroy()
}

func pauseUnpause(l *loop) error {
	if err := l.Pause(); err != nil {
		return err
	}
	if err := l.see("pause", func(s bench.DomainState) bool { return s.ID != 0 && s.Paused }); err != nil {
		return err
	}
	return l.Unpause()
}

// leastSaved is less than the memory of any domain with a Linux kernel, in bytes.
const leastSaved = 16 << 20

func saveRestore(l *loop) error {
	if err := l.Save(); err != nil {
		return err
	}
	if err := l.see("save", func(s bench.DomainState) bool { return s.ID == 0 }); err != nil {
		return err
	}
	if n := l.Saved(); n < leastSaved {
		return fmt.Errorf("save the domain: the file has %d bytes, which cannot be all of its memory", n)
	}
	return l.Restore()
}

func reboot(l *loop) error { return l.Reboot() }
