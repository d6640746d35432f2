package bench

import "slices"

// Units of what others than the target counted of an operation: the
// hypervisor itself, or its module. Such figures stand beside the target's own,
// to be held against them.
const (
	// WitnessHooks are calls of hooks by the counters of a build that has
	// them (the model's tag xsmcount).
	WitnessHooks = "counted-hooks/op"
	// WitnessLookups and what became of them are FLASK's own statistics of
	// its access vector cache.
	WitnessLookups = "avc-lookups/op"
	WitnessHits    = "avc-hits/op"
	WitnessMisses  = "avc-misses/op"
	// WitnessHypercalls is counted by builds of Xen with
	// CONFIG_PERF_COUNTERS, for dom0.
	WitnessHypercalls = "hypercalls/op"
)

var witnesses = []string{WitnessHooks, WitnessLookups, WitnessHits, WitnessMisses, WitnessHypercalls}

// IsWitness reports whether a unit is such a figure's.
func IsWitness(unit string) bool { return slices.Contains(witnesses, unit) }
