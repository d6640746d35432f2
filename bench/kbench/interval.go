package kbench

import (
	"errors"
	"fmt"

	"xsmbench/bench"
)

// interval is a benchmark of hypercalls whose effect is undone: what readies
// the operation and what undoes it stand outside of what is timed and counted.
// It is of the full suite.
type interval struct {
	op     string // name of the benchmark: hypercall/op=…
	doc    string
	source string // Xen's function
	hooks  []bench.Crossing
	dom0   bool
	later  bool // Xen 3.2 has it not
	ready  func(bench.Hypercalls) (undone, error)
}

// undone is an operation with what comes before and after it.
type undone struct {
	ready func() // changes what no hypercall changes, before all; nil for nothing
	// items are done in turn, one an iteration.
	items []item
	// Items that take each other back, or that take nothing, are repeated as
	// often as one likes; others are done once each, and then undone. A clock
	// resolves a single short operation badly, so that there should be several.
	repeat  bool
	after   []step // after all, whatever was done
	cleanup func() // as bench.Interval's. It must do no harm if all is undone already.
}

// item is one hypercall, and what readies and undoes it.
type item struct {
	before []step
	op     step
	after  []step
}

// single is an operation that is done once.
func single(op step, after ...step) []item { return []item{{op: op, after: after}} }

// reading is an operation that changes nothing.
func reading(op step) undone { return undone{items: single(op), repeat: true} }

// alternating changes a setting and changes it back by the same operation; it
// leaves it as back does.
func alternating(to, back step) undone {
	return undone{items: []item{{op: to}, {op: back}}, repeat: true, after: []step{back}}
}

func (i interval) register() {
	bench.Register(bench.Benchmark{
		Suite: suite, Name: "hypercall/op=" + i.op,
		Doc: i.doc, Source: i.source, Unit: "ns/op",
		Hooks: i.hooks, Dom0Only: i.dom0, Full: true, Later: i.later,
		Intervals: i.setup,
	})
}

// setup prepares all steps and runs them once: a hypercall that does not work
// here fails before anything is timed.
func (i interval) setup(d bench.Domain) (bench.Interval, error) {
	hc := d.Hypercalls()
	u, err := i.ready(hc)
	if err != nil {
		return bench.Interval{}, err
	}
	if u.cleanup == nil {
		u.cleanup = func() {}
	}
	in, err := u.interval(hc)
	if err == nil {
		err = inTurn(in.Before, in.Loop, in.After)
	}
	if err != nil {
		u.cleanup()
	}
	return in, err
}

func (u undone) interval(hc bench.Hypercalls) (bench.Interval, error) {
	err := prepare(hc, u.after)
	ops := make([]step, len(u.items))
	for i, it := range u.items {
		ops[i] = it.op
		err = errors.Join(err, prepare(hc, it.before), prepare(hc, it.after))
	}
	in := bench.Interval{Before: u.before, After: u.undo, Cleanup: u.cleanup, Most: int64(len(ops))}
	if u.repeat {
		in.Most = 0
	}
	in.Loop = func(n int64) error {
		for i := 0; n > 0; n-- {
			if err := runSteps(ops[i:i+1], 1); err != nil {
				return err
			}
			if i++; i == len(ops) {
				i = 0
			}
		}
		return nil
	}
	return in, errors.Join(err, prepare(hc, ops))
}

// before readies n items.
func (u undone) before(n int64) error {
	if u.ready != nil {
		u.ready()
	}
	for _, it := range u.items[:min(n, int64(len(u.items)))] {
		if err := runSteps(it.before, 1); err != nil {
			return err
		}
	}
	return nil
}

// undo takes n items back.
func (u undone) undo(n int64) error {
	for _, it := range u.items[:min(n, int64(len(u.items)))] {
		if err := runSteps(it.after, 1); err != nil {
			return err
		}
	}
	return runSteps(u.after, 1)
}

// inTurn runs loops once each, up to the first that fails.
func inTurn(loops ...bench.Loop) error {
	for _, l := range loops {
		if err := l(1); err != nil {
			return err
		}
	}
	return nil
}

// prepare readies the calls of steps.
func prepare(hc bench.Hypercalls, steps []step) (err error) {
	for i := range steps {
		s := &steps[i]
		if s.call, err = hc.Prepare(s.op, s.args); err != nil {
			return fmt.Errorf("prepare %s: %w", s.name, err)
		}
	}
	return nil
}

// makeOnce prepares steps and runs them.
func makeOnce(hc bench.Hypercalls, steps []step) error {
	if err := prepare(hc, steps); err != nil {
		return err
	}
	return runSteps(steps, 1)
}

// undo makes hypercalls that take something back at the end, whatever they
// answer: it may have been taken back before.
func undo(hc bench.Hypercalls, steps ...step) func() {
	return func() {
		for _, s := range steps {
			do(hc, s.name, s.op, s.args)
		}
	}
}
