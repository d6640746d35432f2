package faketools

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// Section is one of an ELF file.
type Section struct {
	Name string
	Type elf.SectionType // SHT_NULL for SHT_PROGBITS
	// Flags are 0 for what a loader leaves out.
	Flags elf.SectionFlag
	Addr  uint64
	Data  []byte
	Link  uint32 // number of the section that it refers to; the first is 1
	Entry uint64 // size of each of its records, 0 if it has none
}

// ELF is a file for x86_64 of sections, whose names are in one more.
func ELF(sections ...Section) []byte {
	const head, entry = 64, 64
	var body bytes.Buffer
	names := "\x00"
	table := []elf.Section64{{}}
	add := func(s Section) {
		if s.Type == elf.SHT_NULL {
			s.Type = elf.SHT_PROGBITS
		}
		table = append(table, elf.Section64{
			Name: uint32(len(names)), Type: uint32(s.Type), Flags: uint64(s.Flags), Addr: s.Addr,
			Off: uint64(head + body.Len()), Size: uint64(len(s.Data)), Link: s.Link, Addralign: 1, Entsize: s.Entry,
		})
		names += s.Name + "\x00"
		body.Write(s.Data)
	}
	for _, s := range sections {
		add(s)
	}
	const own = ".shstrtab"
	add(Section{Name: own, Type: elf.SHT_STRTAB, Data: []byte(names + own + "\x00")})
	var file bytes.Buffer
	put(&file, elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Shoff: uint64(head + body.Len()), Ehsize: head, Shentsize: entry, Shnum: uint16(len(table)), Shstrndx: uint16(len(table) - 1),
	})
	file.Write(body.Bytes())
	put(&file, table)
	return file.Bytes()
}

// Program is an ELF program for x86_64 of one segment that has a text at its end.
func Program(text string) []byte {
	const head, entry = 64, 56
	var file bytes.Buffer
	put(&file, elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Phoff: head, Ehsize: head, Phentsize: entry, Phnum: 1,
	})
	size := uint64(head + entry + len(text))
	put(&file, elf.Prog64{Type: uint32(elf.PT_LOAD), Filesz: size, Memsz: size})
	file.WriteString(text)
	return file.Bytes()
}

// put appends values of fixed size, which does not fail.
func put(b *bytes.Buffer, v any) { _ = binary.Write(b, binary.LittleEndian, v) }
