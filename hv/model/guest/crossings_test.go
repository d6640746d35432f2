//go:build xsm && xsmcount

package guest_test

import (
	"maps"
	"testing"

	"xsmbench/bench"
	_ "xsmbench/bench/kbench"
	_ "xsmbench/bench/lmbench"
	"xsmbench/hv/model/guest"
	_ "xsmbench/workloads/kernbench"
	"xsmbench/xsm"
)

// counting is dom0 with marked windows that count hooks.
type counting struct {
	*guest.Control
	window bench.Phase
	counts map[bench.Phase]map[string]int // the last window of each phase
}

func (c *counting) Begin(p bench.Phase) {
	c.window = p
	xsm.ResetCounts()
}

func (c *counting) End() { c.counts[c.window] = crossedSoFar() }

// TestBenchmarksCrossWhatTheyDeclare counts the hooks of one iteration of
// every benchmark and compares with the number that it declares. What depends
// (PerOp 0) is only looked for among the hooks that are declared.
func TestBenchmarksCrossWhatTheyDeclare(t *testing.T) {
	inDom0(t, func(c *guest.Control) {
		has := func(f bench.Facility) bool { return bench.Has(c.OS(), f) }
		for _, b := range bench.All() {
			if b.NeedsPeer || b.Later || b.Run != nil || b.Lacking(has) != "" {
				continue
			}
			d := &counting{Control: c, counts: map[bench.Phase]map[string]int{}}
			if _, err := bench.Measure(d, b, bench.Options{Windows: 3}, bench.Calibration{}); err != nil {
				t.Error(err)
				continue
			}
			checkCrossings(t, b, d.counts)
		}
	})
}

func checkCrossings(t *testing.T, b bench.Benchmark, counts map[bench.Phase]map[string]int) {
	t.Helper()
	perOp := map[string]float64{}
	for phase, sign := range map[bench.Phase]float64{bench.PhaseOperation: 1, bench.PhaseBaseline: -1, bench.PhaseCredit: 1} {
		for hook, n := range counts[phase] {
			perOp[hook] += sign * float64(n) / float64(max(1, b.Ops))
		}
	}
	maps.DeleteFunc(perOp, func(_ string, n float64) bool { return n == 0 })
	for _, c := range b.Hooks {
		n := perOp[c.Hook]
		delete(perOp, c.Hook)
		// A note allows for two page tables that an iteration adds and
		// frees.
		most := c.PerOp
		if c.Note != "" {
			most += 4 / float64(max(1, b.Ops))
		}
		if c.PerOp > 0 && (n < c.PerOp || n > most) {
			t.Errorf("%s crosses %s %v times per operation, declares %v", b.FullName(), c.Hook, n, c.PerOp)
		}
	}
	for hook, n := range perOp {
		t.Errorf("%s crosses %s %v times per operation, declares none", b.FullName(), hook, n)
	}
}
