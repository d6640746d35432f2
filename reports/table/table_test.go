package table

import (
	"flag"
	"fmt"
	"io"
	"math"
	"testing"

	"xsmbench/reports/internal/golden"
	"xsmbench/reports/synthetic"

	"xsmbench/bench"
	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

var update = flag.Bool("update", false, "write the golden files again")

func TestGolden(t *testing.T) {
	for run, file := range map[string]string{"run": "compare", "counted": "counted"} {
		t.Run(run, func(t *testing.T) { testGolden(t, run, file) })
	}
}

func testGolden(t *testing.T, run, file string) {
	c, a := synthetic.Compare(t, run)
	for ext, write := range map[string]func(io.Writer) error{
		".txt":       func(w io.Writer) error { return Text(w, c, a) },
		".md":        func(w io.Writer) error { return Markdown(w, c, a) },
		".csv":       func(w io.Writer) error { return CSV(w, c) },
		".benchstat": func(w io.Writer) error { return Benchstat(w, c) },
		".json":      func(w io.Writer) error { return JSON(w, few(c), about.About{}) },
	} {
		golden.Matches(t, *update, file+ext, write)
	}
}

// few leaves a row or two of each kind: in JSON they are long, and all alike.
func few(c *compare.Comparison) *compare.Comparison {
	short := *c
	first := func(rows []compare.Row, n int) []compare.Row { return rows[:min(n, len(rows))] }
	short.Rows, short.Controls = first(c.Rows, 3), first(c.Controls, 1)
	short.GeoMeans, short.Figures = c.GeoMeans[:1], c.Figures[:min(3, len(c.Figures))]
	return &short
}

// TestExplain shows rows of each verdict, of a control, of exact counts and of
// counts that are not.
func TestExplain(t *testing.T) {
	for _, tt := range []struct{ run, what, file string }{
		{"run", "grant_copy|bw_pipe,dom0", "explain.txt"},
		{"counted", "evtchn_send|fork,dom0", "explain-counted.txt"},
	} {
		t.Run(tt.run, func(t *testing.T) {
			c, _ := synthetic.Compare(t, tt.run)
			rows, err := c.Find(tt.what)
			if err != nil {
				t.Fatal(err)
			}
			golden.Matches(t, *update, tt.file, func(w io.Writer) error { return Explain(w, c, rows) })
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
	golden.Matches(t, *update, "explain-layouts.txt", func(w io.Writer) error { return Explain(w, c, c.Rows) })
}
