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

// Verdicts lists them, the ones that raise an alarm first.
var Verdicts = []Verdict{Slower, Faster, Inconclusive, Equivalent}

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
	N       int    // pairs of boots, or the smaller number of boots
	Need    Rounds // for another verdict than inconclusive
	Hooks   []bench.Crossing

	Paired bool
	Exact  bool // every boot of a build gave the same count, and none disclaims it
	// NoHook marks a negative control: the benchmark crosses no hook, so
	// that a difference is none of the hooks' doing. Crosses marks one that
	// crosses some. What was counted decides (hooks/op of both builds), else
	// what is known of the benchmark; neither is set if nothing is.
	NoHook, Crosses bool
	// Relinked marks a control of the base's source, linked anew; others are
	// of its image.
	Relinked bool
	Linear   bool // differences compared, not ratios: a value is not above 0

	HodgesLehmann float64 // ratio
	PHolm         float64 // P after Holm's correction over all rows
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

	effect stats.Effect // of log(Ratio), or of Ratio-1 if Linear
	// pairs are the observations while the row is made: of many boots they
	// are many, and Pairs makes them again.
	pairs       []Pair
	base, build *sampled
	// differences are those of the pairs, in the order of the rounds. Of many
	// boots they are not kept: observed works them out again.
	differences  []float64
	observations int      // how many differences there are
	roundSet     roundSet // of the pairs
	severalRuns  bool
	layouts      []int // of the pairs, as the estimate groups them; nil if each is a group
}

// Overhead is Ratio - 1.
func (r Row) Overhead() float64 { return r.Ratio - 1 }

// Difference is what the build's value has more than the base's, in Unit.
func (r Row) Difference() float64 { return r.Value - r.BaseValue }

// place identifies what the row is about, apart from the build.
func (r Row) place() string { return r.Environment.String() + " " + r.Benchmark + " " + r.Unit }

// compareRow makes a row. The pairs stand in memory that the next row takes
// over: of many boots they would be most of what a comparison throws away.
func compareRow(s *series, build string, opt Options, memory *[]Pair) Row {
	base, b := s.builds[opt.Base], s.builds[build]
	r := Row{Environment: s.Environment, Benchmark: s.benchmark, Unit: s.unit, Base: opt.Base, Build: build,
		BaseSamples: base.values, Samples: b.values, base: base, build: b}
	all, left := pairsIn(*memory, base, b)
	r.Paired = len(all) >= 2 && 2*len(all) >= min(len(base.values), len(b.values))
	x, y := r.BaseSamples, r.Samples
	switch {
	case r.Paired:
		r.pair(all)
		x, y = r.values()
		if left > 0 {
			r.warn(BootsLeftOut, "%d boots without a partner in their round are not used", left)
		}
	case max(len(base.values), len(b.values)) > 1:
		r.warn(Unpaired, "rounds do not match: compared as independent samples")
	}
	r.N = min(len(x), len(y))
	r.BaseRemarks, r.Remarks = base.warnings, b.warnings
	r.measure(x, y, base, b, opt)
	for _, w := range slices.Concat(base.warnings, b.warnings) {
		r.warn(remarkCode(w), "%s", common(w))
	}
	r.pairs, *memory = nil, all
	if r.N > stats.MostBoots {
		r.differences = nil
	}
	return r
}

// measure fills in the figures from the values of the base (x) and the build.
func (r *Row) measure(x, y []float64, base, b *sampled, opt Options) {
	r.Linear = slices.ContainsFunc(slices.Concat(x, y), func(v float64) bool { return v <= 0 })
	r.BaseValue, r.Value = centre(x, r.Linear), centre(y, r.Linear)
	r.Margin = r.marginOf(opt)
	r.Exact = IsCount(r.Unit) && r.N > 1 && constant(x) && constant(y) && !r.Disclaimed()
	fromNothing := r.Exact && r.BaseValue == 0 // which the counts themselves say
	if r.Linear && !fromNothing {
		r.warn(Linear, "a value is not above 0: differences are compared, not ratios")
	}
	r.Checks = noChecks()
	nan := math.NaN()
	r.Ratio, r.Lo, r.Hi, r.P, r.HodgesLehmann = nan, nan, nan, nan, nan
	r.PHolm, r.PEquivalent, r.PSignedRank, r.PMannWhitney = nan, nan, nan, stats.MannWhitney(x, y)
	if r.Linear && !(r.BaseValue > 0) {
		if !fromNothing {
			r.warn(NoRatio, "%s's mean is not above 0: there is no ratio", r.Base)
		}
		return
	}
	if !r.estimate(x, y, base, b, opt.level()) {
		r.Ratio = r.ratio(r.effect.Mean)
		return
	}
	e := r.effect
	r.Ratio, r.HodgesLehmann = r.ratio(e.Mean), r.ratio(e.HL)
	if e.SE == 0 && !r.Exact {
		// A clock too coarse for the operation shows this; it is no
		// certainty.
		r.warn(NoSpread, "every boot gave the same difference: there is no spread to judge by")
		return
	}
	r.Lo, r.Hi = r.ratio(e.CI.Lo), r.ratio(e.CI.Hi)
	if r.Exact {
		return // nothing is left to chance
	}
	r.P, r.PEquivalent, r.PSignedRank = e.P, e.TOST(r.bound()), e.PWilcoxon
	r.check(base, b, opt.level())
}

