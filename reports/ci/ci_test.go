package ci

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"xsmbench/reports/internal/golden"
	"xsmbench/reports/synthetic"

	"xsmbench/reports/compare"
	"xsmbench/reports/gate"
	"xsmbench/results"
)

var update = flag.Bool("update", false, "write the golden files again")

// judged judges a fixture: some rows are waived, one waiver has expired, one
// matches nothing.
func judged(t *testing.T, name string, change func(*gate.Input)) *gate.Result {
	t.Helper()
	c, _ := synthetic.Compare(t, name)
	run := synthetic.Open(t, name).Run
	in := gate.Input{Comparison: c, Run: &run, Repeat: again, Today: date(t, "2026-12-01"), Waivers: []gate.Waiver{
		waiver(t, gate.Waiver{Benchmark: "mmu_update", Build: "flask", Until: date(t, "2027-01-31"), Reason: "batches are checked entry by entry", Place: "xsmbench.toml:3"}),
		waiver(t, gate.Waiver{Benchmark: "op=fork$", Domain: "domU", Until: date(t, "2026-11-30"), Reason: "until the cache is larger", Place: "xsmbench.toml:9"}),
		waiver(t, gate.Waiver{Benchmark: "lat_conect", Until: date(t, "2027-01-31"), Reason: "a slip of the pen", Place: "xsmbench.toml:15"}),
	}}
	if change != nil {
		change(&in)
	}
	return gate.Judge(in)
}

// again is what a caller might make of the benchmarks to repeat.
func again(benchmarks []string) []string {
	return []string{"measure " + strings.Join(benchmarks, " "), "judge"}
}

