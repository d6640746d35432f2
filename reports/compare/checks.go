package compare

import (
	"fmt"
	"math"
	"slices"

	"xsmbench/reports/stats"
)

// Checks are of what a row's interval assumes: that its observations are
// independent, alike and free of wild ones. What could not be computed is NaN.
// A check that fails is among the row's warnings.
type Checks struct {
	// Bootstrap is the hierarchical bootstrap's interval of the ratio, nil
	// with fewer than stats.LeastBoots boots or more than stats.MostBoots; Wilcoxon that of the exact
	// signed-rank test, nil with fewer than 6 at 95 %.
	Bootstrap, Wilcoxon *stats.Interval
	// Drift is the trend of the differences over the rounds.
	Drift stats.Trend
	// Order is the trend of the differences with how much later in its round
	// the build booted than the base.
	Order stats.Trend
	// BaseRise and Rise are by what share the windows of a boot of the base
	// and of the build rise from its first to its last, with p-values.
	BaseRise, PBaseRise float64
	Rise, PRise         float64
	// Outliers are pairs beyond Tukey's inner fences, FarOut those beyond the
	// outer ones.
	Outliers, FarOut int
	// LayoutShare is what the layouts have of the variance of one pair, with
	// the p-value of "nothing".
	LayoutShare, PLayout float64
}

func noChecks() Checks {
	nan := math.NaN()
	return Checks{
		Drift: stats.Trend{Tau: nan, P: nan}, Order: stats.Trend{Tau: nan, P: nan},
		BaseRise: nan, PBaseRise: nan, Rise: nan, PRise: nan, LayoutShare: nan, PLayout: nan,
	}
}

// Levels of the checks. They are chosen so that sound data raise few marks; the
// simulations say how few.
const (
	checkLevel = 0.01 // of drift, order and rise, over all rows together
	// A bound of another method disagrees if it is off by more than that
	// share of the half-width of t's interval: normal differences do so in
	// fewer than one of a hundred rows.
	disagreement = 0.25
	// An interval that says something else must reach beyond the bound of
	// the verdict by that share of the margin.
	beyond     = 0.25
	fewLayouts = 5 // fewer make the interval wide
	fewPairs   = 6 // fewer cannot make the signed-rank test's p 0.05
	redrawn    = 50
	// Fewer than these show no shape of their distribution; and of five
	// normal values one lies beyond the outer fences in every tenth sample,
	// of eight and more in one of thirty.
	fewForShape = 8
)

// check computes the checks, and warns of what one row tells by itself.
func (r *Row) check(confidence float64) {
	c := &r.Checks
	e := r.effect
	if e.Exact != nil {
		c.Wilcoxon = &stats.Interval{Lo: r.ratio(e.Exact.Lo), Hi: r.ratio(e.Exact.Hi)}
	}
	c.BaseRise, c.PBaseRise = rise(r.base, r.HigherBetter)
	c.Rise, c.PRise = rise(r.build, r.HigherBetter)
	if r.Paired {
		r.checkPairs(confidence)
	}
	if gap := math.Abs(e.Mean - e.HL); gap > r.bound() && gap > 0.2*(e.CI.Hi-e.Mean) {
		r.warn(MeanMoved, "a few boots are far from the rest and move the mean: see the Hodges-Lehmann estimate")
	}
}

func (r *Row) checkPairs(confidence float64) {
	c := &r.Checks
	left := r.observed
	if r.pairing.layouts != nil {
		left = stats.NewSample(r.residuals())
	}
	if !r.pairing.severalRuns {
		c.Drift = left.Drift() // rounds of several runs have no order
	}
	if later := r.pairing.later; later != nil {
		c.Order = stats.Kendall(later, left.Values())
	}
	if r.pairing.layouts != nil {
		r.checkLayouts()
	}
	r.checkOutliers()
	if r.N > stats.MostBoots {
		return
	}
	if i, ok := stats.Hierarchical(r.tree(), confidence, stats.Seed(r.BaseSamples, r.Samples)); ok {
		c.Bootstrap = &stats.Interval{Lo: r.ratio(i.Lo), Hi: r.ratio(i.Hi)}
		half := (r.effect.CI.Hi - r.effect.CI.Lo) / 2
		if r.Units >= fewForShape && math.Max(math.Abs(i.Lo-r.effect.CI.Lo), math.Abs(i.Hi-r.effect.CI.Hi)) > disagreement*half {
			r.warn(NotNormal, "the bootstrap's interval differs from t's: the differences are far from normal")
		}
	}
}

