package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"
	"gonum.org/v1/gonum/stat"

	"xsmbench/bench"
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

// MostRounds bounds the estimate of the rounds that are still needed.
const MostRounds = 10000

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
	N       int // pairs of boots, or the smaller number of boots
	Need    int // rounds still needed for another verdict than inconclusive, estimated
	Hooks   []bench.Crossing

	Paired bool
	Exact  bool // every boot of a build gave the same count, and none disclaims it
	// NoHook marks a negative control: the benchmark crosses no hook, so
	// that a difference is none of the hooks' doing. Crosses marks one that
	// crosses some. What was counted decides (hooks/op of both builds), else
	// what is known of the benchmark; neither is set if nothing is.
	NoHook, Crosses bool
	Linear          bool // differences compared, not ratios: a value is not above 0

	HodgesLehmann float64 // ratio
	PHolm         float64 // P after Holm's correction over all rows
	PEquivalent   float64 // p-value of "outside the margin" (TOST)
	PSignedRank   float64 // Wilcoxon, exact; NaN if not paired
	PMannWhitney  float64 // as benchstat gives it
	Warnings      []string
	// BaseRemarks and Remarks are those of the warnings that the samples of
	// the base and of the build came with.
	BaseRemarks, Remarks []string

	BaseSamples, Samples []float64 // one for each boot, in Unit

	effect stats.Effect // of log(Ratio), or of Ratio-1 if Linear
	logs   []float64    // paired differences
	rounds roundSet     // theirs
}

// Overhead is Ratio - 1.
func (r Row) Overhead() float64 { return r.Ratio - 1 }

// Difference is what the build's value has more than the base's, in Unit.
func (r Row) Difference() float64 { return r.Value - r.BaseValue }

// place identifies what the row is about, apart from the build.
func (r Row) place() string { return r.Environment.String() + " " + r.Benchmark + " " + r.Unit }

func compareRow(s *series, build string, opt Options) Row {
	base, b := s.builds[opt.Base], s.builds[build]
	r := Row{Environment: s.Environment, Benchmark: s.benchmark, Unit: s.unit, Base: opt.Base, Build: build,
		BaseSamples: base.values, Samples: b.values}
	x, y, rounds, left := pairs(base, b)
	r.Paired = len(x) >= 2 && 2*len(x) >= min(len(base.values), len(b.values))
	switch {
	case !r.Paired && max(len(base.values), len(b.values)) > 1:
		x, y, rounds = r.BaseSamples, r.Samples, roundSet{}
		r.warn("rounds do not match: compared as independent samples")
	case !r.Paired:
		x, y = r.BaseSamples, r.Samples
	case left > 0:
		r.warn("%d boots without a partner in their round are not used", left)
	}
	r.N, r.rounds = min(len(x), len(y)), rounds
	r.BaseRemarks, r.Remarks = base.warnings, b.warnings
	r.measure(x, y, opt)
	for _, w := range slices.Concat(base.warnings, b.warnings) {
		r.warn("%s", w)
	}
	return r
}

// measure fills in the figures from the values of the base (x) and the build.
func (r *Row) measure(x, y []float64, opt Options) {
	r.Linear = slices.ContainsFunc(slices.Concat(x, y), func(v float64) bool { return v <= 0 })
	r.BaseValue, r.Value = centre(x, r.Linear), centre(y, r.Linear)
	r.Margin = r.marginOf(opt)
	r.Exact = IsCount(r.Unit) && r.N > 1 && constant(x) && constant(y) && !disclaimed(r.BaseRemarks) && !disclaimed(r.Remarks)
	fromNothing := r.Exact && r.BaseValue == 0 // which the counts themselves say
	if r.Linear && !fromNothing {
		r.warn("a value is not above 0: differences are compared, not ratios")
	}
	nan := math.NaN()
	r.Ratio, r.Lo, r.Hi, r.P, r.HodgesLehmann = nan, nan, nan, nan, nan
	r.PHolm, r.PEquivalent, r.PSignedRank, r.PMannWhitney = nan, nan, nan, mannWhitney(x, y)
	if r.Linear && !(r.BaseValue > 0) {
		if !fromNothing {
			r.warn("%s's mean is not above 0: there is no ratio", r.Base)
		}
		return
	}
	if !r.estimate(r.scale(x), r.scale(y), opt.Confidence) {
		r.Ratio = r.ratio(r.effect.Mean)
		return
	}
	e := r.effect
	r.Ratio, r.HodgesLehmann = r.ratio(e.Mean), r.ratio(e.HL)
	if e.SE == 0 && !r.Exact {
		// A clock too coarse for the operation shows this; it is no
		// certainty.
		r.warn("every boot gave the same difference: there is no spread to judge by")
		return
	}
	if gap := math.Abs(e.Mean - e.HL); gap > r.bound() && gap > 0.2*(e.CI.Hi-e.Mean) {
		r.warn("a few boots lie far from the rest and move the mean: see the Hodges-Lehmann estimate")
	}
	r.Lo, r.Hi = r.ratio(e.CI.Lo), r.ratio(e.CI.Hi)
	r.P, r.PEquivalent, r.PSignedRank = e.P, e.TOST(r.bound()), e.PWilcoxon
	if r.Exact {
		r.P, r.PEquivalent, r.PSignedRank = nan, nan, nan // nothing is left to chance
	}
}

