package stats

import (
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Group sorts values by what they share, as boots share a layout. Groups are
// in the order of their first value. Nil stands for values that share nothing.
func Group[K comparable](values []float64, of []K) [][]float64 {
	if of == nil {
		groups := make([][]float64, len(values))
		for i := range values {
			groups[i] = values[i : i+1 : i+1]
		}
		return groups
	}
	var groups [][]float64
	seen := map[K]int{}
	for i, v := range values {
		g, ok := seen[of[i]]
		if !ok {
			g = len(groups)
			seen[of[i]] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], v)
	}
	return groups
}

// Means are the groups' means: the observations if a group is a random draw,
// as a layout is. For groups of one size their variance is the mean square
// between groups over that size, so that a t interval on them is the mixed
// model's (Searle, Casella, McCulloch, Variance Components, 1992, chapter 3),
// and more boots of few layouts do not pretend to more information.
func Means(groups [][]float64) []float64 {
	means := make([]float64, len(groups))
	for i, g := range groups {
		means[i] = Mean(g)
	}
	return means
}

// Components is a one-way analysis of variance with random groups.
type Components struct {
	MSBetween, MSWithin float64
	DFBetween, DFWithin int
	F, P                float64 // of "groups do not differ"
	// Between and Within are the variances of the groups' effects and of the
	// values within one (ANOVA estimates, not below 0).
	Between, Within float64
}

// Share is what the groups have of the variance of one value.
func (c Components) Share() float64 {
	if c.Between+c.Within == 0 {
		return 0
	}
	return c.Between / (c.Between + c.Within)
}

// ANOVA splits the variance; it is false if there are not two groups, or no
// group with two values.
func ANOVA(groups [][]float64) (Components, bool) {
	all := slices.Concat(groups...)
	n, k := len(all), len(groups)
	if k < 2 || n <= k {
		return Components{}, false
	}
	grand := Mean(all)
	var between, within, squares float64
	for _, g := range groups {
		size, mean := float64(len(g)), Mean(g)
		between += size * (mean - grand) * (mean - grand)
		squares += size * size
		for _, v := range g {
			within += (v - mean) * (v - mean)
		}
	}
	c := Components{DFBetween: k - 1, DFWithin: n - k}
	c.MSBetween, c.MSWithin = between/float64(k-1), within/float64(n-k)
	size := (float64(n) - squares/float64(n)) / float64(k-1) // of a group, for unequal ones too
	c.Within, c.Between = c.MSWithin, max(0, (c.MSBetween-c.MSWithin)/size)
	c.P = 1
	if c.MSBetween > 0 {
		c.F = c.MSBetween / c.MSWithin
		c.P = distuv.F{D1: float64(k - 1), D2: float64(n - k)}.Survival(c.F)
	}
	return c, true
}
