// Package gate decides whether a comparison may pass: for each row whether it
// is within its margin, a regression, or undecided, and for all of them
// together. It computes no statistics; verdicts, margins and controls are
// those of package compare. It asks for more than they do in three ways. What
// was asked for and not measured does not pass. A margin finer than what the
// controls show as noise does not pass. And times of two machines are not
// compared. In one way it asks for less: where a count of a whole operation is
// not exact for reasons of its own, the hooks' share of it, which is, decides.
//
// A waiver lets single rows through, with a reason, until a day. It never
// removes a row from a report.
package gate

import (
	"math"
	"slices"
	"time"

	"xsmbench/bench"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

// Outcome is what a gate says.
type Outcome string

// The outcomes.
const (
	Pass         Outcome = "pass"
	Regression   Outcome = "regression"
	Inconclusive Outcome = "inconclusive"
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
	Only    []string // builds to judge, all if empty
	Waivers []Waiver
	// AllowInconclusive says that inconclusive rows let the gate pass. They
	// stay what they are in every report.
	AllowInconclusive bool
	Today             time.Time
	// Crossed tells which hooks an operation was counted to cross in the
	// build, nil if that was not counted. It may be nil.
	Crossed func(Finding) []bench.Crossing
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
	r.addMissing()
	r.addLost()
	r.waive()
	r.Outcome = r.outcome()
	r.note(floors)
	return r
}

// judges reports whether a build is among those to judge.
func (r *Result) judges(build string) bool {
	return len(r.Only) == 0 || slices.Contains(r.Only, build)
}

// outcome is the worst of the findings'; what is waived counts as passed.
func (r *Result) outcome() Outcome {
	switch {
	case r.Count(Regression) > 0:
		return Regression
	case r.Count(Inconclusive) > 0:
		return Inconclusive
	}
	return Pass
}

// Count is how many findings have an outcome and no waiver.
func (r *Result) Count(o Outcome) int { return len(r.With(o)) }

// With lists the findings that have an outcome and no waiver.
func (r *Result) With(o Outcome) []Finding {
	return r.where(func(f Finding) bool { return f.Outcome() == o && f.Waiver == nil })
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
