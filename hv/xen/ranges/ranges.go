// Package ranges finds the code of Xen's security hooks in a hypervisor's
// symbol file: where each hook's check stands, in every build.
//
// A native build has no hook functions: the checks are inlined into their
// callers, and DWARF's records of inlined subroutines tell where. A build with
// the framework has both: inlined call sites (wrappers named xsm_…) and the
// functions of the modules behind them. GCC folds identical functions of the
// dummy module into one, so that a symbol does not name the hook: hooks are
// counted where they are called, at the inlined wrappers, and only their work
// is counted in the functions.
package ranges

import (
	"debug/dwarf"
	"debug/elf"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Kind says what a range of code is.
type Kind string

// Kinds of ranges.
const (
	Site   Kind = "site"   // an inlined wrapper: the call of a hook, or its whole check
	Module Kind = "module" // a function of a security module, AVC and security server included
	Probe  Kind = "probe"  // a function whose entry rejects a window: interrupts, vCPU switches
)

// Range is a piece of code: addresses from Lo up to, not including, Hi.
type Range struct {
	Lo, Hi uint64
	ID     int // index into Table.Names
}

// Name is what a range's instructions are charged to.
type Name struct {
	Kind Kind
	Name string // a hook's wrapper ("xsm_evtchn_send"), or a function
}

// Table is the ranges of one hypervisor.
type Table struct {
	Area    Range // where what executes is Xen's
	Names   []Name
	Ranges  []Range        // disjoint, ascending
	Entries map[uint64]int // address whose execution enters a name, to its ID
}

// area is the virtual area that Xen reserves for itself (HYPERVISOR_VIRT_START
// and _END in its public/arch-x86/xen-x86_64.h); Linux leaves it as a guard
// hole. Xen's text is not all that executes there: the entry stubs of system
// calls are made at boot, one for each processor, in pages of their own.
var area = Range{Lo: 0xffff800000000000, Hi: 0xffff880000000000}

// probes are functions of Xen 4.17 that a clean window never enters
// (arch/x86/x86_64/entry.S, arch/x86/domain.c).
var probes = []string{"common_interrupt", "context_switch"}

// ErrNoDebug is the cause when a symbol file has no DWARF.
var ErrNoDebug = errors.New("it has no debug information; build with CONFIG_DEBUG_INFO, and use xen-syms, not xen")

// ErrNotXen is the cause when a file has the symbols of something else.
var ErrNotXen = errors.New("no _stext and _etext; is it Xen's xen-syms?")

// Read finds the ranges in a xen-syms file.
func Read(path string) (*Table, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read symbols %s: %w", path, err)
	}
	defer f.Close()
	data, err := f.DWARF()
	if err != nil {
		return nil, fmt.Errorf("read symbols %s: %w", path, ErrNoDebug)
	}
	symbols, err := f.Symbols()
	if err != nil {
		return nil, fmt.Errorf("read symbols %s: %w", path, err)
	}
	b := builder{ids: map[Name]int{}, entries: map[uint64]int{}}
	b.functions(symbols)
	if err := b.inlined(data); err != nil {
		return nil, fmt.Errorf("read symbols %s: %w", path, err)
	}
	if !isXen(symbols) {
		return nil, fmt.Errorf("read symbols %s: %w", path, ErrNotXen)
	}
	return &Table{Area: area, Names: b.names, Ranges: b.flatten(), Entries: b.entries}, nil
}

// isXen tells Xen's symbols by the linker's bounds of its text.
func isXen(symbols []elf.Symbol) bool {
	var lo, hi uint64
	for _, s := range symbols {
		switch s.Name {
		case "_stext":
			lo = s.Value
		case "_etext":
			hi = s.Value
		}
	}
	return lo != 0 && hi > lo
}

type builder struct {
	names   []Name
	ids     map[Name]int
	found   []found
	entries map[uint64]int
}

// found is a range with the depth at which it is nested: the innermost of
// overlapping ranges owns an instruction.
type found struct {
	Range
	depth int
}

func (b *builder) id(n Name) int {
	id, ok := b.ids[n]
	if !ok {
		id = len(b.names)
		b.names = append(b.names, n)
		b.ids[n] = id
	}
	return id
}

func (b *builder) add(n Name, lo, hi uint64, depth int) int {
	id := b.id(n)
	if hi > lo {
		b.found = append(b.found, found{Range{lo, hi, id}, depth})
	}
	return id
}

