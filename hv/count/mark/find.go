package mark

import (
	"debug/elf"
	"fmt"
	"io"
)

// Slots is the length of a Go program's table: Slots-1 windows, and the end.
const Slots = 4096

// Symbol is the table's name in a program.
const Symbol = "xsmbench/hv/count/mark.table"

// Table is a program's table of marks.
type Table struct {
	Base  uint64 // address of slot 0
	Slots int
}

// Find finds the table in an ELF program that has its symbols. The error is
// elf.ErrNoSymbols, wrapped, if it has not, and says so if none is the table.
func Find(program io.ReaderAt) (Table, error) {
	f, err := elf.NewFile(program)
	if err != nil {
		return Table{}, fmt.Errorf("find marks: %w", err)
	}
	symbols, err := f.Symbols()
	if err != nil {
		return Table{}, fmt.Errorf("find marks: %w", err)
	}
	for _, s := range symbols {
		if s.Name != Symbol {
			continue
		}
		if s.Size < 2 || s.Size > Slots {
			return Table{}, fmt.Errorf("find marks: a table of %d slots, not of 2 to %d", s.Size, Slots)
		}
		return Table{Base: s.Value, Slots: int(s.Size)}, nil
	}
	return Table{}, fmt.Errorf("find marks: the program has no symbol %s", Symbol)
}
