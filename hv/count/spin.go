package count

import (
	"maps"

	"xsmbench/hv/count/window"
)

// apart takes what was executed while a processor waited for another one out of windows,
// and says how much that was in the mean of them. How long it waits depends on where the
// other one stands: without it, windows with one operation agree. On a machine of one
// processor there is nobody to wait for.
func (c *Counter) apart(list []window.Window) (without []window.Window, spun float64) {
	if c.Processors < 2 {
		return list, 0
	}
	without = make([]window.Window, 0, len(list))
	for _, w := range list {
		waited := c.waited(w)
		spun += float64(waited) / float64(len(list))
		if waited > 0 {
			w.Xen -= waited
			w.Counts = maps.Clone(w.Counts)
			maps.DeleteFunc(w.Counts, func(p window.Place, _ window.Count) bool { return c.code.Cells[p.Cell].Wait })
		}
		without = append(without, w)
	}
	return without, spun
}

// waited is how many instructions a window has that are only executed waiting.
func (c *Counter) waited(w window.Window) uint64 {
	var sum uint64
	for p, n := range w.Counts {
		if c.code.Cells[p.Cell].Wait {
			sum += n.Instructions
		}
	}
	return sum
}
