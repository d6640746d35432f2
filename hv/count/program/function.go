package program

import (
	"cmp"
	"debug/elf"
	"slices"
	"strings"
)

// Function is a piece of code with a symbol.
type Function struct {
	Name   string // for people
	Symbol string
	File   string // source, of a local symbol
	Lo, Hi uint64 // addresses
	Part   bool   // split off from the function by the compiler
}

// functionsOf lists the functions, disjoint and ascending. Assembler code has
// labels without sizes: each reaches to the next.
func functionsOf(f *elf.File, list []elf.Symbol, spec Spec) []Function {
	var all []Function
	file := ""
	for _, s := range list {
		typ := elf.ST_TYPE(s.Info)
		if typ == elf.STT_FILE {
			file = s.Name
			continue
		}
		if typ != elf.STT_FUNC && typ != elf.STT_NOTYPE || !isCode(f, s.Section) || isBound(s.Name) {
			continue
		}
		fn := Function{Symbol: s.Name, Lo: s.Value, Hi: s.Value + s.Size}
		if elf.ST_BIND(s.Info) == elf.STB_LOCAL {
			fn.File = file
		}
		fn.Name, fn.Part = spec.Name(s.Name)
		all = append(all, fn)
	}
	slices.SortStableFunc(all, func(a, b Function) int {
		// Of aliases the one with a size, then the first by name.
		return cmp.Or(cmp.Compare(a.Lo, b.Lo), cmp.Compare(b.Hi, a.Hi), cmp.Compare(a.Name, b.Name))
	})
	all = slices.CompactFunc(all, func(a, b Function) bool { return a.Lo == b.Lo })
	for i := range all {
		end := sectionEnd(f, all[i].Lo)
		if i+1 < len(all) {
			end = min(end, all[i+1].Lo)
		}
		if all[i].Hi == all[i].Lo || all[i].Hi > end {
			all[i].Hi = end
		}
	}
	return all
}

func isCode(f *elf.File, i elf.SectionIndex) bool {
	return int(i) < len(f.Sections) && f.Sections[i].Flags&elf.SHF_EXECINSTR != 0
}

func sectionEnd(f *elf.File, at uint64) uint64 {
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_EXECINSTR != 0 && at-s.Addr < s.Size {
			return s.Addr + s.Size
		}
	}
	return at
}

// isBound tells the linker's marks (_stext, runtime.text) from functions.
func isBound(name string) bool {
	return strings.HasPrefix(name, "_start") && name != "_start" || strings.HasPrefix(name, "__2M_") ||
		strings.HasPrefix(name, "_s") && strings.Contains(name, "text") ||
		name == "runtime.text" || name == "runtime.etext" || name == "go:textfipsstart" || name == "go:textfipsend"
}

// text is the code itself.
type text []section

type section struct {
	addr uint64
	data []byte
}

func textOf(f *elf.File) (text, error) {
	var t text
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_EXECINSTR == 0 || s.Type != elf.SHT_PROGBITS {
			continue
		}
		data, err := s.Data()
		if err != nil {
			return nil, err
		}
		t = append(t, section{s.Addr, data})
	}
	return t, nil
}

// bytes are those from lo up to hi, nil if the file has no such code.
func (t text) bytes(lo, hi uint64) []byte {
	for _, s := range t {
		if off := lo - s.addr; lo >= s.addr && off <= uint64(len(s.data)) && hi-s.addr <= uint64(len(s.data)) && lo <= hi {
			return s.data[off : hi-s.addr]
		}
	}
	return nil
}
