package stats

import (
	"math"
	"slices"
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
// share its luck, so rounds and not rows are what is independent. Rounds that
// share a layout are resampled with it. With too few to resample, the interval
// is t's over the rounds' means, or over those of the layouts. Rows must have
// the same rounds. The mean's exponential is the geometric mean of the ratios.
func GeoMean(rows [][]float64, layouts []int, confidence float64, seed uint64) (mean float64, ci Interval, err error) {
	if len(rows) == 0 || len(rows[0]) < 2 {
		return 0, Interval{}, ErrTooFew
	}
	perRound := make([]float64, len(rows[0]))
	for r := range perRound {
		for _, row := range rows {
			perRound[r] += row[r] / float64(len(rows))
		}
	}
	groups := Group(perRound, layouts)
	e, err := Paired(Means(groups), confidence)
	if err != nil {
		return e.Mean, e.CI, err
	}
	if ci, ok := Hierarchical(boots(groups), confidence, seed); ok {
		return e.Mean, ci, nil
	}
	return e.Mean, e.CI, nil
}

// boots are differences whose windows are not known.
func boots(groups [][]float64) [][]Boot {
	all := make([][]Boot, len(groups))
	for i, g := range groups {
		for _, d := range g {
			all[i] = append(all[i], Boot{Diff: d})
		}
	}
	return all
}
