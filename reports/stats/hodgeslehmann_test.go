package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Medians that are searched for must be those of the sorted list, to the bit.
func TestMediansUnlisted(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	draws := map[string]func() float64{
		"continuous": random.NormFloat64,
		"ties":       func() float64 { return float64(random.IntN(5)) / 10 },
		"zeros":      func() float64 { return float64(random.IntN(2)) * random.NormFloat64() },
		"wide":       func() float64 { return math.Ldexp(random.NormFloat64(), random.IntN(200)-100) },
		"constant":   func() float64 { return 0.3 },
	}
	sample := func(n int, draw func() float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = draw()
		}
		return x
	}
	for name, draw := range draws {
		for n := range 30 {
			x, y := sample(n, draw), sample(1+random.IntN(30), draw)
			before := slices.Clone(x)
			if got, want := HodgesLehmann(x), Median(walsh(x)); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
				t.Errorf("%s: Hodges-Lehmann of %v is %v, want %v", name, x, got, want)
			}
			var d []float64
			for _, a := range x {
				for _, b := range y {
					d = append(d, b-a)
				}
			}
			slices.Sort(d)
			if got, want := shift(sorted(x), sorted(y)), Median(d); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
				t.Errorf("%s: shift from %v to %v is %v, want %v", name, x, y, got, want)
			}
			if !slices.Equal(x, before) {
				t.Errorf("%s: the values were changed", name)
			}
		}
	}
}
