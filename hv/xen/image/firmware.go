package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
)

// Firmware makes of a kernel what a toolstack loads as an HVM domain's firmware, in the
// place of hvmloader: a 32-bit ELF file with the kernel, its initial file system and its
// command line. Firmware of Xen's loads a kernel from a device, for which a device model
// would have to emulate one.
//
// Xen's toolstack tells firmware by what it lacks: an ELF file with one of Xen's notes is
// a kernel, and its initial file system would not be loaded (xc_dom_probe_hvm_kernel in
// tools/libs/guest/xg_dom_hvmloader.c). It starts it in protected mode without paging. What
// follows is the boot protocol of Linux (Documentation/x86/boot.rst, "64-bit boot protocol"), as a boot
// loader speaks it: Linux then takes the domain for what it is, and not for a PVH one.
func Firmware(vmlinux, ramdisk []byte, cmdLine string, memory int64) ([]byte, error) {
	k, err := elf.NewFile(bytes.NewReader(vmlinux))
	if err != nil {
		return nil, fmt.Errorf("make firmware of the kernel: %w", err)
	}
	segments, end, err := loadSegments(k)
	if err != nil {
		return nil, fmt.Errorf("make firmware of the kernel: %w", err)
	}
	start := starter{
		at: (end + pageSize - 1) &^ (pageSize - 1), entry: uint32(k.Entry),
		cmdLine: cmdLine, ramdisk: uint32(len(ramdisk)), memory: memory,
	}
	pages, err := start.pages()
	if err != nil {
		return nil, fmt.Errorf("make firmware of the kernel: %w", err)
	}
	own := segment{at: start.at, data: append(pages, ramdisk...)}
	own.size = uint32(len(own.data))
	if end := int64(own.at) + int64(own.size); end > memory {
		return nil, fmt.Errorf("make firmware of the kernel: it ends at %d, a domain of %d MiB does not hold it", end, memory>>20)
	}
	return firmwareFile(append(segments, own), start.at), nil
}

// segment is a part of memory, filled up with zeros.
type segment struct {
	at, size uint32
	data     []byte
}

// loadSegments are a kernel's segments, and the end of the last one.
func loadSegments(k *elf.File) (list []segment, end uint32, err error) {
	for _, p := range k.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		data, err := io.ReadAll(p.Open())
		if err != nil {
			return nil, 0, err
		}
		if p.Paddr+p.Memsz > 1<<31 {
			return nil, 0, fmt.Errorf("a segment at %#x of %#x bytes", p.Paddr, p.Memsz)
		}
		list = append(list, segment{uint32(p.Paddr), uint32(p.Memsz), data})
		end = max(end, uint32(p.Paddr+p.Memsz))
	}
	return list, end, nil
}

// starter is what starts a kernel: some pages of code and data at an address, which the
// initial file system follows.
type starter struct {
	at, entry uint32
	cmdLine   string
	ramdisk   uint32 // its size
	memory    int64
}

// Where things are in the pages.
const (
	descriptors  = 0x80
	parameters   = 1 * pageSize
	command      = 2 * pageSize
	tables       = 3 * pageSize // of three levels
	starterSize  = 6 * pageSize
	mostCommands = pageSize
)

func (s starter) pages() ([]byte, error) {
	if len(s.cmdLine)+1 > mostCommands {
		return nil, fmt.Errorf("a command line of %d bytes", len(s.cmdLine))
	}
	pages := make([]byte, starterSize)
	copy(pages, s.code())
	s.fillDescriptors(pages[descriptors:])
	s.fillParameters(pages[parameters:])
	copy(pages[command:], s.cmdLine)
	s.fillTables(pages[tables:])
	return pages, nil
}

// Selectors that Linux is started with.
const (
	codeSelector = 0x10
	dataSelector = 0x18
)

// fillDescriptors writes the descriptors of flat segments, and behind them what lgdt reads.
func (s starter) fillDescriptors(to []byte) {
	le := binary.LittleEndian
	le.PutUint64(to[codeSelector:], 0x00af9a000000ffff)
	le.PutUint64(to[dataSelector:], 0x00cf92000000ffff)
	const size = dataSelector + 8
	le.PutUint16(to[size:], size-1)
	le.PutUint32(to[size+2:], s.at+descriptors)
}

// fillTables maps the first GiB to itself, in pages of 2 MiB.
func (s starter) fillTables(to []byte) {
	const present, writable, large = 1, 2, 1 << 7
	le := binary.LittleEndian
	for level := range uint32(2) {
		le.PutUint64(to[level*pageSize:], uint64(s.at+tables+(level+1)*pageSize)|present|writable)
	}
	for i := range uint64(512) {
		le.PutUint64(to[2*pageSize+8*i:], i<<21|present|writable|large)
	}
}

// The memory has holes: for a graphics card, and below 4 GiB for Xen's special pages
// (X86_HVM_END_SPECIAL_REGION) and interrupt controllers.
const (
	lowEnd       = 0xa0000
	holeEnd      = 0x100000
	reservedFrom = 0xfc000000

	typeRAM      = 1
	typeReserved = 2
)

