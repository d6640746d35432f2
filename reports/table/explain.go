package table

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/stats"
)

// Explain writes for each of the rows what its verdict comes from: data, model,
// interval, tests and checks; and what would change it.
func Explain(w io.Writer, c *compare.Comparison, rows []compare.Row) error {
	b := bufio.NewWriter(w)
	for i, r := range rows {
		if i > 0 {
			fmt.Fprintln(b)
		}
		fmt.Fprintf(b, "%s, %s: %s against %s\n%s\n\n", r.Benchmark, r.Unit, r.Build, r.Base, r.Environment)
		writeData(b, r)
		fmt.Fprintln(b)
		e := explainer{b}
		e.model(c, r)
		e.intervals(c, r)
		e.tests(c, r)
		e.checks(r)
		e.controls(c, r)
		e.verdict(c, r)
		e.outlook(c, r)
	}
	return b.Flush()
}

// writeData lists the observations: pairs, or boots that nothing pairs.
func writeData(w io.Writer, r compare.Row) {
	if !r.Paired {
		fmt.Fprintf(w, "%s: %s\n", r.Base, values(r.BaseSamples, r.Unit))
		fmt.Fprintf(w, "%s: %s\n", r.Build, values(r.Samples, r.Unit))
		return
	}
	pairs := r.Pairs()
	d := make([]float64, len(pairs))
	for i, p := range pairs {
		d[i] = p.Difference
	}
	inner, outer := stats.Outliers(d)
	runs := slices.ContainsFunc(pairs, func(p compare.Pair) bool { return p.Run != pairs[0].Run })
	g := grid.New(7)
	g.Right = []bool{true, true, true, true, true, true, false}
	g.Add("round", "layout", "places", r.Base, r.Build, "difference", "")
	for i, p := range pairs {
		round := fmt.Sprint(p.Round)
		if runs {
			round = p.Run + " " + round
		}
		remark := ""
		switch {
		case r.Exact:
		case slices.Contains(outer, i):
			remark = "beyond the outer fence"
		case slices.Contains(inner, i):
			remark = "beyond the inner fence"
		}
		g.Add(round, layoutCell(r, p), places(p), Value(p.BaseValue, r.Unit), Value(p.Value, r.Unit), pairDifference(r, p), remark)
	}
	g.Write(w)
}

func values(v []float64, unit string) string {
	var words []string
	for _, f := range v {
		words = append(words, Value(f, unit))
	}
	return strings.Join(words, " ")
}

func layoutCell(r compare.Row, p compare.Pair) string {
	if r.Layouts == 0 {
		return "–"
	}
	return fmt.Sprint(p.Layout)
}

// places are those of the boots in their round.
func places(p compare.Pair) string {
	if p.BaseOrder == 0 || p.Order == 0 {
		return "–"
	}
	return fmt.Sprintf("%d, %d", p.BaseOrder, p.Order)
}

func pairDifference(r compare.Row, p compare.Pair) string {
	if d := r.OverheadOf(p.Difference); !math.IsNaN(d) && !math.IsInf(d, 0) {
		return number.SignedPercent(d, 2)
	}
	return "–"
}

// explainer writes lines with a heading at their left.
type explainer struct{ w io.Writer }

func (e explainer) line(heading, format string, args ...any) {
	fmt.Fprintf(e.w, "%-10s %s\n", heading, fmt.Sprintf(format, args...))
}

// model says what is an observation, and of what.
func (e explainer) model(c *compare.Comparison, r compare.Row) {
	scale := "logarithms, so that differences are ratios"
	switch {
	case r.Absolute:
		scale = r.Unit + ", as the base's mean is not above 0"
	case r.Linear:
		scale = "shares of the base's mean, as a value is not above 0"
	}
	switch effect := r.Effect(); {
	case r.Exact:
		e.line("model", "none: every boot of a build gave the same count")
		return
	case math.IsNaN(r.Lo):
		e.line("model", "none: the spread is not known")
		return
	case r.Foreign:
		e.line("model", "lines of files are not paired: two independent samples of %s, compared in %s", units(r), scale)
		e.line("", "Welch's t with %.1f degrees of freedom", effect.DF)
	case !r.Paired:
		e.line("model", "rounds do not match: two independent samples of %s, compared in %s", units(r), scale)
		e.line("", "Welch's t with %.1f degrees of freedom", effect.DF)
	default:
		e.line("model", "boots of one round are paired: %s, compared in %s", units(r), scale)
		e.line("", "an observation varies by %s%% (standard deviation); t has %s of freedom", twoFigures(100*r.OverheadOf(effect.SD())), number.Count(int(effect.DF), "degree"))
	}
	if r.Paired && r.Units < r.N {
		e.line("", "boots of one layout are similar, so the mean of a layout is one observation;")
		e.line("", "layouts cause %s of a pair's variance (p of no effect: %s)", number.Percent(r.Checks.LayoutShare, 0), P(r.Checks.PLayout))
	}
}

