package stats

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// Power is the probability that n pairs, whose differences vary by sd about an
// effect, show it: that the t interval excludes 0 on the side of the effect or
// on the other (the noncentral t distribution, integrated over the estimate of
// the spread; its error is below 1e-7).
func Power(effect, sd float64, n int, confidence float64) float64 {
	if n < 2 {
		return 0
	}
	if sd == 0 {
		if effect == 0 {
			return 0
		}
		return 1
	}
	df := float64(n - 1)
	shift, critical := effect*math.Sqrt(float64(n))/sd, quantile(1-(1-confidence)/2, df)
	chi := distuv.ChiSquared{K: df}
	shown := func(u float64) float64 { // u: estimated over true spread
		density := 2 * u * df * chi.Prob(df*u*u)
		return density * (normal.CDF(shift-critical*u) + normal.CDF(-shift-critical*u))
	}
	return min(1, quad.Fixed(shown, 0, 1+9/math.Sqrt(2*df), 200, quad.Legendre{}, 0))
}

// Detectable is the least effect that n pairs of that spread show with the
// probability asked for, to a millionth of it.
func Detectable(sd float64, n int, confidence, probability float64) float64 {
	switch {
	case n < 2:
		return math.Inf(1)
	case sd == 0:
		return 0
	}
	// If the spread were known, this would do.
	lo := (normal.Quantile(1-(1-confidence)/2) + normal.Quantile(probability)) * sd / math.Sqrt(float64(n))
	hi := 2 * lo
	for Power(hi, sd, n, confidence) < probability {
		lo, hi = hi, 2*hi
	}
	for hi-lo > 1e-6*hi {
		if mid := (lo + hi) / 2; Power(mid, sd, n, confidence) < probability {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}
