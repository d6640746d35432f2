package plot

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xsmbench/reports/synthetic"
	"xsmbench/reports/trend"
	"xsmbench/results"
	"xsmbench/results/history"
)

func TestTrendGolden(t *testing.T) {
	store, err := synthetic.NightlyStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	trends, err := trend.Read(store, trend.Options{})
	if err != nil {
		t.Fatal(err)
	}
	charts := Trends(trends)
	if len(charts) != 2 {
		t.Fatalf("%d charts", len(charts))
	}
	for _, ch := range charts {
		var got, png bytes.Buffer
		if err := ch.SVG(&got); err != nil {
			t.Fatal(err)
		}
		if err := ch.PNG(&png); err != nil {
			t.Fatal(err)
		}
		if *dump != "" {
			if err := os.WriteFile(filepath.Join(*dump, ch.Name+".png"), png.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join("testdata", ch.Name+".svg")
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got.Bytes()) {
			t.Errorf("%s differs: run go test ./reports/plot -update and look at it", path)
		}
	}
}

// many makes a history of that many benchmarks and runs, each value by f.
func many(benchmarks, runs int, f func(benchmark, run int) float64) *trend.Trends {
	t := trend.New(trend.Options{})
	for r := range runs {
		run := history.Run{ID: fmt.Sprintf("%016x", r), Host: "h", Label: fmt.Sprintf("v1.%d-<rc>&%d", r, r), Run: results.Run{Started: time.Date(2008, 1, 1+r, 0, 0, 0, 0, time.UTC)}}
		var all []history.Series
		for b := range benchmarks {
			s := history.Series{Target: "model", Domain: "dom0", Build: []string{"native", "flask"}[b%2], Benchmark: fmt.Sprintf("Lmbench/lat_ctx/size=16K/procs=%d", b), Unit: "ns/op"}
			for i := range 3 {
				s.Boots = append(s.Boots, history.Boot{Boot: i + 1, Image: fmt.Sprint(r / 5), Value: f(b, r) * (1 + 1e-4*float64((r+i)%3))})
			}
			all = append(all, s)
		}
		t.Add(run, all)
	}
	t.Analyse()
	return t
}

// TestTrendExtremes draws what is hard to draw: it must end, and be well-formed.
func TestTrendExtremes(t *testing.T) {
	for name, trends := range map[string]*trend.Trends{
		"one run":     many(2, 1, func(b, r int) float64 { return 100 }),
		"zeros":       many(2, 12, func(b, r int) float64 { return 0 }),
		"huge":        many(2, 12, func(b, r int) float64 { return math.Pow(10, float64(50*(r/4))) }),
		"below zero":  many(2, 12, func(b, r int) float64 { return float64(r%2) - 0.5 }),
		"many series": many(20, 30, func(b, r int) float64 { return 100 * (1 + 0.1*float64(b%3)*float64(r/10%2)) }),
	} {
		charts := Trends(trends)
		wellFormed(t, name, charts)
		if *dump != "" {
			var png bytes.Buffer
			if err := charts[0].PNG(&png); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(*dump, "trend "+name+".png"), png.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if name == "many series" {
			var svg bytes.Buffer
			if err := charts[0].SVG(&svg); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(svg.String(), "4 more series are not drawn") {
				t.Error("series are left out silently")
			}
		}
	}
}
