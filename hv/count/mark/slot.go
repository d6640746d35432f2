package mark

import "xsmbench/bench"

// phases is how many slots a benchmark's windows take.
const phases = int(bench.PhaseOperation) + 1

// MostBenchmarks is how many benchmarks have slots of their own.
const MostBenchmarks = (Slots - 1) / phases

// Fit is how many benchmarks have slots of their own in a table of some length.
func Fit(slots int) int { return (slots - 1) / phases }

// Slot is that of a phase of a benchmark at an index from 0.
func Slot(index int, p bench.Phase) int { return index*phases + int(p) }
