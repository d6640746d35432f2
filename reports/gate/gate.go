// Package gate decides whether a comparison may pass: for each row whether it
// is within its margin, a regression, or undecided, and for all of them
// together. It computes no statistics; verdicts, margins and controls are
// those of package compare. It asks for more than they do in three ways. What
// was planned, or what the earlier run has, and no row judges does not pass:
// package account finds it. A margin finer than what the controls show as noise
// does not pass. And times of two machines are not compared. In one way it asks
// for less: where a count of a whole operation is not exact for reasons of its
// own, the hooks' share of it, which is, decides.
//
// A waiver lets single rows through, with a reason, until a day. It never
// removes a row from a report.
package gate

import (
	"math"
	"slices"
	"time"

	"xsmbench/reports/change"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

// Outcome is what a gate says.
type Outcome string

// The outcomes, the gravest last. A finding has one of the first five, the input
// alone is damaged.
const (
	Pass         Outcome = "pass"
	Inconclusive Outcome = "inconclusive" // a row decides nothing
	Unjudged     Outcome = "not judged"   // no row can decide
	Regression   Outcome = "regression"
	Incomplete   Outcome = "incomplete" // planned, but there is no sample
	Damaged      Outcome = "damaged"    // the input
)

// Input is what is judged.
type Input struct {
	Comparison *compare.Comparison
	// Run and Before are the runs that are compared, Before the earlier one;
	// nil if there is none, or nothing is known of it.
	Run, Before *results.Run
	// Earlier is where the earlier run lies, "" if builds of one run are
	// compared.
	Earlier string
	// Renamed says which names of the earlier run were read as others.
	Renamed []string
	Only    []string // builds to judge, all if empty
	Waivers []Waiver
	// AllowInconclusive says that inconclusive rows let the gate pass. They
	// stay what they are in every report.
	AllowInconclusive bool
	// AllowMissing lets pass what only one of the two that are compared has,
	// and a run of which no plan is known.
	AllowMissing bool
	Today        time.Time
	// Problems are those of the run's files: they tell what the run itself
	// could not measure.
	Problems []results.Problem
	// Changes are what was changed between builds and what they are compared with.
	// Functions that changed and never executed are named.
	Changes []change.Change
	// RequireReached keeps a build from passing if it has such functions, or if that
	// is not known.
	RequireReached bool
	// Repeat gives the commands that measure some benchmarks again, or all if
	// it is given none, and judge them. It may be nil.
	Repeat func(benchmarks []string) []string
	// Damage tells what was wrong with the input; the reports repeat it.
	Damage string
}

// Result is the decision and what it rests on.
type Result struct {
	Input
	Outcome  Outcome
	Findings []Finding
	Waived   []WaiverUse // one for each waiver
	Notes    []string    // what a reader must know besides
	// Identical are builds that are the very image that they are compared with:
	// nothing about them can have changed, and nothing is judged.
	Identical []string
	// Uncounted are benchmarks that neither side could count, as both say.
	Uncounted []compare.Cell

	gapOf map[compare.Cell]bool // places without a sample
}

// Judge decides.
func Judge(in Input) *Result {
	r := &Result{Input: in}
	floors := floorsOf(in.Comparison.Controls)
	var differ []string
	if in.Earlier != "" {
		differ = r.machines()
	}
	for i := range in.Comparison.Rows {
		row := &in.Comparison.Rows[i]
		if r.judges(row.Build) {
			f := judgeRow(row, floors.of(row), differ)
			f.byHooks(in.Comparison)
			r.Findings = append(r.Findings, f)
		}
	}
	r.account()
	r.reach()
	r.waive()
	r.Outcome = r.outcome()
	r.note(floors)
	return r
}

// judges reports whether a build is among those to judge.
func (r *Result) judges(build string) bool {
	return len(r.Only) == 0 || slices.Contains(r.Only, build)
}

// outcome is the gravest of the findings'; what is waived or allowed counts as
// passed. A run of which nothing was judged has not passed, unless nothing can
// have changed.
func (r *Result) outcome() Outcome {
	if r.Damage != "" {
		return Damaged
	}
	for _, o := range []Outcome{Incomplete, Regression, Unjudged} {
		if r.Count(o) > 0 {
			return o
		}
	}
	switch {
	case r.Judged() == 0 && len(r.Identical) == 0:
		return Unjudged
	case r.Count(Inconclusive) > 0:
		return Inconclusive
	}
	return Pass
}

// Judged is how many findings are of rows.
func (r *Result) Judged() int {
	return len(r.where(func(f Finding) bool { return f.Row != nil }))
}

// Count is how many findings have an outcome that nothing lets through.
func (r *Result) Count(o Outcome) int { return len(r.With(o)) }

// With lists the findings that have an outcome that nothing lets through.
func (r *Result) With(o Outcome) []Finding {
	return r.where(func(f Finding) bool { return f.Outcome() == o && f.counts() })
}

// Allowed lists the findings that AllowMissing lets through.
func (r *Result) Allowed() []Finding {
	return r.where(func(f Finding) bool { return f.Allowed && f.Waiver == nil })
}

// Excused lists the findings that a waiver lets through.
func (r *Result) Excused() []Finding {
	return r.where(func(f Finding) bool { return f.Waiver != nil })
}

// Improved lists the findings that are faster.
func (r *Result) Improved() []Finding {
	return r.where(func(f Finding) bool { return f.Cause == Faster && f.Waiver == nil })
}

func (r *Result) where(is func(Finding) bool) []Finding {
	var some []Finding
	for _, f := range r.Findings {
		if is(f) {
			some = append(some, f)
		}
	}
	return some
}

// Passes reports whether the gate is open.
func (r *Result) Passes() bool {
	return r.Outcome == Pass || r.Outcome == Inconclusive && r.AllowInconclusive
}

// Silent reports whether there is nothing to say: all is as it was, or too
// little is known and nobody minds.
func (r *Result) Silent() bool {
	return r.Passes() && r.Damage == "" && len(r.Improved()) == 0 &&
		!slices.ContainsFunc(r.Waived, func(w WaiverUse) bool { return w.State == Expired })
}

// Worst sorts findings by the size of their difference, the largest first.
func Worst(findings []Finding) []Finding {
	sorted := slices.Clone(findings)
	size := func(f Finding) float64 {
		switch {
		case f.Row == nil:
			return 0
		case f.Row.Exact && f.Row.BaseValue == 0 && f.Row.Value > 0:
			return math.Inf(1)
		case math.IsNaN(f.Row.Ratio):
			return 0
		}
		return math.Abs(f.Row.Overhead())
	}
	slices.SortStableFunc(sorted, func(a, b Finding) int {
		switch x, y := size(a), size(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return sorted
}
