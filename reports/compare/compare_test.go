package compare

import (
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

// set builds samples: a value for each build and round.
type set struct {
	samples []results.Sample
	boot    int
}

func (s *set) add(build, benchmark, unit string, values ...float64) *set {
	for i, v := range values {
		s.boot++
		s.samples = append(s.samples, results.Sample{
			Boot:   results.Boot{Boot: s.boot, Round: i + 1, Image: "image of " + build},
			Target: "model", Arch: "amd64", Domain: "dom0", Build: build, Benchmark: benchmark, Iterations: 1,
			Values: []bench.Value{{Value: v, Unit: unit}}, Ended: true, Run: "run",
		})
	}
	return s
}

func compareSet(t *testing.T, s *set, opt Options) *Comparison {
	t.Helper()
	c, err := Compare(s.samples, opt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVerdicts(t *testing.T) {
	// Rounds differ by 20 %, the builds by what is added: pairing must see
	// through the rounds.
	base := []float64{1000, 1200, 1100, 900, 1050, 1150}
	times := func(factors ...float64) []float64 {
		v := make([]float64, len(base))
		for i := range v {
			v[i] = base[i] * factors[i%len(factors)]
		}
		return v
	}
	tests := []struct {
		name   string
		unit   string
		values []float64
		want   Verdict
		ratio  float64 // 0: not checked
	}{
		{"equal but for noise", "ns/op", times(1.001, 0.999), Equivalent, 0},
		{"clearly slower", "ns/op", times(1.099, 1.101), Slower, 1.1},
		{"clearly faster", "ns/op", times(0.899, 0.901), Faster, 0.9},
		{"too noisy", "ns/op", times(1.2, 0.85), Inconclusive, 0},
		{"above the margin, but perhaps not", "ns/op", times(1.0, 1.025), Inconclusive, 0},
		{"a rate that falls is slower", "MB/s", times(0.899, 0.901), Slower, 1 / 0.9},
		{"a rate that rises is faster", "MB/s", times(1.099, 1.101), Faster, 1 / 1.1},
		{"above zero within the margin", "ns/op", times(1.004, 1.006), Equivalent, 1.005},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := new(set).add("native", "A/b", tt.unit, base...).add("dummy", "A/b", tt.unit, tt.values...)
			r := compareSet(t, s, Options{}).Rows[0]
			if r.Verdict != tt.want {
				t.Errorf("%s, want %s: %+v", r.Verdict, tt.want, r)
			}
			if tt.ratio != 0 && math.Abs(r.Ratio-tt.ratio) > 1e-4 {
				t.Errorf("ratio %v, want %v", r.Ratio, tt.ratio)
			}
			if !(r.Lo <= r.Ratio && r.Ratio <= r.Hi) || r.N != 6 || !r.Paired {
				t.Errorf("%+v", r)
			}
			if r.Need.None() == (tt.want == Inconclusive) {
				t.Errorf("need %+v with verdict %s", r.Need, r.Verdict)
			}
		})
	}
}

// The estimate and interval of R: t.test(log(y) - log(x)) on Student's sleep
// data, exponentiated so that the logarithms are the data.
func TestAgainstR(t *testing.T) {
	sleep1 := []float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0}
	sleep2 := []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4}
	for i := range sleep1 {
		sleep1[i], sleep2[i] = math.Exp(sleep1[i]), math.Exp(sleep2[i])
	}
	s := new(set).add("native", "A/b", "ns/op", sleep1...).add("flask", "A/b", "ns/op", sleep2...)
	r := compareSet(t, s, Options{}).Rows[0]
	for what, v := range map[string][2]float64{
		"mean": {math.Log(r.Ratio), 1.58}, "lo": {math.Log(r.Lo), 0.7001142}, "hi": {math.Log(r.Hi), 2.4598858},
		"p": {r.P, 0.00283289},
	} {
		if math.Abs(v[0]-v[1]) > 1e-6 {
			t.Errorf("%s = %v, want %v", what, v[0], v[1])
		}
	}
}

