package table

import (
	"math"
	"testing"

	"xsmbench/reports/compare"
)

func TestValue(t *testing.T) {
	for _, tt := range []struct {
		value float64
		unit  string
		want  string
	}{
		{38.1234, "ns/op", "38.12ns"},
		{152345, "ns/op", "152.3µs"},
		{1904000, "ns/op", "1.904ms"},
		{0, "ns/op", "0.000s"},
		{2380, "MB/s", "2.380GB/s"},
		{123456, "instr/op", "123456"},
		{16, "B/op", "16"},
		{1234567, "B/op", "1.235M"},
		{0.5, "allocs/op", "500.0m"},
		{math.NaN(), "ns/op", "–"},
	} {
		if got := Value(tt.value, tt.unit); got != tt.want {
			t.Errorf("Value(%v, %q) = %q, want %q", tt.value, tt.unit, got, tt.want)
		}
	}
}

// An overhead has the places that its interval gives meaning to.
func TestOverhead(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		row                compare.Row
		overhead, interval string
	}{
		{compare.Row{Ratio: 1.061612, Lo: 1.0561, Hi: 1.0672}, "+6.16%", "[+5.61, +6.72]"},
		{compare.Row{Ratio: 1.0616, Lo: 1.0401, Hi: 1.0836}, "+6.2%", "[+4.0, +8.4]"},
		{compare.Row{Ratio: 1.0616, Lo: 0.9, Hi: 1.25}, "+6%", "[−10, +25]"},
		{compare.Row{Ratio: 0.99, Lo: 0.985, Hi: 0.995}, "−1.00%", "[−1.50, −0.50]"},
		{compare.Row{Ratio: 0.999999, Lo: 0.99, Hi: 1.01}, "0.0%", "[−1.0, +1.0]"},
		{compare.Row{Ratio: 1.02, Lo: 1.02, Hi: 1.02, Exact: true}, "+2.00%", "exact"},
		{compare.Row{Ratio: 3, Lo: nan, Hi: nan}, "+200%", "no interval"},
		{compare.Row{Ratio: nan, Lo: nan, Hi: nan}, "–", "no interval"},
	} {
		if got := Overhead(tt.row); got != tt.overhead {
			t.Errorf("overhead %q, want %q", got, tt.overhead)
		}
		if got := Interval(tt.row); got != tt.interval {
			t.Errorf("interval %q, want %q", got, tt.interval)
		}
	}
}

func TestVerdictText(t *testing.T) {
	for _, tt := range []struct {
		row  compare.Row
		want string
	}{
		{compare.Row{Verdict: compare.Slower}, "slower"},
		{compare.Row{Verdict: compare.Inconclusive, Need: compare.Rounds{N: 7}}, "inconclusive, ~7 more"},
		{compare.Row{Verdict: compare.Inconclusive, Need: compare.Rounds{N: 1234}}, "inconclusive, ~1300 more"},
		{compare.Row{Verdict: compare.Inconclusive, Need: compare.Rounds{OutOfReach: true}}, "inconclusive"},
		{compare.Row{Unit: "B/op", Verdict: compare.Slower}, "more"},
		{compare.Row{Unit: "allocs/op", Verdict: compare.Faster}, "less"},
		{compare.Row{Unit: "hits/op", Verdict: compare.Slower, HigherBetter: true}, "less"},
		{compare.Row{Unit: "hits/op", Verdict: compare.Faster, HigherBetter: true}, "more"},
		{compare.Row{Unit: "MB/s", Verdict: compare.Slower, HigherBetter: true}, "slower"},
		{compare.Row{Unit: "xen-instr/op", Verdict: compare.Slower}, "slower"},
		{compare.Row{Unit: "ns/op", Verdict: compare.Equivalent, Because: compare.ByFloor, Floor: 2, Floored: true}, "equivalent, within ±2 ns"},
		{compare.Row{Unit: "ns/op", Verdict: compare.Equivalent, Because: compare.ByMargin, Margin: 0.01}, "equivalent, within ±1%"},
		{compare.Row{Unit: "ns/op", Verdict: compare.Inconclusive, Because: compare.ByHolm, Questions: 46, Need: compare.Rounds{N: 3}}, "inconclusive, one of 46 tests (Holm), ~3 more"},
		{compare.Row{Unit: "ns/op", Verdict: compare.Inconclusive, Because: compare.ByControl, Need: compare.Rounds{OutOfReach: true}}, "inconclusive, a control differs as much"},
		{compare.Row{Unit: "ns/op", Verdict: compare.Inconclusive, Because: compare.ByClock, Need: compare.Rounds{N: 1}}, "inconclusive, no spread, ~1 more"},
	} {
		if got := VerdictText(tt.row); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestDifference(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		row  compare.Row
		want string
	}{
		{compare.Row{BaseValue: 1782, Value: 1970, Ratio: 1970. / 1782, Exact: true}, "+188 (+10.5%)"},
		{compare.Row{BaseValue: 1970, Value: 1782, Ratio: 1782. / 1970, Exact: true}, "−188 (−9.54%)"},
		{compare.Row{BaseValue: 74, Value: 74, Ratio: 1, Exact: true}, "0 (0.00%)"},
		{compare.Row{BaseValue: 0, Value: 12, Ratio: nan, Exact: true}, "+12"},
		{compare.Row{BaseValue: 1000, Value: 1020.26, Ratio: 1.02026, Lo: 1.01, Hi: 1.03}, "+20.3 (+2.0%)"},
		{compare.Row{BaseValue: nan, Value: 1, Ratio: nan}, "–"},
	} {
		if got := Difference(tt.row); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.row, got, tt.want)
		}
	}
}
