package compare

import "slices"

// counts tells, where hooks were counted, whether any was entered.
type counts map[counted]bool

type counted struct {
	Environment
	benchmark, build string
}

// hookCounts finds the builds that counted hooks, and those that entered some.
func hookCounts(all []*series) counts {
	found := counts{}
	for _, s := range all {
		if s.unit != hooksEntered {
			continue
		}
		for build, b := range s.builds {
			found[counted{s.Environment, s.benchmark, build}] = slices.ContainsFunc(b.values, func(v float64) bool { return v > 0 })
		}
	}
	return found
}

// countedIn finds where Xen's instructions were counted.
func countedIn(all []*series) map[counted]bool {
	found := map[counted]bool{}
	for _, s := range all {
		if s.unit == xenInstructions {
			for build := range s.builds {
				found[counted{s.Environment, s.benchmark, build}] = true
			}
		}
	}
	return found
}

// cross says whether the row's benchmark crosses hooks.
func (r *Row) cross(found counts, opt Options) {
	hooks, known := opt.Hooks(r.Benchmark)
	r.Hooks = hooks
	inBase, baseCounted := found[counted{r.Environment, r.Benchmark, r.Base}]
	inBuild, buildCounted := found[counted{r.Environment, r.Benchmark, r.Build}]
	switch {
	case inBase || inBuild:
		r.Crosses = true
	case baseCounted && buildCounted:
		r.NoHook = true
		r.warn(NegativeControl, "no hook was counted: a negative control")
	case known && len(hooks) == 0:
		r.NoHook = true
		r.warn(NegativeControl, "crosses no hook: a negative control")
	case known:
		r.Crosses = true
	}
}
