package profile

import (
	"math"
	"slices"
	"strings"
)

// HookChange is what one call of a hook executes more in a build than in the
// base: the least and the most over the benchmarks, instructions.
type HookChange struct {
	Hook      string
	Low, High float64
	// Benchmarks are those that show it.
	Benchmarks []string
}

// Changes compares the hooks of a build in a domain with the base's, over the
// benchmarks whose figures are exact in both: which changed, and how many did not.
func (r *Run) Changes(at Where, build, base string) (changed []HookChange, same int) {
	byHook := map[string]*HookChange{}
	for _, b := range r.Benchmarks {
		own, of := b.Costs[build], b.Costs[base]
		if b.Where != at || own == nil || of == nil || !own.Exact || !of.Exact {
			continue
		}
		for _, h := range own.Hooks {
			before, ok := of.Hook(h.Name)
			if !ok || h.Calls == 0 || before.Calls == 0 {
				continue
			}
			c := byHook[h.Name]
			if c == nil {
				c = &HookChange{Hook: h.Name, Low: math.Inf(1), High: math.Inf(-1)}
				byHook[h.Name] = c
			}
			c.see(b.Name, h.PerCall()-before.PerCall())
		}
	}
	for _, c := range byHook {
		if len(c.Benchmarks) > 0 {
			changed = append(changed, *c)
		} else {
			same++
		}
	}
	slices.SortFunc(changed, func(a, b HookChange) int { return strings.Compare(a.Hook, b.Hook) })
	return changed, same
}

func (c *HookChange) see(benchmark string, d float64) {
	if isNothing(d) {
		d = 0
	} else {
		c.Benchmarks = append(c.Benchmarks, benchmark)
	}
	c.Low, c.High = min(c.Low, d), max(c.High, d)
}

// Mover is a function outside of hooks of which a build executes more, or
// less, than the base.
type Mover struct {
	Function   string
	Low, High  float64 // of one operation, over the benchmarks that show it
	Benchmarks []string
}

// Movers are those of a build in a domain, over the benchmarks whose figures are exact
// in both.
func (r *Run) Movers(at Where, build, base string) []Mover {
	byName := map[string]*Mover{}
	for _, b := range r.Benchmarks {
		if b.Where != at {
			continue
		}
		d, _ := b.Costs[build].Difference(b.Costs[base])
		for _, c := range d.Functions {
			if c.Hook != "" {
				continue
			}
			m := byName[c.Function]
			if m == nil {
				m = &Mover{Function: c.Function, Low: c.Instructions, High: c.Instructions}
				byName[c.Function] = m
			}
			m.Low, m.High = min(m.Low, c.Instructions), max(m.High, c.Instructions)
			m.Benchmarks = append(m.Benchmarks, b.Name)
		}
	}
	var list []Mover
	for _, m := range byName {
		list = append(list, *m)
	}
	slices.SortFunc(list, func(a, b Mover) int { return strings.Compare(a.Function, b.Function) })
	return list
}
