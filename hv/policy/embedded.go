package policy

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// ErrNone is the cause when a program carries no policy.
var ErrNone = errors.New("it carries no policy")

// Object returns what lies at a symbol of a program: a policy that the assembler put
// there.
func Object(path, symbol string) ([]byte, error) {
	return inProgram(path, symbol, func(f *elf.File, s elf.Symbol) ([]byte, error) { return read(f, s.Value, s.Size) })
}

// Variable returns what a variable of a Go program holds, a slice of bytes that was
// embedded.
func Variable(path, symbol string) ([]byte, error) {
	return inProgram(path, symbol, func(f *elf.File, s elf.Symbol) ([]byte, error) {
		header, err := read(f, s.Value, s.Size)
		switch {
		case err != nil:
			return nil, err
		case f.Class == elf.ELFCLASS64 && len(header) == 24:
			return read(f, binary.LittleEndian.Uint64(header), binary.LittleEndian.Uint64(header[8:]))
		case f.Class == elf.ELFCLASS32 && len(header) == 12:
			return read(f, uint64(binary.LittleEndian.Uint32(header)), uint64(binary.LittleEndian.Uint32(header[4:])))
		}
		return nil, fmt.Errorf("%s is no slice", symbol)
	})
}

func inProgram(path, symbol string, get func(*elf.File, elf.Symbol) ([]byte, error)) ([]byte, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read policy of %s: %w", path, err)
	}
	defer f.Close()
	all, err := f.Symbols()
	if err != nil {
		return nil, fmt.Errorf("read policy of %s: %w", path, err)
	}
	i := slices.IndexFunc(all, func(s elf.Symbol) bool { return s.Name == symbol })
	if i < 0 {
		return nil, fmt.Errorf("read policy of %s: %w", path, ErrNone)
	}
	text, err := get(f, all[i])
	if err != nil {
		return nil, fmt.Errorf("read policy of %s: %w", path, err)
	}
	return text, nil
}

// read reads bytes of a section that is loaded.
func read(f *elf.File, at, size uint64) ([]byte, error) {
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Type != elf.SHT_NOBITS && at >= s.Addr && size <= s.Size && at-s.Addr <= s.Size-size {
			text := make([]byte, size)
			_, err := s.ReadAt(text, int64(at-s.Addr))
			return text, err
		}
	}
	return nil, fmt.Errorf("%d bytes at %#x are in no section", size, at)
}
