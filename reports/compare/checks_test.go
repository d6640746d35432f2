package compare

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/internal/require"
	"xsmbench/results"
)

// pairOf makes two builds that differ by what effect gives for each round, in
// per cent, beside noise of a thousandth.
type pairOf struct {
	rounds, layouts int // layouts 0: one for each round
	effect          func(round, order int) float64
	rise            float64 // of the windows, in per cent from the first to the last
}

func (p pairOf) samples() []results.Sample {
	random := rand.New(rand.NewPCG(19, 47))
	var all []results.Sample
	for round := 1; round <= p.rounds; round++ {
		layout := round
		if p.layouts > 0 {
			layout = round % p.layouts
		}
		for i, build := range []string{"native", "dummy"} {
			order := 1 + (round+i)%2
			percent := 0.1 * random.NormFloat64()
			if build == "dummy" && p.effect != nil {
				percent += p.effect(round, order)
			}
			s := results.Sample{
				Boot:   results.Boot{Boot: 2*round + i, Round: round, Order: order, Layout: layout, Image: fmt.Sprintf("%s %d", build, layout)},
				Target: "model", Arch: "amd64", Domain: "dom0", Build: build, Benchmark: "A/b", Iterations: 1, Ended: true, Run: "run",
				Values: []bench.Value{{Value: 1000 * math.Exp(percent/100), Unit: "ns/op"}},
			}
			for w := range 11 {
				s.Windows = append(s.Windows, s.Values[0].Value*(1+p.rise/100*float64(w-5)/10+0.0005*random.NormFloat64()))
			}
			all = append(all, s)
		}
	}
	return all
}