// units says what the observations are.
func units(r compare.Row) string {
	what := "boots"
	if r.Paired {
		what = "pairs"
	}
	if r.Units < r.N {
		return fmt.Sprintf("%d %s of %d layouts", r.N, what, r.Units)
	}
	return fmt.Sprintf("%d %s", r.N, what)
}

// twoFigures keeps two figures.
func twoFigures(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	if math.Abs(v) >= 10 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

func (e explainer) intervals(c *compare.Comparison, r compare.Row) {
	if r.Exact || math.IsNaN(r.Lo) {
		e.line("estimate", "%s", Overhead(r))
		return
	}
	e.line("estimate", "%s mean, %s Hodges-Lehmann, which outliers do not move", Overhead(r), overheadOf(r, r.HodgesLehmann))
	e.line("interval", "%-18s t, at %s: this interval decides", Interval(r), c.LevelText())
	if !r.Paired {
		return
	}
	e.line("", "%-18s exact signed ranks%s", intervalOf(r, r.Checks.Wilcoxon), lacking(r.Checks.Wilcoxon, fmt.Sprintf(": too few observations (%d) for this level", r.Units)))
	e.line("", "%-18s bootstrap of layouts, boots and windows%s", intervalOf(r, r.Checks.Bootstrap),
		lacking(r.Checks.Bootstrap, noBootstrap(r)))
}

func noBootstrap(r compare.Row) string {
	if r.N > stats.MostBoots {
		return fmt.Sprintf(": not computed for more than %d pairs, where it equals t's", stats.MostBoots)
	}
	return fmt.Sprintf(": needs %d pairs of %d layouts", stats.LeastBoots, stats.LeastGroups)
}

func lacking(i *stats.Interval, why string) string {
	if i == nil {
		return why
	}
	return ""
}

func overheadOf(r compare.Row, ratio float64) string {
	r.Ratio = ratio
	return Overhead(r)
}

// Bootstrap is the bootstrap's interval of the overhead in percent.
func Bootstrap(r compare.Row) string {
	if r.Checks.Bootstrap == nil {
		return "–"
	}
	return intervalOf(r, r.Checks.Bootstrap)
}

func intervalOf(r compare.Row, i *stats.Interval) string {
	if i == nil {
		return "none"
	}
	d := decimals(r)
	return "[" + number.Signed(i.Lo-1, d) + ", " + number.Signed(i.Hi-1, d) + "]"
}

func (e explainer) tests(c *compare.Comparison, r compare.Row) {
	if r.Exact || math.IsNaN(r.P) {
		return
	}
	e.line("tests", "no difference: p %s by t, %s corrected for %d rows (Holm)", P(r.P), P(r.PHolm), c.Family(r))
	if r.Paired {
		e.line("", "no difference: p %s by exact signed ranks", P(r.PSignedRank))
	}
	e.line("", "no difference: p %s by Mann-Whitney, as in benchstat, which does not pair samples", P(r.PMannWhitney))
	e.line("", "difference beyond %s: p %s, by two one-sided tests at %g", marginText(c, r), P(r.PEquivalent), half(1-c.Level()))
}

// half is a level's half without what binary fractions add.
func half(alpha float64) float64 { return math.Round(alpha/2*1e9) / 1e9 }

func (e explainer) checks(r compare.Row) {
	if r.Exact || math.IsNaN(r.P) {
		return
	}
	k := r.Checks
	heading := "checks"
	check := func(format string, args ...any) {
		e.line(heading, format, args...)
		heading = ""
	}
	if !math.IsNaN(k.Drift.P) {
		check("drift of the difference over the rounds: tau %s, p %s", tau(k.Drift), P(k.Drift.P))
	}
	if !math.IsNaN(k.Order.P) {
		check("difference by the place in the round: tau %s, p %s", tau(k.Order), P(k.Order.P))
	}
	for _, s := range []struct {
		build   string
		rise, p float64
	}{{r.Base, k.BaseRise, k.PBaseRise}, {r.Build, k.Rise, k.PRise}} {
		if !math.IsNaN(s.rise) {
			check("steady state of %s: windows of a boot change by %s%% from its first to its last, p %s", s.build, number.Signed(s.rise, 2), P(s.p))
		}
	}
	if r.Paired {
		check("outliers: %d of %d pairs beyond Tukey's inner fences, %d of them beyond the outer; none is left out", k.Outliers, r.N, k.FarOut)
	}
}

func tau(t stats.Trend) string {
	return strings.Replace(fmt.Sprintf("%+.2f", t.Tau), "-", "−", 1)
}

// controls shows what the same image showed against itself.
func (e explainer) controls(c *compare.Comparison, r compare.Row) {
	for _, control := range c.Controls {
		if control.Build != r.Build && control.Benchmark == r.Benchmark && control.Environment == r.Environment && control.Unit == r.Unit {
			e.line("control", "%s, %s: %s %s", control.Build, control.Kinship(), Overhead(control), Interval(control))
		}
	}
}

func (e explainer) verdict(c *compare.Comparison, r compare.Row) {
	e.line("verdict", "%s: %s", r.Word(), reason(c, r))
	for _, w := range r.Warnings {
		e.line("warning", "%s", w)
	}
}

// marginText is the margin in force, and whether it is the floor's.
func marginText(c *compare.Comparison, r compare.Row) string {
	text := fmt.Sprintf("±%s%%", twoFigures(100*r.Margin))
	if r.Floored {
		text += fmt.Sprintf(" (the floor of %g %s)", r.Floor, r.Unit)
	}
	return text
}

// reason is why the verdict is what it is.
func reason(c *compare.Comparison, r compare.Row) string {
	margin := marginText(c, r)
	switch {
	case r.Absolute && !r.Exact && r.Effect().SE > 0:
		return fmt.Sprintf("the base's mean is not above 0, so differences are compared: %s %s", Interval(r), r.Unit)
	case math.IsNaN(r.Lo) && !r.Exact:
		return "no interval"
	case math.IsNaN(r.Lo):
		return "the base's count is 0"
	case r.Verdict == compare.Equivalent && r.Exact:
		return "the difference is within " + margin
	case r.Verdict == compare.Equivalent:
		return "the interval is within " + margin
	case r.Exact:
		return "the difference is beyond " + margin
	case r.Verdict != compare.Inconclusive:
		return fmt.Sprintf("the interval does not contain 0 and is not within %s, and its corrected p-value is at most %g", margin, round(1-c.Level()))
	case r.Lo > 1 || r.Hi < 1:
		return fmt.Sprintf("the interval is not within %s; it does not contain 0, but that may be chance among so many rows, or no more than a control shows", margin)
	}
	return fmt.Sprintf("the interval contains 0, and is not within %s", margin)
}

func round(alpha float64) float64 { return math.Round(alpha*1e9) / 1e9 }

// outlook says what would change the verdict.
func (e explainer) outlook(c *compare.Comparison, r compare.Row) {
	o := c.Outlook(r)
	heading := "change"
	say := func(format string, args ...any) {
		e.line(heading, format, args...)
		heading = ""
	}
	if r.Verdict == compare.Inconclusive {
		if !o.ToEquivalent.None() {
			say("%s for equivalent, if the estimate and the spread stay the same", rounds(o.ToEquivalent))
		}
		if !o.ToAlarm.None() {
			say("%s for %s, likewise", rounds(o.ToAlarm), side(r))
		}
	}
	if !math.IsNaN(o.Margin) {
		word := "or more: equivalent"
		if r.Verdict == compare.Equivalent {
			word = "or more keeps it equivalent"
		}
		say("a margin of %s%% %s (a report names a margin that was chosen after the run)", threeFigures(100*o.Margin), word)
	}
	if r.Exact || math.IsNaN(r.P) {
		return
	}
	switch n := c.Family(r); {
	case r.Verdict == compare.Equivalent || o.Family == 0:
	case o.Family < n:
		say("%s in a report of at most %s (this one has %d): measure fewer benchmarks next time", side(r), number.Count(o.Family, "row"), n)
	case r.Verdict != compare.Inconclusive && o.Family < 10*n:
		say("inconclusive in a report of more than %d rows (this one has %d), with the same p-value", o.Family, n)
	}
	if !math.IsNaN(o.Detectable) {
		say("a difference of %s%% would show in 80%% of runs like this one, if the report had no other row", threeFigures(100*o.Detectable))
	}
}

// rounds says how many more.
func rounds(n compare.Rounds) string {
	if n.OutOfReach {
		return "no realistic number of rounds"
	}
	return "about " + number.Rough(n.N) + " more " + number.Plural(n.N, "round")
}

// side is the alarm that the estimate points at.
func side(r compare.Row) compare.Verdict {
	if r.Ratio < 1 {
		return compare.Faster
	}
	return compare.Slower
}

// threeFigures keeps three figures, rounded up.
func threeFigures(v float64) string {
	if !(v > 0) || math.IsInf(v, 0) {
		return twoFigures(v)
	}
	unit := math.Pow(10, math.Floor(math.Log10(v))-2)
	return fmt.Sprintf("%.4g", math.Ceil(v/unit-1e-9)*unit)
}
