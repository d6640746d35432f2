package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// noises are distributions with few, with far and with equal values.
var noises = map[string]func(*rand.Rand) float64{
	"normal":     (*rand.Rand).NormFloat64,
	"outliers":   func(r *rand.Rand) float64 { return math.Pow(r.NormFloat64(), 3) },
	"skewed":     (*rand.Rand).ExpFloat64,
	"two values": func(r *rand.Rand) float64 { return float64(r.IntN(2)) },
}

// TestSumsOfOrders: the bound of the share of orders with a sum far away is never below
// the share among many random ones.
func TestSumsOfOrders(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 5))
	const orders = 4000
	for name, noise := range noises {
		for _, n := range []int{12, 40, 150} {
			x := levels(func() float64 { return noise(random) }, [2]float64{1, float64(n)})
			s, centre := spreadOf(x), Mean(x)
			for _, k := range []int{2, n / 4, n / 2} {
				away := make([]float64, orders)
				for i := range away {
					random.Shuffle(n, func(i, j int) { x[i], x[j] = x[j], x[i] })
					away[i] = math.Abs(Mean(x[:k])-centre) * float64(k)
				}
				for _, far := range []float64{0.5, 1, 1.5, 2, 2.5, 3} {
					at, reached := far*math.Sqrt(float64(k)*s.variance), 0
					for _, a := range away {
						if a >= at {
							reached++
						}
					}
					share := float64(reached) / orders
					if bound := s.orders(k, at); share > bound+4*math.Sqrt(share*(1-share)/orders) {
						t.Errorf("%s, %d of %d values, %g standard deviations: %.4f of the orders, bounded by %.4f", name, k, n, far, share, bound)
					}
				}
			}
		}
	}
}

// TestHardest: where a window reaches its ratio, its sides are apart by what the bound
// supposes, and by the ratio's share of what there is in it.
func TestHardest(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 6))
	reached := 0
	for name, noise := range noises {
		for _, n := range []int{12, 30} {
			for _, variance := range []float64{0, 0.3} {
				x := levels(func() float64 { return noise(random) }, [2]float64{0, float64(n)})
				o := Shifts{Variance: variance}
				for range 300 {
					random.Shuffle(n, func(i, j int) { x[i], x[j] = x[j], x[i] })
					s := sumsOf(x)
					for _, w := range o.able(x, windows(n), 4) {
						if !o.reaches(s, w) {
							continue
						}
						reached++
						_, apart := s.widest(w.window)
						in := spreadOf(x[w.from:w.to])
						hardest, least := o.hardest(x, w)
						if all := in.variance * float64(w.to-w.from); apart < (1-1e-9)*max(least, all/(1+1/w.ratio)) || in.most > hardest.most*(1+1e-9) {
							t.Fatalf("%s, %d values, window %v: the sides are %g apart, with %g in all, and at least %g are supposed", name, n, w, apart, all, least)
						}
					}
				}
			}
		}
	}
	if reached < 1000 {
		t.Errorf("only %d windows reached their ratio", reached)
	}
}

// TestRareAsTried: where no order is tried, those that were would have said the same.
func TestRareAsTried(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 9))
	rare := 0
	for i := range 100 {
		n := []int{30, 60, 120, 240, 480}[i%5]
		step := float64(i%7) / 2
		x := levels(random.NormFloat64, [2]float64{0, float64(n / 2)}, [2]float64{step, float64(n / 2)})
		o := Shifts{Variance: 0.5}
		all := windows(n)
		able := o.able(x, all, o.clearest(sumsOf(x), all).score*(1-1e-9))
		if !o.rare(x, able) {
			continue
		}
		rare++
		if !o.tried(x, able, random) {
			t.Errorf("%d values, step %g: too many orders reach the score", n, step)
		}
	}
	if rare < 10 {
		t.Errorf("only %d of 100 are rare", rare)
	}
	t.Logf("%d of 100 are rare", rare)
}
