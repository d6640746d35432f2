package compare

import (
	"slices"

	"xsmbench/reports/stats"
)

// Pair is the boots of both builds in one round.
type Pair struct {
	Run   string
	Round int
	// BaseOrder and Order are the boots' places in the round, 0 if they are
	// not known.
	BaseOrder, Order int
	// Layout counts the layouts of the row from 1: pairs of the same images
	// have the same.
	Layout           int
	BaseValue, Value float64 // in the row's unit
	// Difference is the observation: of logarithms, or of shares of the
	// base's mean if the row is Linear; above 0 where the build is slower.
	Difference float64

	i, j int  // places of the values in the samples of the base and the build
	same bool // one and the same image
}

// pairs finds the rounds that both builds have, and how many boots are left
// over.
func pairs(a, b *sampled) (all []Pair, left int) {
	return pairsIn(make([]Pair, 0, min(len(a.values), len(b.values))), a, b)
}

// pairsIn is pairs, in memory that is given.
func pairsIn(memory []Pair, a, b *sampled) (all []Pair, left int) {
	layouts := make(map[[2]uint64]int)
	all = memory[:0]
	shared(a, b, func(i, j int) {
		p, q := a.start(i), b.start(j)
		images := [2]uint64{p.link(), q.link()}
		layout := layouts[images]
		if layout == 0 {
			layout = 1 + len(layouts)
			layouts[images] = layout
		}
		all = append(all, Pair{Run: p.run, Round: p.round.round, BaseOrder: p.order, Order: q.order,
			Layout: layout, BaseValue: a.values[i], Value: b.values[j], i: i, j: j, same: p.image != "" && p.image == q.image})
	})
	return all, len(a.values) + len(b.values) - 2*len(all)
}

// link tells how a boot's image was linked: a hash of the image's own hash, or
// of the layout's number.
func (s *start) link() uint64 {
	if s.image != "" {
		return s.hash
	}
	return mix(uint64(s.layout))
}

// tellsLayout reports whether it is known of any boot how its image was linked: files that
// others wrote say nothing of it.
func (b *sampled) tellsLayout() bool {
	for i := range b.values {
		if s := b.start(i); s.image != "" || s.layout != 0 {
			return true
		}
	}
	return false
}

// layoutsOf are what the observations are grouped by. Pairs of one and the
// same image differ by no layout, and where all boots have the same layout
// there are none to draw from: then each pair is a group of its own, and so it
// is where no two share one. Nil stands for that.
func layoutsOf(all []Pair) []int {
	of := make([]int, len(all))
	single := true
	for i, p := range all {
		of[i] = p.Layout
		single = single && p.Layout == all[0].Layout || p.same
	}
	if single || len(all) > 0 && slices.Max(of) == len(all) {
		return nil
	}
	return of
}

// units are a build's observations where nothing pairs them: its boots, or the
// means of its layouts if several boots share one of several, which are
// counted.
func (b *sampled) units(scaled []float64) (units []float64, layouts int) {
	of := make([]uint64, 0, len(b.values))
	for i := range b.values {
		of = append(of, b.start(i).link())
	}
	groups := stats.Group(scaled, of)
	if len(groups) > 1 {
		return stats.Means(groups), len(groups)
	}
	return scaled, len(groups)
}
