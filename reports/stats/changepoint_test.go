package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"xsmbench/internal/require"
)

// levels makes a series of stretches, each with a level and a length, and noise.
func levels(noise func() float64, stretches ...[2]float64) []float64 {
	var x []float64
	for _, s := range stretches {
		for range int(s[1]) {
			x = append(x, s[0]+noise())
		}
	}
	return x
}

func at(found []Shift) []int {
	all := []int{}
	for _, s := range found {
		all = append(all, s.At)
	}
	return all
}

func TestShifts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	normal := func() float64 { return 0.01 * random.NormFloat64() }
	none := func() float64 { return 0 }
	i := 0
	alternating := func() float64 { i++; return 0.001 * float64(i%2) }
	for _, c := range []struct {
		name  string
		x     []float64
		least float64
		want  []int
	}{
		{"nothing", nil, 0, nil},
		{"constant", levels(none, [2]float64{5, 30}), 0, nil},
		{"noise", levels(normal, [2]float64{0, 30}), 0, nil},
		{"one change", levels(normal, [2]float64{0, 15}, [2]float64{0.05, 15}), 0, []int{15}},
		{"two runs after it", levels(normal, [2]float64{0, 20}, [2]float64{0.2, 2}), 0, []int{20}},
		{"one run alone", levels(normal, [2]float64{0, 20}, [2]float64{0.2, 1}), 0, nil},
		{"an outlier", levels(normal, [2]float64{0, 10}, [2]float64{0.5, 1}, [2]float64{0, 10}), 0, nil},
		{"there and back", levels(normal, [2]float64{0, 15}, [2]float64{0.1, 15}, [2]float64{0, 15}), 0, []int{15, 30}},
		{"turn about", levels(normal, [2]float64{0, 10}, [2]float64{0.1, 10}, [2]float64{0, 10}, [2]float64{0.1, 10}, [2]float64{0, 10}, [2]float64{0.1, 10}), 0, []int{10, 20, 30, 40, 50}},
		{"a short level", levels(normal, [2]float64{0, 20}, [2]float64{0.2, 4}, [2]float64{0, 20}), 0, []int{20, 24}},
		{"stairs", levels(normal, [2]float64{0, 12}, [2]float64{0.1, 12}, [2]float64{0.2, 12}, [2]float64{0.3, 12}), 0, []int{12, 24, 36}},
		{"too few", levels(none, [2]float64{0, 3}, [2]float64{1, 4}), 0, nil},
		{"just enough", levels(none, [2]float64{0, 4}, [2]float64{1, 4}), 0, []int{4}},
		{"below what counts", levels(normal, [2]float64{0, 15}, [2]float64{0.05, 15}), 0.06, nil},
		{"a small step and a large one", levels(alternating, [2]float64{0, 10}, [2]float64{0.02, 10}, [2]float64{0.2, 10}), 0.05, []int{20}},
	} {
		found, _ := Shifts{Alpha: 0.001, Least: c.least, Seed: 7}.Find(c.x)
		if got := at(found); !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 {
			t.Errorf("%s: changes at %v, want %v", c.name, got, c.want)
		}
		if again, _ := (Shifts{Alpha: 0.001, Least: c.least, Seed: 7}).Find(c.x); fmt.Sprint(again) != fmt.Sprint(found) {
			t.Errorf("%s: found %v, then %v", c.name, found, again)
		}
	}
}

// The size is that of the levels, and the known variance tempers p.
func TestShiftSize(t *testing.T) {
	x := levels(func() float64 { return 0 }, [2]float64{1, 10}, [2]float64{1.5, 10})
	found, small := Shifts{Alpha: 0.05}.Find(x)
	if len(found) != 1 || small != 0 || math.Abs(found[0].Size-0.5) > 1e-12 || found[0].P != 0 {
		t.Errorf("found %+v", found)
	}
	tempered, _ := Shifts{Alpha: 0.05, Variance: 0.01}.Find(x)
	// t = 0.5 / sqrt(0.01·2/10) = 11.2 with 18 degrees of freedom, at 17 places.
	want := 17 * 2 * distuv.StudentsT{Sigma: 1, Nu: 18}.Survival(0.5/math.Sqrt(0.002))
	if len(tempered) != 1 || math.Abs(tempered[0].P/want-1) > 1e-6 {
		t.Errorf("found %+v, want p %g", tempered, want)
	}
	if found, small := (Shifts{Alpha: 0.05, Least: 1}).Find(x); len(found) > 0 || small != 1 {
		t.Errorf("found %+v, and %d below what counts", found, small)
	}
	if found, _ := (Shifts{Alpha: 0.05, Variance: 1}).Find(x); len(found) > 0 {
		t.Errorf("found %+v within what the variance explains", found)
	}
}

// TestFalseShifts bounds how often a series without change shows one: for normal
// values by Alpha, and for values of any distribution by the permutation test's
// 5 %. The bounds are those of the binomial distribution at 1 in 10 000.
func TestFalseShifts(t *testing.T) {
	require.Simulations(t)
	random := rand.New(rand.NewPCG(2006, 12))
	heavy := distuv.StudentsT{Sigma: 1, Nu: 2, Src: random}
	for _, c := range []struct {
		name  string
		draw  func() float64
		alpha float64
		level float64 // that is claimed
	}{
		{"normal", random.NormFloat64, 0.05, 0.05},
		{"normal, stricter", random.NormFloat64, 0.01, 0.01},
		{"heavy tails", heavy.Rand, 1, 0.05},
		{"skewed", func() float64 { return random.ExpFloat64() }, 1, 0.05},
		{"two values", func() float64 { return float64(random.IntN(2)) }, 1, 0.05},
	} {
		for _, n := range []int{8, 30} {
			const trials = 800
			alarms := 0
			for i := range trials {
				x := make([]float64, n)
				for j := range x {
					x[j] = c.draw()
				}
				if found, _ := (Shifts{Alpha: c.alpha, Seed: uint64(i)}).Find(x); len(found) > 0 {
					alarms++
				}
			}
			bound := c.level*trials + 3.9*math.Sqrt(trials*c.level*(1-c.level))
			if float64(alarms) > bound {
				t.Errorf("%s, %d values: %d of %d series show a change, at most %.0f are claimed", c.name, n, alarms, trials, bound)
			}
			t.Logf("%s, %d values: %.3f of series, %g claimed", c.name, n, float64(alarms)/trials, c.level)
		}
	}
}

// TestShiftPower: what is there is found. A change of three standard deviations in
// the middle of 20 values is seen in three of four series at one part in a thousand.
func TestShiftPower(t *testing.T) {
	require.Simulations(t)
	random := rand.New(rand.NewPCG(3, 4))
	const trials = 200
	hits := 0
	for i := range trials {
		x := levels(random.NormFloat64, [2]float64{0, 10}, [2]float64{3, 10})
		found, _ := Shifts{Alpha: 0.001, Seed: uint64(i)}.Find(x)
		if len(found) == 1 && found[0].At >= 9 && found[0].At <= 11 {
			hits++
		}
	}
	if hits < 150 {
		t.Errorf("found in %d of %d", hits, trials)
	}
}