// Every assumption that fails is a warning, and none is where all hold.
func TestChecks(t *testing.T) {
	tests := []struct {
		name string
		pairOf
		code Code
		want string // in a warning of the row, or of the comparison; "" for none at all
	}{
		{"all is well", pairOf{rounds: 12}, "", ""},
		{"drift", pairOf{rounds: 12, effect: func(round, _ int) float64 { return 0.3 * float64(round) }}, Drifts, "rises from round to round"},
		{"what ran before", pairOf{rounds: 16, effect: func(_, order int) float64 { return 2 * float64(order) }}, OrderMatters, "rises with the place in the round"},
		{"not warm", pairOf{rounds: 12, rise: -4}, Unsteady, "falls within a boot by more than the margin (native)"},
		{"a slope that is less than the margin", pairOf{rounds: 12, rise: -0.5}, "", ""},
		{"a wild boot", pairOf{rounds: 12, effect: func(round, _ int) float64 { return map[int]float64{5: 9}[round] }}, FarOut, "1 of 12 pairs are far outliers"},
		{"skewed", pairOf{rounds: 12, effect: func(round, _ int) float64 { return math.Exp(float64(round*5%12)) / 5000 }}, NotNormal, "the bootstrap's interval differs from t's"},
		{"few layouts", pairOf{rounds: 12, layouts: 3}, FewLayouts, "12 boots of only 3 layouts"},
		{"one layout", pairOf{rounds: 12, layouts: 1}, OneLayout, "had the same layout"},
		{"few rounds", pairOf{rounds: 4}, FewObservations, "fewer than 6 observations"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Compare(tt.samples(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			warnings := slices.Concat(c.Rows[0].Warnings, c.Warnings)
			if tt.want == "" && len(warnings) > 0 {
				t.Errorf("warnings %q", warnings)
			}
			if !slices.ContainsFunc(warnings, func(w Warning) bool { return w.Code == tt.code && strings.Contains(w.Text, tt.want) }) && tt.want != "" {
				t.Errorf("warnings %q, want %s: %q", warnings, tt.code, tt.want)
			}
		})
	}
}

// More boots of the same layouts add no observations, and t's degrees of
// freedom are those of the layouts.
func TestLayoutsAreObservations(t *testing.T) {
	for _, tt := range []struct{ layouts, units, ofLayouts int }{{0, 12, 12}, {4, 4, 4}, {1, 12, 1}} {
		c, err := Compare(pairOf{rounds: 12, layouts: tt.layouts}.samples(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		r := c.Rows[0]
		if r.N != 12 || r.Units != tt.units || r.Layouts != tt.ofLayouts || r.Effect().DF != float64(tt.units-1) {
			t.Errorf("%d layouts: %d pairs, %d observations, %d layouts, %g degrees of freedom", tt.layouts, r.N, r.Units, r.Layouts, r.Effect().DF)
		}
	}
	// Nobody knows how the boots of a foreign file were linked.
	s := new(set).add("native", "A/b", "ns/op", 1, 2, 3).add("dummy", "A/b", "ns/op", 1, 2, 4)
	for i := range s.samples {
		s.samples[i].Image = ""
	}
	if c := compareSet(t, s, Options{}); c.Rows[0].Layouts != 0 || len(c.Warnings) != 1 {
		t.Errorf("%d layouts, %q", c.Rows[0].Layouts, c.Warnings)
	}
}

// An order that is always the same for a layout does not make the layout's luck
// an effect of the order.
func TestOrderIsNotTheLayout(t *testing.T) {
	luck := []float64{0.8, -1.5, 1.9, -0.3}
	p := pairOf{rounds: 24, layouts: 4, effect: func(round, _ int) float64 { return luck[round%4] }}
	c, err := Compare(p.samples(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Rows[0]; r.Checks.Order.P < 0.05 || !(r.Checks.LayoutShare > 0.8) || !(r.Checks.PLayout < 0.001) {
		t.Errorf("p of the order %v, layouts have %v of the variance, p %v", r.Checks.Order.P, r.Checks.LayoutShare, r.Checks.PLayout)
	}
}

// Warnings that only all rows together tell from chance stay rare in a large
// report of sound data.
func TestFewFalseWarnings(t *testing.T) {
	require.Simulations(t)
	random := rand.New(rand.NewPCG(12, 21))
	marked, rows := 0, 0
	for i := range 20 {
		c := compareSet(t, noisy(random, []string{"native", "dummy"}, 30, 6+3*(i%4), 0.02), Options{})
		for _, r := range c.Rows {
			rows++
			if slices.ContainsFunc(r.Warnings, isCheck) {
				marked++
			}
		}
	}
	t.Logf("%d of %d rows of sound data are marked", marked, rows)
	if share := float64(marked) / float64(rows); share > 0.05 {
		t.Errorf("%.1f%% of the rows of sound data are marked", 100*share)
	}
}

// A drift too small for any row to show is seen in the mean of all.
func TestDriftOfTheMean(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 6))
	s := noisy(random, []string{"native", "dummy"}, 40, 10, 0.02)
	for i := range s.samples {
		if s.samples[i].Build == "dummy" {
			s.samples[i].Values[0].Value *= math.Exp(0.003 * float64(s.samples[i].Round))
		}
	}
	c := compareSet(t, s, Options{})
	if !slices.ContainsFunc(c.Warnings, func(w Warning) bool { return w.Code == MeanDrifts }) {
		t.Errorf("warnings %q, Kendall's p %v", c.Warnings, c.GeoMeans[0].Drift.P)
	}
	for _, r := range c.Rows {
		if slices.ContainsFunc(r.Warnings, func(w Warning) bool { return w.Code == Drifts }) {
			t.Errorf("%s shows by itself what the mean is for", r.Benchmark)
		}
	}
}

// The outlook is what comparing with another margin, or more rows, gives.
func TestOutlook(t *testing.T) {
	samples := pairOf{rounds: 10, effect: func(round, _ int) float64 { return 1.5 + math.Sin(float64(round)) }}.samples()
	c, err := Compare(samples, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := c.Rows[0]
	o := c.Outlook(r)
	if r.Verdict != Slower || !o.ToAlarm.None() || !o.ToEquivalent.OutOfReach {
		t.Fatalf("%s, %+v", r.Verdict, o)
	}
	for margin, want := range map[float64]Verdict{o.Margin * 1.0001: Equivalent, o.Margin * 0.9999: Slower} {
		again, err := Compare(samples, Options{Criteria: results.Criteria{Margin: margin}})
		if err != nil {
			t.Fatal(err)
		}
		if got := again.Rows[0].Verdict; got != want {
			t.Errorf("margin %v: %s, want %s", margin, got, want)
		}
	}
	if adjusted := r.P * float64(o.Family); adjusted > 0.05 || adjusted+r.P <= 0.05 {
		t.Errorf("p %v in a family of %d", r.P, o.Family)
	}
	if n := c.Family(r); n != 1 {
		t.Errorf("a family of %d", n)
	}
}

func TestFind(t *testing.T) {
	s := new(set).add("native", "A/one", "ns/op", 1, 2).add("dummy", "A/one", "ns/op", 1, 2).
		add("native", "A/two", "ns/op", 1, 2).add("dummy", "A/two", "ns/op", 1, 2)
	domU := new(set).add("native", "A/one", "ns/op", 1, 2).add("dummy", "A/one", "ns/op", 1, 2)
	for i := range domU.samples {
		domU.samples[i].Domain = "domU"
	}
	s.samples = append(s.samples, domU.samples...)
	c := compareSet(t, s, Options{})
	for what, want := range map[string]int{"A/": 3, "one": 2, "one,dom0": 1, "one,domU": 1, "two$": 1, "o{1,2}": 3} {
		if rows, err := c.Find(what); err != nil || len(rows) != want {
			t.Errorf("%s: %d rows, %v, want %d", what, len(rows), err, want)
		}
	}
	for _, what := range []string{"three", "two,domU", "one,dom2"} {
		if _, err := c.Find(what); !errors.Is(err, ErrNoRow) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := c.Find("(one"); err == nil || errors.Is(err, ErrNoRow) {
		t.Errorf("(one: %v", err)
	}
}
