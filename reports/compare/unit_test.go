package compare

import "testing"

// TestWitnessesAreNotJudged: what others counted is no cost.
func TestWitnessesAreNotJudged(t *testing.T) {
	for unit, cost := range map[string]bool{
		"ns/op": true, "MB/s": true, "xen-instr/op": true,
		"hooks/op": false, "counted-hooks/op": false, "avc-lookups/op": false, "avc-hits/op": false, "avc-misses/op": false, "hypercalls/op": false,
	} {
		if IsCost(unit) != cost {
			t.Errorf("%s is a cost: %t, want %t", unit, !cost, cost)
		}
	}
}
