package ci

import (
	"strings"
	"testing"

	"xsmbench/reports/gate"
)

// What stands above a summary's fold is read: at most 300 words, whatever did
// not pass, and the rest is counted there.
func TestStepSummaryIsShort(t *testing.T) {
	long := strings.Repeat("very long ", 400)
	for name, change := range map[string]func(*gate.Input){
		"run":     nil,
		"damaged": func(in *gate.Input) { in.Damage = long },
		"names": func(in *gate.Input) {
			for i := range in.Comparison.Rows {
				in.Comparison.Rows[i].Benchmark = "Lmbench/op=" + strings.Repeat("x/", i) + long
			}
		},
	} {
		for _, fixture := range []string{"run", "counted"} {
			r := judged(t, fixture, change)
			var b strings.Builder
			if err := StepSummary(&b, r, StepSummaryLimit); err != nil {
				t.Fatal(err)
			}
			first, _, folded := strings.Cut(b.String(), "<details>")
			if n := len(strings.Fields(first)); !folded || n > mostWords {
				t.Errorf("%s of %s: %d words above the fold", name, fixture, n)
			}
			if !strings.Contains(first, "did not pass: see below") || !strings.Contains(first, string(r.Outcome)) {
				t.Errorf("%s of %s: the rest is not counted: %s", name, fixture, first)
			}
			if strings.Count(b.String(), "<details>") != 1 || strings.Count(b.String(), "</details>") != 1 {
				t.Errorf("%s of %s: folds do not close", name, fixture)
			}
		}
	}
}

// Names of others are text: they open no element, no block of code and no cell,
// and call nobody.
func TestNamesInMarkdown(t *testing.T) {
	const evil = "Lmbench/<b>|`x`](y)\n</details>\n# @team **slower** ```"
	r := judged(t, "run", func(in *gate.Input) {
		for i := range in.Comparison.Rows {
			in.Comparison.Rows[i].Benchmark += evil
			in.Comparison.Rows[i].Domain += evil
			in.Comparison.Rows[i].Build += evil
		}
		in.Repeat = func([]string) []string { return []string{"measure '" + evil + "'"} }
		in.Damage = evil
	})
	var summary, comment strings.Builder
	if err := StepSummary(&summary, r, StepSummaryLimit); err != nil {
		t.Fatal(err)
	}
	if err := Comment(&comment, r); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"summary": summary.String(), "comment": comment.String()} {
		text, code, _ := strings.Cut(text, "````")
		code, after, closed := strings.Cut(strings.TrimPrefix(code, "sh\n"), "\n````\n")
		if name == "summary" && (!closed || !strings.Contains(code, "```") || strings.TrimSpace(after) != "</details>") {
			t.Errorf("%s: the command ends its own block: %q, then %q", name, code, after)
		}
		for _, not := range []string{"<b>", "](y", "@team", "\n#  ", "\n# "} {
			if strings.Contains(text, not) {
				t.Errorf("%s has %q", name, not)
			}
		}
		bars := 0
		for _, line := range strings.Split(text, "\n") {
			n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			switch {
			case !strings.HasPrefix(line, "|"):
				bars = 0
			case bars == 0:
				bars = n
			case bars != n:
				t.Errorf("%s: %d bars in a table of %d: %s", name, n, bars, line)
			}
		}
	}
}
