package native

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"sort"
	"strings"

	"xsmbench/hv/count/mark"
)

const pageSize = 4096

// The image begins with the ELF header and its program headers; the code
// follows, the marks first.
const (
	headerSize  = 64
	progSize    = 56
	progs       = 3
	sectionSize = 64
	symbolSize  = 24
	codeOffset  = (headerSize + progs*progSize + 63) &^ 63
	dataOffset  = 2 * pageSize
)

// Image returns the program as a static ELF file for amd64 Linux, linked at
// base: a multiple of the page size, below 2^47. Its table of marks is found
// by mark.Find.
func Image(base uint64) ([]byte, error) {
	if err := checkBase(base); err != nil {
		return nil, err
	}
	p := newProgram(base+dataOffset, 0)
	code, err := p.assemble()
	if err != nil {
		return nil, fmt.Errorf("link native loops at %#x: %w", base, err)
	}
	if codeOffset+len(code) > dataOffset {
		return nil, fmt.Errorf("link native loops at %#x: %d bytes of code leave no place for data", base, len(code))
	}
	return layout{base: base, code: code, labels: p.labels}.write(), nil
}

func checkBase(base uint64) error {
	if base == 0 || base%pageSize != 0 || base >= 1<<47 {
		return fmt.Errorf("link native loops at %#x: not a page's address in user space", base)
	}
	return nil
}

// layout is an image about to be written.
type layout struct {
	base   uint64
	code   []byte
	labels map[string]int
}

// names is a string table.
type names struct{ bytes.Buffer }

func (n *names) add(s string) uint32 {
	if n.Len() == 0 {
		n.WriteByte(0)
	}
	at := n.Len()
	n.WriteString(s + "\x00")
	return uint32(at)
}

func (l layout) write() []byte {
	var strtab, shstrtab names
	symbols := l.symbols(&strtab)
	symtabAt := dataOffset + pageSize
	strtabAt := symtabAt + len(symbols)*symbolSize
	sections := []elf.Section64{
		{},
		{Name: shstrtab.add(".text"), Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR),
			Addr: l.base + codeOffset, Off: codeOffset, Size: uint64(len(l.code)), Addralign: 64},
		{Name: shstrtab.add(".data"), Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_WRITE),
			Addr: l.base + dataOffset, Off: dataOffset, Size: pageSize, Addralign: pageSize},
		{Name: shstrtab.add(".symtab"), Type: uint32(elf.SHT_SYMTAB), Off: uint64(symtabAt), Size: uint64(len(symbols) * symbolSize),
			Link: 4, Info: 1, Addralign: 8, Entsize: symbolSize},
		{Name: shstrtab.add(".strtab"), Type: uint32(elf.SHT_STRTAB), Off: uint64(strtabAt), Size: uint64(strtab.Len()), Addralign: 1},
	}
	names := elf.Section64{Name: shstrtab.add(".shstrtab"), Type: uint32(elf.SHT_STRTAB), Off: uint64(strtabAt + strtab.Len()), Addralign: 1}
	names.Size = uint64(shstrtab.Len())
	sections = append(sections, names)
	sectionsAt := (strtabAt + strtab.Len() + shstrtab.Len() + 7) &^ 7

	var b bytes.Buffer
	put(&b, 0, l.header(sectionsAt, len(sections)))
	put(&b, headerSize, l.programs())
	put(&b, codeOffset, l.code)
	put(&b, dataOffset, make([]byte, pageSize))
	put(&b, symtabAt, symbols)
	put(&b, strtabAt, strtab.Bytes())
	put(&b, b.Len(), shstrtab.Bytes())
	put(&b, sectionsAt, sections)
	return b.Bytes()
}

// put appends v at an offset, with zeroes before it.
func put(b *bytes.Buffer, offset int, v any) {
	b.Write(make([]byte, offset-b.Len()))
	// Writing values of fixed size to memory does not fail.
	_ = binary.Write(b, binary.LittleEndian, v)
}

func (l layout) header(sectionsAt, sections int) elf.Header64 {
	h := elfHeader(l.base + codeOffset + uint64(l.labels["start"]))
	h.Phnum, h.Shoff, h.Shentsize = progs, uint64(sectionsAt), sectionSize
	h.Shnum, h.Shstrndx = uint16(sections), uint16(sections-1)
	return h
}

// elfHeader is that of a program for amd64 that begins at an address, with
// program headers behind it.
func elfHeader(entry uint64) elf.Header64 {
	h := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Entry: entry, Phoff: headerSize, Ehsize: headerSize, Phentsize: progSize,
	}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	h.Ident[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	h.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	return h
}

// programs are the segments: code, data, and a stack that is not executable.
func (l layout) programs() []elf.Prog64 {
	text := uint64(codeOffset + len(l.code))
	const data = dataOffset
	return []elf.Prog64{
		{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: l.base, Paddr: l.base, Filesz: text, Memsz: text, Align: pageSize},
		{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Off: data, Vaddr: l.base + data, Paddr: l.base + data,
			Filesz: pageSize, Memsz: pageSize, Align: pageSize},
		{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 16},
	}
}

// symbols are the labels of the code that are not local to another (those have
// a dot in their name).
func (l layout) symbols(strtab *names) []elf.Sym64 {
	list := make([]string, 0, len(l.labels))
	for name := range l.labels {
		if !strings.Contains(name, ".") {
			list = append(list, name)
		}
	}
	sort.Strings(list)
	symbols := []elf.Sym64{{}}
	for _, name := range list {
		s := elf.Sym64{Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC), Shndx: 1, Value: l.base + codeOffset + uint64(l.labels[name])}
		if name == marksLabel {
			name, s.Size = mark.Symbol, mark.Slots
		}
		s.Name = strtab.add(name)
		symbols = append(symbols, s)
	}
	return symbols
}