// estimate finds the effect, and reports whether there are samples enough for
// more than a mean.
func (r *Row) estimate(x, y []float64, confidence float64) bool {
	var err error
	if r.Paired {
		d := make([]float64, len(x))
		for i := range d {
			d[i] = y[i] - x[i]
		}
		r.logs = d
		r.effect, err = stats.Paired(d, confidence)
	} else {
		r.effect, err = stats.Welch(x, y, confidence)
	}
	if err != nil {
		r.effect.Mean = stat.Mean(y, nil) - stat.Mean(x, nil)
	}
	return err == nil
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

// marginOf is the relative margin, or what the unit's floor is of the base's
// value if that is more.
func (r *Row) marginOf(opt Options) float64 {
	floor := opt.Floors[r.Unit]
	if floor <= 0 || !(r.BaseValue > 0) {
		return opt.Margin
	}
	return math.Max(opt.Margin, floor/r.BaseValue)
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
			r.warn("one boot gives no interval")
		}
	case ci.Within(r.bound()):
		r.Verdict = Equivalent
	case !ci.Excludes(0):
		r.Verdict = Inconclusive
	case !r.Exact && r.PHolm > alpha:
		r.Verdict = Inconclusive
		r.warn("alone it would be %s; corrected for %d comparisons (Holm) it is not", r.side(), rows)
	default:
		r.Verdict = r.side()
	}
	if r.Verdict == Inconclusive {
		r.Need = r.need(alpha, rows)
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

// need estimates the rounds that would narrow the interval enough to lie
// within the margin, or away from 0 at the level that Holm's first step asks.
func (r *Row) need(alpha float64, rows int) int {
	const first = 5 // rounds to have a spread to estimate from
	if r.N < 2 || !(r.effect.SE > 0) {
		return max(1, first-r.N)
	}
	size := math.Abs(r.effect.Mean)
	total := min(
		r.effect.Needed(r.bound()-size, 1-alpha, MostRounds),
		r.effect.Needed(size, 1-alpha/float64(max(rows, 1)), MostRounds))
	return max(1, total-r.N)
}

// heed takes back an alarm that the same benchmark's control could raise.
func (r *Row) heed(control Row) {
	raised := !math.IsNaN(control.Lo) && (control.Lo > 1 || control.Hi < 1) && control.Verdict != Equivalent
	if !raised {
		return
	}
	noise := math.Max(math.Abs(math.Log(control.Lo)), math.Abs(math.Log(control.Hi)))
	r.warn("the control %s, the same image as %s, differs here by %+.1f %%", control.Build, control.Base, 100*control.Overhead())
	if (r.Verdict == Slower || r.Verdict == Faster) && !(math.Abs(math.Log(r.Ratio)) > noise) {
		r.Verdict = Inconclusive
		r.Need = MostRounds
	}
}

func (r *Row) warn(format string, args ...any) {
	if w := fmt.Sprintf(format, args...); !slices.Contains(r.Warnings, w) {
		r.Warnings = append(r.Warnings, w)
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
		return stat.Mean(v, nil)
	}
	return stat.GeometricMean(v, nil)
}

// disclaimed tells whether samples came with the word that they are not exact.
func disclaimed(remarks []string) bool {
	return slices.ContainsFunc(remarks, func(s string) bool { return strings.HasPrefix(s, bench.NotExact) })
}

func constant(v []float64) bool {
	return !slices.ContainsFunc(v, func(f float64) bool { return f != v[0] })
}

func mannWhitney(x, y []float64) float64 {
	if len(x) == 0 || len(y) == 0 {
		return math.NaN()
	}
	t := benchmath.DefaultThresholds
	c := benchmath.AssumeNothing.Compare(benchmath.NewSample(slices.Clone(x), &t), benchmath.NewSample(slices.Clone(y), &t))
	return c.P
}
