package answer

import (
	"testing"

	"xsmbench/reports/compare"
)

func TestFree(t *testing.T) {
	type verdicts = map[compare.Verdict]int
	for want, b := range map[string]Build{
		"free within ±1% in all 2 rows":                                  {Rows: 2, Verdicts: verdicts{compare.Equivalent: 2}},
		"not free: 1 of 2 rows costs more than 1%":                       {Rows: 2, Verdicts: verdicts{compare.Slower: 1, compare.Equivalent: 1}},
		"not free: 2 of 3 rows cost more than 1%, 1 undecided":           {Rows: 3, Verdicts: verdicts{compare.Slower: 2, compare.Inconclusive: 1}},
		"not shown to be free: none of 1 row is slower, but 1 undecided": {Rows: 1, Verdicts: verdicts{compare.Inconclusive: 1}},
	} {
		b.Margin = "±1%"
		if got := b.Free(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestUpper: a sentence may begin with a word, or with a figure and its sign.
func TestUpper(t *testing.T) {
	for text, want := range map[string]string{"": "", "within ±1%": "Within ±1%", "−1.0% time": "−1.0% time", "+2% time": "+2% time", "über": "Über"} {
		if got := upper(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