func TestFloor(t *testing.T) {
	s := new(set).
		add("native", "A/fast", "ns/op", 40, 40.1, 39.9, 40, 40.05).add("dummy", "A/fast", "ns/op", 41, 41.1, 40.9, 41.05, 41).
		add("native", "A/slow", "ns/op", 4000, 4010, 3990, 4000, 4005).add("dummy", "A/slow", "ns/op", 4100, 4110, 4090, 4105, 4100)
	c := compareSet(t, s, Options{})
	if c.Rows[0].Verdict != Equivalent || c.Rows[1].Verdict != Slower {
		t.Errorf("1 ns of 40: %s, 100 ns of 4000: %s", c.Rows[0].Verdict, c.Rows[1].Verdict)
	}
	if m := c.Rows[0].Margin; math.Abs(m-0.05) > 1e-3 {
		t.Errorf("margin of 2 ns of 40: %v", m)
	}
	c = compareSet(t, s, Options{Criteria: results.Criteria{Floors: map[string]float64{}}})
	if c.Rows[0].Verdict != Slower {
		t.Errorf("1 ns of 40 without a floor: %s", c.Rows[0].Verdict)
	}
}

func TestExactCounts(t *testing.T) {
	tests := []struct {
		base, build []float64
		want        Verdict
		exact       bool
	}{
		{[]float64{1000, 1000, 1000}, []float64{1000, 1000, 1000}, Equivalent, true},
		{[]float64{1000, 1000, 1000}, []float64{1020, 1020, 1020}, Slower, true},
		{[]float64{1000, 1000, 1000}, []float64{980, 980, 980}, Faster, true},
		{[]float64{0, 0, 0}, []float64{12, 12, 12}, Slower, true},
		{[]float64{0, 0, 0}, []float64{0, 0, 0}, Equivalent, true},
		{[]float64{1000, 1001, 1000}, []float64{1000, 1000, 1001}, Equivalent, false},
	}
	for _, tt := range tests {
		s := new(set).add("native", "A/b", "xen-instr/op", tt.base...).add("flask", "A/b", "xen-instr/op", tt.build...)
		r := compareSet(t, s, Options{}).Rows[0]
		if r.Verdict != tt.want || r.Exact != tt.exact {
			t.Errorf("%v against %v: %s, exact %t", tt.build, tt.base, r.Verdict, r.Exact)
		}
	}
	// A clock that always says the same is too coarse, not exact.
	s := new(set).add("native", "A/b", "ns/op", 100, 100, 100).add("flask", "A/b", "ns/op", 200, 200, 200)
	if r := compareSet(t, s, Options{}).Rows[0]; r.Verdict != Inconclusive || r.Exact || len(r.Warnings) == 0 {
		t.Errorf("times without spread: %+v", r)
	}
}

