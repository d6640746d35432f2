package profile

import (
	"cmp"
	"math"
	"slices"

	"xsmbench/bench"
)

// Difference is what one operation executes more in a build than in the base,
// instruction by instruction.
type Difference struct {
	// Total is the difference of the totals.
	Total float64
	// Site, Body and Thunk are those of hooks; Callers of everything else,
	// which is the code that the compiler made otherwise around the hooks.
	Site, Body, Thunk, Callers float64
	Functions                  []Change // that differ, the largest first
}

// Change is a function's part of a difference.
type Change struct {
	Hook, Function string
	Part           bench.Part // PartNone: of the callers
	Instructions   float64
}

// Rest is what of the total no function explains.
func (d Difference) Rest() float64 {
	return d.Total - d.Site - d.Body - d.Thunk - d.Callers
}

// Difference explains what cost has over base. It is false unless both are
// exact: what interrupts executed is no difference between builds.
func (c *Cost) Difference(base *Cost) (Difference, bool) {
	if c == nil || base == nil || !c.Exact || !base.Exact {
		return Difference{}, false
	}
	d := Difference{Total: c.Total - base.Total}
	sum := map[Change]float64{}
	collect := func(list []Path, sign float64) {
		for _, x := range list {
			k := Change{Hook: x.Hook, Function: x.Function, Part: x.Part}
			if k.Part == bench.PartEntry && isNewest(x.Function) {
				k.Part = bench.PartNone // one release's function is two in another
			}
			sum[k] += sign * x.Instructions
		}
	}
	collect(c.Paths, 1)
	collect(base.Paths, -1)
	for k, v := range sum {
		if isNothing(v) {
			continue
		}
		k.Instructions = v
		d.add(k)
	}
	slices.SortFunc(d.Functions, func(a, b Change) int {
		return cmp.Or(-cmp.Compare(math.Abs(a.Instructions), math.Abs(b.Instructions)), cmp.Compare(a.Hook, b.Hook),
			cmp.Compare(a.Function, b.Function), cmp.Compare(a.Part, b.Part))
	})
	return d, true
}

// isNothing tells a difference of means that is but their rounding.
func isNothing(v float64) bool { return math.Abs(v) < 1e-6 }

func (d *Difference) add(c Change) {
	switch c.Part {
	case bench.PartSite:
		d.Site += c.Instructions
	case bench.PartBody:
		d.Body += c.Instructions
	case bench.PartThunk:
		d.Thunk += c.Instructions
	default:
		d.Callers += c.Instructions
	}
	d.Functions = append(d.Functions, c)
}

// Between explains what an operation of a build executes more in a run than in an
// earlier one. It is false unless both counted it, exactly.
func Between(before, after *Run, at Where, benchmark, build string) (Difference, bool) {
	return after.Cost(at, benchmark, build).Difference(before.Cost(at, benchmark, build))
}

// Explain explains what an operation of a build executes more than one of the base
// in the same run. A run without profiles, nil, explains nothing.
func (r *Run) Explain(at Where, benchmark, build, base string) (Difference, bool) {
	return r.Cost(at, benchmark, build).Difference(r.Cost(at, benchmark, base))
}
