package hv

import (
	"debug/elf"
	"errors"
	"fmt"
)

// Sections reads the sizes in bytes of a program's sections that are loaded,
// by name. A program that is not ELF has none.
func Sections(path string) (map[string]int64, error) {
	f, err := elf.Open(path)
	var format *elf.FormatError
	if errors.As(err, &format) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read sections: %w", err)
	}
	defer f.Close()
	sizes := map[string]int64{}
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Size > 0 {
			sizes[s.Name] = int64(s.Size)
		}
	}
	return sizes, nil
}
