package stats

import (
	"math"
	"slices"
)

// rareOrders is the share of orders below which none is tried: if so few reach a
// score, the chance that the permutation test would still see too many of them among
// its own is below 1e-30.
const rareOrders = 1e-3

// rare reports whether it is certain that at most rareOrders of the orders of the
// values reach the ratios of windows.
func (o Shifts) rare(x []float64, able []ableWindow) bool {
	share := 0.0
	for _, w := range able {
		if share += o.reaching(x, w, rareOrders); share > rareOrders {
			return false
		}
	}
	return true
}

// reaching bounds the share of orders in which a window reaches its ratio: it adds up
// bounds for all places of the window, until they are above enough.
//
// Whatever values are in the window, those left of a place are drawn from them without
// replacement. With k of n on one side, the sides are apart by a where the sum of the k
// is √(a·k·(n−k)/n) away from k times the window's mean.
func (o Shifts) reaching(x []float64, w ableWindow, enough float64) float64 {
	n := w.to - w.from
	s, apart := o.hardest(x, w)
	if !(apart > 0) {
		return 1
	}
	share := 0.0
	for k := LeastLevel; k <= n-LeastLevel && share <= enough; k++ {
		share += s.orders(min(k, n-k), math.Sqrt(apart*float64(k)/float64(n)*float64(n-k)))
	}
	return share
}

// hardest describes those values in a window with which it most likely reaches its ratio,
// and how far its sides must be apart then. The window of all values has no others.
//
// They must be apart by the ratio's multiple of what the known variance leaves within
// them at least, and by the ratio's share of what there is. Values that spread less make
// the first unlikely, and values that spread more the second; the hardest spread so much
// that both are the same.
func (o Shifts) hardest(x []float64, w ableWindow) (s spread, apart float64) {
	n := float64(w.to - w.from)
	apart = w.ratio * o.Variance * (n - 2)
	if len(x) == w.to-w.from {
		s = spreadOf(x)
		return s, max(apart, s.variance*n/(1+1/w.ratio))
	}
	return spread{variance: apart / n * (1 + 1/w.ratio), most: slices.Max(x) - slices.Min(x)}, apart
}

// spread is how far values lie from their mean.
type spread struct {
	variance float64 // about the mean, per value
	most     float64 // that one is away from it
}

func spreadOf(x []float64) spread {
	var s spread
	centre := Mean(x)
	for _, v := range x {
		d := math.Abs(v - centre)
		s.variance += d * d / float64(len(x))
		s.most = max(s.most, d)
	}
	return s
}

// orders bounds the share of orders in which the first k values have a sum that is so far
// away from k times the mean, or farther. It is Bennett's inequality, which holds for
// values drawn without replacement, too (Hoeffding 1963, theorem 4).
func (s spread) orders(k int, away float64) float64 {
	if away > float64(k)*s.most*(1+1e-9) {
		return 0
	}
	sum := float64(k) * s.variance
	u := s.most * away / sum
	return 2 * math.Exp(-sum/(s.most*s.most)*((1+u)*math.Log1p(u)-u))
}
