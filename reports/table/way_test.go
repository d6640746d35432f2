package table

import (
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
	"xsmbench/reports/synthetic"
)

func TestWay(t *testing.T) {
	crossed := func(hook string, calls float64) compare.Crossed {
		return compare.Crossed{Crossing: bench.Crossing{Hook: hook, PerOp: calls}, Counted: true}
	}
	l := compare.Line{Rows: []*compare.Row{nil, {Hooks: []compare.Crossed{crossed("update_va_mapping", 28), crossed("memory_pin_page", 10), crossed("mmu_update", 1)}}}}
	for room, want := range map[int]string{
		anyWay: "28 update_va_mapping, 10 memory_pin_page, mmu_update",
		52:     "28 update_va_mapping, 10 memory_pin_page, mmu_update",
		51:     "28 update_va_mapping, 10 memory_pin_page, 1 more",
		30:     "28 update_va_mapping, 2 more",
		20:     "3 hooks",
	} {
		if got := Way(l, room); got != want {
			t.Errorf("room %d: %q, want %q", room, got, want)
		}
	}
	if got := Way(compare.Line{Rows: []*compare.Row{{}}}, anyWay); got != "" {
		t.Errorf("nothing counted: %q", got)
	}
}

// TestWayFits: a terminal gets as much of the ways as fits beside the figures, and no
// line is longer than it.
func TestWayFits(t *testing.T) {
	c, a := synthetic.Compare(t, "counted")
	for width, want := range map[int]string{
		0:   "│ 280 update_va_mapping, 100 memory_pin_page, 32 mmu_update\n",
		220: "│ 280 update_va_mapping, 100 memory_pin_page, 32 mmu_update\n",
		190: "│ 280 update_va_mapping, 2 more\n",
		180: "slower\n",
		80:  "\n      hooks: 280 update_va_mapping, 100 memory_pin_page, 32 mmu_update\n",
	} {
		var out strings.Builder
		if err := Terminal(&out, c, a, Style{Width: width}); err != nil {
			t.Fatal(err)
		}
		_, tail, _ := strings.Cut(out.String(), "xen-instr/op, n=2")
		_, tail, _ = strings.Cut(tail, "lat_proc/op=fork")
		if table, _, _ := strings.Cut(tail, "geometric mean"); !strings.Contains(table, want) {
			t.Errorf("%d columns: no %q in\n%s", width, want, table)
		} else {
			for line := range strings.Lines(table) {
				if n := grid.Width(strings.TrimSuffix(line, "\n")); width > 0 && n > width {
					t.Errorf("%d columns: %d are taken by %q", width, n, line)
				}
			}
		}
	}
}
