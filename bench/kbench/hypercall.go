package kbench

import (
	"fmt"
	"math"
	"slices"

	"xsmbench/abi"
	"xsmbench/bench"
)

// hypercall is a benchmark of one hypercall, or of a few that undo each other.
type hypercall struct {
	op     string // name of the benchmark: hypercall/op=…
	doc    string
	source string // Xen's function
	hooks  []bench.Crossing
	dom0   bool
	peer   bool
	ops    int64
	full   bool // of the full suite only
	later  bool // Xen 3.2 has it not
	// ready makes the steps of an iteration, and what undoes them at the
	// end (nil for nothing).
	ready func(bench.Hypercalls) ([]step, func(), error)
}

// step is one hypercall of an iteration.
type step struct {
	name string
	op   abi.Hypercall
	args *abi.Args
	// The result must lie between least and most.
	least, most int64
	or          []int64      // other results that are as good
	before      func()       // changes the arguments, nil for nothing
	after       func() error // checks what was written, nil for nothing

	call func() int64
}

// zero is a step that must return 0.
func zero(name string, op abi.Hypercall, args *abi.Args) step {
	return step{name: name, op: op, args: args}
}

// one is a step that must return 1: a count of what was done.
func one(name string, op abi.Hypercall, args *abi.Args) step {
	return step{name: name, op: op, args: args, least: 1, most: 1}
}

// positive is a step that must not fail.
func positive(name string, op abi.Hypercall, args *abi.Args) step {
	return step{name: name, op: op, args: args, most: math.MaxInt64}
}

func (h hypercall) register() {
	bench.Register(bench.Benchmark{
		Suite: suite, Name: "hypercall/op=" + h.op,
		Doc: h.doc, Source: h.source, Unit: "ns/op",
		Hooks: h.hooks, Dom0Only: h.dom0, NeedsPeer: h.peer, Ops: h.ops, Full: h.full, Later: h.later,
		Setup: h.setup,
	})
}

// setup prepares the steps and runs them once: a hypercall that does not work
// here fails before anything is timed.
func (h hypercall) setup(d bench.Domain) (bench.Loop, func(), error) {
	hc := d.Hypercalls()
	steps, cleanup, err := h.ready(hc)
	if err != nil {
		return nil, nil, err
	}
	if cleanup == nil {
		cleanup = func() {}
	}
	if err := prepare(hc, steps); err != nil {
		cleanup()
		return nil, nil, err
	}
	loop := func(n int64) error { return runSteps(steps, n) }
	if err := loop(1); err != nil {
		cleanup()
		return nil, nil, err
	}
	return loop, cleanup, nil
}

// runSteps is the timed loop. Every result is checked: two comparisons
// against a hypercall's hundreds of nanoseconds, in every build the same.
func runSteps(steps []step, n int64) error {
	for ; n > 0; n-- {
		for i := range steps {
			s := &steps[i]
			if s.before != nil {
				s.before()
			}
			if r := s.call(); (r < s.least || r > s.most) && !slices.Contains(s.or, r) {
				return s.unexpected(r)
			}
			if s.after != nil {
				if err := s.after(); err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
			}
		}
	}
	return nil
}

func (s *step) unexpected(r int64) error {
	if r < 0 {
		return fmt.Errorf("%s: %w", s.name, abi.Errno(-r))
	}
	return fmt.Errorf("%s: result is %d, not between %d and %d", s.name, r, s.least, s.most)
}

// do makes one hypercall outside of the timed loop.
func do(hc bench.Hypercalls, name string, op abi.Hypercall, args *abi.Args) error {
	call, err := hc.Prepare(op, args)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", name, err)
	}
	if r := call(); r < 0 {
		return fmt.Errorf("%s: %w", name, abi.Errno(-r))
	}
	return nil
}