func TestPairing(t *testing.T) {
	whole := func() *set {
		return new(set).add("native", "A/b", "ns/op", 1000, 2000, 4000, 8000, 1500).
			add("dummy", "A/b", "ns/op", 1100, 2202, 4398, 8803, 1650)
	}
	t.Run("rounds match", func(t *testing.T) {
		if r := compareSet(t, whole(), Options{}).Rows[0]; !r.Paired || r.Verdict != Slower {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a boot is missing", func(t *testing.T) {
		s := whole()
		s.samples = s.samples[:len(s.samples)-1]
		if r := compareSet(t, s, Options{}).Rows[0]; !r.Paired || r.N != 4 || !hasWarning(r, "of their round is missing: 1") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("rounds of another run", func(t *testing.T) {
		s := whole()
		for i := range s.samples {
			if s.samples[i].Build == "dummy" {
				s.samples[i].Run = "other"
			}
		}
		if r := compareSet(t, s, Options{}).Rows[0]; r.Paired || r.Verdict != Inconclusive || !hasWarning(r, "rounds do not match") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("no rounds", func(t *testing.T) {
		s := whole()
		for i := range s.samples {
			s.samples[i].Round = 0
		}
		if r := compareSet(t, s, Options{}).Rows[0]; r.Paired || r.N != 5 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("one boot each", func(t *testing.T) {
		s := new(set).add("native", "A/b", "ns/op", 100).add("dummy", "A/b", "ns/op", 300)
		r := compareSet(t, s, Options{}).Rows[0]
		if r.Verdict != Inconclusive || !math.IsNaN(r.Lo) || math.Abs(r.Ratio-3) > 1e-9 || r.Need != (Rounds{N: 4}) {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a boot measured it twice", func(t *testing.T) {
		s := whole()
		again := s.samples[0]
		again.Values = []bench.Value{{Value: 1002, Unit: "ns/op"}}
		s.samples = append(s.samples, again)
		if r := compareSet(t, s, Options{}).Rows[0]; len(r.BaseSamples) != 5 || r.BaseSamples[0] != 1001 {
			t.Errorf("%v", r.BaseSamples)
		}
	})
}

func hasWarning(r Row, part string) bool {
	return strings.Contains(strings.Join(Texts(r.Warnings), "\n"), part)
}

// A wild boot moves the mean; the row says so, and keeps the boot.
func TestWildBoot(t *testing.T) {
	s := new(set).add("native", "A/b", "ns/op", 1000, 1000, 1001, 999, 1002, 1800).
		add("dummy", "A/b", "ns/op", 1010, 1011, 1010, 1009, 1012, 1011)
	r := compareSet(t, s, Options{}).Rows[0]
	if !hasWarning(r, "Hodges-Lehmann") || r.N != 6 || r.Verdict != Inconclusive || !(r.HodgesLehmann > 1 && r.Ratio < 1) {
		t.Errorf("%+v", r)
	}
	s.samples[5].Values[0].Value = 1001
	if r := compareSet(t, s, Options{}).Rows[0]; hasWarning(r, "Hodges-Lehmann") {
		t.Errorf("%v", r.Warnings)
	}
}

func TestNotAboveZero(t *testing.T) {
	s := new(set).add("native", "A/b", "ns/op", 100, -1, 105, 95).add("dummy", "A/b", "ns/op", 101, 0, 104, 97)
	r := compareSet(t, s, Options{}).Rows[0]
	if !r.Linear || math.Abs(r.Ratio-(1+0.75/74.75)) > 1e-9 || !hasWarning(r, "not above 0") {
		t.Errorf("%+v", r)
	}
	s = new(set).add("native", "A/b", "ns/op", 0, 0, -1).add("dummy", "A/b", "ns/op", 1, 2, 3)
	if r := compareSet(t, s, Options{}).Rows[0]; r.Verdict != Inconclusive || !math.IsNaN(r.Ratio) {
		t.Errorf("%+v", r)
	}
}

// The same image under two names is a control, not a row.
func TestControls(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	s := noisy(random, []string{"native", "again", "dummy"}, 3, 6, 0.01)
	for i := range s.samples {
		if s.samples[i].Build != "dummy" {
			s.samples[i].Image = "the same"
		}
	}
	c := compareSet(t, s, Options{})
	if len(c.Controls) != 3 || len(c.Rows) != 3 || c.Controls[0].Build != "again" {
		t.Fatalf("%d controls, %d rows", len(c.Controls), len(c.Rows))
	}
	if _, f, _ := c.Widest("again", false); f <= 0 || f > 0.03 {
		t.Errorf("floor %v", f)
	}
}

// With a layout per round the images differ from round to round; builds are
// the same if they are so within every round.
func TestControlsOverLayouts(t *testing.T) {
	for _, tt := range []struct {
		other    []string // images of the second build
		controls int
	}{
		{[]string{"a", "b", "c"}, 1},
		{[]string{"a", "b"}, 1}, // interrupted
		{[]string{"b", "a", "c"}, 0},
		{[]string{"a", "b", "x"}, 0},
		{[]string{"", "", ""}, 0},
	} {
		s := new(set).add("native", "A/b", "ns/op", 100, 101, 102).add("again", "A/b", "ns/op", []float64{100, 102, 101}[:len(tt.other)]...)
		for i, image := range append([]string{"a", "b", "c"}, tt.other...) {
			s.samples[i].Image = image
		}
		if c := compareSet(t, s, Options{}); len(c.Controls) != tt.controls {
			t.Errorf("images %q: %d controls", tt.other, len(c.Controls))
		}
	}
}

// A control that differs takes back alarms no larger than its own.
func TestControlTakesBackAlarm(t *testing.T) {
	s := new(set).add("native", "A/b", "ns/op", 1000, 1001, 1002, 1000, 999).
		add("again", "A/b", "ns/op", 1100, 1102, 1101, 1099, 1100).
		add("dummy", "A/b", "ns/op", 1050, 1052, 1051, 1049, 1050).
		add("flask", "A/b", "ns/op", 2050, 2052, 2051, 2049, 2050)
	for i := range s.samples {
		if s.samples[i].Build == "again" {
			s.samples[i].Image = "image of native"
		}
	}
	c := compareSet(t, s, Options{})
	for _, r := range c.Rows {
		want := map[string]Verdict{"dummy": Inconclusive, "flask": Slower}[r.Build]
		if r.Verdict != want || !hasWarning(r, "the control again") {
			t.Errorf("%s: %s, want %s; %v", r.Build, r.Verdict, want, r.Warnings)
		}
	}
}

func TestCompareRefuses(t *testing.T) {
	two := new(set).add("dummy", "A/b", "ns/op", 1).add("flask", "A/b", "ns/op", 1)
	one := new(set).add("native", "A/b", "ns/op", 1)
	tests := []struct {
		samples []results.Sample
		opt     Options
		want    string
	}{
		{nil, Options{}, "there is no sample"},
		{two.samples, Options{Base: "native"}, `no build "native" to compare with: the samples have dummy, flask`},
		{one.samples, Options{}, `only the build "native"`},
		{two.samples, Options{Criteria: results.Criteria{Margin: -1}}, "margin -1"},
		{two.samples, Options{Criteria: results.Criteria{Confidence: 95}}, "confidence 95"},
	}
	for _, tt := range tests {
		if _, err := Compare(tt.samples, tt.opt); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
}

// noisy makes samples of builds that are the same but for noise: a round's
// weather, which all builds share, and each boot's own.
func noisy(random *rand.Rand, builds []string, benchmarks, rounds int, noise float64) *set {
	s := new(set)
	weather := make([]float64, rounds)
	for i := range weather {
		weather[i] = 3 * noise * random.NormFloat64()
	}
	for _, build := range builds {
		for b := range benchmarks {
			v := make([]float64, rounds)
			for i := range v {
				v[i] = 1000 * math.Exp(weather[i]+noise*random.NormFloat64())
			}
			s.add(build, fmt.Sprintf("A/b=%d", b), "ns/op", v...)
		}
	}
	return s
}

// Builds that are the same raise an alarm in any row of a report no more
// often than the level says, within what chance allows, in whichever
// direction; without Holm they would in most reports.
func TestFamilyOfFalseAlarms(t *testing.T) {
	require.Simulations(t)
	const reports, level = 100, 0.05
	random := rand.New(rand.NewPCG(73, 2))
	alarms, uncorrected := 0, 0
	for range reports {
		c := compareSet(t, noisy(random, []string{"native", "dummy"}, 30, 8, 0.02), Options{})
		if c.Count(Slower)+c.Count(Faster) > 0 {
			alarms++
		}
		for _, r := range c.Rows {
			if r.P < level {
				uncorrected++
				break
			}
		}
	}
	if limit := reports*level + 3*math.Sqrt(reports*level*(1-level)); float64(alarms) > limit {
		t.Errorf("%d of %d reports raise a false alarm, at most %.0f expected", alarms, reports, limit)
	}
	if uncorrected < reports/2 {
		t.Errorf("only %d of %d reports have p below the level: the noise of this test shows nothing", uncorrected, reports)
	}
}

// One report of many noisy rows has some whose p is below the level; Holm's
// correction leaves no verdict of it.
func TestFamily(t *testing.T) {
	c := compareSet(t, noisy(rand.New(rand.NewPCG(73, 2)), []string{"native", "dummy"}, 30, 8, 0.02), Options{})
	below := 0
	for _, r := range c.Rows {
		if r.P < 0.05 {
			below++
		}
	}
	if below == 0 || c.Count(Slower)+c.Count(Faster) > 0 {
		t.Errorf("%d of %d rows have p below the level, %d are slower, %d faster", below, len(c.Rows), c.Count(Slower), c.Count(Faster))
	}
}

// A difference twice the margin is not called equivalent more often than the
// level says.
func TestFalseEquivalence(t *testing.T) {
	require.Simulations(t)
	const runs, level = 500, 0.05
	random := rand.New(rand.NewPCG(4, 4))
	wrong := 0
	for range runs {
		s := noisy(random, []string{"native", "dummy"}, 1, 6, 0.01)
		for i := range s.samples {
			if s.samples[i].Build == "dummy" {
				s.samples[i].Values[0].Value *= 1.0101
			}
		}
		wrong += compareSet(t, s, Options{}).Count(Equivalent)
	}
	if limit := runs*level + 3*math.Sqrt(runs*level*(1-level)); float64(wrong) > limit {
		t.Errorf("%d of %d differences beyond the margin called equivalent", wrong, runs)
	}
}

// The order of the samples changes nothing.
func TestOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 9))
	s := noisy(random, []string{"native", "dummy"}, 4, 12, 0.02)
	opt := Options{Order: Order{"native", "dummy"}}
	first := compareSet(t, s, opt)
	random.Shuffle(len(s.samples), func(i, j int) { s.samples[i], s.samples[j] = s.samples[j], s.samples[i] })
	again := compareSet(t, s, opt)
	a, b := first.GeoMeans[0], again.GeoMeans[0]
	if math.Abs(a.Lo-b.Lo) > 1e-12 || a.Rounds != b.Rounds {
		t.Errorf("geometric mean %+v, then %+v", a, b)
	}
	for _, r := range first.Rows {
		for _, q := range again.Rows {
			if r.Benchmark == q.Benchmark && (math.Abs(r.Lo-q.Lo) > 1e-12 || r.Verdict != q.Verdict) {
				t.Errorf("%s: [%v, %v], then [%v, %v]", r.Benchmark, r.Lo, r.Hi, q.Lo, q.Hi)
			}
		}
	}
}

func TestGeoMeanLeavesOutUnmatchedRows(t *testing.T) {
	s := new(set).add("native", "A/1", "ns/op", 100, 101, 102).add("dummy", "A/1", "ns/op", 110, 111, 112).
		add("native", "A/2", "ns/op", 100, 101, 102).add("dummy", "A/2", "ns/op", 120, 121, 122).
		add("native", "A/3", "ns/op", 100, 101).add("dummy", "A/3", "ns/op", 900, 901)
	g := compareSet(t, s, Options{}).GeoMeans
	if len(g) != 1 || g[0].Rows != 2 || g[0].Left != 1 || g[0].Rounds != 3 || g[0].Ratio < 1.14 || g[0].Ratio > 1.16 {
		t.Errorf("%+v", g)
	}
}

func TestFigures(t *testing.T) {
	s := new(set).add("native", "A/1", "ns/op", 100, 101).add("dummy", "A/1", "ns/op", 110, 111).
		add("native", "A/1", "hooks/op", 0, 0).add("dummy", "A/1", "hooks/op", 3, 3).
		add("native", "A/1", "percent-cpu", 180, 182)
	c := compareSet(t, s, Options{})
	if len(c.Rows) != 1 || len(c.Figures) != 3 {
		t.Fatalf("%d rows, %d figures", len(c.Rows), len(c.Figures))
	}
}

// TestCounts: only Xen's instructions are judged; what they are made of stands
// next to them, and the rest apart.
func TestCounts(t *testing.T) {
	s := new(set)
	for build, v := range map[string]float64{"native": 2, "dummy": 20, "flask": 190} {
		for unit, value := range map[string]float64{
			"xen-instr/op": 1780 + v, "xsm-instr/op": v, "hooks/op": 1, "guest-instr/op": 301, "instr/op": 2081 + v,
		} {
			s.add(build, "A/1", unit, value, value)
			s.add(build, "A/2", unit, 2*value, 2*value)
		}
	}
	for i := range s.samples {
		if s.samples[i].Build == "flask" {
			s.samples[i].Warnings = []string{"18 of 20 windows agree"}
		}
	}
	c := compareSet(t, s, Options{Base: "native"})
	if len(c.Rows) != 4 || len(c.Figures) != 2*3*4 {
		t.Fatalf("%d rows, %d figures", len(c.Rows), len(c.Figures))
	}
	for _, r := range c.Rows {
		scale := map[string]float64{"A/1": 1, "A/2": 2}[r.Benchmark]
		more := map[string]float64{"dummy": 18, "flask": 188}[r.Build] * scale
		if r.Unit != "xen-instr/op" || !r.Exact || r.Difference() != more || r.Lo != r.Hi || r.Lo != r.Ratio {
			t.Errorf("%s %s: %+v", r.Build, r.Benchmark, r)
		}
		if got := len(r.Remarks); (got == 1) != (r.Build == "flask") || len(r.BaseRemarks) != 0 {
			t.Errorf("%s %s: remarks %q, the base's %q", r.Build, r.Benchmark, r.Remarks, r.BaseRemarks)
		}
	}
	for _, g := range c.GeoMeans {
		if g.Unit != "xen-instr/op" || !g.Exact || g.Lo != g.Hi {
			t.Errorf("%+v", g)
		}
	}
	if len(c.GeoMeans) != 2 {
		t.Errorf("%d geometric means", len(c.GeoMeans))
	}
	section := Sections(c.Rows)[0]
	if got := c.Beside(section); !section.Counted() || !slices.Equal(got, []string{"xsm-instr/op", "hooks/op"}) {
		t.Errorf("beside: %v", got)
	}
	if f, ok := c.Figure(section.Environment, "A/2", "flask", "xsm-instr/op"); !ok || f.Value != 380 {
		t.Errorf("figure %+v, %t", f, ok)
	}
	if _, ok := c.Figure(section.Environment, "A/2", "silo", "xsm-instr/op"); ok {
		t.Error("a figure of a build that there is not")
	}
	for _, f := range c.Apart() {
		if f.Unit != "guest-instr/op" && f.Unit != "instr/op" {
			t.Errorf("apart: %+v", f)
		}
	}
	if n := len(c.Apart()); n != 2*3*2 {
		t.Errorf("%d figures apart", n)
	}
}

// What one build lacks is said, not passed over.
func TestMissing(t *testing.T) {
	s := new(set).add("native", "A/1", "ns/op", 100, 101).add("dummy", "A/1", "ns/op", 110, 111).
		add("native", "A/2", "ns/op", 100, 101).add("dummy", "A/3", "ns/op", 100, 101)
	c := compareSet(t, s, Options{})
	text := strings.Join(Texts(c.Warnings), "\n")
	if len(c.Rows) != 1 || !strings.Contains(text, "A/2 in model amd64 dom0: dummy has no sample") || !strings.Contains(text, "A/3 in model amd64 dom0: native has no sample") {
		t.Errorf("%d rows, %s", len(c.Rows), text)
	}
}

// Rows share the word of a slow processor: how many windows it were is each
// boot's own.
func TestCommonRemark(t *testing.T) {
	for remark, want := range map[string]string{
		bench.Disturbed + "13 windows, others were timed again 28 times": "the processor was slow in some windows, also when they were timed again",
		bench.NotExact + "an interrupt came":                             "not exact: an interrupt came",
	} {
		if got := common(remark); got != want {
			t.Errorf("%q: %q, want %q", remark, got, want)
		}
	}
}
