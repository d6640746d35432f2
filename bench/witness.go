package bench

import "slices"

// Units of what others than the target counted of an operation: the
// hypervisor itself, or its module. Such figures stand beside the target's own,
// to be held against them.
const (
	// WitnessHooks are calls of hooks by the counters of a build that has
	// them (the model's tag xsmcount).
	WitnessHooks = "counted-hooks/op"
)

var witnesses = []string{WitnessHooks}

// IsWitness reports whether a unit is such a figure's.
func IsWitness(unit string) bool { return slices.Contains(witnesses, unit) }
