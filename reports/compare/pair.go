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

func (p Pair) round() round { return p.base.round }

// pairs finds the rounds that both builds have, and how many boots are left
// over.
func pairs(a, b *sampled) (all []Pair, left int) {
	var layouts []string
	for _, p := range a.boots {
		if p.round == (round{}) {
			continue
		}
		for _, q := range b.boots {
			if p.round != q.round {
				continue
			}
			name := p.linked() + " " + q.linked()
			if !slices.Contains(layouts, name) {
				layouts = append(layouts, name)
			}
			all = append(all, Pair{Run: p.run, Round: p.round.round, BaseOrder: p.order, Order: q.order,
				Layout: 1 + slices.Index(layouts, name), BaseValue: p.value, Value: q.value, base: p, build: q})
		}
	}
	return all, len(a.boots) + len(b.boots) - 2*len(all)
}

// linked names how a boot's image was linked: by its hash, or by its seed.
func (b boot) linked() string {
	if b.image != "" {
		return b.image
	}
	return fmt.Sprintf("layout %d", b.layout)
}

// tellsLayout reports whether it is known of any boot how its image was linked: files that
// others wrote say nothing of it.
func (b *sampled) tellsLayout() bool {
	return slices.ContainsFunc(b.boots, func(b boot) bool { return b.image != "" || b.layout != 0 })
}

// layoutsOf are what the observations are grouped by. Pairs of one and the
// same image differ by no layout, and where all boots have the same layout
// there are none to draw from: then each pair is a group of its own.
func layoutsOf(all []Pair) []int {
	of := make([]int, len(all))
	single := true
	for i, p := range all {
		of[i] = p.Layout
		single = single && p.Layout == all[0].Layout || p.base.image != "" && p.base.image == p.build.image
	}
	if single {
		for i := range of {
			of[i] = i + 1
		}
	}
	return of
}

// units are a build's observations where nothing pairs them: its boots, or the
// means of its layouts if several boots share one of several, which are
// counted.
func (b *sampled) units(scaled []float64) (units []float64, layouts int) {
	var of []string
	for _, boot := range b.boots {
		of = append(of, boot.linked())
	}
	groups := stats.Group(scaled, of)
	if len(groups) > 1 {
		return stats.Means(groups), len(groups)
	}
	return scaled, len(groups)
}
