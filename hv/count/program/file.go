package program

import (
	"debug/dwarf"
	"debug/elf"
)

// file is what is read of a program's ELF file.
type file struct {
	debug   *dwarf.Data
	symbols []elf.Symbol
	text    text
	mode    int // 32 or 64
}

// openFile reads a file. The cause is ErrNoDebug if it has no DWARF.
func openFile(f *elf.File) (o file, err error) {
	if o.debug, err = f.DWARF(); err != nil {
		return o, ErrNoDebug
	}
	if o.symbols, err = f.Symbols(); err != nil {
		return o, err
	}
	o.mode = 64
	if f.Class == elf.ELFCLASS32 {
		o.mode = 32
	}
	o.text, err = textOf(f)
	return o, err
}
