package hooks

import (
	"math"
	"strconv"
	"strings"

	numbers "xsmbench/reports/internal/number"
)

// number is a count, or a mean of counts to four figures.
func number(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	places := 2
	if whole := math.Abs(math.Trunc(v)); whole >= 100 {
		places = 1
	} else if whole == 0 {
		places = 4
	}
	text := strconv.FormatFloat(v, 'f', places, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return strings.Replace(text, "-", "−", 1)
}

// signed is a difference.
func signed(v float64) string {
	text := number(v)
	if v > 0 && text != "0" {
		text = "+" + text
	}
	return text
}

// percent is a share, with a place more where it is small.
func percent(share float64) string {
	if math.Abs(share) < 0.01 {
		return numbers.Percent(share, 2)
	}
	return numbers.Percent(share, 1)
}
