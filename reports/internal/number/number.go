// Package number writes numbers as all reports do: a percentage has one minus
// sign, one sign for what is unknown, and no sign if it rounds to zero.
package number

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Unknown stands where there is no number.
const Unknown = "–"

// Percent is a share in per cent, to so many places.
func Percent(share float64, places int) string {
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return Unknown
	}
	return bare(share, places) + "%"
}

// SignedPercent is a change in per cent.
func SignedPercent(share float64, places int) string {
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return Unknown
	}
	return Signed(share, places) + "%"
}

// Signed is a change in per cent without the unit, as it stands in an interval.
func Signed(share float64, places int) string {
	text := bare(share, places)
	if share > 0 && strings.Trim(text, "0.") != "" {
		return "+" + text
	}
	return text
}

// bare is a share in per cent; what rounds to zero has no sign.
func bare(share float64, places int) string {
	text := strconv.FormatFloat(100*share, 'f', places, 64)
	if strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-")
	}
	return strings.Replace(text, "-", "−", 1)
}

// Share is a share that somebody chose, a margin or a level, in per cent: with
// no more than so many figures, and none that say nothing.
func Share(share float64, figures int) string {
	if math.IsInf(share, 0) {
		return "any share"
	}
	return strconv.FormatFloat(100*share, 'g', figures, 64) + "%"
}

// Rough keeps two figures of an estimate, rounded up.
func Rough(n int) string {
	unit := 1
	for n/unit >= 100 {
		unit *= 10
	}
	return strconv.Itoa((n + unit - 1) / unit * unit)
}

// Count is how many of a thing: "1 row", "2 rows".
func Count(n int, noun string) string { return fmt.Sprintf("%d %s", n, Plural(n, noun)) }

// Plural is the noun for so many.
func Plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// Rounded is a figure, to four places if it is a mean.
func Rounded(v float64) string {
	if v == math.Trunc(v) || math.IsNaN(v) {
		return Brief(v)
	}
	places := 4 - len(strconv.FormatInt(int64(math.Abs(v)), 10))
	return strconv.FormatFloat(v, 'f', max(0, min(places, 2)), 64)
}

// Brief is a count, or a mean of counts with a place after the point.
func Brief(v float64) string {
	if math.IsNaN(v) {
		return Unknown
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}
