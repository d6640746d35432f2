package stats

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"xsmbench/internal/require"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s = %.9g, want %.9g", what, got, want)
	}
}

// Student's data on two soporifics (1908), the worked example of R's t.test:
// hours of sleep gained by ten patients with each drug.
var (
	sleep1 = []float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0}
	sleep2 = []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4}
)

func differences(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = b[i] - a[i]
	}
	return d
}

func TestPairedAgainstR(t *testing.T) {
	e, err := Paired(differences(sleep1, sleep2), 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean", e.Mean, 1.58, 1e-12)
	near(t, "t", e.Mean/e.SE, 4.062127683, 1e-6)
	near(t, "lo", e.CI.Lo, 0.7001142, 1e-6)
	near(t, "hi", e.CI.Hi, 2.4598858, 1e-6)
	near(t, "p", e.P, 0.00283289, 1e-8)
}

func TestWelchAgainstR(t *testing.T) {
	e, err := Welch(sleep1, sleep2, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "df", e.DF, 17.77647, 1e-5)
	near(t, "lo", e.CI.Lo, -0.2054832, 1e-6)
	near(t, "hi", e.CI.Hi, 3.3654832, 1e-6)
	near(t, "p", e.P, 0.07939414, 1e-8)
}

// Hamilton's depression scores, the example of R's wilcox.test: V = 40 of 45.
func TestSignedRankAgainstR(t *testing.T) {
	x := []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	y := []float64{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}
	near(t, "p", SignedRank(differences(y, x)), 0.0390625, 1e-12)
}

func TestSignedRank(t *testing.T) {
	tests := []struct {
		name string
		x    []float64
		want float64
	}{
		{"none", nil, 1},
		{"all zero", []float64{0, 0}, 1},
		{"five of one sign", []float64{1, 2, 3, 4, 5}, 2.0 / 32},
		{"balanced", []float64{1, -1, 2, -2}, 1},
		{"ties", []float64{1, 1, 1, 1, -1}, 2 * 6.0 / 32}, // five equal ranks: at least four positive
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { near(t, "p", SignedRank(tt.x), tt.want, 1e-12) })
	}
}

// The interval of ten values at 95 % lies between the 9th of the 55 Walsh
// averages from each end (tables of the signed-rank test: critical value 8).
func TestSignedRankInterval(t *testing.T) {
	x := differences(sleep1, sleep2)
	w := walsh(x)
	lo, hi, ok := SignedRankInterval(x, 0.95)
	if !ok || lo != w[8] || hi != w[len(w)-9] {
		t.Errorf("[%v, %v] %v, want [%v, %v]", lo, hi, ok, w[8], w[len(w)-9])
	}
	if _, _, ok := SignedRankInterval(x[:5], 0.95); ok {
		t.Error("five pairs gave a 95 % interval; the widest they have is 93.75 %")
	}
	if _, _, ok := SignedRankInterval(x[:6], 0.95); !ok {
		t.Error("six pairs gave no 95 % interval; the widest they have is 96.9 %")
	}
}

func TestHodgesLehmann(t *testing.T) {
	near(t, "odd", HodgesLehmann([]float64{1, 2, 6}), (2+3.5)/2, 1e-12) // 1 1.5 2 3.5 4 6
	near(t, "one", HodgesLehmann([]float64{7}), 7, 0)
}

// R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
func TestHolm(t *testing.T) {
	got := Holm([]float64{0.01, 0.04, math.NaN(), 0.03, 0.005})
	for i, want := range []float64{0.03, 0.06, math.NaN(), 0.06, 0.02} {
		if math.IsNaN(want) != math.IsNaN(got[i]) || !math.IsNaN(want) && math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("adjusted[%d] = %v, want %v", i, got[i], want)
		}
	}
}

// TOST at level a agrees with the (1-2a) interval lying inside the margins.
func TestTOSTAgreesWithInterval(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		x := make([]float64, 3+random.IntN(20))
		for i := range x {
			x[i] = 0.3*random.Float64() + random.NormFloat64()
		}
		e, err := Paired(x, 0.90)
		if err != nil {
			t.Fatal(err)
		}
		if (e.TOST(0.8) <= 0.05) != e.CI.Within(0.8) {
			t.Fatalf("TOST p %v, 90 %% interval %v, margin 0.8", e.TOST(0.8), e.CI)
		}
	}
}

