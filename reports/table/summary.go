package table

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
)

// Summary says the result in a line for each build, and whether all
// differences are negligible.
func Summary(c *compare.Comparison) []string {
	var lines []string
	for _, build := range c.Builds {
		lines = append(lines, buildSummary(c, build)...)
	}
	switch n := len(c.Rows); {
	case n == 0:
	case c.Negligible():
		lines = append(lines, fmt.Sprintf("All %d differences are negligible: every interval lies within its margin.", n))
	default:
		lines = append(lines, fmt.Sprintf("The difference is shown to be negligible in %d of %d rows.", c.Count(compare.Equivalent), n))
	}
	if line := negativeControls(c); line != "" {
		lines = append(lines, line)
	}
	return append(lines, controlSummary(c)...)
}

// widest says how much a control differs, and where.
func widest(c *compare.Comparison, control string) string {
	say := func(exact bool) string {
		r, size, rows := c.Widest(control, exact)
		switch {
		case rows == 0:
			return "by an unknown amount (too few samples)"
		case size == 0:
			return "by nothing"
		case rows == 1:
			return fmt.Sprintf("by %s", number.Percent(size, 1))
		}
		return fmt.Sprintf("by up to %s (%s, %s)", number.Percent(size, 1), c.Where(r.Environment), r.Benchmark)
	}
	_, _, rows := c.Widest(control, false)
	_, _, exact := c.Widest(control, true)
	switch exact {
	case 0:
		return say(false)
	case rows:
		return fmt.Sprintf("%s in %d exact rows", say(true), exact)
	}
	if all := say(false); all == say(true) {
		return fmt.Sprintf("%s in %s, of which %d are exact", all, number.Count(rows, "row"), exact)
	}
	return fmt.Sprintf("%s in %d exact rows; of all %d, %s", say(true), exact, rows, say(false))
}

// Controls says what the controls show, and the rows that cross no hook.
func Controls(c *compare.Comparison) []string {
	lines := controlSummary(c)
	if line := negativeControls(c); line != "" {
		lines = append([]string{line}, lines...)
	}
	return lines
}

// controlSummary says what each control shows.
func controlSummary(c *compare.Comparison) []string {
	var lines []string
	names, kinship := c.ControlBuilds()
	for _, name := range names {
		lines = append(lines, fmt.Sprintf("Control %s (%s) differs %s.", name, kinship[name], widest(c, name)))
	}
	return lines
}

// negativeControls says what the rows show that cross no hook.
func negativeControls(c *compare.Comparison) string {
	counts := countRows(c, func(r compare.Row) bool { return r.NoHook })
	if counts == "" {
		return ""
	}
	return "Negative controls, which cross no hook: " + counts + "."
}

// countRows counts the verdicts of some rows.
func countRows(c *compare.Comparison, in func(compare.Row) bool) string {
	n, rows := map[compare.Verdict]int{}, 0
	for _, r := range c.Rows {
		if in(r) {
			n[r.Word()]++
			rows++
		}
	}
	if rows == 0 {
		return ""
	}
	text := fmt.Sprintf("of %s %d equivalent", number.Count(rows, "row"), n[compare.Equivalent])
	for _, word := range []compare.Verdict{compare.Slower, compare.Faster, compare.More, compare.Less} {
		// Words of which there is none need no place, unless they are the only
		// pair.
		if usual := word == compare.Slower || word == compare.Faster; n[word] > 0 || usual && n[compare.More]+n[compare.Less] == 0 {
			text += fmt.Sprintf(", %d %s", n[word], word)
		}
	}
	return fmt.Sprintf("%s, %d inconclusive", text, n[compare.Inconclusive])
}

func buildSummary(c *compare.Comparison, build string) []string {
	counts := countRows(c, func(r compare.Row) bool { return r.Build == build })
	if counts == "" {
		return nil
	}
	lines := []string{fmt.Sprintf("%s against %s: %s.", build, c.Base, counts)}
	var means []string
	for _, g := range c.GeoMeans {
		if g.Build == build {
			means = append(means, fmt.Sprintf("%s %s %s", c.Where(g.Environment), g.Unit, meanSummary(g)))
		}
	}
	if len(means) > 0 {
		lines = append(lines, fmt.Sprintf("%s, geometric mean of the overheads: %s.", build, strings.Join(means, "; ")))
	}
	return lines
}

// meanSummary is a geometric mean, and that of the rows that cross a hook.
func meanSummary(g compare.GeoMean) string {
	kind := "rows"
	if g.Exact {
		kind = "exact rows"
	}
	text := fmt.Sprintf("%s over %d %s", meanFigure(g), g.Rows, kind)
	if x := g.Crossing; x != nil {
		text += fmt.Sprintf(", %s over the %d of them that cross a hook", meanFigure(*x), x.Rows)
	}
	return text
}

