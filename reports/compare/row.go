package compare

import (
	"math"
	"slices"

	"xsmbench/bench"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/stats"
)

// Verdict is what a row's interval allows to say.
type Verdict string

// The verdicts. "Not significant" is none of them.
const (
	Equivalent   Verdict = "equivalent"
	Slower       Verdict = "slower"
	Faster       Verdict = "faster"
	Inconclusive Verdict = "inconclusive"
)

// Sign is a character that says the same without colour.
func (v Verdict) Sign() string {
	switch v {
	case Equivalent:
		return "="
	case Slower:
		return "▲"
	case Faster:
		return "▼"
	}
	return "?"
}

// Words for alarms of units that are no time: 24 B/op instead of 48 are less,
// and not faster. Whether they are better is the unit's business.
const (
	More Verdict = "more"
	Less Verdict = "less"
)

// Verdicts lists them, the ones that raise an alarm first.
var Verdicts = []Verdict{Slower, Faster, Inconclusive, Equivalent}

// Reason is why a verdict is not what the interval alone seems to say.
type Reason string

// Reasons of verdicts that need one where they stand.
const (
	ByFloor   Reason = "floor"     // equivalent within the floor, not within the relative margin
	ByMargin  Reason = "margin"    // equivalent, though the interval leaves out 0
	ByHolm    Reason = "holm"      // inconclusive, since so many questions were asked at once
	ByControl Reason = "control"   // inconclusive, since a control differs as much
	ByOne     Reason = "one"       // inconclusive, since a build has one sample
	ByClock   Reason = "no-spread" // inconclusive, since nothing varies that should
)

// Row is one build against the base in one benchmark, domain and unit. What
// could not be computed is NaN.
type Row struct {
	Environment
	Benchmark, Unit string
	Base, Build     string

	BaseValue float64 // the base's centre, in Unit
	Value     float64 // the build's
	// Ratio is the cost against the base, above 1 where the build is
	// slower, with its interval Lo to Hi.
	Ratio, Lo, Hi float64
	// P is the two-sided p-value of "no difference".
	P       float64
	Margin  float64 // in force: the relative one, or the floor's share
	Verdict Verdict
	Because Reason // "" where the interval says it
	// Questions is how many tests Holm's correction of the row counts.
	Questions int
	N         int    // pairs of boots, or the smaller number of boots
	Need      Rounds // for another verdict than inconclusive
	Hooks     []Crossed

	Paired bool
	// Foreign tells that the samples are lines of files that know no boots.
	Foreign bool
	Exact   bool // every boot of a build gave the same count, and none disclaims it
	// NoHook marks a negative control: the benchmark crosses no hook, so
	// that a difference is none of the hooks' doing. Crosses marks one that
	// crosses some. What was counted decides (hooks/op of both builds), else
	// what is known of the benchmark; neither is set if nothing is.
	NoHook, Crosses bool
	// Relinked marks a control of the base's source, linked anew; others are
	// of its image.
	Relinked bool
	Linear   bool // differences compared, not ratios: a value is not above 0
	// Absolute marks a linear row whose base's mean is not above 0: its
	// differences are in Unit, and there is no ratio.
	Absolute bool
	// HigherBetter marks a unit of which more is better: a rate, or what its
	// file says so of.
	HigherBetter bool
	// Floor is the absolute difference that counts as none, in Unit; 0 if the
	// unit has none. Floored tells that it, and not the relative margin, is
	// Margin.
	Floor   float64
	Floored bool

	HodgesLehmann float64 // ratio
	PHolm         float64 // P after Holm's correction for all rows
	PEquivalent   float64 // p-value of "outside the margin" (TOST)
	PSignedRank   float64 // Wilcoxon, exact; NaN if not paired
	PMannWhitney  float64 // as benchstat gives it
	Warnings      []Warning
	// BaseRemarks and Remarks are those of the warnings that the samples of
	// the base and of the build came with.
	BaseRemarks, Remarks []string

	BaseSamples, Samples []float64 // one for each boot, in Unit

	// Layouts is how many different pairs of images there are (of an unpaired
	// row, images of the build that has fewer), 0 if that is not known, and
	// Units how many observations the interval rests on: layouts if boots
	// share them.
	Layouts, Units int
	// Checks are of what the interval assumes.
	Checks Checks

	effect      stats.Effect // of log(Ratio), or of Ratio-1 if Linear
	base, build *sampled
	pairing     *pairing      // nil if the row is not paired
	observed    *stats.Sample // the differences, while the row is made
	differences []float64     // of the pairs, in the order of the rounds
	copied      bool
	relative    float64 // the relative margin, whatever the floor is
}

