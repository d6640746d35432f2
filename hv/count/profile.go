package count

import (
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv/count/code"
	"xsmbench/hv/count/window"
)

// profile names the places.
func (c *Counter) profile(counts map[window.Place]window.Count) bench.Profile {
	var p bench.Profile
	for place, n := range counts {
		x := c.path(place)
		x.Calls, x.Instructions = int64(n.Entries), int64(n.Instructions)
		p.Paths = append(p.Paths, x)
	}
	return p
}

// execute notes the functions that windows executed.
func (c *Counter) execute(functions map[string]bool, windows []window.Window) {
	for _, w := range windows {
		for place, n := range w.Counts {
			if n.Instructions == 0 {
				continue
			}
			cell := c.code.Cells[place.Cell]
			if name := cell.Function; cell.Part {
				functions[bench.PartOf(name)] = true
			} else {
				functions[name] = true
			}
		}
	}
}

// path is a place's, without its counts.
func (c *Counter) path(p window.Place) bench.Path {
	cell := c.code.Cells[p.Cell]
	x := bench.Path{Function: cell.Function}
	if p.Handler >= 0 {
		x.Handler = c.code.Handlers[p.Handler]
	}
	if p.Hook >= 0 {
		x.Hook = c.code.Hooks[p.Hook]
	}
	switch {
	case x.Hook == "" && cell.Handler != "" && cell.Handler == x.Handler && cell.Hook == "":
		x.Part = bench.PartEntry
	case slices.Contains(c.code.Outside, cell.Function):
		x.Hook = ""
	case cell.Hook != "" && (x.Hook == "" || x.Hook == cell.Hook): // the call itself is charged to the hook already
		x.Hook, x.Part = cell.Hook, bench.PartSite
	case x.Hook != "" && isThunk(cell):
		x.Part = bench.PartThunk
	case x.Hook != "":
		x.Part = bench.PartBody
	}
	return x
}

// isThunk tells the thunks that a compiler makes of returns and of calls
// through pointers (arch/x86/indirect-thunk.S).
func isThunk(c code.Cell) bool {
	return strings.HasPrefix(c.Function, "__x86_return_thunk") || strings.HasPrefix(c.Function, "__x86_indirect_thunk")
}