func date(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := time.Parse(gate.Day, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func waiver(t *testing.T, w gate.Waiver) gate.Waiver {
	t.Helper()
	w, err := gate.NewWaiver(w)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestGolden(t *testing.T) {
	for _, run := range []string{"run", "counted"} {
		r := judged(t, run, nil)
		files := map[string]func(io.Writer) error{
			run + ".txt":        func(w io.Writer) error { return Text(w, r) },
			run + ".md":         func(w io.Writer) error { return StepSummary(w, r, StepSummaryLimit) },
			run + "-comment.md": func(w io.Writer) error { return Comment(w, r) },
		}
		if run == "counted" { // TestJUnitStructure and TestCodeQuality read those of both
			files["counted.xml"] = func(w io.Writer) error { return JUnit(w, r) }
			files["counted.json"] = func(w io.Writer) error { return CodeQuality(w, r, "xsmbench.toml") }
		}
		for name, write := range files {
			t.Run(name, func(t *testing.T) { golden.Matches(t, *update, name, write) })
		}
	}
}

func TestWhyHooks(t *testing.T) {
	row := &compare.Row{Unit: "xen-instr/op", BaseValue: 5000, Value: 5428, Margin: 0.01}
	f := gate.Finding{Row: row, Cause: gate.HooksSlower, InHooks: [2]float64{160, 223.5}}
	const want = "not exact, so judged by its hooks: 223.5 instructions, previously 160 (+1.27% of the operation); margin 1%"
	if got := why(&gate.Result{}, f); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestJUnitStructure reads the report as pipelines do: the elements and
// attributes that they look for, sums that agree, names that are unique, and
// failures that say something in their text.
func TestJUnitStructure(t *testing.T) {
	for _, run := range []string{"run", "counted"} {
		r := judged(t, run, func(in *gate.Input) { in.Damage = "results/x.txt:5: <cut & off>" })
		var b bytes.Buffer
		if err := JUnit(&b, r); err != nil {
			t.Fatal(err)
		}
		checkElements(t, b.Bytes())
		var got junitSuites
		if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		var sum junitCounts
		seen := map[string]bool{}
		for _, s := range got.Suites {
			again := junitSuite{}
			for _, c := range s.Cases {
				again.add(c)
				if key := c.ClassName + "\x00" + c.Name; seen[key] || c.ClassName == "" || c.Name == "" {
					t.Errorf("%s: no name, or two cases of one name: %q", s.Name, key)
				} else {
					seen[key] = true
				}
				for _, cause := range []*junitCause{c.Failure, c.Error, c.Skipped} {
					if cause != nil && strings.TrimSpace(cause.Text) == "" {
						t.Errorf("%s: %s: no text", s.Name, c.Name)
					}
				}
			}
			if again.junitCounts != s.junitCounts {
				t.Errorf("%s: counts %+v, cases %+v", s.Name, s.junitCounts, again.junitCounts)
			}
			sum.plus(s.junitCounts)
		}
		want := junitCounts{Tests: len(r.Findings) + 1, Failures: r.Count(gate.Regression), Errors: r.Count(gate.Inconclusive) + 1, Skipped: len(r.Excused())}
		if got.junitCounts != sum || sum != want {
			t.Errorf("%s: counts %+v, suites %+v, want %+v", run, got.junitCounts, sum, want)
		}
	}
}

// checkElements allows the elements that every reader of JUnit's XML knows,
// each where it belongs.
func checkElements(t *testing.T, text []byte) {
	t.Helper()
	parents := map[string]string{"testsuites": "", "testsuite": "testsuites", "testcase": "testsuite",
		"failure": "testcase", "error": "testcase", "skipped": "testcase", "system-out": "testcase"}
	var open []string
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			parent := ""
			if len(open) > 0 {
				parent = open[len(open)-1]
			}
			if want, ok := parents[e.Name.Local]; !ok || want != parent {
				t.Errorf("<%s> in <%s>", e.Name.Local, parent)
			}
			open = append(open, e.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

// TestCodeQuality holds the report against what GitLab's parser demands of an
// entry.
func TestCodeQuality(t *testing.T) {
	r := judged(t, "run", func(in *gate.Input) { in.Damage = "cut off" })
	var b bytes.Buffer
	if err := CodeQuality(&b, r, "xsmbench.toml"); err != nil {
		t.Fatal(err)
	}
	var entries []map[string]any
	if err := json.Unmarshal(b.Bytes(), &entries); err != nil {
		t.Fatal(err)
	}
	if want := r.Count(gate.Regression) + r.Count(gate.Inconclusive) + len(r.Excused()) + 1; len(entries) != want {
		t.Errorf("%d entries, want %d", len(entries), want)
	}
	prints := map[any]bool{}
	for _, e := range entries {
		for _, key := range []string{"description", "check_name", "fingerprint"} {
			if s, _ := e[key].(string); s == "" {
				t.Errorf("no %s in %v", key, e)
			}
		}
		switch e["severity"] {
		case "info", "minor", "major", "critical", "blocker":
		default:
			t.Errorf("severity %v", e["severity"])
		}
		if prints[e["fingerprint"]] {
			t.Errorf("fingerprint twice: %v", e)
		}
		prints[e["fingerprint"]] = true
		at := e["location"].(map[string]any)
		if begin := at["lines"].(map[string]any)["begin"].(float64); at["path"] != "xsmbench.toml" || begin < 1 {
			t.Errorf("location %v", at)
		}
	}
	// Nothing found is an empty list, not null.
	b.Reset()
	if err := CodeQuality(&b, &gate.Result{Input: gate.Input{Comparison: &compare.Comparison{}}}, "x"); err != nil || strings.TrimSpace(b.String()) != "[]" {
		t.Errorf("%v: %s", err, b.String())
	}
}

// many is a result of n slower rows with long names.
func many(n int) *gate.Result {
	c := &compare.Comparison{Base: "before", Builds: []string{"after"}}
	for i := range n {
		c.Rows = append(c.Rows, compare.Row{Benchmark: fmt.Sprintf("Kbench/hypercall/op=%s_%d", strings.Repeat("long", 700), i), Unit: "xen-instr/op",
			Environment: compare.Environment{Target: "xen", Domain: "dom0"}, Base: "before", Build: "after",
			BaseValue: 1000, Value: 1100, Ratio: 1.1, Lo: 1.1, Hi: 1.1, Margin: 0.01, N: 2, Exact: true, Verdict: compare.Slower})
	}
	return gate.Judge(gate.Input{Comparison: c, Run: &results.Run{}, Damage: strings.Repeat("damage ", 1000),
		Repeat: func([]string) []string { return []string{strings.Repeat("b,", 3000)} }})
}

func TestLimits(t *testing.T) {
	r := many(500)
	var b bytes.Buffer
	if err := StepSummary(&b, r, StepSummaryLimit); err != nil {
		t.Fatal(err)
	}
	if b.Len() > StepSummaryLimit || b.Len() < StepSummaryLimit/2 || !strings.Contains(b.String(), "There was no room for another") {
		t.Errorf("summary of %d bytes", b.Len())
	}
	if err := StepSummary(io.Discard, r, 100); err == nil {
		t.Error("a summary of 100 bytes")
	}
	b.Reset()
	if err := Comment(&b, r); err != nil {
		t.Fatal(err)
	}
	if b.Len() >= CommentLimit || !strings.Contains(b.String(), "of 500 rows 500 slower") {
		t.Errorf("comment of %d bytes:\n%s", b.Len(), b.String())
	}
}

func TestCommentIsSilent(t *testing.T) {
	equal := func(in *gate.Input) {
		in.Only, in.Waivers = []string{"dummy"}, nil
		for i := range in.Comparison.Rows {
			in.Comparison.Rows[i].Verdict = compare.Equivalent
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*gate.Input)
		silent bool
	}{
		{"all within the margin", func(*gate.Input) {}, true},
		{"faster", func(in *gate.Input) { in.Comparison.Rows[0].Verdict = compare.Faster }, false},
		{"slower", func(in *gate.Input) { in.Comparison.Rows[0].Verdict = compare.Slower }, false},
		{"inconclusive", func(in *gate.Input) { in.Comparison.Rows[0].Verdict = compare.Inconclusive }, false},
		{"inconclusive, and allowed", func(in *gate.Input) {
			in.Comparison.Rows[0].Verdict, in.AllowInconclusive = compare.Inconclusive, true
		}, true},
		{"damaged", func(in *gate.Input) { in.Damage = "cut off" }, false},
	} {
		r := judged(t, "counted", func(in *gate.Input) { equal(in); tt.change(in) })
		var b bytes.Buffer
		if err := Comment(&b, r); err != nil {
			t.Fatal(err)
		}
		if (b.Len() == 0) != tt.silent {
			t.Errorf("%s: silent %t, want %t\n%s", tt.name, b.Len() == 0, tt.silent, b.String())
		}
	}
}
