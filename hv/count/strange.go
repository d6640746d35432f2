package count

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"xsmbench/hv/count/window"
)

// mostNamed is how many functions a warning names.
const mostNamed = 6

// strange warns of windows in which the hypervisor was entered by a way that
// the map of its code does not know; "" if there is none. All instructions are
// counted there; the first of them are charged to no handler and no hook.
func (c *Counter) strange(list []window.Window) string {
	times, windows, cells := uint64(0), 0, map[int]bool{}
	for _, w := range list {
		if w.Strange == 0 {
			continue
		}
		times += w.Strange
		windows++
		for id := range w.StrangeCells {
			if !c.leaves[id] { // the last visit's end
				cells[id] = true
			}
		}
	}
	if windows == 0 {
		return ""
	}
	var names []string
	for _, id := range slices.Sorted(maps.Keys(cells)) {
		if name := c.code.Cells[id].Function; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if more := len(names) - mostNamed; more > 0 {
		names = append(names[:mostNamed], fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("%d windows have %d entries of the hypervisor by a way that is not known here; executed there: %s. They are counted, but what they came for is not told",
		windows, times, strings.Join(names, ", "))
}
