// Package account tells what three sets differ in: what a run was to measure
// (the spec of its run.json), what it measured, and what it is compared with,
// which is an earlier run or the base of the same run. Their elements are cells,
// a build, a domain, a benchmark and a unit; a plan knows no units.
//
// A difference has a kind and the cell that it is about. What follows from one
// is for others to say: package gate decides by them, tables and pages name
// them on their first line.
package account

import (
	"slices"

	"xsmbench/reports/compare"
	"xsmbench/results"
)

// Kind is in which sets a cell is, and in which it is not.
type Kind string

// The kinds.
const (
	NoSample    Kind = "no sample"      // planned, and nothing was measured
	Unmeasured  Kind = "not measurable" // the same, and the run says why
	Ended       Kind = "ended"          // only in what the run is compared with
	New         Kind = "new"            // only in the run
	Uncounted   Kind = "not counted"    // only one of them has a cost
	NeverCounts Kind = "never counted"  // neither has one, and the samples say why
	CostLost    Kind = "no cost"        // neither has one, and nothing says why
)

// Difference is a cell that is not in all of the sets. Its unit is "" where no
// sample tells it.
type Difference struct {
	compare.Cell
	Kind   Kind
	Reason string // what the run says of it, "" for nothing
}

// Gaps are the places of a plan that have no sample, in the plan's order.
// Problems are those that were found when the samples were read: they tell what
// the run itself could not measure.
func Gaps(s *results.Spec, measured []compare.Cell, problems []results.Problem) []Difference {
	has := map[results.Place]compare.Environment{}
	where := map[results.Place]compare.Environment{} // by domain
	for _, c := range measured {
		has[placeOf(c)] = c.Environment
		where[domainOf(placeOf(c))] = c.Environment
	}
	var all []Difference
	for _, p := range s.Places() {
		if _, ok := has[p]; ok {
			continue
		}
		e, known := where[domainOf(p)]
		if !known {
			e = environment(s, p)
		}
		d := Difference{Cell: compare.Cell{Environment: e, Build: p.Build, Benchmark: p.Benchmark}, Kind: NoSample}
		if d.Reason = s.Reason(p, problems); d.Reason != "" {
			d.Kind = Unmeasured
		}
		all = append(all, d)
	}
	return all
}

func placeOf(c compare.Cell) results.Place {
	return results.Place{Build: c.Build, Arch: c.Arch, DomU: c.DomU, Domain: c.Domain, Benchmark: c.Benchmark}
}

// domainOf is a place's domain, whatever is measured there.
func domainOf(p results.Place) results.Place {
	return results.Place{Arch: p.Arch, DomU: p.DomU, Domain: p.Domain}
}

// environment is that in which a run measures a place.
func environment(s *results.Spec, p results.Place) compare.Environment {
	return compare.Environment{Target: s.Target, Arch: p.Arch, Accel: s.SampleAccel(), Workload: s.Workload, Domain: p.Domain, DomU: p.DomU, Idle: s.Idle}
}

// Unplanned are the builds, benchmarks and domains that have samples and no
// place in the plan.
func Unplanned(s *results.Spec, measured []compare.Cell) []compare.Cell {
	planned := map[results.Place]bool{}
	for _, p := range s.Places() {
		planned[p] = true
	}
	var all []compare.Cell
	for _, c := range measured {
		c.Unit = ""
		if !planned[placeOf(c)] && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}

// Against are the differences between what was measured and what it is compared
// with: cells of one build each, those of the run first. Costs are compared, and
// where there is none but what describes it, that there is none.
//
// Excused tells of a cell without a cost whether its samples say why.
func Against(measured, other []compare.Cell, excused func(compare.Cell) bool) []Difference {
	here, there := newSide(measured), newSide(other)
	var all []Difference
	add := func(c compare.Cell, k Kind) { all = append(all, Difference{Cell: c, Kind: k}) }
	for _, c := range here.order {
		switch {
		case compare.IsCost(c.Unit):
			if there.cells[c] {
				continue
			}
			if there.bare(c) {
				add(c, Uncounted)
			} else {
				add(c, New)
			}
		case !here.bare(c):
		case there.bare(c) && excused(c):
			add(without(c), NeverCounts)
		case there.bare(c):
			add(without(c), CostLost)
		case there.seen[without(c)]:
			add(without(c), Uncounted)
		default:
			add(without(c), New)
		}
	}
	for _, c := range there.order {
		switch {
		case here.cells[c] || here.bare(c):
		case compare.IsCost(c.Unit):
			add(c, Ended)
		case there.bare(c) && !here.seen[without(c)]:
			add(without(c), Ended)
		}
	}
	return compact(all)
}

// side is one of two sets of cells.
type side struct {
	order  []compare.Cell
	cells  map[compare.Cell]bool
	seen   map[compare.Cell]bool // without units
	costly map[compare.Cell]bool // without units: those that have a cost
}

func newSide(cells []compare.Cell) *side {
	s := &side{order: cells, cells: map[compare.Cell]bool{}, seen: map[compare.Cell]bool{}, costly: map[compare.Cell]bool{}}
	for _, c := range cells {
		s.cells[c], s.seen[without(c)] = true, true
		s.costly[without(c)] = s.costly[without(c)] || compare.IsCost(c.Unit)
	}
	return s
}

// bare reports whether a benchmark has samples, and none of a cost.
func (s *side) bare(c compare.Cell) bool { return s.seen[without(c)] && !s.costly[without(c)] }

func without(c compare.Cell) compare.Cell {
	c.Unit = ""
	return c
}

// compact leaves out what is there already.
func compact(all []Difference) []Difference {
	seen := map[Difference]bool{}
	return slices.DeleteFunc(all, func(d Difference) bool {
		was := seen[d]
		seen[d] = true
		return was
	})
}
