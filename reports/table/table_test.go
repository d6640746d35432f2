package table

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

var update = flag.Bool("update", false, "write the golden files again")

// fixture compares a synthetic run of reports/testdata.
func fixture(t *testing.T, name string) (*compare.Comparison, about.About) {
	t.Helper()
	run, err := results.Open(filepath.Join("..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	opt := compare.Options{Hooks: func(benchmark string) ([]bench.Crossing, bool) {
		switch benchmark {
		case "Lmbench/lat_syscall/op=null", "Lmbench/lat_ops/op=add":
			return nil, true
		case "Kbench/hypercall/op=evtchn_send":
			return []bench.Crossing{{Hook: "evtchn_send", PerOp: 1}}, true
		}
		return nil, false
	}}
	c, err := compare.Compare(run.Samples, opt)
	if err != nil {
		t.Fatal(err)
	}
	return c, about.Of(&run.Run, compare.SetOf(run.Samples), run.Problems)
}

func TestGolden(t *testing.T) {
	for run, file := range map[string]string{"run": "compare", "counted": "counted"} {
		t.Run(run, func(t *testing.T) { golden(t, run, file) })
	}
}

func golden(t *testing.T, run, file string) {
	c, a := fixture(t, run)
	for ext, write := range map[string]func(io.Writer) error{
		".txt":       func(w io.Writer) error { return Text(w, c, a) },
		".md":        func(w io.Writer) error { return Markdown(w, c, a) },
		".csv":       func(w io.Writer) error { return CSV(w, c) },
		".benchstat": func(w io.Writer) error { return Benchstat(w, c) },
		".json":      func(w io.Writer) error { return JSON(w, c) },
	} {
		matches(t, file+ext, write)
	}
}

// matches compares what is written with a golden file, and returns it.
func matches(t *testing.T, name string, write func(io.Writer) error) string {
	t.Helper()
	var got bytes.Buffer
	if err := write(&got); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
	return got.String()
}

// TestExplain shows rows of each verdict, of a control, of exact counts and of
// counts that are not.
func TestExplain(t *testing.T) {
	for _, tt := range []struct{ run, what, file string }{
		{"run", "grant_copy|bw_pipe,dom0", "explain.txt"},
		{"counted", "evtchn_send|fork,dom0", "explain-counted.txt"},
	} {
		t.Run(tt.run, func(t *testing.T) {
			c, _ := fixture(t, tt.run)
			rows, err := c.Find(tt.what)
			if err != nil {
				t.Fatal(err)
			}
			matches(t, tt.file, func(w io.Writer) error { return Explain(w, c, rows) })
		})
	}
}

// TestExplainLayouts shows what only some runs have: boots that share layouts,
// windows, and rounds that do not match.
func TestExplainLayouts(t *testing.T) {
	var samples []results.Sample
	for i, build := range []string{"native", "flask"} {
		for boot := range 12 {
			v := 1000 + 30*float64(i) + 4*math.Sin(float64(7*boot+i)) + 9*math.Sin(float64(boot%6*(3+i)))
			s := results.Sample{
				Boot:   results.Boot{Boot: 2*boot + i, Round: boot + 1, Order: 1 + (boot+i)%2, Image: fmt.Sprintf("%s %d", build, boot%6)},
				Target: "model", Arch: "amd64", Domain: "dom0", Build: build, Benchmark: "A/paired", Run: "run", Ended: true,
				Values: []bench.Value{{Value: v, Unit: "ns/op"}},
			}
			for w := range 11 {
				s.Windows = append(s.Windows, v+float64(w-5)+float64(5*(w%2))-2.5)
			}
			samples = append(samples, s)
			s.Benchmark, s.Round = "A/unpaired", 0
			samples = append(samples, s)
		}
	}
	c, err := compare.Compare(samples, compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	matches(t, "explain-layouts.txt", func(w io.Writer) error { return Explain(w, c, c.Rows) })
}
