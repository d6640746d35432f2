package count

import (
	"maps"
	"slices"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv/count/code"
	"xsmbench/hv/count/window"
)

// waiting is a window in which a processor waited so many instructions, outside of a hook
// and in one.
func waiting(w window.Window, cell int, out, in uint64) window.Window {
	w.Xen += out + in
	w.Counts = maps.Clone(w.Counts)
	w.Counts[outside(cell)] = window.Count{Instructions: out}
	w.Counts[inside(cell)] = window.Count{Instructions: in}
	return w
}

// TestSpin: what is executed waiting is a figure of its own where a machine has several
// processors, and leaves the others as they are without it.
func TestSpin(t *testing.T) {
	m := *demo
	m.Cells = append(slices.Clone(demo.Cells), code.Cell{Function: "_spin_lock", Wait: true})
	wait := len(m.Cells) - 1
	plain := counting(2, 301, 1265, 150, 20, 1)
	list := []window.Window{plain, waiting(plain, wait, 40, 8), plain, waiting(plain, wait, 0, 12)}
	b := bench.Benchmark{Suite: "Test", Name: "spin"}
	for processors, want := range map[int]map[string]float64{
		2: {UnitXen: 1265, UnitXSM: 170, UnitHooks: 1, UnitAll: 1568, UnitSpin: 15},
		1: {UnitXen: 1265, UnitXSM: 170, UnitHooks: 1, UnitAll: 1568},
	} {
		c := New(&m)
		c.Processors = processors
		var s bench.Measurement
		c.Fill(&s, b, func(bench.Phase) []window.Window { return list })
		got := map[string]float64{}
		for _, v := range s.Values {
			got[v.Unit] = v.Value
		}
		delete(got, UnitGuest)
		if !maps.Equal(got, want) {
			t.Errorf("%d processors: %v, want %v", processors, got, want)
		}
		if exact := len(s.Warnings) == 0; exact != (processors == 2) {
			t.Errorf("%d processors: %q", processors, s.Warnings)
		}
	}
}
