package table

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/perf/benchunit"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
)

// Value is a figure with its unit, scaled for reading: 152.3µs, 1.204GB/s.
// Counts of instructions stay whole numbers.
func Value(v float64, unit string) string {
	if math.IsNaN(v) {
		return "–"
	}
	if compare.IsCount(unit) || !strings.Contains(unit, "/") || v == math.Trunc(v) && math.Abs(v) < 1e6 && !compare.IsClocked(unit) {
		return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
	}
	tidy, base := benchunit.Tidy(v, unit)
	text := benchunit.Scale(tidy, benchunit.Decimal)
	switch base {
	case "sec/op", "sec":
		return text + "s"
	case "B/s":
		return text + "B/s"
	}
	return text
}

// decimals are the places of a percentage that its interval leaves meaning
// to: two figures of the interval's half-width.
func decimals(r compare.Row) int {
	if r.Exact {
		return 2
	}
	half := 100 * (r.Hi - r.Lo) / 2
	switch {
	case math.IsNaN(half), half >= 10:
		return 0
	case half >= 1:
		return 1
	}
	return 2
}

// Overhead is a row's overhead in percent, as precise as its interval allows.
func Overhead(r compare.Row) string {
	if r.Absolute {
		return amount(r.Difference())
	}
	return number.SignedPercent(r.Overhead(), decimals(r))
}

// Interval is the interval of the overhead in percent.
func Interval(r compare.Row) string {
	switch {
	case r.Exact:
		return "exact"
	case r.Absolute && r.Effect().SE > 0:
		ci := r.Effect().CI
		if r.HigherBetter { // whose scale is that of a cost
			ci.Lo, ci.Hi = -ci.Hi, -ci.Lo
		}
		return "[" + amount(ci.Lo) + ", " + amount(ci.Hi) + "]"
	case math.IsNaN(r.Lo) || math.IsNaN(r.Hi):
		return "no interval"
	}
	d := decimals(r)
	return "[" + number.Signed(r.Lo-1, d) + ", " + number.Signed(r.Hi-1, d) + "]"
}

// Mean is a geometric mean as a row, to format its overhead and interval.
func Mean(g compare.GeoMean) compare.Row {
	return compare.Row{Ratio: g.Ratio, Lo: g.Lo, Hi: g.Hi, Exact: g.Exact}
}

// amount is a difference with its sign, in the row's unit.
func amount(d float64) string {
	if math.IsNaN(d) {
		return number.Unknown
	}
	text := strconv.FormatFloat(math.Abs(d), 'g', 4, 64)
	switch {
	case text == "0":
		return text
	case d < 0:
		return "−" + text
	}
	return "+" + text
}

// VerdictText is the verdict in the words of its unit, with why it is one where
// the interval beside it seems to say another, and with the rounds that an
// inconclusive one lacks.
func VerdictText(r compare.Row) string {
	text := string(r.Word())
	if why := becauseText(r); why != "" {
		text += ", " + why
	}
	if r.Verdict == compare.Inconclusive && r.Need.Some() {
		text += fmt.Sprintf(", ~%s more", number.Rough(r.Need.N))
	}
	return text
}

// becauseText is the reason of a verdict that needs one.
func becauseText(r compare.Row) string {
	switch r.Because {
	case compare.ByFloor:
		return "within " + floorText(r)
	case compare.ByMargin:
		return "within ±" + number.Share(r.Margin, 2)
	case compare.ByHolm:
		return fmt.Sprintf("one of %s (Holm)", number.Count(r.Questions, "test"))
	case compare.ByControl:
		return "a control differs as much"
	case compare.ByOne:
		return "one sample"
	case compare.ByClock:
		return "no spread"
	}
	return ""
}

// floorText is the row's floor: "±2 ns", "±16 B".
func floorText(r compare.Row) string {
	return fmt.Sprintf("±%g %s", r.Floor, strings.TrimSuffix(r.Unit, "/op"))
}

// P is a p-value to three places.
func P(p float64) string {
	switch {
	case math.IsNaN(p):
		return "–"
	case p < 0.001:
		return "<0.001"
	}
	return strconv.FormatFloat(p, 'f', 3, 64)
}