// pair takes the observations from pairs of boots.
func (r *Row) pair(all []Pair) {
	r.pairs, r.layouts = all, layoutsOf(all)
	digest := newRounds()
	for _, p := range all {
		r.Layouts = max(r.Layouts, p.Layout)
		r.severalRuns = r.severalRuns || p.Run != all[0].Run
		digest.add(round{p.Run, p.Round})
	}
	r.roundSet = digest.set()
}

// values are those of the pairs, of the base and of the build.
func (r *Row) values() (x, y []float64) {
	x, y = make([]float64, len(r.pairs)), make([]float64, len(r.pairs))
	for i, p := range r.pairs {
		x[i], y[i] = p.BaseValue, p.Value
	}
	return x, y
}

// estimate finds the effect, and reports whether there are samples enough for
// more than a mean.
func (r *Row) estimate(x, y []float64, base, b *sampled, confidence float64) bool {
	x, y = r.scale(x), r.scale(y)
	var err error
	if r.Paired {
		r.differences, r.observations = subtract(y, x), len(x)
		for i := range r.pairs {
			r.pairs[i].Difference = r.differences[i]
		}
		r.effect, err = stats.Paired(r.units(), confidence)
	} else {
		var before, after int
		x, before = base.units(x)
		y, after = b.units(y)
		r.Layouts = min(before, after)
		r.effect, err = stats.Welch(x, y, confidence)
	}
	if !base.tellsLayout() || !b.tellsLayout() {
		r.Layouts = 0
	}
	r.Units = r.effect.N
	if err != nil {
		r.effect.Mean = stats.Mean(y) - stats.Mean(x)
	}
	return err == nil
}

// subtract takes x from y, which it overwrites.
func subtract(y, x []float64) []float64 {
	for i := range y {
		y[i] -= x[i]
	}
	return y
}

// observed are the differences of the pairs, in the order of the rounds; nil if
// the row has none.
func (r *Row) observed() []float64 {
	if r.differences != nil || r.observations == 0 {
		return r.differences
	}
	var x, y []float64
	shared(r.base, r.build, func(i, j int) {
		x, y = append(x, r.base.values[i]), append(y, r.build.values[j])
	})
	return subtract(r.scale(y), r.scale(x))
}

// units are what the interval rests on: the differences, or the means of those
// that share a layout.
func (r *Row) units() []float64 {
	if r.layouts == nil {
		return r.differences
	}
	return stats.Means(r.groups())
}

// groups are the differences by layout.
func (r *Row) groups() [][]float64 { return stats.Group(r.differences, r.layouts) }

// Pairs are the observations by round, nil if the row is not paired.
func (r Row) Pairs() []Pair {
	if !r.Paired {
		return nil
	}
	all, _ := pairs(r.base, r.build)
	for i, d := range r.observed() { // none if there is no ratio
		all[i].Difference = d
	}
	return all
}

// scale gives the numbers whose differences are compared: logarithms, or
// shares of the base's centre, with the sign of a cost.
func (r *Row) scale(v []float64) []float64 {
	s := make([]float64, len(v))
	for i, f := range v {
		switch {
		case r.Linear:
			s[i] = f / r.BaseValue
		default:
			s[i] = math.Log(f)
		}
		if IsRate(r.Unit) {
			s[i] = -s[i]
		}
	}
	return s
}

// ratio turns a difference on the scale into a ratio of costs.
func (r *Row) ratio(d float64) float64 {
	if r.Linear {
		return 1 + d
	}
	return math.Exp(d)
}

// bound is the margin on the scale.
func (r *Row) bound() float64 {
	if r.Linear {
		return r.Margin
	}
	return math.Log1p(r.Margin)
}

// marginOf is the benchmark's relative margin, or what the unit's floor is of the base's
// value if that is more.
func (r *Row) marginOf(opt Options) float64 {
	margin, floor := opt.MarginOf(r.Benchmark), opt.Floors[r.Unit]
	if floor <= 0 || !(r.BaseValue > 0) {
		return margin
	}
	return math.Max(margin, floor/r.BaseValue)
}

// judge decides; rows is the size of the family.
func (r *Row) judge(alpha float64, rows int) {
	if r.Exact && r.BaseValue == 0 {
		r.judgeFromNothing()
		return
	}
	ci := r.effect.CI
	switch {
	case math.IsNaN(r.Lo) || math.IsNaN(r.Hi):
		r.Verdict = Inconclusive
		if r.N < 2 {
			r.warn(OneBoot, "one boot gives no interval")
		}
	case ci.Within(r.bound()):
		r.Verdict = Equivalent
	case !ci.Excludes(0):
		r.Verdict = Inconclusive
	case !r.Exact && r.PHolm > alpha:
		r.Verdict = Inconclusive
		r.warn(NotAfterHolm, "alone it would be %s; corrected for %d comparisons (Holm) it is not", r.side(), rows)
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

// judgeFromNothing compares exact counts of which the base's is 0: no ratio
// says it.
func (r *Row) judgeFromNothing() {
	switch {
	case r.Value > 0:
		r.Verdict = Slower
	default:
		r.Verdict = Equivalent
	}
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
		return "the source of " + r.Base + " linked anew"
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
		r.Verdict = Inconclusive
		r.Need = Rounds{OutOfReach: true}
	}
}

// centre is the geometric mean, or the mean if a value is not above 0.
func centre(v []float64, linear bool) float64 {
	switch {
	case len(v) == 0:
		return math.NaN()
	case constant(v):
		return v[0]
	case linear:
		return stats.Mean(v)
	}
	return stats.GeometricMean(v)
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
