package gate

import (
	"math"
	"slices"

	"xsmbench/reports/compare"
	"xsmbench/results"
)

// Cause is why a row has its outcome.
type Cause string

// The causes. Those in the first two lines pass or are a regression, as their
// names say; the others are inconclusive.
const (
	Within, Faster, Slower   Cause = "within the margin", "faster", "slower"
	HooksWithin, HooksSlower Cause = "hooks within the margin", "slower in hooks" // see byHooks

	Unsure  Cause = "undecided"           // the interval decides nothing
	TooFine Cause = "margin too fine"     // finer than what a control shows
	Drowned Cause = "drowned in noise"    // slower, but no more than a control
	Missing Cause = "not measured"        // asked for, without a sample
	NoCount Cause = "not counted"         // an interrupt came in every window
	Machine Cause = "another machine"     // times of two machines
	NoGrip  Cause = "nothing to judge by" // no spread, or a base at or below 0
	Single  Cause = "one boot"            // and so no interval
)

// Finding is a row judged.
type Finding struct {
	compare.Environment
	Benchmark string // "" for a whole build
	Build     string
	Row       *compare.Row // nil if nothing was measured
	Cause     Cause
	// InHooks is what the row's hooks execute per operation, in the base and in
	// the build, if the cause says that they decide.
	InHooks [2]float64
	// Floor is the difference that a control shows in this benchmark and
	// unit, as a share; NaN without a control.
	Floor float64
	// Waiver is that which lets the row through, nil if none does.
	Waiver *Waiver
}

// Outcome is the row's, whatever a waiver says.
func (f Finding) Outcome() Outcome {
	switch f.Cause {
	case Within, HooksWithin, Faster:
		return Pass
	case Slower, HooksSlower:
		return Regression
	}
	return Inconclusive
}

// judgeRow finds the cause; differ are differences between the machines of
// two runs, which only times depend on.
func judgeRow(row *compare.Row, floor float64, differ []string) Finding {
	f := Finding{Environment: row.Environment, Benchmark: row.Benchmark, Build: row.Build, Row: row, Floor: floor}
	f.Cause = f.cause(len(differ) > 0)
	return f
}

func (f Finding) cause(otherMachine bool) Cause {
	if otherMachine && !compare.IsCount(f.Row.Unit) {
		return Machine
	}
	switch f.Row.Verdict {
	case compare.Equivalent:
		// NaN, where there is no control, is not above the margin.
		if f.Floor > f.Row.Margin {
			return TooFine
		}
		return Within
	case compare.Faster:
		return Faster
	case compare.Slower:
		if f.size() <= f.Floor {
			return Drowned
		}
		return Slower
	}
	switch {
	case f.Row.N < 2:
		return Single
	case math.IsNaN(f.Row.Lo):
		return NoGrip
	}
	return Unsure
}

// byHooks decides a row by what its hooks execute alone, where the count of the
// whole operation decides nothing since the samples say that it depends on more
// than the code: on where an interrupt came, or on the state of the heap.
func (f *Finding) byHooks(c *compare.Comparison) {
	switch f.Cause {
	case Unsure, NoGrip, TooFine, Drowned:
	default:
		return
	}
	base, build, ok := c.InHooks(*f.Row)
	if !ok || !f.Row.Disclaimed() || !(f.Row.BaseValue > 0) {
		return
	}
	f.Cause, f.InHooks = HooksWithin, [2]float64{base, build}
	if build-base > f.Row.Margin*f.Row.BaseValue {
		f.Cause = HooksSlower
	}
}

// DecidedByHooks reports whether byHooks decided.
func (f Finding) DecidedByHooks() bool { return f.Cause == HooksWithin || f.Cause == HooksSlower }

// size is the row's difference as a share, to either side.
func (f Finding) size() float64 { return sizeOf(*f.Row) }

// sizeOf is a row's difference as a share, the same for a ratio and for its
// inverse. It is infinite where the base is 0 and the build is not, and NaN if
// there is no ratio.
func sizeOf(r compare.Row) float64 {
	switch {
	case r.Exact && r.BaseValue == 0:
		if r.Value == 0 {
			return 0
		}
		return math.Inf(1)
	case r.Linear:
		return math.Abs(r.Overhead())
	}
	return math.Expm1(math.Abs(math.Log(r.Ratio)))
}

// addMissing adds what was asked for and has no sample.
func (r *Result) addMissing() {
	whole, controls := r.missingBuilds(), append(r.controls(false), r.controls(true)...)
	for _, build := range whole {
		r.Findings = append(r.Findings, Finding{Build: build, Cause: Missing, Floor: math.NaN()})
	}
	for _, m := range r.Comparison.Missing() {
		if slices.Contains(whole, m.Build) || slices.Contains(controls, m.Build) || !r.judges(m.Build) && m.Build != r.Comparison.Base || !r.asked(m) {
			continue
		}
		r.Findings = append(r.Findings, Finding{Environment: m.Environment, Benchmark: m.Benchmark, Build: m.Build, Cause: Missing, Floor: math.NaN()})
	}
}

// addLost adds what was counted in one of two builds and not in the other: an
// operation that has become too long to be counted must not pass.
func (r *Result) addLost() {
	for _, u := range r.Comparison.Uncounted() {
		for _, build := range r.lost(u) {
			r.Findings = append(r.Findings, Finding{Environment: u.Environment, Benchmark: u.Benchmark, Build: build, Cause: NoCount, Floor: math.NaN()})
		}
	}
}

// lost are the builds to judge that have no count though what they are
// compared with has, or within a run the other way round.
func (r *Result) lost(u compare.Uncounted) []string {
	var all []string
	controls := append(r.controls(false), r.controls(true)...)
	for _, build := range r.Comparison.Builds {
		base := r.Comparison.Base
		if r.Earlier != "" {
			base = compare.Earlier(build)
		}
		here, there := slices.Contains(u.Builds, build), slices.Contains(u.Builds, base)
		if here != there && (here || r.Earlier == "") && r.judges(build) && !slices.Contains(controls, build) {
			all = append(all, build)
		}
	}
	return all
}

// missingBuilds are builds that the run was to measure and that have no
// sample.
func (r *Result) missingBuilds() []string {
	if r.Run == nil {
		return nil
	}
	var all []string
	for _, b := range r.Run.Spec.Builds {
		known := slices.Contains(r.Comparison.Builds, b.Name) || b.Name == r.Comparison.Base
		ofAnother := b.ControlOf != "" && b.ControlOf != r.Comparison.Base // or of an earlier run
		if !known && !ofAnother && r.judges(b.Name) {
			all = append(all, b.Name)
		}
	}
	return all
}

// asked reports whether the run was to measure something. What an earlier run
// lacks is no fault of this one, and the notes count it.
func (r *Result) asked(m compare.Missing) bool {
	if r.Run == nil {
		return r.Earlier == "" || slices.Contains(r.Comparison.Builds, m.Build)
	}
	s := r.Run.Spec
	return slices.Contains(s.Benchmarks, m.Benchmark) && slices.Contains(s.Domains, m.Domain) && hasBuild(s, m.Build)
}

func hasBuild(s results.Spec, build string) bool {
	for _, b := range s.Builds {
		if b.Name == build {
			return true
		}
	}
	return false
}
