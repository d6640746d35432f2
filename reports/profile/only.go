package profile

import (
	"slices"
	"strings"
)

// Crossed is a hook that is crossed by one of two builds.
type Crossed struct {
	Hook string
	// Low and High are the instructions of one operation in it, over the benchmarks.
	Low, High  float64
	Benchmarks []string // full names, each once
	// All tells that the other build crosses it in no benchmark.
	All bool
}

// seldom is how often a hook is crossed, by an operation that is not exact, if chance
// decides whether it is.
const seldom = 1. / 2

// CrossedOnly are the hooks that operations of one build cross, and that the same
// operation of the other does not, in places that are meant. Benchmarks that
// only one build has are left out, and so is what an operation that is not exact crosses
// seldom: an interrupt brings it to one build or the other.
func (r *Run) CrossedOnly(in func(Where) bool, build, other string) []Crossed {
	byHook := map[string]*Crossed{}
	still := map[string]bool{}
	for _, b := range r.Benchmarks {
		own, of := b.Costs[build], b.Costs[other]
		if !in(b.Where) || own == nil || of == nil {
			continue
		}
		least := rare
		if !own.Exact || !of.Exact {
			least = seldom
		}
		for _, h := range of.Hooks {
			still[h.Name] = true
		}
		for _, h := range own.Hooks {
			if _, ok := of.Hook(h.Name); ok || h.Calls < least {
				continue
			}
			x := byHook[h.Name]
			if x == nil {
				x = &Crossed{Hook: h.Name, Low: h.Instructions(), High: h.Instructions()}
				byHook[h.Name] = x
			}
			x.Low, x.High = min(x.Low, h.Instructions()), max(x.High, h.Instructions())
			if !slices.Contains(x.Benchmarks, b.Name) {
				x.Benchmarks = append(x.Benchmarks, b.Name)
			}
		}
	}
	var all []Crossed
	for _, x := range byHook {
		x.All = !still[x.Hook]
		all = append(all, *x)
	}
	slices.SortFunc(all, func(a, b Crossed) int { return strings.Compare(a.Hook, b.Hook) })
	return all
}
