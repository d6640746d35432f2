package mark_test

import (
	"testing"

	"xsmbench/bench"
	"xsmbench/hv/count/mark"
)

// TestSlots checks that all phases of all benchmarks have slots of their own,
// none of which is the end mark's.
func TestSlots(t *testing.T) {
	seen := map[int]bool{}
	for i := range mark.MostBenchmarks {
		for _, p := range []bench.Phase{bench.PhaseBaseline, bench.PhaseCredit, bench.PhaseOperation} {
			s := mark.Slot(i, p)
			if s < 0 || s >= mark.Slots-1 || seen[s] {
				t.Fatalf("benchmark %d phase %d has slot %d", i, p, s)
			}
			if s != mark.Slot(i, bench.PhaseBaseline)+int(p) {
				t.Fatalf("benchmark %d: phases are not in a row, as the agent takes them", i)
			}
			seen[s] = true
		}
	}
	if mark.Slot(mark.MostBenchmarks, bench.PhaseOperation) < mark.Slots-1 {
		t.Error("another benchmark would fit")
	}
}
