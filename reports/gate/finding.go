package gate

import (
	"math"

	"xsmbench/reports/compare"
)

// Cause is why a row has its outcome.
type Cause string

// The causes. Those in the first two lines pass or are a regression, as their
// names say.
const (
	Within, Faster, Slower   Cause = "within the margin", "faster", "slower"
	HooksWithin, HooksSlower Cause = "hooks within the margin", "slower in hooks" // see byHooks

	Unsure  Cause = "undecided"           // the interval decides nothing
	TooFine Cause = "margin too fine"     // finer than what a control shows
	Drowned Cause = "drowned in noise"    // slower, but no more than a control
	NoCount Cause = "not counted"         // in one of two: an interrupt came in every window
	Machine Cause = "another machine"     // times of two machines
	NoGrip  Cause = "nothing to judge by" // no spread, or a base at or below 0
	Single  Cause = "one boot"            // and so no interval

	// Nothing was judged: one of the two has no such row, or nobody knows
	// which rows there should be.
	Ended  Cause = "ended"                 // only what it is compared with has it
	New    Cause = "new"                   // only the run has it
	Failed Cause = "could not be measured" // as the run itself says
	NoCost Cause = "no cost"               // samples tell none, and not why
	Apart  Cause = "not compared"          // a control in one of two runs
	NoPlan Cause = "no plan"               // there is no run.json

	Unreached Cause = "not executed" // changed code that no benchmark executes

	Missing Cause = "no sample" // planned, and nothing says why
)

// Finding is a row judged.
type Finding struct {
	compare.Environment
	Benchmark string // "" for a whole build
	Build     string
	Unit      string       // "" if no sample tells it
	Row       *compare.Row // nil if nothing was compared
	Cause     Cause
	// Reason is what the run says of what it could not measure, or which functions
	// were not executed.
	Reason string
	// InHooks is what the row's hooks execute per operation, in the base and in
	// the build, if the cause says that they decide.
	InHooks [2]float64
	// Floor is the difference that a control shows in this benchmark and
	// unit, as a share; NaN without a control.
	Floor float64
	// Waiver is that which lets the row through, nil if none does.
	Waiver *Waiver
	// Allowed tells that AllowMissing lets it through.
	Allowed bool
}

// Outcome is the row's, whatever a waiver says.
func (f Finding) Outcome() Outcome {
	switch f.Cause {
	case Within, HooksWithin, Faster:
		return Pass
	case Slower, HooksSlower:
		return Regression
	case Missing:
		return Incomplete
	case Ended, New, Failed, NoCost, Apart, NoPlan, Unreached:
		return Unjudged
	}
	return Inconclusive
}

// counts reports whether nothing lets the finding through.
func (f Finding) counts() bool { return f.Waiver == nil && !f.Allowed }

// judgeRow finds the cause; differ are differences between the machines of
// two runs, which only times depend on.
func judgeRow(row *compare.Row, floor float64, differ []string) Finding {
	f := Finding{Environment: row.Environment, Benchmark: row.Benchmark, Build: row.Build, Unit: row.Unit, Row: row, Floor: floor}
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
