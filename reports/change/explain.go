package change

import (
	"math"
	"slices"
	"strings"

	"xsmbench/reports/profile"
)

// explain takes from the profiles what differs.
func (c *Change) explain(r *profile.Run) {
	ours := func(at profile.Where) bool { return at.Arch == c.Arch }
	c.Gone = r.CrossedOnly(ours, c.Base, c.Build)
	c.New = r.CrossedOnly(ours, c.Build, c.Base)
	hooks, movers := map[string]profile.HookChange{}, map[string]profile.Mover{}
	for _, at := range r.Places() {
		if !ours(at) {
			continue
		}
		changed, _ := r.Changes(at, c.Build, c.Base)
		for _, h := range changed {
			if old, ok := hooks[h.Hook]; ok {
				h.Low, h.High = min(h.Low, old.Low), max(h.High, old.High)
			}
			hooks[h.Hook] = h
		}
		for _, m := range r.Movers(at, c.Build, c.Base) {
			if old, ok := movers[m.Function]; ok {
				m.Low, m.High = min(m.Low, old.Low), max(m.High, old.High)
			}
			movers[m.Function] = m
		}
	}
	for _, h := range hooks {
		c.Hooks = append(c.Hooks, h)
	}
	for _, m := range movers {
		c.Movers = append(c.Movers, m)
	}
	slices.SortFunc(c.Hooks, func(a, b profile.HookChange) int {
		return bySize(a.Low, a.High, a.Hook, b.Low, b.High, b.Hook)
	})
	slices.SortFunc(c.Movers, func(a, b profile.Mover) int {
		return bySize(a.Low, a.High, a.Function, b.Low, b.High, b.Function)
	})
}

// bySize puts the largest first.
func bySize(low, high float64, name string, otherLow, otherHigh float64, other string) int {
	size, otherSize := max(math.Abs(low), math.Abs(high)), max(math.Abs(otherLow), math.Abs(otherHigh))
	switch {
	case size > otherSize:
		return -1
	case size < otherSize:
		return 1
	}
	return strings.Compare(name, other)
}
