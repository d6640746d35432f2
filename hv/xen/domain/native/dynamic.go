package native

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"

	"xsmbench/hv/count/mark"
)

// The dynamic linker and the C library of amd64 Linux with the GNU C library.
const (
	Interpreter = "/lib64/ld-linux-x86-64.so.2"
	cLibrary    = "libc.so.6"
)

// Where the parts of the dynamic image lie, as a linker lays them out: what is
// read by the dynamic linker, code, constants, the tables that are read-only once
// they are filled in, data.
const (
	dynamicCode  = pageSize
	dynamicConst = 4 * pageSize
	dynamicTable = 5 * pageSize
	dynamicData  = 6 * pageSize
	dynamicEnd   = 7 * pageSize

	dynamicProgs = 9
	dynamicTags  = 16
	finiOffset   = dynamicTags * 16 // behind the dynamic section: the destructor
	gotOffset    = finiOffset + 8
	relaSize     = 24
)

// Dynamic returns the program as an ELF file for amd64 Linux that is linked with
// the C library: the dynamic linker maps both, fills in the addresses of functions
// and begins the program through __libc_start_main, as it does every C program.
// The base is as for Image.
func Dynamic(base uint64) ([]byte, error) { return dynamic(base, false) }

// DynamicIPC returns the program of the operations for which IsIPC holds, as Dynamic does
// that of the others.
func DynamicIPC(base uint64) ([]byte, error) { return dynamic(base, true) }

func dynamic(base uint64, ipc bool) ([]byte, error) {
	if err := checkBase(base); err != nil {
		return nil, err
	}
	p := newProgram(base+dynamicData, base+dynamicTable+gotOffset)
	p.ipc = ipc
	code, err := p.assemble()
	if err != nil {
		return nil, fmt.Errorf("link native loops at %#x: %w", base, err)
	}
	if len(code) > dynamicConst-dynamicCode {
		return nil, fmt.Errorf("link native loops at %#x: %d bytes of code leave no place for data", base, len(code))
	}
	return dynamicLayout{base: base, code: code, labels: p.labels, imports: p.imports()}.write(), nil
}

// DynamicMarks is the table of marks of Dynamic's program, which has no symbols to find
// it by.
func DynamicMarks(base uint64) mark.Table { return mark.Table{Base: base + dynamicCode, Slots: Slots} }

// dynamicLayout is such an image about to be written. What the dynamic linker
// reads lies behind the program headers.
type dynamicLayout struct {
	base    uint64
	code    []byte
	labels  map[string]int
	imports []string
}

// address is a label's.
func (d dynamicLayout) address(label string) uint64 {
	return d.base + dynamicCode + uint64(d.labels[label])
}

// linkage is what the dynamic linker reads, with the offsets of its parts.
type linkage struct {
	bytes.Buffer
	interp, strings, symbols, hash, rela, jumps int
	stringsSize                                 int
}

func newLinkage(base uint64, imports []string) *linkage {
	var l linkage
	l.Write(make([]byte, headerSize+dynamicProgs*progSize))
	at := func() int {
		l.Write(make([]byte, -l.Len()&7))
		return l.Len()
	}
	l.interp = at()
	l.WriteString(Interpreter + "\x00")

	var text names
	library := text.add(cLibrary)
	symbols := []elf.Sym64{{}}
	var relocations []elf.Rela64
	for i, name := range imports {
		symbols = append(symbols, elf.Sym64{Name: text.add(name), Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC)})
		relocations = append(relocations, elf.Rela64{
			Off: base + dynamicTable + gotOffset + 8*uint64(i), Info: elf.R_INFO(uint32(i+1), uint32(elf.R_X86_64_GLOB_DAT)),
		})
	}
	var jumps []elf.Rela64
	for i, name := range lazy {
		jumps = append(jumps, elf.Rela64{
			Off: base + dynamicData + gotPLT + 8*uint64(gotReserved+i), Info: elf.R_INFO(uint32(len(symbols)), uint32(elf.R_X86_64_JMP_SLOT)),
		})
		symbols = append(symbols, elf.Sym64{Name: text.add(name), Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC)})
	}
	if library != 1 {
		panic("link native loops: the library's name is not the first")
	}
	l.strings, l.stringsSize = at(), text.Len()
	l.Write(text.Bytes())
	l.symbols = at()
	l.values(symbols)
	l.hash = at()
	// One bucket that is empty: nothing is looked up in a program that defines
	// nothing.
	l.values(append([]uint32{1, uint32(len(symbols)), 0}, make([]uint32, len(symbols))...))
	l.rela = at()
	l.values(relocations)
	l.jumps = at()
	l.values(jumps)
	return &l
}

