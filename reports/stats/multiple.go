package stats

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Holm adjusts p values for the claim "some of these differ" (Holm 1979): a
// row may be called different at level a if its adjusted p is at most a, and
// the probability of any false call is then at most a. NaN stays NaN and does
// not count.
func Holm(p []float64) []float64 {
	order := make([]int, 0, len(p))
	for i := range p {
		if !math.IsNaN(p[i]) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	adjusted := slices.Clone(p)
	last := 0.0
	for k, i := range order {
		last = max(last, min(1, p[i]*float64(len(order)-k)))
		adjusted[i] = last
	}
	return adjusted
}

// GeoMean is the mean effect over rows (benchmarks), each with one difference
// per round, and an interval that resamples rounds: benchmarks of one boot
// share its luck, so rounds and not rows are what is independent. Below ten
// rounds resampled means spread too little, and above five hundred their
// distribution is the normal one: the interval then is t's over the rounds'
// means. Rows must have the same rounds. The mean's exponential is the geometric
// mean of the ratios.
func GeoMean(rows [][]float64, confidence float64, seed uint64) (mean float64, ci Interval, err error) {
	if len(rows) == 0 || len(rows[0]) < 2 {
		return 0, Interval{}, ErrTooFew
	}
	perRound := make([]float64, len(rows[0]))
	for r := range perRound {
		for _, row := range rows {
			perRound[r] += row[r] / float64(len(rows))
		}
	}
	if len(perRound) < fewRounds || len(perRound) > manyRounds {
		e, err := Paired(perRound, confidence)
		return e.Mean, e.CI, err
	}
	return stat.Mean(perRound, nil), bootstrap(perRound, confidence, seed), nil
}

// resamples of a bootstrap: enough for the third digit of a 95 % bound.
const resamples = 10000

// fewRounds are too few to resample.
const fewRounds = 10

// manyRounds are so many that resampling finds t's interval again, in time that
// grows with them.
const manyRounds = 500

// bootstrap is the percentile interval of the mean, widened by sqrt(n/(n-1))
// because resampling underestimates the spread of few values.
func bootstrap(x []float64, confidence float64, seed uint64) Interval {
	random := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	n := len(x)
	centre := stat.Mean(x, nil)
	means := make([]float64, resamples)
	for i := range means {
		var sum float64
		for range x {
			sum += x[random.IntN(n)]
		}
		means[i] = sum / float64(n)
	}
	slices.Sort(means)
	alpha := (1 - confidence) / 2
	widen := math.Sqrt(float64(n) / float64(n-1))
	at := func(p float64) float64 {
		return centre + (stat.Quantile(p, stat.Empirical, means, nil)-centre)*widen
	}
	return Interval{at(alpha), at(1 - alpha)}
}
