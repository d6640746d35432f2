package symbols

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"slices"
	"strings"

	"golang.org/x/arch/x86/x86asm"

	"xsmbench/hv/count/code"
	"xsmbench/hv/count/program"
)

// Bounds of the code that is mapped while a paravirtual guest executes
// (arch/x86/xen.lds.S): the processor enters Xen there and nowhere else.
const (
	entryText    = "_stextentry"
	entryTextEnd = "_etextentry"
)

// inner are symbols of the entry text that no other code of Xen leads to and
// that are no entries either.
var inner = []string{
	"eretu_error_dom_crash", // where a failed ERETU is redirected (arch/x86/traps.c)
	"trap_nop",              // returns at once to what was interrupted
}

// unknownGates are symbols of the entry text at which the processor may enter
// Xen without passing a known entry. No code of Xen leads to them: none before
// falls through to them, and none jumps there or calls them. Stubs that end in a
// known entry are known.
func (b *boundary) unknownGates() []string {
	gates := b.gates()
	if len(gates) == 0 {
		return nil
	}
	reached := b.reached()
	var unknown []string
	for _, f := range gates {
		if !reached[f.Lo] && !b.enters(f.Lo, longestStub) && !hasRole(f.Name) && !slices.Contains(inner, f.Name) {
			unknown = append(unknown, f.Name)
		}
	}
	return unknown
}

// gates are the functions and labels of the entry text.
func (b *boundary) gates() []program.Function {
	lo, hi := b.symbols[entryText], b.symbols[entryTextEnd]
	var list []program.Function
	for _, f := range b.Functions {
		if f.Lo >= lo && f.Lo < hi && !strings.HasPrefix(f.Name, ".L") {
			list = append(list, f)
		}
	}
	return list
}

// longestStub is how many instructions a stub has at most.
const longestStub = 8

// enters reports whether what begins at an address is a known entry, or a stub
// that goes on in one on every path without doing anything else first.
func (b *boundary) enters(at uint64, left int) bool {
	f, ok := b.functionFrom(at)
	at = max(at, f.Lo)
	if b.isEntry(at) {
		return true
	}
	if left == 0 || !ok {
		return false
	}
	inst, next := b.decode(f, at)
	to, direct := inst.Args[0].(x86asm.Rel)
	switch target := next + uint64(int64(to)); {
	case inst.Op == x86asm.CALL:
		return false
	case inst.Op == x86asm.JMP && direct:
		return b.enters(target, left-1)
	case direct:
		return b.enters(target, left-1) && b.enters(next, left-1)
	case ends(inst):
		return false
	}
	return b.enters(next, left-1)
}

func (b *boundary) isEntry(at uint64) bool {
	return slices.ContainsFunc(b.Map.Events, func(e code.Event) bool { return e.At == at && e.Kind == code.Enter })
}

// functionFrom is the function that has an address, or that begins behind the
// padding there.
func (b *boundary) functionFrom(at uint64) (program.Function, bool) {
	i, found := slices.BinarySearchFunc(b.Functions, at, func(f program.Function, at uint64) int { return cmp.Compare(f.Lo, at) })
	if !found && i > 0 && at < b.Functions[i-1].Hi {
		i--
	}
	if i == len(b.Functions) {
		return program.Function{}, false
	}
	return b.Functions[i], true
}

// decode decodes an instruction of a function, and tells what follows it. What
// the decoder does not know is passed over byte by byte, as in Each.
func (b *boundary) decode(f program.Function, at uint64) (inst x86asm.Inst, next uint64) {
	inst, err := x86asm.Decode(b.Bytes(f)[at-f.Lo:], 64)
	if err != nil {
		return x86asm.Inst{}, at + 1
	}
	return inst, at + uint64(inst.Len)
}

// ends reports whether what follows an instruction never executes after it.
func ends(inst x86asm.Inst) bool {
	switch inst.Op {
	case x86asm.RET, x86asm.IRET, x86asm.IRETD, x86asm.IRETQ, x86asm.SYSRET, x86asm.UD2, x86asm.HLT, x86asm.JMP:
		return true
	}
	return false
}

// reached are the addresses that code falls through to or branches to. What is
// patched in at boot (.altinstr_replacement) lies among the data.
func (b *boundary) reached() map[uint64]bool {
	to := map[uint64]bool{}
	for _, s := range b.file.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Type != elf.SHT_PROGBITS {
			continue
		}
		data, err := s.Data()
		if err != nil {
			continue
		}
		b.far(data, s.Addr, to)
	}
	for _, f := range b.gates() {
		last := x86asm.Inst{}
		b.Each(f, func(at uint64, inst x86asm.Inst) {
			if rel, ok := inst.Args[0].(x86asm.Rel); ok {
				to[at+uint64(inst.Len)+uint64(int64(rel))] = true
			}
			if inst.Op != x86asm.NOP && inst.Op != x86asm.INT {
				last = inst
			}
		})
		if last.Op != 0 && !ends(last) {
			to[b.after(f)] = true
		}
	}
	return to
}

// far adds where branches with a distance of four bytes lead: calls, jumps, and
// conditional jumps by their last byte. Other bytes that look like one do not hit
// the beginning of a function.
func (b *boundary) far(data []byte, from uint64, to map[uint64]bool) {
	lo, hi := b.symbols[entryText], b.symbols[entryTextEnd]
	for i := 0; i+5 <= len(data); i++ {
		if c := data[i]; c == 0xe8 || c == 0xe9 || c&0xf0 == 0x80 && i > 0 && data[i-1] == 0x0f {
			at := from + uint64(i) + 5 + uint64(int64(int32(binary.LittleEndian.Uint32(data[i+1:]))))
			if at >= lo && at < hi {
				to[at] = true
			}
		}
	}
}

// after is where code goes on behind a function and its padding.
func (b *boundary) after(f program.Function) uint64 {
	for _, g := range b.Functions {
		if g.Lo >= f.Hi {
			return g.Lo
		}
	}
	return f.Hi
}
