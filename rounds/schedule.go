// Package rounds runs an experiment: it boots every build once per round, in
// an order that is balanced over the rounds, and writes one sample per
// benchmark, domain and boot to a run directory as each boot ends. It works
// on any hv.Target and knows none.
//
// Invariants: the schedule follows from the spec alone, so an interrupted run
// continues where it stopped; a boot that failed leaves its place in the
// schedule open and touches no other boot's samples; one machine runs at a
// time.
//
// The order is a Williams design (E. J. Williams, Experimental designs
// balanced for the estimation of residual effects of treatments, 1949): each
// build stands in each place of a round equally often, and follows each other
// build equally often, so that neither drift nor what a boot leaves behind (a
// warm cache, a hot processor) falls on one build.
package rounds

import (
	"xsmbench/hv"
	"xsmbench/results"
)

// Slot is a place in the schedule.
type Slot struct {
	Round  int // from 1
	Order  int // place in the round, from 1
	Layout int
	Build  hv.Build // with Layout filled in
}

// Schedule lists a run's boots in order.
func Schedule(spec results.Spec) []Slot {
	design := Williams(len(spec.Builds))
	var slots []Slot
	for round := 1; round <= spec.Rounds; round++ {
		for place, i := range design[(round-1)%len(design)] {
			b := spec.Builds[i]
			b.Layout = layoutOf(round, spec.Layouts)
			slots = append(slots, Slot{Round: round, Order: place + 1, Layout: b.Layout, Build: b})
		}
	}
	return slots
}

// layoutOf is the layout of all builds in a round.
func layoutOf(round, layouts int) int {
	if layouts < 1 {
		return 0
	}
	return round % layouts
}

// Williams returns the rows of a balanced Latin square for n treatments: n
// rows if n is even, 2n if it is odd, when one square cannot balance what
// follows what.
func Williams(n int) [][]int {
	if n < 1 {
		return [][]int{{}}
	}
	first := make([]int, n) // 0, 1, n-1, 2, n-2, …
	for i := 1; i < n; i++ {
		if i%2 == 1 {
			first[i] = (i + 1) / 2
		} else {
			first[i] = n - i/2
		}
	}
	var rows [][]int
	for shift := range n {
		rows = append(rows, shifted(first, shift))
	}
	if n%2 == 1 && n > 1 {
		for shift := range n {
			rows = append(rows, reversed(shifted(first, shift)))
		}
	}
	return rows
}

func shifted(row []int, by int) []int {
	out := make([]int, len(row))
	for i, v := range row {
		out[i] = (v + by) % len(row)
	}
	return out
}

func reversed(row []int) []int {
	out := make([]int, len(row))
	for i, v := range row {
		out[len(row)-1-i] = v
	}
	return out
}
