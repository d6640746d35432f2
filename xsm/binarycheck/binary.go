// Package binarycheck looks into a compiled hypervisor and says how its
// security hooks were compiled, so that a measurement compares what it claims
// to compare.
//
// Four claims can be checked. A native binary carries no trace of the
// framework: no table, no dummy, no registration, no wrapper that was not
// inlined away. In a binary with the framework every hook of the hypervisor's
// own code is an indirect call through the table in use, as
// "call *off(%reg)" is in Xen 3.2: no dummy function is called directly, and
// none is compared with (what a compiler does that guesses the target of an
// indirect call from a profile). In one with direct calls it is a call of the
// module's function, as Xen has it since 4.16 once its call sites are patched.
// In one with inlined checks there is no call, but the code of the check.
//
// The check reads the machine code of ELF files for x86_64 and x86_32. It
// needs the symbol table, so the binary must not have been linked with -s.
package binarycheck

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"strings"

	"golang.org/x/arch/x86/x86asm"
)

// framework is the import path of package xsm, as symbols show it.
const framework = "xsmbench/xsm."

// errStripped is a binary without a symbol table.
var errStripped = errors.New("no symbol table: link it without -s")

// image is an ELF file with what the checks look up in it.
type image struct {
	file   *elf.File
	mode   int // 32 or 64
	funcs  []elf.Symbol
	byName map[string]elf.Symbol
}

func open(path string) (*image, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("check binary %s: %w", path, err)
	}
	im := &image{file: f, byName: map[string]elf.Symbol{}}
	if err := im.readSymbols(); err != nil {
		f.Close()
		return nil, fmt.Errorf("check binary %s: %w", path, err)
	}
	return im, nil
}

func (im *image) readSymbols() error {
	switch im.file.Machine {
	case elf.EM_X86_64:
		im.mode = 64
	case elf.EM_386:
		im.mode = 32
	default:
		return fmt.Errorf("machine %v is neither x86_64 nor x86_32", im.file.Machine)
	}
	syms, err := im.file.Symbols()
	if errors.Is(err, elf.ErrNoSymbols) {
		return errStripped
	}
	if err != nil {
		return fmt.Errorf("read symbols: %w", err)
	}
	for _, s := range syms {
		im.byName[s.Name] = s
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Size > 0 {
			im.funcs = append(im.funcs, s)
		}
	}
	if _, ok := im.byName["runtime.main"]; !ok {
		return fmt.Errorf("not a Go program, or %w", errStripped)
	}
	sort.Slice(im.funcs, func(i, j int) bool { return im.funcs[i].Value < im.funcs[j].Value })
	return nil
}

// functionAt finds the function that starts at addr.
func (im *image) functionAt(addr uint64) (string, bool) {
	i := sort.Search(len(im.funcs), func(i int) bool { return im.funcs[i].Value >= addr })
	if i < len(im.funcs) && im.funcs[i].Value == addr {
		return im.funcs[i].Name, true
	}
	return "", false
}

// bytes returns n bytes of a section with contents, nil if there are none.
func (im *image) bytes(addr, n uint64) []byte {
	for _, s := range im.file.Sections {
		if s.Type != elf.SHT_PROGBITS || s.Flags&elf.SHF_ALLOC == 0 || addr < s.Addr || addr+n > s.Addr+s.Size {
			continue
		}
		b := make([]byte, n)
		if _, err := s.ReadAt(b, int64(addr-s.Addr)); err != nil {
			return nil
		}
		return b
	}
	return nil
}

// word is the pointer stored at addr in the file.
func (im *image) word(addr uint64) (uint64, bool) {
	b := im.bytes(addr, uint64(im.mode/8))
	switch {
	case b == nil:
		return 0, false
	case im.mode == 32:
		return uint64(binary.LittleEndian.Uint32(b)), true
	}
	return binary.LittleEndian.Uint64(b), true
}

// instruction is a decoded instruction and its place.
type instruction struct {
	x86asm.Inst
	pc uint64
}

// decode disassembles a function.
func (im *image) decode(fn elf.Symbol) ([]instruction, error) {
	code := im.bytes(fn.Value, fn.Size)
	if code == nil {
		return nil, fmt.Errorf("%s has no code", fn.Name)
	}
	var list []instruction
	for off := 0; off < len(code); {
		inst, err := x86asm.Decode(code[off:], im.mode)
		if err != nil {
			return nil, fmt.Errorf("decode %s+%#x: %w", fn.Name, off, err)
		}
		list = append(list, instruction{inst, fn.Value + uint64(off)})
		off += inst.Len
	}
	return list, nil
}

// packageOf is the import path in a function's symbol.
func packageOf(symbol string) string {
	slash := strings.LastIndex(symbol[:strings.IndexAny(symbol+"([", "([")], "/") + 1
	if dot := strings.Index(symbol[slash:], "."); dot >= 0 {
		return symbol[:slash+dot]
	}
	return symbol
}