// values appends values of fixed size, which does not fail in memory.
func (l *linkage) values(v any) { _ = binary.Write(l, binary.LittleEndian, v) }

func (d dynamicLayout) write() []byte {
	l := newLinkage(d.base, d.imports)
	var b bytes.Buffer
	put(&b, 0, d.header())
	put(&b, headerSize, d.programs(l))
	put(&b, b.Len(), l.Bytes()[b.Len():])
	put(&b, dynamicCode, d.code)
	put(&b, dynamicConst, make([]byte, pageSize))
	put(&b, dynamicTable, d.tags(l))
	put(&b, dynamicTable+finiOffset, d.address("destroy"))
	put(&b, dynamicData+gotPLT, d.slots())
	put(&b, dynamicEnd, []byte{})
	return b.Bytes()
}

func (d dynamicLayout) header() elf.Header64 {
	h := elfHeader(d.address("libstart"))
	h.Phnum = dynamicProgs
	return h
}

func (d dynamicLayout) programs(l *linkage) []elf.Prog64 {
	segment := func(t elf.ProgType, flags elf.ProgFlag, off, size int, align uint64) elf.Prog64 {
		at := d.base + uint64(off)
		return elf.Prog64{Type: uint32(t), Flags: uint32(flags), Off: uint64(off), Vaddr: at, Paddr: at, Filesz: uint64(size), Memsz: uint64(size), Align: align}
	}
	const headers = headerSize
	stack := elf.Prog64{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 16}
	return []elf.Prog64{
		segment(elf.PT_PHDR, elf.PF_R, headers, dynamicProgs*progSize, 8),
		segment(elf.PT_INTERP, elf.PF_R, l.interp, len(Interpreter)+1, 1),
		segment(elf.PT_LOAD, elf.PF_R, 0, l.Len(), pageSize),
		segment(elf.PT_LOAD, elf.PF_R|elf.PF_X, dynamicCode, len(d.code), pageSize),
		segment(elf.PT_LOAD, elf.PF_R, dynamicConst, pageSize, pageSize),
		segment(elf.PT_LOAD, elf.PF_R|elf.PF_W, dynamicTable, dynamicEnd-dynamicTable, pageSize),
		segment(elf.PT_DYNAMIC, elf.PF_R|elf.PF_W, dynamicTable, dynamicTags*16, 8),
		segment(elf.PT_GNU_RELRO, elf.PF_R, dynamicTable, dynamicData-dynamicTable, 1),
		stack,
	}
}

// slots are the addresses of lazy imports as they are before these are looked up.
func (d dynamicLayout) slots() []uint64 {
	list := make([]uint64, gotReserved)
	list[0] = d.base + dynamicTable
	for _, name := range lazy {
		list = append(list, d.address("plt."+name))
	}
	return list
}

// tags are the dynamic section.
func (d dynamicLayout) tags(l *linkage) []elf.Dyn64 {
	at := func(off int) uint64 { return d.base + uint64(off) }
	list := []elf.Dyn64{
		{Tag: int64(elf.DT_NEEDED), Val: 1},
		{Tag: int64(elf.DT_HASH), Val: at(l.hash)},
		{Tag: int64(elf.DT_STRTAB), Val: at(l.strings)},
		{Tag: int64(elf.DT_STRSZ), Val: uint64(l.stringsSize)},
		{Tag: int64(elf.DT_SYMTAB), Val: at(l.symbols)},
		{Tag: int64(elf.DT_SYMENT), Val: symbolSize},
		{Tag: int64(elf.DT_RELA), Val: at(l.rela)},
		{Tag: int64(elf.DT_RELASZ), Val: uint64(len(d.imports) * relaSize)},
		{Tag: int64(elf.DT_RELAENT), Val: relaSize},
		{Tag: int64(elf.DT_PLTGOT), Val: at(dynamicData + gotPLT)},
		{Tag: int64(elf.DT_PLTREL), Val: uint64(elf.DT_RELA)},
		{Tag: int64(elf.DT_JMPREL), Val: at(l.jumps)},
		{Tag: int64(elf.DT_PLTRELSZ), Val: uint64(len(lazy) * relaSize)},
		{Tag: int64(elf.DT_FINI_ARRAY), Val: at(dynamicTable + finiOffset)},
		{Tag: int64(elf.DT_FINI_ARRAYSZ), Val: 8},
		{},
	}
	if len(list) != dynamicTags {
		panic("link native loops: the table of addresses is not behind the dynamic section")
	}
	return list
}
