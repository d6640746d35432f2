package profile

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// View says how to show benchmarks: in which order, which, and how many.
type View struct {
	// Sort is "" for the plan's order, "name", "change" (the largest share of
	// the base's instructions first) or "cost" (the most instructions first).
	Sort string
	// Changed leaves out benchmarks in which no build executes another number
	// of instructions than the base.
	Changed bool
	// Limit is how many of a domain are shown; 0 for all.
	Limit int
}

// Arrange keeps and orders the benchmarks as a view says, within each domain.
func (r *Run) Arrange(v View, base string) {
	if v == (View{}) {
		return
	}
	if v.Changed {
		r.Benchmarks = slices.DeleteFunc(r.Benchmarks, func(b *Benchmark) bool { return !(b.most(base, instructions) > 0) })
		r.Part = true
	}
	order := map[string]int{} // of the kinds of domUs
	for _, b := range r.Benchmarks {
		if _, ok := order[b.DomU]; !ok {
			order[b.DomU] = len(order)
		}
	}
	slices.SortStableFunc(r.Benchmarks, func(a, b *Benchmark) int {
		switch c := cmp.Or(strings.Compare(a.Arch, b.Arch), order[a.DomU]-order[b.DomU], slices.Index(r.Domains, a.Domain)-slices.Index(r.Domains, b.Domain)); {
		case c != 0:
			return c
		case v.Sort == "name":
			return strings.Compare(a.Name, b.Name)
		case v.Sort == "change":
			return cmp.Compare(b.most(base, share), a.most(base, share))
		case v.Sort == "cost":
			return cmp.Compare(b.most(base, instructions), a.most(base, instructions))
		}
		return 0
	})
	if v.Limit <= 0 {
		return
	}
	shown := map[Where]int{}
	r.Benchmarks = slices.DeleteFunc(r.Benchmarks, func(b *Benchmark) bool {
		shown[b.Where]++
		return shown[b.Where] > v.Limit
	})
	r.Part = true
}

func instructions(base, build float64) float64 { return math.Abs(build - base) }

func share(base, build float64) float64 { return math.Abs(build-base) / base }

// most is the largest difference of a build from the base, below 0 if none is
// known.
func (b *Benchmark) most(base string, size func(base, build float64) float64) float64 {
	largest := -1.
	of := b.Costs[base]
	if of == nil {
		return largest
	}
	for _, c := range b.Costs {
		if s := size(of.Total, c.Total); s > largest { // NaN is not
			largest = s
		}
	}
	return largest
}