// residuals are what the layouts leave of the differences: pairs that share a
// layout are not independent, and a layout may always be measured in the same
// order.
func (r *Row) residuals() []float64 {
	d, layouts := r.differences, r.pairing.layouts
	if layouts == nil {
		return d
	}
	sum, n := make([]float64, r.pairing.most+1), make([]float64, r.pairing.most+1)
	for i, l := range layouts {
		sum[l] += d[i]
		n[l]++
	}
	left := make([]float64, len(d))
	for i, l := range layouts {
		left[i] = d[i] - sum[l]/n[l]
	}
	return left
}

// checkLayouts compares the layouts, which some boots share.
func (r *Row) checkLayouts() {
	groups := r.groups()
	v, ok := stats.ANOVA(groups)
	if !ok {
		return
	}
	r.Checks.LayoutShare, r.Checks.PLayout = v.Share(), v.P
	if n := len(groups); n < fewLayouts {
		r.warn(FewLayouts, "%d boots of only %d layouts: boots of one layout are similar, so the interval is from %d observations (more layouts give more)", r.N, n, n)
	}
}

// checkOutliers counts wild pairs, and tells of those that count: far out, and
// further from the rest than the margin.
func (r *Row) checkOutliers() {
	d := r.differences
	out, far := r.observed.Outliers()
	r.Checks.Outliers, r.Checks.FarOut = len(out), len(far)
	wild := slices.DeleteFunc(far, func(i int) bool { return math.Abs(d[i]-r.effect.HL) <= r.bound() })
	if n := len(wild); n > 0 && r.N >= fewForShape {
		r.warn(FarOut, "%d of %d pairs are far outliers (Tukey's outer fences); no pair is left out", n, r.N)
	}
}

// tree is the pairs by layout, with what their windows give if drawn again.
func (r *Row) tree() [][]stats.Boot {
	boots := make([]stats.Boot, len(r.differences))
	for k, d := range r.differences {
		boots[k] = stats.Boot{Diff: d, Again: r.again(k)}
	}
	var tree [][]stats.Boot
	places := make([]float64, len(boots))
	for i := range places {
		places[i] = float64(i)
	}
	for _, group := range stats.Group(places, r.pairing.layouts) {
		var of []stats.Boot
		for _, i := range group {
			of = append(of, boots[int(i)])
		}
		tree = append(tree, of)
	}
	return tree
}

// again is a pair's difference with both boots' windows drawn again, nil if
// windows are not known.
func (r *Row) again(pair int) []float64 {
	at := r.pairing.matches[pair]
	base, build := r.base.boot(int(at.i)), r.build.boot(int(at.j))
	if len(base.windows) < 2 && len(build.windows) < 2 {
		return nil
	}
	x, y := r.scale(redraw(base)), r.scale(redraw(build))
	for i := range y {
		y[i] -= x[i]
		if math.IsNaN(y[i]) || math.IsInf(y[i], 0) { // a value not above 0 has no logarithm
			y[i] = r.differences[pair]
		}
	}
	return y
}

// redraw is a boot's value with its windows drawn again: moved by as much as
// their median.
func redraw(b boot) []float64 {
	values := make([]float64, redrawn)
	if len(b.windows) < 2 {
		for i := range values {
			values[i] = b.value
		}
		return values
	}
	middle := stats.Median(b.windows)
	for i, m := range stats.Redraw(b.windows, redrawn, stats.Seed(b.windows)) {
		values[i] = b.value + m - middle
	}
	return values
}

// rise is by what share of its value the windows of a boot rise from the first
// to the last, on average over the boots, with the p-value of "not at all": a
// boot is a sample here, too. Of a rate the sign is that of the time.
func rise(of *sampled, higherBetter bool) (share, p float64) {
	var rises []float64
	for i := range of.windows {
		b := of.boot(i)
		if len(b.windows) >= 5 && b.value > 0 {
			rises = append(rises, stats.Slope(b.windows)/b.value)
		}
	}
	if len(rises) == 0 {
		return math.NaN(), math.NaN()
	}
	share, p = stats.Mean(rises), math.NaN()
	if e, err := stats.Paired(rises, 0.95); err == nil && e.SE > 0 {
		p = e.P
	}
	if higherBetter {
		share = -share
	}
	return share, p
}

