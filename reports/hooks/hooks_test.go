package hooks

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xsmbench/reports/internal/golden"

	"github.com/google/go-cmp/cmp"
	pprof "github.com/google/pprof/profile"

	"xsmbench/reports/compare"
	"xsmbench/reports/profile"
	"xsmbench/reports/synthetic"
	"xsmbench/results"
)

var update = flag.Bool("update", false, "write the golden files again")

// fixture is a small run of the real Xen.
func fixture(t *testing.T) *profile.Run { return open(t, "xen") }

func open(t *testing.T, name string) *profile.Run {
	t.Helper()
	r, err := profile.Open(filepath.Join("..", "..", "docs", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var options = Options{Base: "native", Functions: true, Matrix: true}

func TestText(t *testing.T) {
	r := fixture(t)
	r.Select(profile.Filter{Domains: []string{"dom0"}})
	golden.Matches(t, *update, "functions.txt", func(w io.Writer) error { return Text(w, r, options) })
}

func TestTextOfHook(t *testing.T) {
	r := fixture(t)
	r.Select(profile.Filter{Domains: []string{"dom0"}, Builds: []string{"native", "flask"}, Hook: func(h string) bool { return h == "evtchn_status" }})
	golden.Matches(t, *update, "hook.txt", func(w io.Writer) error { return Text(w, r, Options{Base: "native"}) })
}

func TestAgainst(t *testing.T) {
	first, second := open(t, "model"), fixture(t)
	golden.Matches(t, *update, "against.txt", func(w io.Writer) error { return Against(w, first, second, "flask") })
	if left := profile.Unexplained(profile.Against(first, second, "flask")); len(left) > 0 {
		t.Errorf("not explained: %v", left)
	}
}

func TestTimes(t *testing.T) {
	run, err := results.Open(filepath.Join("..", "..", "docs", "testdata", "timed"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := compare.Compare(run.Samples, compare.Options{Base: "native"})
	if err != nil {
		t.Fatal(err)
	}
	timed := Timed{Path: "timed", Comparison: c, Images: map[string]string{"native": "another"}}
	r := open(t, "model")
	r.Path = "model"
	golden.Matches(t, *update, "times.txt", func(w io.Writer) error { return Times(w, r, timed, options) })
	timed.Comparison = &compare.Comparison{}
	if err := Times(io.Discard, r, timed, options); err == nil || !strings.Contains(err.Error(), "in common with times") {
		t.Errorf("without times: error %v", err)
	}
}

func TestJSON(t *testing.T) {
	r := fixture(t)
	r.Select(profile.Filter{Domains: []string{"dom0"}, Builds: []string{"native", "flask"}, Benchmark: func(b string) bool { return strings.Contains(b, "evtchn_status") }})
	golden.Matches(t, *update, "hooks.json", func(w io.Writer) error { return JSON(w, r, options) })
}

// TestExplained: of each difference of exact figures nothing is left over.
func TestExplained(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, fixture(t), options); err != nil {
		t.Fatal(err)
	}
	var got jsonRun
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	differences := 0
	for _, bm := range got.Benchmarks {
		for _, c := range bm.Builds {
			if d := c.Difference; d != nil {
				differences++
				if d.Rest > 1e-9 || d.Rest < -1e-9 {
					t.Errorf("%s of %s in %s: %v of %v is left over", bm.Benchmark, c.Build, bm.Domain, d.Rest, d.Total)
				}
			}
		}
	}
	if differences < 20 {
		t.Errorf("%d differences only", differences)
	}
}

func TestFlame(t *testing.T) {
	graphs := 0
	var text strings.Builder
	for _, b := range fixture(t).Benchmarks {
		f, ok := FlameOf(b, "flask")
		if b.Domain != "dom0" || !ok {
			continue
		}
		graphs++
		width := map[int]float64{}
		for _, x := range f.Frames {
			width[x.Depth] += x.Width
		}
		for depth := range 2 { // the benchmark and its handlers fill the width
			if width[depth] < 0.999999 || width[depth] > 1.000001 {
				t.Errorf("%s: depth %d is %v wide", f.Benchmark, depth, width[depth])
			}
		}
		if graphs == 1 {
			fmt.Fprintln(&text, f.Title())
			for _, x := range f.Frames {
				fmt.Fprintf(&text, "%s%s at %.4f, in a hook: %t\n", strings.Repeat("  ", x.Depth), x.Describe(), x.Left, x.InHook)
			}
		}
	}
	if graphs != 4 {
		t.Errorf("%d graphs, want those of 4 benchmarks that cross a hook and have clean windows", graphs)
	}
	golden.Matches(t, *update, "flame.txt", func(w io.Writer) error {
		_, err := io.WriteString(w, text.String())
		return err
	})
}

// TestPprof checks that what a build has over the base is what pprof's own
// subtraction gives, and how it is marked.
func TestPprof(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pprof")
	paths, err := Pprof(dir, fixture(t), options)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(p), ".pb.gz"))
	}
	want := []string{
		"native-amd64-dom0", "dummy-amd64-dom0", "dummy-native-amd64-dom0", "flask-amd64-dom0", "flask-native-amd64-dom0",
		"native-amd64-domU", "dummy-amd64-domU", "dummy-native-amd64-domU", "flask-amd64-domU", "flask-native-amd64-domU",
	}
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
	sum := func(name string) (all, base int64) {
		f, err := os.Open(filepath.Join(dir, name+".pb.gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		p, err := pprof.Parse(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Sample {
			if s.DiffBaseSample() {
				base += s.Value[1]
			}
			all += s.Value[1]
		}
		return all, base
	}
	native, _ := sum("native-amd64-dom0")
	flask, marked := sum("flask-amd64-dom0")
	difference, base := sum("flask-native-amd64-dom0")
	if difference != flask-native || base != -native || marked != 0 || difference <= 0 {
		t.Errorf("native %d, flask %d, their difference %d with a base of %d", native, flask, difference, base)
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 12: "12", 1.02734375: "1.03", 211.2148: "211.2", -4: "−4", 0.01953125: "0.0195", -0.00001: "0", 1e6: "1000000"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
	for v, want := range map[float64]string{160: "+160", -4: "−4", 0: "0", 1e-7: "0"} {
		if got := signed(v); got != want {
			t.Errorf("signed(%v) = %q, want %q", v, got, want)
		}
	}
}

// A benchmark weighs what one of its operations executes, however many a window
// of it has: the page faults of a window are 256.
func TestPprofIsOfOneOperation(t *testing.T) {
	r := fixture(t)
	for _, build := range r.Builds {
		p := Encode(r, profile.Where{Arch: "amd64", Domain: "dom0"}, build)
		if err := p.CheckValid(); err != nil {
			t.Fatal(err)
		}
		if got := p.SampleType[instructionsValue].Type + " " + p.DefaultSampleType; got != "instructions instructions" {
			t.Errorf("samples are of %s", got)
		}
		sums := map[string][values]int64{}
		for _, s := range p.Sample {
			root := s.Location[len(s.Location)-1].Line[0].Function.Name
			if l := s.Label; l["benchmark"][0] != root || l["build"][0] != build || l["domain"][0] != "dom0" || s.NumLabel != nil {
				t.Fatalf("labels %v, %v of %s", s.Label, s.NumLabel, root)
			}
			sum := sums[root]
			for i, v := range s.Value {
				sum[i] += v
			}
			sums[root] = sum
		}
		for _, b := range r.Benchmarks {
			c := b.Costs[build]
			if b.Domain != "dom0" || c == nil {
				continue
			}
			total := 0.
			for _, x := range c.Paths {
				total += x.Instructions
			}
			got := sums[b.Name]
			if float64(got[instructionsValue]) != math.Round(total) || math.Abs(float64(got[instructionsOfThousand])-1000*total) > float64(len(c.Paths)) {
				t.Errorf("%s in %s: %v, want %g of one operation", b.Name, build, got, total)
			}
			if c.Exact && c.Total == math.Round(c.Total) && float64(got[instructionsValue]) != c.Total {
				t.Errorf("%s in %s: %d, and all that it executes is %g", b.Name, build, got[instructionsValue], c.Total)
			}
		}
		// As "pprof -top -cum" ranks them.
		if fault, event := sums["Lmbench/lat_pagefault"], sums["Kbench/hypercall/op=evtchn_alloc_close"]; fault[instructionsValue] == 0 || fault[instructionsValue] >= event[instructionsValue] {
			t.Errorf("%s: a page fault weighs %d, an event channel %d", build, fault[instructionsValue], event[instructionsValue])
		}
	}
}

func TestApportion(t *testing.T) {
	for _, x := range []struct {
		figures []float64
		want    []int64
	}{
		{nil, []int64{}},
		{[]float64{1, 2, 3}, []int64{1, 2, 3}},
		{[]float64{0.4, 0.4, 0.4}, []int64{1, 0, 0}},
		{[]float64{1.9, 0.6, 0.5}, []int64{2, 1, 0}},
		{[]float64{-0.5, 2.5}, []int64{0, 2}},
	} {
		if got := apportion(x.figures); !slices.Equal(got, x.want) {
			t.Errorf("%v: %v, want %v", x.figures, got, x.want)
		}
	}
}

// A hook that is not crossed any more is named, and so is the code outside of hooks.
func TestCrossedOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if err := synthetic.WriteChange(dir); err != nil {
		t.Fatal(err)
	}
	r, err := profile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for base, want := range map[string]string{
		"before": "after against before, amd64 dom0: no hook that both cross costs more or less; domctl 26 before, not crossed any more; outside of hooks: do_domctl −2, evtchn_send +12",
		"after":  "before against after, amd64 dom0: no hook that both cross costs more or less; domctl 26, not crossed before; outside of hooks: do_domctl +2, evtchn_send −12",
	} {
		if got := Few(r, base); len(got) != 2 || got[0] != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