func TestNoSpread(t *testing.T) {
	tests := []struct {
		x       []float64
		p, tost float64
	}{
		{[]float64{0, 0, 0}, 1, 0},
		{[]float64{1, 1, 1}, 0, 1},
	}
	for _, tt := range tests {
		e, err := Paired(tt.x, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if e.P != tt.p || e.TOST(0.5) != tt.tost || e.CI.Lo != tt.x[0] || e.CI.Hi != tt.x[0] {
			t.Errorf("%v: %+v, TOST %v", tt.x, e, e.TOST(0.5))
		}
	}
}

func TestTooFew(t *testing.T) {
	if _, err := Paired([]float64{1}, 0.95); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	if _, err := Welch([]float64{1}, []float64{1, 2}, 0.95); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	if _, _, err := GeoMean(nil, nil, 0.95, 1); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
}

func TestNeeded(t *testing.T) {
	e, err := Paired([]float64{-2, -1, 0, 1, 2}, 0.95) // sd 1.58
	if err != nil {
		t.Fatal(err)
	}
	got, ok := e.Needed(0.5, 0.95, 1000)
	// 1.96² · 2.5 / 0.25 = 38.4 by the normal distribution, a little more by t.
	if !ok || got < 39 || got > 44 {
		t.Errorf("need %d pairs, want about 41", got)
	}
	for n := 6; n < 200; n++ { // the number is the least that does
		half := quantile(0.975, float64(n-1)) * e.SD() / math.Sqrt(float64(n))
		if got, ok := e.Needed(half*(1+1e-9), 0.95, 1000); !ok || got != n {
			t.Errorf("a half-width of %v needs %d pairs, want %d", half, got, n)
		}
	}
	for _, half := range []float64{0.01, 0} {
		if got, ok := e.Needed(half, 0.95, 100); ok {
			t.Errorf("a half-width of %v needs %d pairs, want more than 100", half, got)
		}
	}
}

func TestGeoMean(t *testing.T) {
	rows := [][]float64{{0.1, 0.2, 0.3, 0.2}, {0.3, 0.2, 0.1, 0.2}}
	mean, ci, err := GeoMean(rows, []int{1, 2, 3, 4}, 0.95, 7)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean", mean, 0.2, 1e-12)
	near(t, "lo", ci.Lo, 0.2, 1e-12) // the rounds' means are all the same
	again, ci2, _ := GeoMean(rows, []int{1, 2, 3, 4}, 0.95, 7)
	if again != mean || ci2 != ci {
		t.Error("the same seed gave another interval")
	}
	wide := [][]float64{{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}}
	_, ci, err = GeoMean(wide, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 0.95, 7)
	if err != nil {
		t.Fatal(err)
	}
	if ci.Lo < 0.1 || ci.Lo > 0.3 || ci.Hi < 0.7 || ci.Hi > 0.9 {
		t.Errorf("interval %v of ten coin tosses", ci)
	}
}

// simulated is A/A: boots whose level varies by 1 (log units are arbitrary
// here) and iterations within a boot that vary by 0.3.
func simulated(random *rand.Rand, n, iterations int) (means, pooled []float64) {
	for range n {
		level := random.NormFloat64()
		sum := 0.0
		for range iterations {
			x := level + 0.3*random.NormFloat64()
			pooled = append(pooled, x)
			sum += x
		}
		means = append(means, sum/float64(iterations))
	}
	return means, pooled
}

// The same image against itself: calling the boot the sample keeps the rate of
// false alarms at the nominal 5 %; calling the iteration the sample does not
// come near it. This is why the boot is the sample.
func TestFalseAlarms(t *testing.T) {
	require.Simulations(t)
	const runs, nominal = 2000, 0.05
	random := rand.New(rand.NewPCG(2026, 11))
	var byBoot, byIteration int
	for range runs {
		a, pooledA := simulated(random, 10, 11)
		b, pooledB := simulated(random, 10, 11)
		e, err := Paired(differences(a, b), 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if e.CI.Excludes(0) {
			byBoot++
		}
		e, err = Welch(pooledA, pooledB, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if e.CI.Excludes(0) {
			byIteration++
		}
	}
	// Three standard errors of a binomial count.
	limit := runs*nominal + 3*math.Sqrt(runs*nominal*(1-nominal))
	if float64(byBoot) > limit {
		t.Errorf("%d false alarms in %d runs by boots, at most %.0f expected", byBoot, runs, limit)
	}
	if byIteration < runs/4 {
		t.Errorf("%d false alarms in %d runs by iterations; the model of the noise shows nothing", byIteration, runs)
	}
	t.Logf("false alarms: %.1f %% by boots, %.1f %% by iterations", 100*float64(byBoot)/runs, 100*float64(byIteration)/runs)
}

// The paired interval covers the truth as often as it says.
func TestCoverage(t *testing.T) {
	require.Simulations(t)
	const runs = 2000
	random := rand.New(rand.NewPCG(5, 8))
	var paired, exact int
	for range runs {
		x := make([]float64, 12)
		for i := range x {
			x[i] = 0.5 + random.NormFloat64()
		}
		e, err := Paired(x, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if !e.CI.Excludes(0.5) {
			paired++
		}
		if !e.Exact.excludes(0.5) {
			exact++
		}
	}
	for name, covered := range map[string]int{"t": paired, "Wilcoxon": exact} {
		if share := float64(covered) / runs; share < 0.935 {
			t.Errorf("the 95 %% %s interval covered the truth in %.1f %% of runs", name, 100*share)
		}
	}
}

func (i *Interval) excludes(x float64) bool { return i == nil || i.Excludes(x) }

// The bootstrap covers the truth about as often as t does, with windows and
// without, whether boots differ more than windows or less, and with several
// boots of a layout.
func TestHierarchicalCoverage(t *testing.T) {
	require.Simulations(t)
	tests := []struct {
		name                string
		layouts, boots      int
		layout, boot, noise float64 // standard deviations
	}{
		{"boots differ", 12, 1, 0, 1, 0.3},
		{"windows differ", 12, 1, 0, 0.1, 3},
		{"layouts differ", 8, 3, 1, 0.3, 0.5},
		{"layouts do not differ", 8, 3, 0, 1, 0.5},
	}
	const runs = 150
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, 9))
			covered, ratio := 0, 0.0
			for run := range runs {
				groups := make([][]Boot, tt.layouts)
				var diffs [][]float64
				for i := range groups {
					level := 0.5 + tt.layout*random.NormFloat64()
					var of []float64
					for range tt.boots {
						b := windowed(random, level+tt.boot*random.NormFloat64(), tt.noise)
						groups[i], of = append(groups[i], b), append(of, b.Diff)
					}
					diffs = append(diffs, of)
				}
				ci, ok := Hierarchical(groups, 0.95, uint64(run))
				e, err := Paired(Means(diffs), 0.95)
				if !ok || err != nil {
					t.Fatal(ok, err)
				}
				if !ci.Excludes(0.5) {
					covered++
				}
				ratio += (ci.Hi - ci.Lo) / (e.CI.Hi - e.CI.Lo) / runs
			}
			if share := float64(covered) / runs; share < 0.89 {
				t.Errorf("covered the truth in %.1f %% of runs", 100*share)
			}
			if ratio < 0.9 || ratio > 1.2 {
				t.Errorf("%.2f times as wide as t's", ratio)
			}
			t.Logf("covered %.1f %%, width %.2f of t's", 100*float64(covered)/runs, ratio)
		})
	}
}

