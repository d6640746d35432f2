package main

import (
	"fmt"
	"slices"

	"xsmbench/bench"
	"xsmbench/bench/wire"
	"xsmbench/hv/count/mark"
	"xsmbench/hv/model/guest"
	"xsmbench/xsm"
)

// marked is a domain whose benchmarks mark windows. Both domains are in one
// program, so that each has its part of the one table.
type marked struct {
	*guest.Control
	index int // of the benchmark, over both domains

	// Of a build that counts its hooks: each window's calls, by phase.
	phase bench.Phase
	calls [bench.PhaseOperation + 1][]float64
}

// Begin begins a window of a phase.
func (m *marked) Begin(p bench.Phase) {
	if xsm.Counting {
		m.phase = p
		xsm.ResetCounts()
	}
	mark.Begin(mark.Slot(m.index, p))
}

// End ends it.
func (m *marked) End() {
	mark.End()
	if xsm.Counting {
		calls := 0.
		for _, n := range xsm.Counts() {
			calls += float64(n)
		}
		m.calls[m.phase] = append(m.calls[m.phase], calls)
	}
}

// counted is how many hooks an operation called, by the build's own counters:
// the median of its windows, in some of which another domain ran as well.
func (m *marked) counted(ops int64) float64 {
	per := func(p bench.Phase) float64 {
		if len(m.calls[p]) == 0 {
			return 0
		}
		slices.Sort(m.calls[p])
		return m.calls[p][len(m.calls[p])/2]
	}
	return (per(bench.PhaseOperation) - per(bench.PhaseBaseline) + per(bench.PhaseCredit)) / float64(max(1, ops))
}

// marker is the agent's sink that tells a marked domain which benchmark is
// next.
type marker struct {
	*wire.Writer
	to    *marked
	first int // index of the domain's first benchmark
}

// newMarker gives a domain its part of the table.
func newMarker(w *wire.Writer, c *guest.Control, plan bench.Plan, domain string) (*marker, error) {
	if n := len(plan.Domains) * len(plan.Benchmarks); n > mark.MostBenchmarks {
		return nil, fmt.Errorf("%d benchmarks in %d domains: the marks suffice for %d in all", len(plan.Benchmarks), len(plan.Domains), mark.MostBenchmarks)
	}
	return &marker{w, &marked{Control: c}, slices.Index(plan.Domains, domain) * len(plan.Benchmarks)}, nil
}

// Begin announces a benchmark; indices count from 1.
func (m *marker) Begin(benchmark string, index, total int) error {
	*m.to = marked{Control: m.to.Control, index: m.first + index - 1}
	return m.Writer.Begin(benchmark, index, total)
}

// Sample reports a result. Where windows are counted, their times say nothing.
func (m *marker) Sample(s bench.Measurement) error {
	s.Windows, s.Warnings = nil, nil
	if b, ok := bench.Find(s.Benchmark); ok && xsm.Counting && s.Error == "" {
		s.Values = append(s.Values, bench.Value{Value: m.to.counted(b.Ops), Unit: bench.WitnessHooks})
	}
	return m.Writer.Sample(s)
}
