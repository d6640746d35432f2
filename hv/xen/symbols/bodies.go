package symbols

import (
	"debug/elf"
	"errors"
	"fmt"

	"xsmbench/hv"
	"xsmbench/hv/count/program"
)

// Bodies reads the functions of a xen-syms file.
func Bodies(path string) ([]hv.Body, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read functions of %s: %w", path, err)
	}
	defer f.Close()
	all, err := program.Bodies(f, spec)
	if errors.Is(err, elf.ErrNoSymbols) {
		err = ErrNotXen
	}
	if err != nil {
		return nil, fmt.Errorf("read functions of %s: %w", path, err)
	}
	return all, nil
}
