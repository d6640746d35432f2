package table

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/results"
)

func TestGroups(t *testing.T) {
	var lines []compare.Line
	add := func(names ...string) {
		for _, n := range names {
			lines = append(lines, compare.Line{Benchmark: n})
		}
	}
	for i := range 8 {
		add(fmt.Sprintf("K/call/op=%d", i))
	}
	add("K/vm/op=a", "L/pipe", "L/proc/op=fork", "K/call/op=last", "alone")
	var got []string
	for _, g := range Groups(lines) {
		got = append(got, fmt.Sprintf("%s %d", g.Name, len(g.Lines)))
	}
	if want := "K/call/ 9, K/ 1, L/ 2, alone/ 1"; strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
}

func TestRounded(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 883: "883", 1234567: "1234567", 16.0625: "16.06", 191.766: "191.8", 5711.833: "5712", 0.2381: "0.24"} {
		if got := number.Rounded(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

// counted makes samples of a run that counts; a count of 0 is none.
func counted(build, benchmark string, remark string, counts ...float64) []results.Sample {
	var all []results.Sample
	for i, n := range counts {
		s := results.Sample{Boot: results.Boot{Boot: i + 1, Round: i + 1, Image: build}, Target: "xen", Domain: "dom0", Build: build,
			Benchmark: benchmark, Ended: true, Run: "r", Values: []bench.Value{{Value: 7, Unit: "xsm-instr/op"}, {Value: 1, Unit: "hooks/op"}, {Value: 9, Unit: "guest-instr/op"}}}
		if n > 0 {
			s.Values = append(s.Values, bench.Value{Value: n, Unit: "xen-instr/op"})
		}
		if remark != "" {
			s.Warnings = []string{remark}
		}
		all = append(all, s)
	}
	return all
}

// What one build could not count stands in a table of its own, with the
// reason; a row of few boots says so below it.
func TestUncounted(t *testing.T) {
	const reason = "not exact: in each of 21 windows an interrupt came"
	var samples []results.Sample
	for _, s := range [][]results.Sample{
		counted("native", "K/a", "", 100, 100), counted("flask", "K/a", "", 110, 110),
		counted("native", "K/b", "", 100, 100), counted("flask", "K/b", reason, 0, 0),
		counted("native", "K/c", reason, 0, 0), counted("flask", "K/c", reason, 0, 0),
		counted("native", "K/d", "", 100, 100), counted("flask", "K/d", reason, 0, 120),
		counted("native", "K/e", "", 100, 100),
	} {
		samples = append(samples, s...)
	}
	c, err := compare.Compare(samples, compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var text, markdown strings.Builder
	if err := Text(&text, c, about.About{}); err != nil {
		t.Fatal(err)
	}
	if err := Markdown(&markdown, c, about.About{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  a           100        7/1 │   110  +10 (+10.0%)        7/1  slower\n",
		"    flask: ~ inconclusive, one sample, ~4 more, no interval, n=1\n",
		UncountedTitle + "\n",
		"K/b        dom0       7/1    7/1\n    flask: " + reason + "\n",
		"K/c        dom0       7/1    7/1\n    native, flask: " + reason + "\n",
		"guest-instr/op (",
		"warning: K/e in xen dom0: flask has no sample of it\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	for _, not := range []string{"has no sample of it, so nothing", "warning: K/b", "warning: K/c", "guest-instr/op  ", "K/d        dom0"} {
		if strings.Contains(text.String(), not) {
			t.Errorf("%q in\n%s", not, text.String())
		}
	}
	if want := "| K/b | dom0 | 7/1 | 7/1 | flask: " + reason + " |"; !strings.Contains(markdown.String(), want) {
		t.Errorf("no %q in\n%s", want, markdown.String())
	}
}

// Builds that came with the same word share a line.
func TestRemarks(t *testing.T) {
	row := func(build string, base, own []string) *compare.Row {
		return &compare.Row{Base: "native", Build: build, BaseRemarks: base, Remarks: own}
	}
	l := compare.Line{Rows: []*compare.Row{
		row("dummy", []string{"state"}, []string{"state", "a tick"}), nil, row("flask", []string{"state"}, []string{"state"}),
	}}
	var got []string
	for _, r := range Remarks(&compare.Comparison{Base: "native"}, l) {
		got = append(got, r.String())
	}
	if want := []string{"native, dummy, flask: state", "dummy: a tick"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