// Overhead is Ratio - 1.
func (r Row) Overhead() float64 { return r.Ratio - 1 }

// Difference is what the build's value has more than the base's, in Unit.
func (r Row) Difference() float64 { return r.Value - r.BaseValue }

// Word is the verdict in the words of the unit: of what is neither a time nor a
// number of instructions there is more or less.
func (r Row) Word() Verdict {
	switch {
	case r.Verdict != Slower && r.Verdict != Faster, IsClocked(r.Unit), IsCount(r.Unit), r.Unit == "":
		return r.Verdict
	case (r.Verdict == Slower) == r.HigherBetter:
		return Less
	}
	return More
}

// place identifies what the row is about, apart from the build.
func (r Row) place() string { return r.Environment.String() + " " + r.Benchmark + " " + r.Unit }

// compareRow makes a row.
func compareRow(s *series, build string, opt Options, bench *workbench) Row {
	base, b := s.builds[opt.Base], s.builds[build]
	r := Row{Environment: s.Environment, Benchmark: s.benchmark, Unit: s.unit, Base: opt.Base, Build: build,
		BaseSamples: base.values, Samples: b.values, base: base, build: b, HigherBetter: opt.higherBetter(s.unit), Foreign: base.foreign() && b.foreign()}
	pairing := bench.pairings.of(base, b)
	all := len(pairing.matches)
	r.Paired = all >= 2 && 2*all >= min(len(base.values), len(b.values))
	x, y := r.BaseSamples, r.Samples
	switch {
	case r.Paired:
		r.pairing, r.Layouts = pairing, pairing.most
		x, y = pairing.values(base, b)
		if left := pairing.left; left > 0 {
			r.warn(BootsLeftOut, "boots not used, because the other build's boot of their round is missing: %d", left)
		}
	case max(len(base.values), len(b.values)) > 1:
		if !r.Foreign { // whose lines are of no rounds
			r.warn(Unpaired, "rounds do not match: compared as independent samples")
		}
	}
	r.N = min(len(x), len(y))
	r.BaseRemarks, r.Remarks = base.warnings, b.warnings
	r.measure(bench.baseSide(x), newSide(y), opt)
	r.observed = nil
	for _, w := range slices.Concat(base.warnings, b.warnings) {
		r.warn(remarkCode(w), "%s", common(w))
	}
	return r
}

// measure fills in the figures from what the base and the build gave.
func (r *Row) measure(base, build *side, opt Options) {
	r.Linear = !base.positive || !build.positive
	r.BaseValue, r.Value = base.centre(r.Linear), build.centre(r.Linear)
	r.Margin = r.marginOf(opt)
	r.Exact = r.exact(base.Values(), build.Values(), opt)
	if r.Linear && !r.Exact { // which the counts themselves say
		r.warn(Linear, "a value is not above 0: differences are compared, not ratios")
	}
	r.Checks = noChecks()
	nan := math.NaN()
	r.Ratio, r.Lo, r.Hi, r.P, r.HodgesLehmann = nan, nan, nan, nan, nan
	r.PHolm, r.PEquivalent, r.PSignedRank, r.PMannWhitney = nan, nan, nan, base.MannWhitney(build.Sample)
	r.copied = opt.copies[r.Build]
	r.Absolute = r.Linear && !(r.BaseValue > 0)
	if r.Absolute && r.Exact {
		return
	}
	if r.Absolute {
		r.warn(NoRatio, "%s's mean is not above 0, so there is no ratio", r.Base)
	}
	if !r.estimate(base, build, opt.level()) {
		if r.Ratio = r.ratio(r.effect.Mean); r.Exact {
			r.Lo, r.Hi = r.Ratio, r.Ratio
			r.effect.CI = stats.Interval{Lo: r.effect.Mean, Hi: r.effect.Mean}
		}
		return
	}
	e := r.effect
	r.Ratio, r.HodgesLehmann = r.ratio(e.Mean), r.ratio(e.HL)
	if e.SE == 0 && !r.Exact {
		// A clock too coarse for the operation shows this; it is no
		// certainty.
		r.warn(NoSpread, "every boot gave the same difference, so the spread is not known")
		return
	}
	r.Lo, r.Hi = r.ratio(e.CI.Lo), r.ratio(e.CI.Hi)
	if r.Exact {
		return // nothing is left to chance
	}
	r.P, r.PEquivalent, r.PSignedRank = e.P, e.TOST(r.bound()), e.PWilcoxon
	r.check(opt.level())
}

