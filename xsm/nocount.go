//go:build !xsmcount || (!xsm && !xsminline)

package xsm

// Counting says whether this build counts calls of hooks.
const Counting = false

// Counts returns zeros: this build has no counters.
func Counts() [NrHooks]uint64 { return [NrHooks]uint64{} }

// ResetCounts does nothing: this build has no counters.
func ResetCounts() {}