// windowed is a boot with eleven windows about a level.
func windowed(random *rand.Rand, level, noise float64) Boot {
	windows := make([]float64, 11)
	for i := range windows {
		windows[i] = level + noise*random.NormFloat64()
	}
	b := Boot{Diff: Median(windows)}
	b.Again = Redraw(windows, 50, random.Uint64())
	return b
}

// Too few boots or layouts give no bootstrap; the same data give the same.
func TestHierarchical(t *testing.T) {
	x := make([]float64, 12)
	for i := range x {
		x[i] = math.Sin(float64(i))
	}
	each := Group(x, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
	few := Group(x, []int{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3})
	if _, ok := Hierarchical(boots(each[:9]), 0.95, 1); ok {
		t.Error("nine boots were resampled")
	}
	if _, ok := Hierarchical(boots(few), 0.95, 1); ok {
		t.Error("four layouts were resampled")
	}
	a, ok := Hierarchical(boots(each), 0.95, Seed(x))
	b, _ := Hierarchical(boots(each), 0.95, Seed(x))
	other, _ := Hierarchical(boots(each), 0.95, Seed(x[1:]))
	if !ok || a != b || a == other {
		t.Errorf("%v, %v with the same seed, %v with another", a, b, other)
	}
	same, ok := Hierarchical(boots(Group(make([]float64, 10), []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})), 0.95, 1)
	if !ok || same != (Interval{}) {
		t.Errorf("values without spread: %v", same)
	}
}