// meanFigure is a mean and its interval; an exact one has none.
func meanFigure(g compare.GeoMean) string {
	if g.Exact {
		return Overhead(Mean(g))
	}
	return Overhead(Mean(g)) + " " + Interval(Mean(g))
}

// Legend explains what the tables show.
func Legend(c *compare.Comparison) []string {
	timed := hasUnit(c, func(unit string) bool { return !compare.IsCount(unit) })
	sampled := timed || slices.ContainsFunc(slices.Concat(c.Rows, c.Controls), func(r compare.Row) bool { return !r.Exact })
	var lines []string
	if hasUnit(c, compare.IsCount) {
		lines = append(lines,
			fmt.Sprintf("xen-instr/op: instructions that Xen executed for one operation. BUILD−%s, or difference: how many more than with %s, also in per cent of %s's.", c.Base, c.Base, c.Base),
			"XSM/hooks, or of it XSM and hooks: how many of the instructions are in hooks and their module, and how many hooks one operation enters.",
			"exact: every boot of both builds gave the same count, so the difference is not an estimate. A boot's count is that of most of its windows; a line below a row says where windows differed. ~ marks rows that are not exact.",
			fmt.Sprintf("Verdict on exact rows: equivalent (≈) within ±%s%s; beyond, slower (more instructions) or faster (fewer). The verdict is about size; the difference is real in any case.", number.Share(c.Margin, 6), margins(c)))
	}
	if sampled {
		others := ""
		if hasUnit(c, compare.IsCount) {
			others = "Other rows: "
		}
		lines = append(lines,
			fmt.Sprintf("%soverhead against %s with its %s interval; positive is slower, for MB/s too. %s", others, c.Base, c.LevelText(), sampleIs(c)),
			fmt.Sprintf("equivalent: the interval is within ±%s%s. slower, faster: it is above or below 0, also after Holm's correction for %s.", number.Share(c.Margin, 6), margins(c)+floors(c), number.Count(c.Questions, "test")),
			"inconclusive: neither is shown; there may be a difference. “~N more” estimates the rounds still needed.")
		if c.Looks > 1 {
			lines = append(lines, looksNote(c))
		}
		if slices.ContainsFunc(slices.Concat(c.Rows, c.Controls), func(r compare.Row) bool { return r.Word() != r.Verdict }) {
			lines = append(lines, "more, less: used for units that do not measure time or a rate. A count is exact if all samples are the same.")
		}
		if others == "" {
			lines[0] = "O" + strings.TrimPrefix(lines[0], "o")
		}
	}
	return lines
}

// sampleIs says what one value of a row is.
func sampleIs(c *compare.Comparison) string {
	if !slices.ContainsFunc(slices.Concat(c.Rows, c.Controls), func(r compare.Row) bool { return !r.Foreign }) {
		return "Each result line of a file is a sample."
	}
	return "A sample is one boot; boots of one round are paired."
}

// looksNote says why the intervals have another level than was asked for.
func looksNote(c *compare.Comparison) string {
	return fmt.Sprintf("The run had a budget and up to %d looks. Intervals and verdicts use %s, so that all looks together keep to %s.",
		c.Looks, c.LevelText(), number.Share(c.Confidence, 6))
}

// hasUnit reports whether there are rows in a kind of unit.
func hasUnit(c *compare.Comparison, is func(unit string) bool) bool {
	return slices.ContainsFunc(slices.Concat(c.Rows, c.Controls), func(r compare.Row) bool { return is(r.Unit) })
}

// margins says which benchmarks have others.
func margins(c *compare.Comparison) string {
	var words []string
	for _, pattern := range slices.Sorted(maps.Keys(c.Margins)) {
		words = append(words, fmt.Sprintf("±%s for %s", number.Share(c.Margins[pattern], 6), pattern))
	}
	if words == nil {
		return ""
	}
	return ", " + strings.Join(words, ", ")
}

func floors(c *compare.Comparison) string {
	timed := func(unit string) bool { return unit == "ns/op" }
	if f := c.Floors["ns/op"]; f > 0 && hasUnit(c, timed) {
		return fmt.Sprintf(" (or ±%g ns, if larger)", f)
	}
	return ""
}

// warnings are those of the comparison, and what its input remarks of itself.
func warnings(c *compare.Comparison, a about.About) []string {
	return slices.Concat(compare.Texts(c.Warnings), a.Remarks())
}
