package compare

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/reports/internal/number"
)

// Crossed is a hook on the way of one operation, as often as the build crosses it
// (PerOp).
type Crossed struct {
	bench.Crossing
	// Counted tells that the run counted it. If not, it is what the benchmark is
	// known to cross, and what follows is 0.
	Counted bool
	// Before is how often the base crosses it, and More what one operation
	// executes more in it than in the base's, instructions; NaN if the base's was
	// not counted.
	Before, More float64
}

// String is the hook with the number of its crossings: "28 update_va_mapping".
func (h Crossed) String() string {
	switch {
	case h.PerOp == 0 || h.PerOp == 1:
		return h.Hook
	case h.PerOp < 0.005:
		return "<0.01 " + h.Hook
	}
	return number.Rounded(h.PerOp) + " " + h.Hook
}

// Executed is what one operation executes in a hook: how often it crosses it, and
// all instructions there.
type Executed struct {
	Hook                string
	Calls, Instructions float64
}

// crossed joins what was counted of an operation's hooks in the base and in the
// build, those that the build crosses most often first.
func crossed(base, build []Executed) []Crossed {
	var all []Crossed
	at := func(hook string) *Crossed {
		i := slices.IndexFunc(all, func(h Crossed) bool { return h.Hook == hook })
		if i < 0 {
			i = len(all)
			all = append(all, Crossed{Crossing: bench.Crossing{Hook: hook}, Counted: true})
		}
		return &all[i]
	}
	for _, e := range build {
		h := at(e.Hook)
		h.PerOp, h.More = e.Calls, h.More+e.Instructions
	}
	for _, e := range base {
		h := at(e.Hook)
		h.Before, h.More = e.Calls, h.More-e.Instructions
	}
	slices.SortFunc(all, func(a, b Crossed) int {
		return cmp.Or(-cmp.Compare(math.Max(a.PerOp, a.Before), math.Max(b.PerOp, b.Before)), strings.Compare(a.Hook, b.Hook))
	})
	return all
}

// Way is which hooks an operation crosses by what was counted, in that build of the
// line that crosses most of them; empty if none, or if nothing was counted.
func (l Line) Way() []Crossed {
	var way []Crossed
	most := 0.
	for _, r := range l.Rows {
		if r == nil || len(r.Hooks) == 0 || !r.Hooks[0].Counted {
			continue
		}
		sum := 0.
		for _, h := range r.Hooks {
			sum += h.PerOp
		}
		if sum >= most {
			way, most = r.Hooks, sum
		}
	}
	return slices.DeleteFunc(slices.Clone(way), func(h Crossed) bool { return h.PerOp == 0 })
}

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
	r.Hooks = r.path(hooks, opt)
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

// path is what was counted of the row's hooks, else what is known of them.
func (r *Row) path(known []bench.Crossing, opt Options) []Crossed {
	base, baseCounted := opt.Counted(r.Environment, r.Benchmark, r.Base)
	build, counted := opt.Counted(r.Environment, r.Benchmark, r.Build)
	switch {
	case counted && baseCounted:
		return crossed(base, build)
	case counted:
		all := crossed(nil, build)
		for i := range all {
			all[i].Before, all[i].More = math.NaN(), math.NaN()
		}
		return all
	}
	var all []Crossed
	for _, h := range known {
		all = append(all, Crossed{Crossing: h})
	}
	return all
}