// functions takes the functions of the modules, and the probes.
func (b *builder) functions(symbols []elf.Symbol) {
	file := ""
	for _, s := range symbols {
		switch elf.ST_TYPE(s.Info) {
		case elf.STT_FILE:
			file = s.Name
		case elf.STT_FUNC, elf.STT_NOTYPE:
			switch {
			case slices.Contains(probes, s.Name):
				b.entries[s.Value] = b.add(Name{Probe, s.Name}, s.Value, s.Value+s.Size, 0)
			case elf.ST_TYPE(s.Info) == elf.STT_FUNC && isModule(s.Name, file):
				b.entries[s.Value] = b.add(Name{Module, baseName(s.Name)}, s.Value, s.Value+s.Size, 0)
			}
		}
	}
}

// isModule tells a function of a module from the rest. Local symbols follow
// the file they are of; Xen's build puts the file's name before a local
// symbol's ("hooks.c#flask_mmu_update").
func isModule(symbol, file string) bool {
	owner, name, qualified := strings.Cut(symbol, "#")
	if !qualified {
		name, owner = symbol, file
	}
	for _, prefix := range []string{"flask_", "avc_", "security_", "silo_", "context_struct_", "sidtab_", "avtab_", "ebitmap_", "xsm_", "do_xsm_", "do_flask_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return strings.Contains(owner, "xsm/") && qualified
}

// baseName drops what qualifies a symbol: its file, and the suffix of a part
// that the compiler split off or specialised.
func baseName(symbol string) string {
	if _, name, ok := strings.Cut(symbol, "#"); ok {
		symbol = name
	}
	name, _, _ := strings.Cut(symbol, ".")
	return name
}

// inlined takes the inlined wrappers of hooks from DWARF.
func (b *builder) inlined(data *dwarf.Data) error {
	r := data.Reader()
	wrappers := map[dwarf.Offset]string{} // abstract origins, by name
	type use struct {
		origin dwarf.Offset
		entry  *dwarf.Entry
		depth  int
	}
	var uses []use
	depth := 0
	for {
		e, err := r.Next()
		if err != nil {
			return err
		}
		if e == nil {
			break
		}
		switch e.Tag {
		case 0:
			depth--
			continue
		case dwarf.TagSubprogram:
			if name, ok := e.Val(dwarf.AttrName).(string); ok && isWrapper(name) {
				wrappers[e.Offset] = name
			}
		case dwarf.TagInlinedSubroutine:
			if origin, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset); ok {
				uses = append(uses, use{origin, e, depth})
			}
		}
		if e.Children {
			depth++
		}
	}
	for _, u := range uses {
		name, ok := wrappers[u.origin]
		if !ok {
			continue
		}
		if err := b.site(data, name, u.entry, u.depth); err != nil {
			return err
		}
	}
	return nil
}

// isWrapper tells a hook's wrapper. xsm_default_action is the body that the
// wrappers share; it belongs to the wrapper it is inlined into.
func isWrapper(name string) bool {
	return strings.HasPrefix(name, "xsm_") && name != "xsm_default_action"
}

// site adds one inlined wrapper: its ranges, and where it is entered.
func (b *builder) site(data *dwarf.Data, name string, e *dwarf.Entry, depth int) error {
	pieces, err := data.Ranges(e)
	if err != nil {
		return fmt.Errorf("inlined %s: %w", name, err)
	}
	if len(pieces) == 0 {
		return nil
	}
	id := b.id(Name{Site, name})
	entry := pieces[0][0]
	for _, p := range pieces {
		b.add(Name{Site, name}, p[0], p[1], depth)
	}
	if pc, ok := e.Val(dwarf.AttrEntrypc).(uint64); ok {
		entry = pc
	}
	b.entries[entry] = id
	return nil
}

// flatten makes the ranges disjoint: where they overlap, the deepest wins.
func (b *builder) flatten() []Range {
	var edges []uint64
	for _, f := range b.found {
		edges = append(edges, f.Lo, f.Hi)
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	sort.SliceStable(b.found, func(i, j int) bool { return b.found[i].Lo < b.found[j].Lo })
	var flat []Range
	var open []found
	next := 0
	for i := 0; i+1 < len(edges); i++ {
		at := edges[i]
		for ; next < len(b.found) && b.found[next].Lo <= at; next++ {
			open = append(open, b.found[next])
		}
		open = slices.DeleteFunc(open, func(f found) bool { return f.Hi <= at })
		if len(open) == 0 {
			continue
		}
		deepest := open[0]
		for _, f := range open[1:] {
			if f.depth > deepest.depth {
				deepest = f
			}
		}
		if n := len(flat); n > 0 && flat[n-1].Hi == at && flat[n-1].ID == deepest.ID {
			flat[n-1].Hi = edges[i+1]
			continue
		}
		flat = append(flat, Range{at, edges[i+1], deepest.ID})
	}
	return flat
}
