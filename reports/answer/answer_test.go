package answer

import (
	"flag"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/golden"
	"xsmbench/reports/profile"
	"xsmbench/reports/synthetic"
)

var update = flag.Bool("update", false, "write the golden files again")

// ofRun is the answer of a run of the documentation's.
func ofRun(t *testing.T, name string) *Answer {
	t.Helper()
	dir := filepath.Join("..", "..", "docs", "testdata", name)
	in, err := compare.ReadInput(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := in.Compare(compare.Options{Order: synthetic.Order})
	if err != nil {
		t.Fatal(err)
	}
	r, err := profile.Open(dir)
	if err != nil {
		r = nil
	}
	return Of(c, about.Of(in.Run, in.Samples, in.Problems), r)
}

// ofChange is the answer of two builds of one kind.
func ofChange(t *testing.T) *Answer {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := synthetic.WriteChange(dir); err != nil {
		t.Fatal(err)
	}
	in, err := compare.ReadInput(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := in.Compare(compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := profile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return Of(c, about.OfInput(in).WithChanges(in, c.Base, r), r)
}

func TestGolden(t *testing.T) {
	answers := map[string]*Answer{"xen": ofRun(t, "xen"), "model": ofRun(t, "model"), "timed": ofRun(t, "timed")}
	for _, name := range []string{"run", "counted"} {
		c, a := synthetic.Compare(t, name)
		answers[name] = Of(c, a, nil)
	}
	answers["change"] = ofChange(t)
	for name, a := range answers {
		golden.Matches(t, *update, name+".txt", func(w io.Writer) error { return Text(w, a, false) })
		golden.Matches(t, *update, name+".md", func(w io.Writer) error { return Markdown(w, a, MostWords) })
	}
}

// The finished run of the real Xen, by the values that hooks.txt gives.
func TestCause(t *testing.T) {
	a := ofRun(t, "xen")
	flask := a.Builds[len(a.Builds)-1]
	if flask.Name != "flask" || len(flask.Most) != most {
		t.Fatalf("%s, with %d costs", flask.Name, len(flask.Most))
	}
	top := flask.Most[0]
	if got := top.Name() + top.at() + " " + top.Figure(); got != "evtchn_alloc_close in domU +31.8%" {
		t.Errorf("most: %s", got)
	}
	c := top.Cause
	if c.Hook != "evtchn_unbound" || c.More != 898 || c.Difference != 913 || c.Checks != 2 || c.PerCheck != 152 || c.Others != 1 || !c.Exact {
		t.Errorf("cause %+v", c)
	}
	if c.More+c.OthersMore+c.Around() != c.Difference {
		t.Errorf("hooks %g and %g and what is around %g are not %g", c.More, c.OthersMore, c.Around(), c.Difference)
	}
	if a.Subject.Commit != "01140da4e8" || a.Subject.Version != "4.17.5" {
		t.Errorf("subject %+v", a.Subject)
	}
}

// row is one of an invented comparison.
func row(build, benchmark string, ratio float64, v compare.Verdict) compare.Row {
	return compare.Row{
		Environment: compare.Environment{Domain: "dom0"}, Benchmark: benchmark, Unit: "xen-instr/op", Base: "native", Build: build,
		BaseValue: 1000, Value: 1000 * ratio, Ratio: ratio, Lo: ratio, Hi: ratio, Verdict: v, Exact: v != compare.Inconclusive,
	}
}

// from is the row with an interval.
func from(r compare.Row, lo float64) compare.Row {
	r.Lo, r.Hi = lo, r.Ratio*r.Ratio/lo
	return r
}

func control(r compare.Row) compare.Row {
	r.NoHook = true
	return r
}

func TestSentences(t *testing.T) {
	const (
		e = compare.Equivalent
		s = compare.Slower
		f = compare.Faster
		i = compare.Inconclusive
	)
	for _, x := range []struct {
		name string
		rows []compare.Row
		want string
	}{
		{"free", []compare.Row{row("d", "op=a", 1.001, e), control(row("d", "op=b", 1, e))},
			"d is free within ±1% in all 2 rows. Nothing elsewhere (1 row); most: a in dom0 +0.10%."},
		{"slower", []compare.Row{row("d", "op=a", 1.2, s), row("d", "op=b", 1.3, s), from(row("d", "op=c", 1.9, i), 0.9)},
			"d is not free: 2 of 3 rows cost more than 1%, 1 undecided; most: b in dom0 +30.0%."},
		{"undecided", []compare.Row{from(row("d", "op=a", 1.2, i), 0.8), row("d", "op=b", 1, e)},
			"d is not shown to be free: none of 2 rows is slower, but 1 undecided."},
		// Above 0 by itself, and not after Holm's correction.
		{"corrected", []compare.Row{from(row("d", "op=a", 1.5, i), 1.2), row("d", "op=b", 1.001, e)},
			"d is not shown to be free: none of 2 rows is slower, but 1 undecided; most: a in dom0 +50%, undecided."},
		{"faster", []compare.Row{row("d", "op=a", 0.8, f), row("d", "op=b", 1, e)},
			"d is free: none of 2 rows is slower, and 1 faster."},
		// What crosses no hook is not the hooks' cost, however large.
		{"elsewhere", []compare.Row{row("d", "op=a", 1.1, s), control(row("d", "op=b", 1.5, s)), control(row("d", "op=c", 1, i))},
			"d is not free: 2 of 3 rows cost more than 1%, 1 undecided. Elsewhere 1 of 2 rows beyond the margin, although they cross no hook, 1 undecided; most: a in dom0 +10.0%."},
		// A state that was brought about on purpose stands apart.
		{"variant", []compare.Row{row("d", "op=a", 1.1, s), row("d", "K/avc/state=cold/op=a", 9, s)},
			"d is not free: 2 of 2 rows cost more than 1%; most: a in dom0 +10.0%."},
	} {
		c := &compare.Comparison{Base: "native", Builds: []string{"d"}, Rows: x.rows}
		c.Margin, c.Confidence = 0.01, 0.95
		a := Of(c, about.About{}, nil)
		if got := a.Builds[0].Sentence(); got != x.want {
			t.Errorf("%s:\n%s, want\n%s", x.name, got, x.want)
		}
		total := 0
		for _, n := range a.Builds[0].Verdicts {
			total += n
		}
		if total != len(x.rows) {
			t.Errorf("%s: %d rows have verdicts, of %d", x.name, total, len(x.rows))
		}
		if text := a.Builds[0].Provoked(); (text != "") != (x.name == "variant") {
			t.Errorf("%s: provoked: %q", x.name, text)
		}
	}
}

// A base that has nothing of a cost is above all others.
func TestFromNothing(t *testing.T) {
	none := row("d", "op=none", math.NaN(), compare.Slower)
	none.BaseValue, none.Value = 0, 5
	c := &compare.Comparison{Base: "native", Builds: []string{"d"}, Rows: []compare.Row{row("d", "op=a", 3, compare.Slower), none}}
	c.Margin = 0.01
	if most := Of(c, about.About{}, nil).Builds[0].Most; most[0].Name() != "none" || most[0].Figure() != "+5" {
		t.Errorf("most: %s %s", most[0].Name(), most[0].Figure())
	}
}

func TestText(t *testing.T) {
	c := &compare.Comparison{Base: "native", Builds: []string{"d\x1b[2J"}, Rows: []compare.Row{row("d\x1b[2J", "op=a", 3, compare.Slower)}}
	c.Margin = 0.01
	a := Of(c, about.About{}, nil)
	for _, coloured := range []bool{true, false} {
		var b strings.Builder
		if err := Text(&b, a, coloured); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "\x1b[2J") || strings.Contains(b.String(), red) != coloured {
			t.Errorf("coloured %t: %q", coloured, b.String())
		}
	}
	var b strings.Builder
	if err := Text(&b, Of(&compare.Comparison{}, about.About{}, nil), true); err != nil || b.Len() > 0 {
		t.Errorf("of nothing: %q, %v", b.String(), err)
	}
}

func TestShort(t *testing.T) {
	for name, want := range map[string]string{
		"Kbench/hypercall/op=evtchn_send":          "evtchn_send",
		"Lmbench/lat_proc/op=fork":                 "lat_proc fork",
		"Lmbench/lat_pagefault":                    "lat_pagefault",
		"Kbench/avc/state=cold/op=evtchn_status":   "avc state=cold evtchn_status",
		"Lmbench/bw_mmap_rd/size=512K/op=open2cls": "bw_mmap_rd size=512K open2cls",
		"Plain": "Plain",
	} {
		if got := Short(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
