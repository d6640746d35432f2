package kernbench

import (
	"fmt"
	"time"

	"xsmbench/bench"
	"xsmbench/workloads/kernbench/csource"
)

// Runs of a load with a real compiler, as kernbench makes them.
const (
	compileRuns      = 5
	quickCompileRuns = 1
)

// jobWindows are those of a sample where a build is counted. Two show how far they lie
// apart, and a run has two boots or more.
const jobWindows = 2

// patience is for six builds of a tree on a slow machine.
const patience = 5 * time.Minute

// load is how many compilers run at a time.
type load struct {
	name, doc string
	jobs      func(cpus int) int // 0 for no limit
}

var loads = []load{
	{"half", "half as many jobs as CPUs, 3 instead of 2; with fewer than 4 CPUs, where kernbench leaves it out, one job at a time", halfLoad},
	{"optimal", "four jobs per CPU", optimalLoad},
	{"maximal", "as many jobs as files", maximalLoad},
}

func maximalLoad(int) int { return 0 }

// Compiled is what the names of the benchmarks end with that start a real compiler.
const Compiled = "/source=c"

// compiled is the benchmark of a load with a real compiler.
func compiled(l load) bench.Benchmark {
	return bench.Benchmark{
		Suite: "Kbench", Name: "kernbench/load=" + l.name + Compiled, Unit: "ns/op", Beside: compiledUnits(), Full: true,
		Doc:    fmt.Sprintf("compile a tree of %d C files (%d where instructions are counted) with the system's own compiler, and link it: %s", csource.Usual.Sources, csource.Counted.Sources, l.doc),
		Source: "kernbench 0.42, " + l.name + " load",
		Hooks: []bench.Crossing{
			{Hook: "update_va_mapping", Note: "1 per page fault, and twice about T+1 for each process"},
			{Hook: "memory_pin_page", Note: "2 for each process"},
			{Hook: "mmu_normal_update", Note: "1 per page table that a fault adds"},
		},
		Needs:    []bench.Facility{bench.Compiling},
		Patience: patience,
		Run:      func(d bench.Domain, o bench.Options) ([]bench.Value, error) { return timeBuilds(d.OS(), l, o) },
		Job: &bench.Job{Windows: jobWindows, Intervals: func(d bench.Domain, o bench.Options) (bench.Interval, error) {
			return countBuilds(d.OS(), l, o)
		}},
	}
}

func sizeOf(o bench.Options) csource.Size {
	switch {
	case o.Quick:
		return csource.Quick
	case o.Windows > 0:
		return csource.Counted
	}
	return csource.Usual
}

// timeBuilds compiles the tree some number of times, after a run at optimal load to
// warm up, and returns the means of the figures and their standard deviations.
func timeBuilds(os bench.OS, l load, o bench.Options) ([]bench.Value, error) {
	t, err := newCTree(os, sizeOf(o))
	if err != nil {
		return nil, err
	}
	defer t.remove()
	if err := t.create(); err != nil {
		return nil, err
	}
	cpus := t.builder.Processors()
	if _, err := t.time(optimalLoad(cpus)); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	if err := t.checkImage(); err != nil {
		return nil, err
	}
	times := compileRuns
	if o.Quick {
		times = quickCompileRuns
	}
	var all []Figures
	for range times {
		f, err := t.time(l.jobs(cpus))
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	mean, sd := Mean(all)
	values := mean.Values()
	if len(all) > 1 {
		values = append(values, sd.deviations()...)
	}
	return values, nil
}

// time builds the tree anew and takes the time, as time(1) does.
func (t *cTree) time(jobs int) (Figures, error) {
	if err := t.settle(); err != nil {
		return Figures{}, err
	}
	used, start := t.builder.Used(), t.os.Now()
	processes, err := t.build(jobs)
	elapsed := t.os.Now() - start
	if err != nil {
		return Figures{}, err
	}
	return newFigures(elapsed, t.builder.Used().Sub(used)), t.check(processes)
}

// countBuilds readies builds of the tree for marked windows, one each.
func countBuilds(os bench.OS, l load, o bench.Options) (bench.Interval, error) {
	t, err := newCTree(os, sizeOf(o))
	if err != nil {
		return bench.Interval{}, err
	}
	if err := t.create(); err != nil {
		t.remove()
		return bench.Interval{}, err
	}
	processes, seen := 0, false
	jobs := l.jobs(t.builder.Processors())
	return bench.Interval{
		Most:   1,
		Before: func(int64) error { return t.settle() },
		Loop: func(int64) (err error) {
			processes, err = t.build(jobs)
			return err
		},
		After: func(int64) error {
			if err := t.check(processes); err != nil || seen {
				return err
			}
			seen = true
			return t.checkImage()
		},
		Cleanup: t.remove,
	}, nil
}
