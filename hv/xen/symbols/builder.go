package symbols

import (
	"slices"
	"strings"

	"golang.org/x/arch/x86/x86asm"

	"xsmbench/hv/count/code"
)

// builder puts a map together.
type builder struct {
	m         *code.Map
	text      text
	functions []function
	sites     []site
	cells     map[code.Cell]int
	hooks     map[string]int
	handlers  map[string]int
}

func newBuilder(t text, functions []function, found hooks) *builder {
	b := &builder{
		m:    &code.Map{Area: area, Entries: map[uint64]int{}, Known: found.known},
		text: t, functions: functions, sites: found.sites,
		cells: map[code.Cell]int{}, hooks: map[string]int{}, handlers: map[string]int{},
	}
	b.cell(Stubs, "")
	b.outOfLine()
	return b
}

func (b *builder) cell(function, hook string) int {
	return number(b.cells, code.Cell{Function: function, Hook: hook, Probe: hook == "" && slices.Contains(probes, function)}, &b.m.Cells)
}

func (b *builder) hook(name string) int    { return number(b.hooks, name, &b.m.Hooks) }
func (b *builder) handler(name string) int { return number(b.handlers, name, &b.m.Handlers) }

// number gives a value its index in a list.
func number[T comparable](ids map[T]int, v T, list *[]T) int {
	id, ok := ids[v]
	if !ok {
		id = len(*list)
		ids[v] = id
		*list = append(*list, v)
	}
	return id
}

func (b *builder) event(at uint64, k code.EventKind, id int) {
	b.m.Events = append(b.m.Events, code.Event{At: at, Kind: k, ID: id})
}

// outOfLine makes sites of wrappers that the compiler did not inline: all of
// the function is one. The module's own functions have such names too; they
// lie in Xen's directory of modules.
func (b *builder) outOfLine() {
	for _, f := range b.functions {
		if f.file != "" && isWrapper(f.name) && !strings.HasPrefix(f.file, "xsm/") {
			b.sites = append(b.sites, site{
				hook: strings.TrimPrefix(f.name, prefix), pieces: [][2]uint64{{f.lo, f.hi}}, entry: f.lo,
			})
		}
	}
}

// cut makes the ranges: functions, with the sites cut out of them.
func (b *builder) cut() {
	var edges []uint64
	for _, f := range b.functions {
		edges = append(edges, f.lo, f.hi)
	}
	type piece struct {
		lo, hi uint64
		site   *site
	}
	var pieces []piece
	for i := range b.sites {
		for _, p := range b.sites[i].pieces {
			if p[1] > p[0] {
				pieces = append(pieces, piece{p[0], p[1], &b.sites[i]})
				edges = append(edges, p[0], p[1])
			}
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	slices.SortStableFunc(pieces, func(x, y piece) int { return int(int64(x.lo - y.lo)) })
	var open []piece
	next, fn := 0, 0
	for i := 0; i+1 < len(edges); i++ {
		at := edges[i]
		for ; next < len(pieces) && pieces[next].lo <= at; next++ {
			open = append(open, pieces[next])
		}
		open = slices.DeleteFunc(open, func(p piece) bool { return p.hi <= at })
		for fn < len(b.functions) && b.functions[fn].hi <= at {
			fn++
		}
		if fn == len(b.functions) || b.functions[fn].lo > at {
			continue // between functions
		}
		hook, depth := "", -1
		for _, p := range open {
			if p.site.depth > depth {
				hook, depth = p.site.hook, p.site.depth
			}
		}
		b.addRange(at, edges[i+1], b.cell(b.functions[fn].name, hook))
	}
}

// addRange adds a range, or lengthens the last.
func (b *builder) addRange(lo, hi uint64, cell int) {
	if n := len(b.m.Ranges); n > 0 && b.m.Ranges[n-1].Hi == lo && b.m.Ranges[n-1].Cell == cell {
		b.m.Ranges[n-1].Hi = hi
		return
	}
	b.m.Ranges = append(b.m.Ranges, code.Range{Lo: lo, Hi: hi, Cell: cell})
}

// cellAt is the cell of an address.
func (b *builder) cellAt(at uint64) (int, bool) {
	i, found := slices.BinarySearchFunc(b.m.Ranges, at, func(r code.Range, at uint64) int { return int(int64(r.Lo - at)) })
	if !found {
		i--
	}
	if i < 0 || at >= b.m.Ranges[i].Hi {
		return 0, false
	}
	return b.m.Ranges[i].Cell, true
}

// enterFunctions counts the entries of functions.
func (b *builder) enterFunctions() {
	for _, f := range b.functions {
		if cell, ok := b.cellAt(f.lo); ok && b.m.Cells[cell].Hook == "" && !f.part {
			b.m.Entries[f.lo] = cell
		}
	}
}

// enterSites counts the entries of hooks and follows their calls. A build with
// the framework enters a hook where it calls it (what stands before the call
// may be shared with code that calls nothing), native where the inlined check
// begins.
func (b *builder) enterSites() {
	for _, s := range b.sites {
		calls := b.callsIn(s)
		for _, at := range calls {
			b.follow(at, s.hook)
		}
		if len(calls) == 0 || len(b.m.Known) == 0 {
			calls = []uint64{s.entry}
		}
		for _, at := range calls {
			if cell, ok := b.cellAt(at); ok {
				b.m.Entries[at] = cell
			}
		}
	}
}

// callsIn lists the calls in a site.
func (b *builder) callsIn(s site) []uint64 {
	var calls []uint64
	for _, p := range s.pieces {
		data := b.text.bytes(p[0], p[1])
		for at := 0; at < len(data); {
			inst, err := x86asm.Decode(data[at:], 64)
			if err != nil {
				at++ // an instruction that the decoder does not know
				continue
			}
			if inst.Op == x86asm.CALL {
				calls = append(calls, p[0]+uint64(at))
			}
			at += inst.Len
		}
	}
	slices.Sort(calls)
	return slices.Compact(calls)
}

// Lengths of a call through a pointer, and of the direct call, followed by a
// one-byte nop, that Xen makes of it at boot (arch/x86/alternative.c).
const (
	indirectCall = 6
	directCall   = 5
)

// follow notes a call of a hook and where it may return to.
func (b *builder) follow(at uint64, hook string) {
	id := b.hook(hook)
	b.event(at, code.Call, id)
	for _, length := range []uint64{directCall, indirectCall} {
		b.event(at+length, code.Return, 0)
	}
}
