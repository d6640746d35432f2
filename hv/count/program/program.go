// Package program makes a map of code from an ELF program with symbols and
// DWARF: its functions, and in them the sites of security hooks.
//
// A hook is reached by a small wrapper that compilers inline. DWARF's records of
// inlined subroutines tell where; those that were not inlined are functions. A
// hook is entered where its site calls it, and all that such a call executes
// is the hook's, whatever it is named. A site without a call, a check in
// place, is entered where it begins.
//
// What is special about a hypervisor (its entries, exits and handlers) is for
// the caller to add, see hv/xen/symbols and hv/model/host.
package program

import (
	"debug/elf"
	"errors"

	"golang.org/x/arch/x86/x86asm"

	"xsmbench/hv/count/code"
)

// ErrNoDebug is the cause when a program has no DWARF.
var ErrNoDebug = errors.New("it has no debug information")

// Spec says how a program names things.
type Spec struct {
	Area code.Range // where its code lies
	Rest string     // function of the code that has no symbol
	// Name is a symbol's name for people, and whether it is but a part that
	// the compiler split off a function.
	Name func(symbol string) (name string, part bool)
	// HookOf is the hook whose wrapper a subroutine is.
	HookOf func(subroutine string) (hook string, ok bool)
	// Module tells functions that are no wrappers though they have such
	// names: those of the source file.
	Module func(file string) bool
	// Operations are the names of the structure whose members are the hooks,
	// nil for none. A program has one of them.
	Operations []string
	// Probes are functions, by name, that no clean window enters.
	Probes []string
	// Waits are functions, by name, in which a processor waits for another one: each
	// round of that begins with a PAUSE.
	Waits []string
	// Indirect tells that only calls through pointers call a hook, and direct
	// ones of the functions that IsBody knows by name; nil for none.
	Indirect bool
	IsBody   func(function string) bool
	// Compares tells that a site without a call is entered where it first
	// compares: DWARF does not tell, and what stands before may be on another way
	// (Go's compiler moves loads of values that it has kept in memory).
	Compares bool
	// Patched are the lengths of the calls that may stand, after boot, where
	// the program calls through a pointer in memory; nil if calls are what
	// they seem.
	Patched []uint64
	// Alternatives are the symbols at the beginning and the end of the table of code that
	// replaces other code when the program starts; "" for none.
	Alternatives [2]string
}

// Program is a program with its map.
type Program struct {
	Map       *code.Map
	Functions []Function
	spec      Spec
	mode      int // 32 or 64
	text      text
	handlers  map[string]int
}

// Read makes the map.
func Read(f *elf.File, s Spec) (*Program, error) {
	o, err := openFile(f)
	if err != nil {
		return nil, err
	}
	found, err := hooksOf(o.debug, s)
	if err != nil {
		return nil, err
	}
	b := newBuilder(s, o.mode, o.text, functionsOf(f, o.symbols, s), found)
	b.cut()
	b.enterFunctions()
	b.enterSites()
	return &Program{Map: b.m, Functions: b.functions, spec: s, mode: o.mode, text: o.text, handlers: map[string]int{}}, nil
}

// Event notes an event.
func (p *Program) Event(at uint64, k code.EventKind, id int) {
	p.Map.Events = append(p.Map.Events, code.Event{At: at, Kind: k, ID: id})
}

// Handle notes that a function is a handler of a name.
func (p *Program) Handle(f Function, name string) { p.HandleAt(f, f.Lo, name) }

// HandleAt notes that a function is a handler from an address in it.
func (p *Program) HandleAt(f Function, at uint64, name string) {
	p.Event(at, code.Handle, number(p.handlers, name, &p.Map.Handlers))
	for i, c := range p.Map.Cells {
		if c.Function == f.Name && c.Hook == "" {
			p.Map.Cells[i].Handler = name
		}
	}
}

// Bytes are a function's code.
func (p *Program) Bytes(f Function) []byte { return p.text.bytes(f.Lo, f.Hi) }

// Each calls visit with every instruction of a function.
func (p *Program) Each(f Function, visit func(at uint64, inst x86asm.Inst)) {
	each(p.Bytes(f), f.Lo, p.mode, visit)
}

// each decodes code that begins at an address. What the decoder does not know
// is passed over byte by byte.
func each(data []byte, from uint64, mode int, visit func(at uint64, inst x86asm.Inst)) {
	for at := 0; at < len(data); {
		inst, err := x86asm.Decode(data[at:], mode)
		if err != nil {
			at++
			continue
		}
		visit(from+uint64(at), inst)
		at += inst.Len
	}
}

// IsIndirect tells a call through a register or memory.
func IsIndirect(inst x86asm.Inst) bool {
	_, direct := inst.Args[0].(x86asm.Rel)
	return inst.Op == x86asm.CALL && !direct
}

// isSlot tells a call through a pointer whose address is in the instruction.
func isSlot(inst x86asm.Inst) bool {
	m, ok := inst.Args[0].(x86asm.Mem)
	return ok && inst.Op == x86asm.CALL && (m.Base == x86asm.RIP || m.Base == 0 && m.Index == 0)
}
