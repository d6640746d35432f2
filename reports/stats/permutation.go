package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// The permutation test: how many orders, and the level.
const (
	permutations     = 499
	permutationLevel = 0.05
)

// permuted reports whether few orders of the values have a cut as clear. Where that can
// be calculated, as for clear changes in many values, no order is tried.
func (o Shifts) permuted(x []float64, all []window, score float64, random *rand.Rand) bool {
	able := o.able(x, all, score*(1-1e-9)) // in another order the last bits of sums differ
	return o.rare(x, able) || o.tried(x, able, random)
}

// tried tries random orders. It stops as soon as too many of them reach a ratio.
func (o Shifts) tried(x []float64, able []ableWindow, random *rand.Rand) bool {
	y, s := slices.Clone(x), sumsOf(x)
	reached := 1 // the order that was seen is one of them
	for range permutations {
		random.Shuffle(len(y), func(i, j int) { y[i], y[j] = y[j], y[i] })
		s.fill(y)
		if slices.ContainsFunc(able, func(w ableWindow) bool { return o.reaches(s, w) }) {
			reached++
		}
		if float64(reached) > permutationLevel*(permutations+1) {
			return false
		}
	}
	return true
}

// reaches reports whether a window reaches its ratio.
func (o Shifts) reaches(s sums, w ableWindow) bool {
	_, apart := s.widest(w.window)
	return apart > 0 && apart >= w.ratio*max(o.within(s, w.window, apart), 1e-12*apart)
}

// ableWindow is a window with the ratio of the sums of squares, between its sides
// and within them, from which on its score is at least a bound.
type ableWindow struct {
	window
	ratio float64
}

// able are the windows that reach a bound in some order of the values: most are too
// short for the score of a clear change. Between its sides a window has at most the
// squares of its values about the mean of all, thus of the largest; within them it
// has at least what the known variance makes.
func (o Shifts) able(x []float64, all []window, bound float64) []ableWindow {
	centre := Mean(x)
	squares := make([]float64, len(x))
	for i, v := range x {
		squares[i] = (v - centre) * (v - centre)
	}
	slices.Sort(squares)
	slices.Reverse(squares)
	for i := 1; i < len(squares); i++ {
		squares[i] += squares[i-1]
	}
	var able []ableWindow
	for _, w := range slices.Backward(all) { // the longest first: they reach it soonest
		n := w.to - w.from
		most := 1e12
		if o.Variance > 0 {
			most = min(most, squares[n-1]/(o.Variance*float64(n-2)))
		}
		if ratio := math.Expm1(bound / float64(n-3)); most*(1+1e-9) >= ratio {
			able = append(able, ableWindow{w, ratio})
		}
	}
	return able
}
