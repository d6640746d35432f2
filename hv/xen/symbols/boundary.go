package symbols

import (
	"bytes"
	"cmp"
	"debug/elf"
	"slices"

	"xsmbench/hv/count/code"
	"xsmbench/hv/count/program"
)

// Returns to what was interrupted in Xen, in machine code.
var (
	iretq = []byte{0x48, 0xcf}
	erets = []byte{0xf2, 0x0f, 0x01, 0xca}
)

// boundary notes where Xen is entered and left in a program's map.
type boundary struct {
	*program.Program
	file    *elf.File
	list    []elf.Symbol
	symbols map[string]uint64
	absent  []string
}

// note notes the entries, the exits and the handlers.
func (b *boundary) note() error {
	for _, r := range roles {
		at := r.present(b.symbols)
		if len(at) == 0 && r.need == always {
			return &MissingError{r.what, r.symbols}
		}
		if text := r.absence(); len(at) == 0 && text != "" {
			b.absent = append(b.absent, text)
		}
		for _, a := range at {
			if r.kind == code.Resume {
				b.endOwn(a)
				continue
			}
			b.Event(a, r.kind, 0)
		}
	}
	for _, s := range signs {
		if !b.probes(s.function) {
			return &MissingError{s.what, []string{s.function}}
		}
	}
	return b.handlers()
}

// probes reports whether the entry of a function makes windows unclean.
func (b *boundary) probes(name string) bool {
	for _, id := range b.Map.Entries {
		if c := b.Map.Cells[id]; c.Probe && c.Function == name {
			return true
		}
	}
	return false
}

// endOwn notes the instruction that returns to what was interrupted. It
// executes after the return.
func (b *boundary) endOwn(at uint64) {
	f, ok := b.functionAt(at)
	if !ok {
		return
	}
	b.Map.Outside = append(b.Map.Outside, f.Name)
	end := bytes.LastIndex(b.Bytes(f), iretq)
	if end < 0 {
		end = bytes.LastIndex(b.Bytes(f), erets)
	}
	if end >= 0 {
		b.Event(f.Lo+uint64(end), code.Resume, 0)
	}
}

// functionAt finds the function that begins at an address, or that has it.
func (b *boundary) functionAt(at uint64) (program.Function, bool) {
	i, found := slices.BinarySearchFunc(b.Functions, at, func(f program.Function, at uint64) int { return cmp.Compare(f.Lo, at) })
	if !found {
		i--
	}
	if i < 0 || at >= b.Functions[i].Hi {
		return program.Function{}, false
	}
	return b.Functions[i], true
}
