//go:build (xsm || xsminline) && xsmcount

package xsm

import "sync/atomic"

// Counting says whether this build counts calls of hooks. Such a build is for
// profiles and never measured: the counters cost more than the dummy.
const Counting = true

var counters [NrHooks]atomic.Uint64

// Counts returns how often each hook was called since ResetCounts.
func Counts() [NrHooks]uint64 {
	var n [NrHooks]uint64
	for i := range counters {
		n[i] = counters[i].Load()
	}
	return n
}

// ResetCounts sets every counter to zero.
func ResetCounts() {
	for i := range counters {
		counters[i].Store(0)
	}
}
