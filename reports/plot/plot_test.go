package plot

import (
	"bytes"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

var (
	update = flag.Bool("update", false, "write the golden files again")
	dump   = flag.String("dump", "", "write PNG files to this directory")
)

func fixture(t *testing.T, name string) *compare.Comparison {
	t.Helper()
	samples, _, err := results.ReadFiles(filepath.Join("..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	c, err := compare.Compare(samples, compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGolden(t *testing.T) {
	for _, ch := range append(Charts(fixture(t, "run")), Charts(fixture(t, "counted"))...) {
		var got, again, png bytes.Buffer
		for _, err := range []error{ch.SVG(&got), ch.SVG(&again), ch.PNG(&png)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got.Bytes(), again.Bytes()) {
			t.Errorf("%s: drawn twice, it differs", ch.Name)
		}
		if *dump != "" {
			if err := os.WriteFile(filepath.Join(*dump, ch.Name+".png"), png.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.Contains(ch.Name, "-dom0") {
			continue
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

// TestExtremes draws what no machine gives: it must end, and be well-formed.
func TestExtremes(t *testing.T) {
	for name, values := range map[string][2][]float64{
		"one boot":    {{100}, {200}},
		"no spread":   {{100, 100}, {100, 100}},
		"huge":        {{1e-300, 1e-300, 2e-300}, {1e300, 1e299, 1e300}},
		"tiny":        {{1e300, 2e300, 1e300}, {1e-300, 1e-300, 2e-300}},
		"below zero":  {{-1, 5, -3}, {3, -9, 2}},
		"all zero":    {{0, 0, 0}, {0, 0, 0}},
		"hardly real": {{100, 100.0000001, 100}, {100, 100, 100.0000001}},
	} {
		var samples []results.Sample
		for i, build := range []string{"native", "<dummy>"} {
			for round, v := range values[i] {
				samples = append(samples, results.Sample{
					Boot: results.Boot{Boot: 1 + i + 2*round, Round: round + 1}, Build: build, Domain: "dom&0",
					Benchmark: "A/b\"<&>", Values: []bench.Value{{Value: v, Unit: "ns/op"}}, Ended: true, Run: "r",
				})
			}
		}
		c, err := compare.Compare(samples, compare.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, ch := range Charts(c) {
			var svg bytes.Buffer
			if err := ch.SVG(&svg); err != nil {
				t.Fatal(err)
			}
			if err := ch.PNG(io.Discard); err != nil {
				t.Fatal(err)
			}
			for d := xml.NewDecoder(&svg); ; {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Errorf("%s: %s: %v", name, ch.Name, err)
					break
				}
			}
		}
	}
}
