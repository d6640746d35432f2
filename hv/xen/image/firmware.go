package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrNoEntry is the cause when a kernel cannot be started in a domain without
// firmware.
var ErrNoEntry = errors.New("the kernel has no PVH entry (a note of Xen's of type 18)")

// Firmware makes of a kernel what a toolstack loads as an HVM domain's firmware, in the
// place of hvmloader: a 32-bit ELF file with the kernel, its initial file system and its
// command line. Firmware of Xen's loads a kernel from a device, for which a device model
// would have to emulate one.
//
// Xen's toolstack tells firmware by what it lacks: an ELF file with one of Xen's notes is
// a kernel, and its initial file system would not be loaded (xc_dom_probe_hvm_kernel in
// tools/libs/guest/xg_dom_hvmloader.c). It starts it as it starts a PVH kernel, in protected
// mode without paging, so that a few instructions lead to the kernel's own entry.
func Firmware(vmlinux, ramdisk []byte, cmdLine string, memory int64) ([]byte, error) {
	k, err := elf.NewFile(bytes.NewReader(vmlinux))
	if err != nil {
		return nil, fmt.Errorf("make firmware of the kernel: %w", err)
	}
	segments, end, err := loadSegments(k)
	if err != nil {
		return nil, fmt.Errorf("make firmware of the kernel: %w", err)
	}
	entry, err := pvhEntry(k)
	if err != nil {
		return nil, fmt.Errorf("make firmware of the kernel: %w", err)
	}
	at := (end + pageSize - 1) &^ (pageSize - 1)
	starter, err := startPages(at, entry, cmdLine, uint32(len(ramdisk)), memory)
	if err != nil {
		return nil, fmt.Errorf("make firmware of the kernel: %w", err)
	}
	own := segment{at: at, data: append(starter, ramdisk...)}
	own.size = uint32(len(own.data))
	if end := int64(own.at) + int64(own.size); end > memory {
		return nil, fmt.Errorf("make firmware of the kernel: it ends at %d, a domain of %d MiB does not hold it", end, memory>>20)
	}
	return firmwareFile(append(segments, own), at), nil
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

// noteEntry is the type of the note that names the PVH entry
// (XEN_ELFNOTE_PHYS32_ENTRY).
const noteEntry = 18

// pvhEntry is the physical address at which a kernel starts in protected mode.
func pvhEntry(k *elf.File) (uint32, error) {
	for _, p := range k.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		notes, err := io.ReadAll(p.Open())
		if err != nil {
			return 0, err
		}
		if desc := note(notes, "Xen\x00", noteEntry); len(desc) >= 4 {
			return binary.LittleEndian.Uint32(desc), nil
		}
	}
	return 0, ErrNoEntry
}

// note finds a note's content, nil if there is none.
func note(notes []byte, name string, kind uint32) []byte {
	le := binary.LittleEndian
	for len(notes) >= 12 {
		nameLen, descLen := uint64(le.Uint32(notes)), uint64(le.Uint32(notes[4:]))
		desc := 12 + (nameLen+3)&^3
		next := desc + (descLen+3)&^3
		if next > uint64(len(notes)) {
			return nil
		}
		if le.Uint32(notes[8:]) == kind && string(notes[12:12+nameLen]) == name {
			return notes[desc : desc+descLen]
		}
		notes = notes[next:]
	}
	return nil
}

// Of the HVM start info (public/arch-x86/hvm/start_info.h).
const (
	startMagic   = 0x336ec578
	startVersion = 1 // with a map of the memory
	mapRAM       = 1
	mapReserved  = 2
)

// Where things are in the page of code and data that starts the kernel.
const (
	startInfo  = 0x40
	moduleList = 0x80
	memoryMap  = 0xc0
	command    = 0x200
	mostWords  = pageSize - command
)

// The domain's memory has a hole for a graphics card, and its special pages
// (X86_HVM_END_SPECIAL_REGION) and interrupt controllers lie below 4 GiB.
const (
	lowEnd       = 0xa0000
	holeEnd      = 0x100000
	reservedFrom = 0xfc000000
)

// startPages is a page that lies at an address and starts the kernel; the initial file system
// follows.
func startPages(at, entry uint32, cmdLine string, ramdisk uint32, memory int64) ([]byte, error) {
	if len(cmdLine)+1 > mostWords {
		return nil, fmt.Errorf("a command line of %d bytes", len(cmdLine))
	}
	page := make([]byte, pageSize)
	le := binary.LittleEndian
	copy(page, starter(at+startInfo, entry))
	info := page[startInfo:]
	le.PutUint32(info, startMagic)
	le.PutUint32(info[4:], startVersion)
	le.PutUint32(info[12:], 1) // module
	le.PutUint64(info[16:], uint64(at+moduleList))
	le.PutUint64(info[24:], uint64(at+command))
	le.PutUint64(info[40:], uint64(at+memoryMap))
	le.PutUint64(page[moduleList:], uint64(at+pageSize))
	le.PutUint64(page[moduleList+8:], uint64(ramdisk))
	ranges := []struct{ from, to, kind uint64 }{
		{0, lowEnd, mapRAM}, {holeEnd, uint64(memory), mapRAM}, {reservedFrom, 1 << 32, mapReserved},
	}
	le.PutUint32(info[48:], uint32(len(ranges)))
	for i, r := range ranges {
		e := page[memoryMap+24*i:]
		le.PutUint64(e, r.from)
		le.PutUint64(e[8:], r.to-r.from)
		le.PutUint32(e[16:], uint32(r.kind))
	}
	copy(page[command:], cmdLine)
	return page, nil
}

// starter are the instructions that lead to the kernel. Firmware has the processor cache memory: it
// enables the range registers, with write-back as the default.
func starter(info, entry uint32) []byte {
	le := binary.LittleEndian
	code := []byte{0xb9, 0xff, 0x02, 0, 0}            // mov $MSR_MTRRdefType, %ecx
	code = append(code, 0xb8, 0x06, 0x08, 0, 0)       // mov $(enable | write-back), %eax
	code = append(code, 0x31, 0xd2)                   // xor %edx, %edx
	code = append(code, 0x0f, 0x30)                   // wrmsr
	code = le.AppendUint32(append(code, 0xbb), info)  // mov $info, %ebx
	code = le.AppendUint32(append(code, 0xb8), entry) // mov $entry, %eax
	return append(code, 0xff, 0xe0)                   // jmp *%eax
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
