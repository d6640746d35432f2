package hooks

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/reports/internal/golden"

	"github.com/google/go-cmp/cmp"
	pprof "github.com/google/pprof/profile"

	"xsmbench/reports/compare"
	"xsmbench/reports/profile"
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
	list := Flames(fixture(t), "amd64", "dom0", "flask")
	if len(list) != 4 {
		t.Fatalf("%d graphs, want those of 4 benchmarks that cross a hook and have clean windows", len(list))
	}
	for i, f := range list {
		if i > 0 && f.Hooked > list[i-1].Hooked {
			t.Errorf("%s stands after %s", f.Benchmark, list[i-1].Benchmark)
		}
		width := map[int]float64{}
		for _, x := range f.Frames {
			width[x.Depth] += x.Width
		}
		for depth := range 2 { // the benchmark and its handlers fill the width
			if width[depth] < 0.999999 || width[depth] > 1.000001 {
				t.Errorf("%s: depth %d is %v wide", f.Benchmark, depth, width[depth])
			}
		}
	}
	golden.Matches(t, *update, "flame.svg", list[0].SVG)
	text, err := os.ReadFile("testdata/flame.svg")
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(text, new(struct{})); err != nil {
		t.Errorf("not well-formed: %v", err)
	}
}

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		label string
		width float64
		want  string
	}{{"do_iret", 100, "do_iret"}, {"restore_all_guest", 60, "restore_…"}, {"do_iret", 20, ""}, {"x", 1, ""}} {
		if got := Fit(tt.label, tt.width); got != tt.want {
			t.Errorf("Fit(%q, %v) = %q, want %q", tt.label, tt.width, got, tt.want)
		}
	}
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
