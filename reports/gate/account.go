package gate

import (
	"math"
	"slices"

	"xsmbench/reports/account"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

// account makes a finding of all that was planned, that was measured, or that
// the earlier run has, and that no row judges. What is found here is all that
// keeps a run from passing besides its rows: a row that is in none of the
// comparison's lists cannot be overlooked.
func (r *Result) account() {
	if r.Run == nil {
		r.find(account.Difference{}, NoPlan)
	}
	for _, d := range r.gaps() {
		r.find(d, causeOf[d.Kind])
	}
	r.identify()
	for _, build := range r.toJudge() {
		here, there := r.sides(build)
		for _, d := range account.Against(here, there, r.excused) {
			switch {
			case d.Kind == account.NeverCounts:
				r.Uncounted = append(r.Uncounted, d.Cell)
			case d.Kind == account.Ended && r.gapOf[placeIn(d.Cell)]:
			default:
				r.find(d, causeOf[d.Kind])
			}
		}
		r.findApart(here, there)
	}
}

// causeOf is what a difference means for the gate.
var causeOf = map[account.Kind]Cause{
	account.NoSample: Missing, account.Unmeasured: Failed, account.Ended: Ended, account.New: New,
	account.Uncounted: NoCount, account.CostLost: NoCost,
}

// find adds a finding, unless nobody asked for that place.
func (r *Result) find(d account.Difference, cause Cause) {
	if cause != NoPlan && !r.Comparison.Selects(d.Cell) {
		return
	}
	f := Finding{Environment: d.Environment, Benchmark: d.Benchmark, Build: d.Build, Unit: d.Unit, Cause: cause, Reason: d.Reason, Floor: math.NaN()}
	switch cause {
	case Ended, New, NoPlan, Failed:
		f.Allowed = r.AllowMissing
	}
	r.Findings = append(r.Findings, f)
}

// gaps are what was planned and has no sample, of the builds to judge, of those
// that they are compared with, and of the controls.
func (r *Result) gaps() []account.Difference {
	r.gapOf = map[compare.Cell]bool{}
	if r.Run == nil {
		return nil
	}
	all := slices.DeleteFunc(account.Gaps(&r.Run.Spec, r.Comparison.Measured(), r.Problems), func(d account.Difference) bool {
		return !r.judges(d.Build) && !(r.Earlier == "" && d.Build == r.Comparison.Base)
	})
	for _, d := range all {
		r.gapOf[placeIn(d.Cell)] = true
	}
	return all
}

// placeIn is a cell as far as a plan knows it.
func placeIn(c compare.Cell) compare.Cell {
	return compare.Cell{Environment: compare.Environment{Arch: c.Arch, DomU: c.DomU, Domain: c.Domain}, Build: c.Build, Benchmark: c.Benchmark}
}

// identify finds the builds that are the image that they are compared with.
func (r *Result) identify() {
	controls := r.controlBuilds()
	for _, row := range r.Comparison.Controls {
		between := row.Base == r.Comparison.Base || row.Base == compare.Earlier(row.Build)
		if between && !row.Relinked && r.judges(row.Build) && !slices.Contains(controls, row.Build) && !slices.Contains(r.Identical, row.Build) {
			r.Identical = append(r.Identical, row.Build)
		}
	}
}

// toJudge are the builds that have samples in one of the runs, without those
// that only show what noise there is.
func (r *Result) toJudge() []string {
	var all []string
	add := func(cells []compare.Cell, controls []string) {
		for _, c := range cells {
			isBase := r.Earlier == "" && c.Build == r.Comparison.Base
			if !isBase && r.judges(c.Build) && !slices.Contains(controls, c.Build) && !slices.Contains(all, c.Build) {
				all = append(all, c.Build)
			}
		}
	}
	add(r.Comparison.Measured(), r.controlBuilds())
	add(r.Comparison.Earlier(), r.earlierControls())
	return all
}

// controlBuilds are those that the run measured once more under another name, as
// far as run.json tells.
func (r *Result) controlBuilds() []string { return controlsOf(r.Run, r.Before) }

// earlierControls are the same of the earlier run.
func (r *Result) earlierControls() []string { return controlsOf(r.Before, r.Run) }

// controlsOf are a run's controls, or the other's if nothing is known of the run.
func controlsOf(run, other *results.Run) []string {
	if run == nil {
		run = other
	}
	var names []string
	if run != nil {
		for _, b := range run.Spec.Controls() {
			names = append(names, b.Name)
		}
	}
	return names
}

// sides are the cells of a build, and those that they are compared with: its own
// of the earlier run, or the base's.
func (r *Result) sides(build string) (here, there []compare.Cell) {
	isControl, wasControl := slices.Contains(r.controlBuilds(), build), slices.Contains(r.earlierControls(), build)
	for _, c := range r.Comparison.Measured() {
		if c.Build == build && !isControl {
			here = append(here, c)
		}
		if r.Earlier == "" && c.Build == r.Comparison.Base {
			c.Build = build
			there = append(there, c)
		}
	}
	if r.Earlier != "" {
		for _, c := range r.Comparison.Earlier() {
			if c.Build == build && !wasControl {
				there = append(there, c)
			}
		}
	}
	return here, there
}

// excused reports whether the samples of a build without a cost say that it
// could not be counted.
func (r *Result) excused(c compare.Cell) bool {
	return slices.ContainsFunc(r.Comparison.Figures, func(f compare.Figure) bool {
		return f.Environment == c.Environment && f.Benchmark == c.Benchmark && f.Build == c.Build && f.Disclaimed()
	})
}

// findApart finds what both sides have and the comparison has no row of.
func (r *Result) findApart(here, there []compare.Cell) {
	compared := map[compare.Cell]bool{}
	for _, row := range slices.Concat(r.Comparison.Rows, r.Comparison.Controls) {
		if row.Base == r.Comparison.Base || row.Base == compare.Earlier(row.Build) {
			compared[compare.CellOf(row)] = true
		}
	}
	for _, c := range here {
		if compare.IsCost(c.Unit) && slices.Contains(there, c) && !compared[c] {
			r.find(account.Difference{Cell: c}, Apart)
		}
	}
}
