package binarycheck

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"

	"xsmbench/xsm/hook"
)

// core are the framework's own functions and variables.
var core = []string{
	"ops", "dummyOperations", "fixup", "verify", "useDummy", "start", "counters",
	"modules", "Register", "Unregister", "AddModule", "Modules",
}

// Native checks the claim that the binary has no framework: no symbol of it,
// and no descriptor of the table's type. Code cannot refer to what was not
// linked, so that this speaks for the references too.
func Native(path string) (*Report, error) {
	im, err := open(path)
	if err != nil {
		return nil, err
	}
	defer im.file.Close()
	r := &Report{Path: path}
	traces := traceNames()
	for name := range im.byName {
		if what := traces[strings.TrimSuffix(name, ".abi0")]; what != "" {
			r.finding("%s is linked: %s", name, what)
		}
	}
	if err := findType(im, r); err != nil {
		return nil, fmt.Errorf("check binary %s: %w", path, err)
	}
	return r, nil
}

// traceNames maps the symbols that betray the framework to what they are.
func traceNames() map[string]string {
	names := map[string]string{}
	for _, n := range core {
		names[framework+n] = "the framework"
	}
	for _, h := range hook.Table {
		names[framework+"dummy"+h.Go] = "a dummy"
		names[framework+h.Go] = "a hook that was not folded away"
	}
	return names
}

// findType looks for the run-time name of the table's type.
func findType(im *image, r *Report) error {
	for _, s := range im.file.Sections {
		if s.Type != elf.SHT_PROGBITS || s.Flags&elf.SHF_ALLOC == 0 || s.Flags&elf.SHF_EXECINSTR != 0 {
			continue
		}
		data, err := s.Data()
		if err != nil {
			return fmt.Errorf("read section %s: %w", s.Name, err)
		}
		if bytes.Contains(data, []byte("*xsm.Operations")) {
			r.finding("section %s describes the table's type", s.Name)
		}
	}
	return nil
}
