package program

import (
	"cmp"
	"slices"

	"golang.org/x/arch/x86/x86asm"

	"xsmbench/hv/count/code"
)

// builder puts a map together.
type builder struct {
	m         *code.Map
	spec      Spec
	mode      int
	text      text
	functions []Function
	sites     []site
	cells     map[code.Cell]int
	hooks     map[string]int
}

func newBuilder(s Spec, mode int, t text, functions []Function, found hooks) *builder {
	b := &builder{
		m:    &code.Map{Area: s.Area, Entries: map[uint64]int{}, Known: found.known},
		spec: s, mode: mode, text: t, functions: functions, sites: found.sites,
		cells: map[code.Cell]int{}, hooks: map[string]int{},
	}
	b.cell(Function{Name: s.Rest}, "", false)
	b.outOfLine(found)
	return b
}

func (b *builder) cell(f Function, hook string, wait bool) int {
	return number(b.cells, code.Cell{Function: f.Name, Hook: hook, Probe: hook == "" && slices.Contains(b.spec.Probes, f.Name), Part: f.Part, Wait: wait}, &b.m.Cells)
}

func (b *builder) hook(name string) int { return number(b.hooks, name, &b.m.Hooks) }

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
// the function is one.
func (b *builder) outOfLine(found hooks) {
	for _, f := range b.functions {
		if hook, ok := b.spec.HookOf(f.Name); ok && found.has(hook) && !b.spec.Module(f.File) {
			b.sites = append(b.sites, site{hook: hook, pieces: [][2]uint64{{f.Lo, f.Hi}}, entry: f.Lo})
		}
	}
}

// cut makes the ranges: functions, with the sites and the waits cut out of them.
func (b *builder) cut() {
	waits := b.waits()
	var edges []uint64
	for _, w := range waits {
		edges = append(edges, w.Lo, w.Hi)
	}
	for _, f := range b.functions {
		edges = append(edges, f.Lo, f.Hi)
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
		for fn < len(b.functions) && b.functions[fn].Hi <= at {
			fn++
		}
		if fn == len(b.functions) || b.functions[fn].Lo > at {
			continue // between functions
		}
		hook, depth := "", -1
		for _, p := range open {
			if p.site.depth > depth {
				hook, depth = p.site.hook, p.site.depth
			}
		}
		b.addRange(at, edges[i+1], b.cell(b.functions[fn], hook, isIn(waits, at)))
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

// enterFunctions counts the entries of functions.
func (b *builder) enterFunctions() {
	for _, f := range b.functions {
		if cell, ok := b.m.CellAt(f.Lo); ok && b.m.Cells[cell].Hook == "" && !f.Part {
			b.m.Entries[f.Lo] = cell
		}
	}
}

// enterSites counts the entries of hooks and follows their calls. A hook is
// entered where it is called (what stands before the call may be shared with
// code that calls nothing), an inlined check where it begins.
func (b *builder) enterSites() {
	for _, s := range b.sites {
		calls := b.callsIn(s)
		entries := make([]uint64, 0, len(calls))
		for _, c := range calls {
			b.follow(c, s.hook)
			entries = append(entries, c.at)
		}
		if len(calls) == 0 || !b.calls() {
			entries = []uint64{b.entryOf(s)}
		}
		if len(calls) == 0 && b.calls() && b.jumps(s) {
			b.jumped(s.hook)
		}
		for _, at := range entries {
			if cell, ok := b.m.CellAt(at); ok {
				b.m.Entries[at] = cell
			}
		}
	}
}

// entryOf is where a check in place is entered.
func (b *builder) entryOf(s site) uint64 {
	first := s.entry
	if !b.spec.Compares {
		return first
	}
	found := false
	for _, p := range s.pieces {
		each(b.text.bytes(p[0], p[1]), p[0], b.mode, func(at uint64, inst x86asm.Inst) {
			if !found && (inst.Op == x86asm.CMP || inst.Op == x86asm.TEST) {
				first, found = at, true
			}
		})
	}
	return first
}

// jumped notes a hook that is jumped to.
func (b *builder) jumped(hook string) {
	if i, found := slices.BinarySearch(b.m.Jumped, hook); !found {
		b.m.Jumped = slices.Insert(b.m.Jumped, i, hook)
	}
}

// jumps reports whether a site jumps through a pointer, or out of its function.
func (b *builder) jumps(s site) bool {
	out := false
	for _, p := range s.pieces {
		own, _ := b.m.CellAt(p[0])
		each(b.text.bytes(p[0], p[1]), p[0], b.mode, func(at uint64, inst x86asm.Inst) {
			if inst.Op != x86asm.JMP {
				return
			}
			to, direct := inst.Args[0].(x86asm.Rel)
			cell, ok := b.m.CellAt(at + uint64(inst.Len) + uint64(int64(to)))
			out = out || !direct || ok && b.m.Cells[cell].Function != b.m.Cells[own].Function
		})
	}
	return out
}

// calls reports whether the build calls its hooks at all: it has a structure
// of them, or calls through pointers.
func (b *builder) calls() bool { return len(b.m.Known) > 0 || b.spec.Indirect }

// call is a call in a site.
type call struct {
	at     uint64
	length uint64
	slot   bool // through a pointer at a fixed address, which may be replaced at boot
}

// callsIn lists the calls in a site that may be the hook's.
func (b *builder) callsIn(s site) []call {
	var calls []call
	for _, p := range s.pieces {
		each(b.text.bytes(p[0], p[1]), p[0], b.mode, func(at uint64, inst x86asm.Inst) {
			if inst.Op == x86asm.CALL && b.reaches(at, inst) {
				calls = append(calls, call{at, uint64(inst.Len), isSlot(inst)})
			}
		})
	}
	slices.SortFunc(calls, func(a, b call) int { return cmp.Compare(a.at, b.at) })
	return slices.Compact(calls)
}

// reaches reports whether a call in a site may be the hook's.
func (b *builder) reaches(at uint64, inst x86asm.Inst) bool {
	to, direct := inst.Args[0].(x86asm.Rel)
	if !direct || !b.spec.Indirect {
		return true
	}
	if b.spec.IsBody == nil {
		return false
	}
	callee := at + uint64(inst.Len) + uint64(int64(to))
	i, found := slices.BinarySearchFunc(b.functions, callee, func(f Function, at uint64) int { return cmp.Compare(f.Lo, at) })
	return found && b.spec.IsBody(b.functions[i].Name)
}

// follow notes a call of a hook and where it may return to.
func (b *builder) follow(c call, hook string) {
	b.event(c.at, code.Call, b.hook(hook))
	lengths := []uint64{c.length}
	if c.slot {
		lengths = append(lengths, b.spec.Patched...)
	}
	slices.Sort(lengths)
	for _, n := range slices.Compact(lengths) {
		b.event(c.at+n, code.Return, 0)
	}
}
