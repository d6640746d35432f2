package table

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/stats"
)

// Widths of the columns of LKP's tables, by which its readers know them.
const (
	lkpBase  = 16
	lkpBuild = 27
)

// LKP writes the comparison in the table style of the reports that the Linux
// kernel's 0-day robot posts: the base with its relative standard deviation
// over the boots, then for each build the change of the figure and the build
// with its deviation, then the metric. A change is that of the figure and not
// of the cost: less of a rate is a negative change. Controls stand in it like
// other builds.
func LKP(w io.Writer, c *compare.Comparison, a about.About) error {
	b := bufio.NewWriter(harmless{w})
	if a.Incomplete != "" {
		fmt.Fprintln(b, a.Incomplete)
	}
	fmt.Fprintf(b, "builds:\n")
	for _, name := range append([]string{c.Base}, c.Builds...) {
		fmt.Fprintf(b, "  %s\n", lkpName(name, a))
	}
	for _, s := range lkpSections(c) {
		lkpSection(b, c, s)
	}
	fmt.Fprintln(b)
	for _, line := range Summary(c) {
		fmt.Fprintln(b, line)
	}
	for _, text := range warnings(c, a) {
		fmt.Fprintln(b, "warning:", text)
	}
	return b.Flush()
}

// lkpName is a build with what is known of its image.
func lkpName(name string, a about.About) string {
	for _, b := range a.Builds {
		if b.Name == name {
			return name + " (" + b.Describe() + ")"
		}
	}
	return name
}

// lkpSections are those of an environment one after the other, each with the
// units that it has.
func lkpSections(c *compare.Comparison) []compare.Section {
	rows, controls, _ := c.Shown()
	return compare.Sections(slices.Concat(rows, controls))
}

func lkpSection(w io.Writer, c *compare.Comparison, s compare.Section) {
	e := s.Environment
	var keys, values []string
	for _, kv := range [][2]string{{"target", e.Target}, {"arch", e.Arch}, {"accel", e.Accel}, {"workload", e.Workload}, {"domu", e.DomU}, {"domain", e.Domain}} {
		if kv[1] != "" {
			keys, values = append(keys, kv[0]), append(values, kv[1])
		}
	}
	if e.Idle > 0 {
		keys, values = append(keys, "domus"), append(values, strconv.Itoa(e.Idle))
	}
	fmt.Fprintf(w, "\n%s\n%s:\n  %s\n\n", strings.Repeat("=", 89), strings.Join(keys, "/"), strings.Join(values, "/"))
	lkpHead(w, c, s)
	for _, l := range s.Lines {
		lkpLine(w, l, s.Unit)
	}
}

// lkpHead is the names, a rule, and what the columns are.
func lkpHead(w io.Writer, c *compare.Comparison, s compare.Section) {
	names, rule := column(c.Base, lkpBase), strings.Repeat("-", lkpBase)
	heads, joints := right("%stddev", lkpBase), right(`\`, lkpBase)
	for _, build := range s.Builds {
		names += " " + column(build, lkpBuild)
		rule += " " + strings.Repeat("-", lkpBuild)
		heads += " " + right("%change", 11) + right("%stddev", lkpBuild-11)
		joints += " " + right("|", 8) + right(`\`, lkpBuild-8)
	}
	for _, line := range []string{names, rule, heads, joints} {
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

func lkpLine(w io.Writer, l compare.Line, unit string) {
	var base string
	var rest strings.Builder
	for _, r := range l.Rows {
		if r == nil {
			rest.WriteString(" " + right("", lkpBuild))
			continue
		}
		base = lkpValue(r.BaseValue, r.BaseSamples)
		rest.WriteString(" " + right(lkpChange(r), 11) + right(lkpValue(r.Value, r.Samples), lkpBuild-11))
	}
	fmt.Fprintf(w, "%s%s  %s.%s\n", right(base, lkpBase), rest.String(), l.Benchmark, unit)
}

// lkpValue is a figure with its relative standard deviation in per cent, which
// is left out below half of one.
func lkpValue(v float64, samples []float64) string {
	text := lkpNumber(v)
	deviation := "      "
	if n := len(samples); n > 1 && v != 0 {
		if d := 100 * stats.StdDev(samples) / math.Abs(v); d >= 0.5 {
			deviation = fmt.Sprintf(" ±%3.0f%%", d)
		}
	}
	return text + deviation
}

// lkpNumber keeps whole numbers from a thousand on, two places below.
func lkpNumber(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case v == math.Trunc(v), math.Abs(v) >= 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// lkpChange is the change of a figure in per cent; from 0 it is absolute.
func lkpChange(r *compare.Row) string {
	switch {
	case math.IsNaN(r.Value) || math.IsNaN(r.BaseValue):
		return "-"
	case r.BaseValue == 0:
		return fmt.Sprintf("%+.1f ", r.Difference())
	}
	return fmt.Sprintf("%+.1f%%", 100*(r.Value/r.BaseValue-1))
}

func column(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

func right(text string, width int) string {
	return strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text))) + text
}
