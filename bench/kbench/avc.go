package kbench

import (
	"errors"
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// States of FLASK's access vector cache that an operation may find. A state
// that the operation itself ends is made anew before each iteration, untimed.
// Where there is no FLASK, or no cache, nothing is made: those builds' rows are
// what the others compare with.
const (
	// warm: the decisions are in the cache. The operation was just done.
	warm = "warm"
	// cold: the cache was flushed. Each decision is computed and inserted.
	cold = "cold"
	// thrashed: the cache is full of others' decisions, so that the first
	// insertion must reclaim. Full is here a threshold as low as the few
	// decisions that dom0 can ask for: reclaim looks for 16 nodes, passes
	// all 512 slots for fewer and takes every node.
	thrashed = "thrashed"
)

// registerAVC registers the states with operations of one decision and of
// several.
func registerAVC() {
	for _, op := range []struct {
		hypercall
		decisions string
	}{
		{hypercall{
			op: "evtchn_status", source: "common/event_channel.c:evtchn_status",
			hooks: crosses("evtchn_status"), ready: statusOfUnbound,
		}, "one decision"},
		{hypercall{
			op: "evtchn_alloc_close", source: "common/event_channel.c:evtchn_alloc_unbound",
			hooks: crosses("evtchn_unbound", "evtchn_close_post"), ready: allocAndClose,
		}, "two decisions, and a label that is never cached"},
	} {
		for _, s := range []struct{ state, doc string }{
			{warm, "that FLASK has in its cache"},
			{cold, "with FLASK's cache empty"},
			{thrashed, "with FLASK's cache full of others' decisions"},
		} {
			bench.Register(bench.Benchmark{
				Suite: suite, Name: "avc/state=" + s.state + "/op=" + op.op,
				Doc:    op.decisions + " " + s.doc + ": hypercall/op=" + op.op,
				Source: op.source, Unit: "ns/op", Hooks: op.hooks, Dom0Only: true,
				Intervals: func(d bench.Domain) (bench.Interval, error) { return inState(d, op.hypercall, s.state) },
			})
		}
	}
}

// inState readies an operation with a cache in a state before each iteration.
func inState(d bench.Domain, h hypercall, state string) (bench.Interval, error) {
	loop, cleanup, err := h.setup(d)
	if err != nil {
		return bench.Interval{}, err
	}
	in := bench.Interval{Loop: loop, Cleanup: cleanup}
	if state == warm {
		return in, nil
	}
	c, err := newCache(d.Hypercalls())
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return in, nil
	case err != nil:
		cleanup()
		return in, err
	}
	return bench.Interval{
		Before: func(int64) error {
			if state == cold {
				return c.empty()
			}
			return c.fill()
		},
		Loop: loop, Most: 1,
		Cleanup: func() {
			c.restore()
			cleanup()
		},
	}, nil
}

// cache is FLASK's, with operations that look up decisions unlike those of
// any operation that is measured.
type cache struct {
	bench.AVC
	threshold uint32 // at the start
	others    []step
}

func newCache(hc bench.Hypercalls) (*cache, error) {
	k, ok := hc.(bench.AVCKeeper)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	avc, err := k.AVC()
	if err != nil {
		return nil, err
	}
	c := &cache{AVC: avc}
	if c.threshold, err = c.Threshold(); err != nil {
		return nil, err
	}
	c.others = []step{
		zero("ask for scheduler", abi.SysctlOp, sysctl(&abi.Sysctl{Cmd: abi.SysctlSchedID})),
		domctl("read domain", abi.DomctlGetDomainInfo, hc.DomID()),
		positive("ask for memory", abi.MemoryOp, &abi.Args{
			R: [4]uint64{uint64(abi.XENMEMCurrentReservation)}, H: &abi.MemoryDomain{DomID: hc.DomID()},
		}),
	}
	for i := range c.others {
		s := &c.others[i]
		if s.call, err = hc.Prepare(s.op, s.args); err != nil {
			return nil, fmt.Errorf("prepare %s: %w", s.name, err)
		}
	}
	return c, nil
}

// empty flushes the cache and lets go of what was in it.
func (c *cache) empty() error { return errors.Join(c.Flush(), c.Settle()) }

// fill leaves the cache with others' decisions and a threshold of as many. To
// change the threshold is a decision, too, which must be there before they are
// counted.
func (c *cache) fill() error {
	if err := errors.Join(c.SetThreshold(c.threshold), c.Flush(), runSteps(c.others, 1), c.SetThreshold(c.threshold+1)); err != nil {
		return err
	}
	chains, err := c.Chains()
	if err != nil {
		return err
	}
	return errors.Join(c.SetThreshold(chains.Nodes), c.Settle())
}

// restore is for the end: an error would only hide the measurement's.
func (c *cache) restore() { c.SetThreshold(c.threshold) }