// fillParameters writes struct boot_params.
func (s starter) fillParameters(to []byte) {
	le := binary.LittleEndian
	le.PutUint16(to[0x1fe:], 0xaa55)
	copy(to[0x202:], "HdrS")
	le.PutUint16(to[0x206:], 0x020f) // version of the protocol
	to[0x210] = 0xff                 // a loader without a number
	to[0x211] = 1                    // the kernel is loaded high
	le.PutUint32(to[0x218:], s.at+starterSize)
	le.PutUint32(to[0x21c:], s.ramdisk)
	le.PutUint32(to[0x228:], s.at+command)
	le.PutUint32(to[0x238:], mostCommands-1)
	ranges := []struct{ from, to, kind uint64 }{
		{0, lowEnd, typeRAM}, {holeEnd, uint64(s.memory), typeRAM}, {reservedFrom, 1 << 32, typeReserved},
	}
	to[0x1e8] = byte(len(ranges))
	for i, r := range ranges {
		e := to[0x2d0+20*i:]
		le.PutUint64(e, r.from)
		le.PutUint64(e[8:], r.to-r.from)
		le.PutUint32(e[16:], uint32(r.kind))
	}
}

// code leads from protected mode to the kernel's 64-bit entry. As firmware does, it enables
// the memory range registers, with write-back as the default.
func (s starter) code() []byte {
	at := func(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
	code := at([]byte{0xb9}, 0x2ff)                                            // mov $MTRRdefType, %ecx
	code = at(append(code, 0xb8), 0x806)                                       // mov $(enable | write-back), %eax
	code = append(code, 0x31, 0xd2, 0x0f, 0x30)                                // xor %edx, %edx; wrmsr
	code = append(code, 0x0f, 0x20, 0xe0, 0x83, 0xc8, 0x20)                    // mov %cr4, %eax; or $PAE, %eax
	code = append(code, 0x0f, 0x22, 0xe0)                                      // mov %eax, %cr4
	code = at(append(code, 0xb8), s.at+tables)                                 // mov $tables, %eax
	code = append(code, 0x0f, 0x22, 0xd8)                                      // mov %eax, %cr3
	code = at(append(code, 0xb9), 0xc0000080)                                  // mov $EFER, %ecx
	code = append(code, 0x0f, 0x32)                                            // rdmsr
	code = at(append(code, 0x0d), 1<<8)                                        // or $LME, %eax
	code = append(code, 0x0f, 0x30)                                            // wrmsr
	code = append(code, 0x0f, 0x20, 0xc0)                                      // mov %cr0, %eax
	code = at(append(code, 0x0d), 1<<31)                                       // or $PG, %eax
	code = append(code, 0x0f, 0x22, 0xc0)                                      // mov %eax, %cr0
	code = at(append(code, 0x0f, 0x01, 0x15), s.at+descriptors+dataSelector+8) // lgdt
	const jump = 7
	code = at(append(code, 0xea), s.at+uint32(len(code))+jump) // ljmp to what follows
	code = append(code, codeSelector, 0)
	code = at(append(code, 0xb8), dataSelector)             // mov $selector, %eax
	code = append(code, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0) // mov %eax, %ds, %es, %ss
	code = at(append(code, 0xbe), s.at+parameters)          // mov $parameters, %esi
	code = at(append(code, 0xb8), s.entry)                  // mov $entry, %eax
	return append(code, 0xff, 0xe0)                         // jmp *%rax
}

// Sizes of ELF's structures.
const (
	headerSize  = 52
	segmentSize = 32
)

// firmwareFile is the ELF file.
func firmwareFile(segments []segment, entry uint32) []byte {
	le := binary.LittleEndian
	file := []byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS32), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT), 15: 0}
	for _, v := range []uint16{uint16(elf.ET_EXEC), uint16(elf.EM_386)} {
		file = le.AppendUint16(file, v)
	}
	for _, v := range []uint32{uint32(elf.EV_CURRENT), entry, headerSize, 0, 0} {
		file = le.AppendUint32(file, v)
	}
	for _, v := range []uint16{headerSize, segmentSize, uint16(len(segments)), 0, 0, 0} {
		file = le.AppendUint16(file, v)
	}
	offset := uint32(pageSize)
	for _, s := range segments {
		for _, v := range []uint32{uint32(elf.PT_LOAD), offset, s.at, s.at, uint32(len(s.data)), s.size, uint32(elf.PF_R | elf.PF_W | elf.PF_X), pageSize} {
			file = le.AppendUint32(file, v)
		}
		offset += (uint32(len(s.data)) + pageSize - 1) &^ (pageSize - 1)
	}
	for _, s := range segments {
		file = append(file, make([]byte, -len(file)&(pageSize-1))...)
		file = append(file, s.data...)
	}
	return file
}
