package experiment

import (
	"slices"

	"xsmbench/hv"
	"xsmbench/results"
)

// Slot is a place in the schedule.
type Slot struct {
	Place  int // in the schedule, from 1
	Round  int // from 1
	Order  int // place in the round, from 1
	Layout int
	Build  hv.Build // with Layout filled in
	// Apart tells that a run has several architectures.
	Apart bool
}

// Name is the build's, with its architecture where that is needed to tell it from
// another.
func (s Slot) Name() string {
	if s.Apart {
		return s.Build.Name + " " + s.Build.Arch
	}
	return s.Build.Name
}

// Schedule lists a run's boots in order. Controls of one architecture share one
// place in the design and take turns in it from round to round: they must not
// cost a run more than one boot per round.
func Schedule(spec results.Spec) []Slot {
	seats := seats(spec.Builds)
	design := Williams(len(seats))
	apart := slices.ContainsFunc(spec.Builds, func(b hv.Build) bool { return b.Arch != spec.Builds[0].Arch })
	var slots []Slot
	for round := 1; round <= spec.Rounds; round++ {
		for place, i := range design[(round-1)%len(design)] {
			b := seats[i][(round-1)%len(seats[i])]
			b.Layout = layoutOf(round, spec.Layouts)
			if b.Relinked {
				b.Layout += max(1, spec.Layouts)
			}
			slots = append(slots, Slot{Place: len(slots) + 1, Round: round, Order: place + 1, Layout: b.Layout, Build: b, Apart: apart})
		}
	}
	return slots
}

// seats are the places of a round, each with the builds that take turns in it.
func seats(builds []hv.Build) [][]hv.Build {
	var all, controls [][]hv.Build
	for _, b := range builds {
		if b.ControlOf == "" {
			all = append(all, []hv.Build{b})
			continue
		}
		i := slices.IndexFunc(controls, func(of []hv.Build) bool { return of[0].Arch == b.Arch })
		if i < 0 {
			i = len(controls)
			controls = append(controls, nil)
		}
		controls[i] = append(controls[i], b)
	}
	return append(all, controls...)
}

// layoutOf is the layout of all builds in a round, but for relinked controls.
func layoutOf(round, layouts int) int {
	if layouts < 1 {
		return 0
	}
	return round % layouts
}

// Williams returns the rows of a balanced Latin square for n treatments: n
// rows if n is even, 2n if it is odd, when one square cannot balance what
// follows what (E. J. Williams, Experimental designs balanced for the
// estimation of residual effects of treatments, 1949).
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
