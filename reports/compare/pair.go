package compare

import (
	"fmt"
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

	base, build boot
}

// pairs finds the rounds that both builds have, and how many boots are left
// over.
func pairs(a, b *sampled) (all []Pair, left int) {
	layouts := map[[2]string]int{}
	all = make([]Pair, 0, min(len(a.values), len(b.values)))
	shared(a, b, func(i, j int) {
		p, q := a.boot(i), b.boot(j)
		name := [2]string{p.linked(), q.linked()}
		if layouts[name] == 0 {
			layouts[name] = 1 + len(layouts)
		}
		all = append(all, Pair{Run: p.run, Round: p.round.round, BaseOrder: p.order, Order: q.order,
			Layout: layouts[name], BaseValue: p.value, Value: q.value, base: p, build: q})
	})
	return all, len(a.values) + len(b.values) - 2*len(all)
}

// linked names how a boot's image was linked: by its hash, or by its seed.
func (b *start) linked() string {
	if b.image != "" {
		return b.image
	}
	return fmt.Sprintf("layout %d", b.layout)
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
		single = single && p.Layout == all[0].Layout || p.base.image != "" && p.base.image == p.build.image
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
	var of []string
	for i := range b.values {
		of = append(of, b.start(i).linked())
	}
	groups := stats.Group(scaled, of)
	if len(groups) > 1 {
		return stats.Means(groups), len(groups)
	}
	return scaled, len(groups)
}