// checkTogether warns of the failures that only all rows together tell from
// chance: the p-values of a check are corrected by Holm's method over the rows.
func (c *Comparison) checkTogether() {
	var rows []*Row
	for _, list := range [][]Row{c.Rows, c.Controls} {
		for i := range list {
			rows = append(rows, &list[i])
		}
	}
	each := func(p func(*Row) float64, fails func(*Row)) {
		all := make([]float64, len(rows))
		for i, r := range rows {
			all[i] = p(r)
		}
		for i, adjusted := range stats.Holm(all) {
			if adjusted <= checkLevel {
				fails(rows[i])
			}
		}
	}
	each(func(r *Row) float64 { return r.Checks.Drift.P }, func(r *Row) {
		r.warn(Drifts, "the difference %s from round to round: something changed during the run", rises(r.Checks.Drift.Tau))
	})
	each(func(r *Row) float64 { return r.Checks.Order.P }, func(r *Row) {
		r.warn(OrderMatters, "the difference %s with the place in the round: earlier boots of the round affect later ones", rises(r.Checks.Order.Tau))
	})
	each(func(r *Row) float64 { return r.Checks.PBaseRise }, func(r *Row) { r.warnOfRise(r.Base, r.Checks.BaseRise) })
	each(func(r *Row) float64 { return r.Checks.PRise }, func(r *Row) { r.warnOfRise(r.Build, r.Checks.Rise) })
	for _, r := range rows {
		r.warnOfDoubt(1 - c.Level())
	}
	c.warnOfDesign()
}

// checkMeans warns of a drift that all rows have in common.
func (c *Comparison) checkMeans() {
	p := make([]float64, len(c.GeoMeans))
	for i, g := range c.GeoMeans {
		p[i] = g.Drift.P
	}
	for i, adjusted := range stats.Holm(p) {
		if g := c.GeoMeans[i]; adjusted <= checkLevel {
			c.warn(MeanDrifts, "%s, %s, %s: the mean of the differences %s from round to round: something changed during the run",
				g.Build, g.Environment, g.Unit, rises(g.Drift.Tau))
		}
	}
}

func rises(tau float64) string {
	if tau < 0 {
		return "falls"
	}
	return "rises"
}

// warnOfRise tells of windows that rise or fall by more than the margin.
func (r *Row) warnOfRise(build string, rise float64) {
	if math.Abs(rise) > r.Margin {
		word := "rises"
		if rise < 0 {
			word = "falls"
		}
		r.warn(Unsteady, "the cost %s within a boot by more than the margin (%s): it has not reached a steady state", word, build)
	}
}

// warnOfDoubt tells where methods without the normal distribution do not bear
// the verdict out.
func (r *Row) warnOfDoubt(alpha float64) {
	alarm := r.Verdict == Slower || r.Verdict == Faster
	edge := r.ratio((1 + beyond) * r.bound())
	within := func(i *stats.Interval) bool { return i == nil || i.Lo >= 1/edge && i.Hi <= edge }
	switch b, w := r.Checks.Bootstrap, r.Checks.Wilcoxon; {
	case r.Exact || r.Verdict == Inconclusive:
	case alarm && r.Units >= fewPairs && r.PSignedRank > 2*alpha:
		r.warn(NotByRanks, "%s by t, but not by the exact signed-rank test", r.Verdict)
	case alarm && b != nil && !b.Excludes(1):
		r.warn(NotByBootstrap, "%s by t, but not by the bootstrap", r.Verdict)
	case r.Verdict == Equivalent && !within(w):
		r.warn(NotByRanks, "equivalent by t, but not by the exact signed-rank test")
	case r.Verdict == Equivalent && !within(b):
		r.warn(NotByBootstrap, "equivalent by t, but not by the bootstrap")
	}
}

// warnOfDesign tells what no row could: that the run did not vary, or repeat,
// what matters.
func (c *Comparison) warnOfDesign() {
	few, single := 0, 0
	for _, r := range c.Rows {
		if r.Exact || r.N < 2 {
			continue
		}
		if r.Units < fewPairs {
			few++
		}
		if r.Layouts == 1 && !IsCount(r.Unit) {
			single++
		}
	}
	if few > 0 {
		c.warn(FewObservations, "%s: with fewer than %d observations no rank test can confirm the interval; it is correct if the noise is normal", ofRows(few, len(c.Rows)), fewPairs)
	}
	if single > 0 {
		c.warn(OneLayout, "%s: every boot of a build had the same layout, so a difference may be due to where the linker put code; measure several layouts to find out", ofRows(single, len(c.Rows)))
	}
}

func ofRows(n, all int) string {
	if n == all {
		return "all rows"
	}
	return fmt.Sprintf("%d of %d rows", n, all)
}
