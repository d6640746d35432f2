package plot

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xsmbench/reports/internal/golden"

	"xsmbench/reports/synthetic"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

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
	c, err := compare.Compare(synthetic.Open(t, name).Samples, compare.Options{Order: synthetic.Order})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// shown are the charts that are golden files, one of each kind.
var shown = []string{"overhead-dom0", "overhead-dom0-xen-instr-op", "heat-dom0-xen-instr-op", "boots-dom0-xen-instr-op", "trend-dom0-xen-instr-op"}

func TestGolden(t *testing.T) {
	for _, ch := range append(Charts(fixture(t, "run")), Charts(fixture(t, "counted"))...) {
		var got, png bytes.Buffer
		for _, err := range []error{ch.SVG(&got), ch.PNG(&png)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if *dump != "" {
			if err := os.WriteFile(filepath.Join(*dump, ch.Name+".png"), png.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Contains(shown, ch.Name) {
			continue
		}
		if again := golden.Matches(t, *update, ch.Name+".svg", ch.SVG); again != got.String() {
			t.Errorf("%s: drawn twice, it differs", ch.Name)
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
		wellFormed(t, name, Charts(c))
	}
}

func wellFormed(t *testing.T, name string, charts []*Chart) {
	t.Helper()
	for _, ch := range charts {
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

// TestCounts: charts of counts speak of instructions, with the figures and the
// negative controls at the end; boots that agree are not drawn.
func TestCounts(t *testing.T) {
	sample := func(build, benchmark string, round int, count, hooks float64) results.Sample {
		return results.Sample{Boot: results.Boot{Boot: round, Round: round, Image: build}, Build: build, Domain: "dom0", Benchmark: benchmark,
			Values: []bench.Value{{Value: count, Unit: "xen-instr/op"}, {Value: hooks, Unit: "hooks/op"}}, Ended: true, Run: "r"}
	}
	var samples []results.Sample
	for round := 1; round <= 2; round++ {
		samples = append(samples,
			sample("native", "A/control", round, 700, 0), sample("flask", "A/control", round, 700, 0),
			sample("native", "A/more", round, 1000, 0), sample("flask", "A/more", round, 1183, 1),
			sample("native", "A/nothing", round, 0, 0), sample("flask", "A/nothing", round, 0, 0),
			sample("native", "A/new", round, 0, 0), sample("flask", "A/new", round, 12, 1),
		)
	}
	for _, disturbed := range []bool{false, true} {
		if disturbed {
			samples[3].Values[0].Value++
		}
		c, err := compare.Compare(samples, compare.Options{})
		if err != nil {
			t.Fatal(err)
		}
		charts := Charts(c)
		wellFormed(t, "counts", charts)
		boots := 0
		for _, ch := range charts {
			if strings.HasPrefix(ch.Name, "boots") {
				boots++
				continue
			}
			var svg bytes.Buffer
			if err := ch.SVG(&svg); err != nil {
				t.Fatal(err)
			}
			text := svg.String()
			for _, want := range []string{"More instructions than native", ">+183", "+12 from 0", "negative controls"} {
				if !disturbed && !strings.Contains(text, want) {
					t.Errorf("%s: no %q", ch.Name, want)
				}
			}
			if strings.Contains(text, "time") || strings.Contains(text, "paired differences") {
				t.Errorf("%s speaks of time", ch.Name)
			}
			if strings.Index(text, ">A/control<") < strings.Index(text, ">A/new<") {
				t.Errorf("%s: the control is not at the end", ch.Name)
			}
		}
		if (boots > 0) != disturbed {
			t.Errorf("disturbed %t: %d charts of boots", disturbed, boots)
		}
	}
}

// Every text has the width that the picture leaves for it, whatever font the
// reader has.
func TestTextFits(t *testing.T) {
	c := &svgCanvas{Canvas: vgsvg.New(100, 100)}
	canvas := draw.New(c)
	canvas.FillText(textStyle(noteSize, ink, false), vg.Point{X: 10, Y: 10}, "a < b")
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`<text textLength="%.5g" lengthAdjust="spacingAndGlyphs" x="10" y="-10.`, textStyle(noteSize, ink, false).Width("a < b").Points())
	if got := c.fit(b.String()); !strings.Contains(got, want) || strings.Count(got, "<text ") != 1 {
		t.Errorf("%s\nwant %s", got, want)
	}
}