// exact tells whether the values are what they are and no sample of something
// that varies: counts of which every boot gave one and the same, or values of a
// unit that is said to be exact, if they agree. A single one is enough then.
func (r *Row) exact(x, y []float64, opt Options) bool {
	same := len(x) > 0 && len(y) > 0 && constant(x) && constant(y)
	if opt.Units[r.Unit].Exact {
		if !same {
			r.warn(NotExact, "%s is declared exact (assume=exact), but its values differ: they are treated as samples", r.Unit)
		}
		return same
	}
	counted := IsCount(r.Unit) || !IsClocked(r.Unit) && whole(x) && whole(y)
	return same && counted && r.N > 1 && !r.Disclaimed()
}

func whole(v []float64) bool {
	return !slices.ContainsFunc(v, func(f float64) bool { return f != math.Trunc(f) })
}

// estimate finds the effect, and reports whether there are samples enough for
// more than a mean.
func (r *Row) estimate(base, build *side, confidence float64) (ok bool) {
	x, y := r.scaled(base), r.scaled(build)
	var err error
	if r.Paired {
		r.differences = subtract(y, x)
		r.observed = stats.NewSample(r.differences)
		r.effect, err = r.units().Paired(confidence)
	} else {
		before, layouts := r.base.units(x)
		after, others := r.build.units(y)
		r.Layouts = min(layouts, others)
		r.effect, err = r.sample(base, before).Welch(r.sample(build, after), confidence)
		x, y = before, after
	}
	if !r.base.tellsLayout() || !r.build.tellsLayout() {
		r.Layouts = 0
	}
	r.Units = r.effect.N
	if err != nil {
		r.effect.Mean = stats.Mean(y) - stats.Mean(x)
	}
	return err == nil
}

// sample is what a side's values are on the scale, or the means of its layouts.
func (r *Row) sample(s *side, units []float64) *stats.Sample {
	if len(units) < len(s.Values()) {
		return stats.NewSample(units)
	}
	return s.Scaled(units, r.scale)
}

// subtract gives the differences of y and x.
func subtract(y, x []float64) []float64 {
	d := make([]float64, len(y))
	for i := range y {
		d[i] = y[i] - x[i]
	}
	return d
}

// units are what the interval rests on: the differences, or the means of those
// that share a layout.
func (r *Row) units() *stats.Sample {
	if r.pairing.layouts == nil {
		return r.observed
	}
	return stats.NewSample(stats.Means(r.groups()))
}

// groups are the differences by layout.
func (r *Row) groups() [][]float64 { return stats.Group(r.differences, r.pairing.layouts) }

// Pairs are the observations by round, nil if the row is not paired.
func (r Row) Pairs() []Pair {
	if !r.Paired {
		return nil
	}
	all := make([]Pair, len(r.pairing.matches))
	for k, m := range r.pairing.matches {
		x, y := r.base.start(int(m.i)), r.build.start(int(m.j))
		all[k] = Pair{Run: x.run, Round: x.round.round, BaseOrder: x.order, Order: y.order, Layout: r.pairing.numbers[k],
			BaseValue: r.base.values[m.i], Value: r.build.values[m.j]}
		if r.differences != nil { // none if there is no ratio
			all[k].Difference = r.differences[k]
		}
	}
	return all
}

// scaled are the numbers whose differences are compared: logarithms, or shares of
// the base's centre, with the sign of a cost. They are not to be changed.
func (r *Row) scaled(s *side) []float64 {
	if !r.Linear && !r.HigherBetter {
		return s.logs()
	}
	return r.scale(s.Values())
}

// scale gives them of any values.
func (r *Row) scale(v []float64) []float64 {
	s := make([]float64, len(v))
	for i, f := range v {
		switch {
		case r.Absolute:
			s[i] = f
		case r.Linear:
			s[i] = f / r.BaseValue
		default:
			s[i] = math.Log(f)
		}
		if r.HigherBetter {
			s[i] = -s[i]
		}
	}
	return s
}

// ratio turns a difference on the scale into a ratio of costs.
func (r *Row) ratio(d float64) float64 {
	switch {
	case r.Absolute:
		return math.NaN()
	case r.Linear:
		return 1 + d
	}
	return math.Exp(d)
}

// bound is the margin on the scale.
func (r *Row) bound() float64 {
	switch {
	case r.Absolute:
		return r.Floor
	case r.Linear:
		return r.Margin
	}
	return math.Log1p(r.Margin)
}

// marginOf is the benchmark's relative margin, or what the unit's floor is of the base's
// value if that is more.
func (r *Row) marginOf(opt Options) float64 {
	margin := opt.MarginOf(r.Benchmark)
	r.Floor, r.relative = opt.Floors[r.Unit], margin
	if r.Floor <= 0 || !(r.BaseValue > 0) || r.Floor/r.BaseValue <= margin {
		return margin
	}
	r.Floored = true
	return r.Floor / r.BaseValue
}

