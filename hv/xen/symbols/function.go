package symbols

import (
	"cmp"
	"debug/elf"
	"slices"
	"strings"
)

// function is a piece of code with a symbol.
type function struct {
	name   string
	file   string // source, of a local symbol
	lo, hi uint64
	part   bool // split off from the function by the compiler
}

// functionsOf lists the functions, disjoint and ascending. Xen's assembler
// code has labels without sizes: each reaches to the next.
func functionsOf(f *elf.File, list []elf.Symbol) []function {
	var all []function
	file := ""
	for _, s := range list {
		typ := elf.ST_TYPE(s.Info)
		switch {
		case typ == elf.STT_FILE:
			file = s.Name
		case typ != elf.STT_FUNC && typ != elf.STT_NOTYPE, !isCode(f, s.Section), isBound(s.Name):
		case elf.ST_BIND(s.Info) == elf.STB_LOCAL:
			all = append(all, function{baseName(s.Name), file, s.Value, s.Value + s.Size, isPart(s.Name)})
		default:
			all = append(all, function{baseName(s.Name), "", s.Value, s.Value + s.Size, isPart(s.Name)})
		}
	}
	slices.SortStableFunc(all, func(a, b function) int {
		// Of aliases the one with a size, then the first by name.
		return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(b.hi, a.hi), cmp.Compare(a.name, b.name))
	})
	all = slices.CompactFunc(all, func(a, b function) bool { return a.lo == b.lo })
	for i := range all {
		end := sectionEnd(f, all[i].lo)
		if i+1 < len(all) {
			end = min(end, all[i+1].lo)
		}
		if all[i].hi == all[i].lo || all[i].hi > end {
			all[i].hi = end
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

// isBound tells the linker's marks from functions.
func isBound(name string) bool {
	return strings.HasPrefix(name, "_stext") || strings.HasPrefix(name, "_start") && name != "_start" ||
		strings.HasPrefix(name, "_sinittext") || strings.HasPrefix(name, "__2M_") || strings.HasPrefix(name, "_s") && strings.HasSuffix(name, "text")
}

// baseName drops what qualifies a symbol: its file, and the suffix of a part
// that the compiler split off or specialised.
func baseName(symbol string) string {
	if _, name, ok := strings.Cut(symbol, "#"); ok {
		symbol = name
	}
	name, _, _ := strings.Cut(symbol, ".")
	if name == "" {
		return symbol
	}
	return name
}

// isPart tells a part that the compiler moved out of a function's way.
func isPart(symbol string) bool {
	return strings.Contains(symbol, ".cold") || strings.Contains(symbol, ".part.")
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