// More boots of few layouts do not narrow the interval to where the layouts'
// luck is left out of it: it covers the truth as often as it says, which the
// interval over boots does not.
func TestFewLayouts(t *testing.T) {
	require.Simulations(t)
	const runs = 2000
	random := rand.New(rand.NewPCG(7, 7))
	var byLayout, byBoot int
	for range runs {
		x, of := make([]float64, 20), make([]int, 20)
		levels := [5]float64{}
		for i := range levels {
			levels[i] = random.NormFloat64()
		}
		for i := range x {
			of[i] = i % 5
			x[i] = levels[of[i]] + 0.5*random.NormFloat64()
		}
		grouped, err := Paired(Means(Group(x, of)), 0.95)
		if err != nil {
			t.Fatal(err)
		}
		pooled, err := Paired(x, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if grouped.CI.Excludes(0) {
			byLayout++
		}
		if pooled.CI.Excludes(0) {
			byBoot++
		}
	}
	if limit := runs*0.05 + 3*math.Sqrt(runs*0.05*0.95); float64(byLayout) > limit {
		t.Errorf("%d of %d runs missed the truth, at most %.0f expected", byLayout, runs, limit)
	}
	if byBoot < runs/5 {
		t.Errorf("%d of %d runs missed the truth by boots: the simulation shows nothing", byBoot, runs)
	}
}

func TestKendall(t *testing.T) {
	tests := []struct {
		x, y   []float64
		tau, p float64
	}{
		{nil, nil, 0, 1},
		{[]float64{1, 2}, []float64{1, 2}, 0, 1},
		{[]float64{1, 2, 3}, []float64{4, 5, 6}, 1, 2.0 / 6},
		{[]float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, -1, 2.0 / 24},
		{[]float64{1, 2, 3, 4}, []float64{5, 5, 5, 5}, 0, 1},
	}
	for _, tt := range tests {
		if got := Kendall(tt.x, tt.y); math.Abs(got.Tau-tt.tau) > 1e-12 || math.Abs(got.P-tt.p) > 1e-12 {
			t.Errorf("%v, %v: %+v, want tau %v, p %v", tt.x, tt.y, got, tt.tau, tt.p)
		}
	}
}

func TestPower(t *testing.T) {
	near(t, "no effect", Power(0, 1, 10, 0.95), 0.05, 1e-7)
	near(t, "no spread", Power(1, 0, 3, 0.95), 1, 0)
	near(t, "one pair", Power(1, 1, 1, 0.95), 0, 0)
	near(t, "detectable without spread", Detectable(0, 10, 0.95, 0.8), 0, 0)
	d := Detectable(1, 10, 0.95, 0.8)
	near(t, "power of the detectable", Power(d, 1, 10, 0.95), 0.8, 1e-5)
	near(t, "detectable", d, 0.9962, 1e-3) // power.t.test(n = 10, power = 0.8, type = "one.sample")
}

// TestConcordance compares with the count of all pairs.
func TestConcordance(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for n := range 40 {
		for _, values := range []int{2, 5, 1000} { // few of them make ties
			x, y := make([]float64, n), make([]float64, n)
			for i := range x {
				x[i], y[i] = float64(random.IntN(values)), float64(random.IntN(values))
			}
			want := 0
			for i := range x {
				for j := range i {
					want += sign(x[i]-x[j]) * sign(y[i]-y[j])
				}
			}
			if got, _, _ := concordance(x, y); got != float64(want) {
				t.Errorf("%v, %v: %v, want %d", x, y, got, want)
			}
		}
	}
}

func sign(d float64) int {
	switch {
	case d > 0:
		return 1
	case d < 0:
		return -1
	}
	return 0
}