// judge decides; rows is the size of the family.
func (r *Row) judge(alpha float64, rows int) {
	r.Questions = rows
	if r.Exact && r.Absolute {
		r.judgeCounts()
		return
	}
	ci := r.effect.CI
	switch {
	case r.copied:
		r.Verdict = Equivalent
		r.warn(Copied, "%s has exactly the samples of %s: a measurement compared with itself", r.Build, r.Base)
	case !r.decides():
		r.Verdict, r.Because = Inconclusive, ByClock
		if r.N < 2 {
			r.Because = ByOne
			r.warn(OneBoot, "one boot is not enough for an interval")
		}
	case ci.Within(r.bound()):
		r.Verdict = Equivalent
		switch {
		case r.Floored && !ci.Within(r.relativeBound()):
			r.Because = ByFloor
		case ci.Excludes(0) && !r.Exact:
			r.Because = ByMargin
		}
	case !ci.Excludes(0):
		r.Verdict = Inconclusive
	case !r.Exact && r.PHolm > alpha:
		r.Verdict, r.Because = Inconclusive, ByHolm
		r.warn(NotAfterHolm, "as a single test it would be %s; among %d tests such a difference may be chance (Holm's correction)", r.sideWord(), rows)
	default:
		r.Verdict = r.side()
	}
	if r.Verdict == Inconclusive {
		r.Need = r.roundsToEquivalent(alpha)
		if alarm := r.roundsToAlarm(alpha, rows); alarm.Compare(r.Need) < 0 {
			r.Need = alarm
		}
	}
}

// decides reports whether the row has an interval that a verdict can follow
// from.
func (r *Row) decides() bool {
	if r.Absolute {
		return r.N > 1 && r.effect.SE > 0
	}
	return !math.IsNaN(r.Lo) && !math.IsNaN(r.Hi)
}

// judgeCounts compares exact values of which the base's is not above 0: no ratio
// says it.
func (r *Row) judgeCounts() {
	d := r.Difference()
	if r.HigherBetter {
		d = -d
	}
	switch {
	case math.Abs(d) <= r.Floor:
		r.Verdict = Equivalent
	case d > 0:
		r.Verdict = Slower
	default:
		r.Verdict = Faster
	}
}

// relativeBound is the relative margin on the scale, whatever the floor is.
func (r *Row) relativeBound() float64 {
	if r.Linear {
		return r.relative
	}
	return math.Log1p(r.relative)
}

// sideWord is the alarm that the estimate points at, in the unit's words.
func (r Row) sideWord() Verdict {
	r.Verdict = r.side()
	return r.Word()
}

func (r *Row) side() Verdict {
	if r.effect.Mean < 0 {
		return Faster
	}
	return Slower
}

// Kinship says what a control has in common with the base.
func (r Row) Kinship() string {
	if r.Relinked {
		return "the source of " + r.Base + ", relinked"
	}
	return "the same image as " + r.Base
}

// heed takes back an alarm that the same benchmark's control could raise.
func (r *Row) heed(control Row) {
	raised := !math.IsNaN(control.Lo) && (control.Lo > 1 || control.Hi < 1) && control.Verdict != Equivalent
	if !raised {
		return
	}
	noise := math.Max(math.Abs(math.Log(control.Lo)), math.Abs(math.Log(control.Hi)))
	r.warn(ControlDiffers, "the control %s, %s, differs here by %s", control.Build, control.Kinship(), number.SignedPercent(control.Overhead(), 1))
	if (r.Verdict == Slower || r.Verdict == Faster) && !(math.Abs(math.Log(r.Ratio)) > noise) {
		r.Verdict, r.Because = Inconclusive, ByControl
		r.Need = Rounds{OutOfReach: true}
	}
}

// common is a remark without what is each boot's own: rows share it.
func common(remark string) string {
	if remarkCode(remark) == SamplesDisturbed {
		return bench.Disturbed + "some windows, also when they were timed again"
	}
	return remark
}

// Disclaimed tells whether samples of the row came with the word that what they
// count is not exact.
func (r Row) Disclaimed() bool { return disclaimed(r.BaseRemarks) || disclaimed(r.Remarks) }

// disclaimed tells whether samples came with the word that they are not exact.
func disclaimed(remarks []string) bool {
	return slices.ContainsFunc(remarks, func(s string) bool { return remarkCode(s) == SamplesNotExact })
}

func constant(v []float64) bool {
	return !slices.ContainsFunc(v, func(f float64) bool { return f != v[0] })
}
