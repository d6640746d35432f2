// Package symbols makes a map of Xen's code from its symbol file: functions,
// the sites of security hooks in them, and where Xen is entered and left.
//
// A native build has no hook functions: the checks are inlined into their
// callers, and DWARF's records of inlined subroutines tell where. A build with
// the framework has inlined wrappers (named xsm_…) with a call in them. GCC
// folds identical functions of the dummy module into one, so that a symbol
// does not name the hook: hooks are named, and counted, where they are called,
// and all that such a call executes is the hook's, whatever it is named.
package symbols

import (
	"debug/elf"
	"errors"
	"fmt"

	"xsmbench/hv/count/code"
	"xsmbench/hv/count/program"
)

// area is the virtual area that Xen reserves for itself (HYPERVISOR_VIRT_START
// and _END in its public/arch-x86/xen-x86_64.h); Linux leaves it as a guard
// hole. Xen's text is not all that executes there: the entry stubs of system
// calls are made at boot, one for each processor, in pages of their own.
var area = code.Range{Lo: 0xffff800000000000, Hi: 0xffff880000000000}

// Stubs is the function of the code that is made at boot and has no symbol.
const Stubs = "(stub)"

// ErrNotXen is the cause when a file has the symbols of something else.
var ErrNotXen = errors.New("no _stext and _etext; is it Xen's xen-syms?")

// Read makes the map of a xen-syms file.
func Read(path string) (*code.Map, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read symbols %s: %w", path, err)
	}
	defer f.Close()
	m, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("read symbols %s: %w", path, err)
	}
	return m, nil
}

func read(f *elf.File) (*code.Map, error) {
	list, err := f.Symbols()
	if err != nil {
		return nil, err
	}
	if !isXen(list) {
		return nil, ErrNotXen
	}
	p, err := program.Read(f, spec)
	if errors.Is(err, program.ErrNoDebug) {
		return nil, fmt.Errorf("%w; build with CONFIG_DEBUG_INFO, and use xen-syms, not xen", err)
	}
	if err != nil {
		return nil, err
	}
	b := boundary{Program: p, file: f, list: list, symbols: addresses(f, list)}
	if err := b.note(); err != nil {
		return nil, err
	}
	p.Map.Absent, p.Map.Unknown = b.absent, b.unknownGates()
	return p.Map, nil
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
