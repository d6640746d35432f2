package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// errNotELF is the cause when a file cannot be stripped.
var errNotELF = errors.New("not a 64-bit little-endian ELF program")

// pageSize is by how much a segment's place in the file and in memory may
// differ for Linux to map it (elf(5), p_align).
const pageSize = 4096

// Strip returns a program or a kernel without what no loader reads: sections,
// symbols, the gaps between segments, and the zeros at a segment's end, which
// memory has anyway. Of Debian's kernel that is nearly half: all of it is copied
// several times, one instruction at a time, before a domU runs.
func Strip(program []byte) ([]byte, error) {
	p, err := readProgram(program)
	if err != nil {
		return nil, fmt.Errorf("strip: %w", err)
	}
	p.cutZeros(program)
	return p.pack(program), nil
}

// program is an ELF file's headers.
type program struct {
	header   elf.Header64
	segments []elf.Prog64
}

func readProgram(text []byte) (*program, error) {
	var p program
	if err := decode(text, 0, &p.header); err != nil || !bytes.HasPrefix(text, []byte("\x7fELF\x02\x01")) {
		return nil, errNotELF
	}
	if int(p.header.Phentsize) != binary.Size(elf.Prog64{}) || p.header.Phnum == 0 || p.header.Phoff != uint64(p.header.Ehsize) {
		return nil, fmt.Errorf("%w: no segments follow its header", errNotELF)
	}
	p.segments = make([]elf.Prog64, p.header.Phnum)
	if err := decode(text, p.header.Phoff, p.segments); err != nil {
		return nil, fmt.Errorf("%w: its segments are cut off", errNotELF)
	}
	placed := false // a segment that is part of no other
	for i, s := range p.segments {
		if s.Off+s.Filesz < s.Off || s.Off+s.Filesz > uint64(len(text)) {
			return nil, fmt.Errorf("%w: segment %d is cut off", errNotELF, i)
		}
		if s.Filesz == 0 || p.container(i) >= 0 {
			continue
		}
		if s.Off == 0 && (placed || s.Filesz < p.headers()) {
			return nil, fmt.Errorf("%w: segment %d lies over its header", errNotELF, i)
		}
		placed = true
	}
	return &p, nil
}

func decode(text []byte, at uint64, into any) error {
	if at > uint64(len(text)) {
		return errNotELF
	}
	_, err := binary.Decode(text[at:], binary.LittleEndian, into)
	return err
}

// cutZeros shortens what is loaded by the zeros at its end, as far as no other
// segment names them.
func (p *program) cutZeros(text []byte) {
	for i := range p.segments {
		s := &p.segments[i]
		if s.Type != uint32(elf.PT_LOAD) {
			continue
		}
		least := uint64(0)
		if s.Off == 0 {
			least = p.headers()
		}
		for j, t := range p.segments {
			if t.Filesz > 0 && p.container(j) == i {
				least = max(least, t.Off+t.Filesz-s.Off)
			}
		}
		data := bytes.TrimRight(text[s.Off:s.Off+s.Filesz], "\x00")
		s.Filesz = max(least, uint64(len(data)))
	}
}

// headers is how many bytes the file's headers have.
func (p *program) headers() uint64 {
	return uint64(p.header.Ehsize) + uint64(binary.Size(p.segments))
}

// container is the loaded segment of which another is a part, as notes are; -1
// if there is none.
func (p *program) container(i int) int {
	s := p.segments[i]
	if s.Type == uint32(elf.PT_LOAD) {
		return -1
	}
	return slices.IndexFunc(p.segments, func(t elf.Prog64) bool {
		return t.Type == uint32(elf.PT_LOAD) && s.Off >= t.Off && s.Off+s.Filesz <= t.Off+t.Filesz
	})
}

// pack writes the headers, and each segment that is part of no other after the
// one before it.
func (p *program) pack(text []byte) []byte {
	out := make([]byte, p.headers())
	moved := slices.Clone(p.segments)
	for i, s := range p.segments {
		if p.container(i) >= 0 || s.Filesz == 0 {
			continue
		}
		at := uint64(0) // a segment that begins with the headers
		if s.Off > 0 {
			at = placeAfter(uint64(len(out)), s.Vaddr)
		}
		out = append(out, make([]byte, at+s.Filesz-uint64(len(out)))...)
		copy(out[at:], text[s.Off:s.Off+s.Filesz])
		moved[i].Off = at
	}
	for i, s := range p.segments {
		if c := p.container(i); c >= 0 {
			moved[i].Off = moved[c].Off + s.Off - p.segments[c].Off
		}
	}
	h := p.header
	h.Shoff, h.Shnum, h.Shstrndx = 0, 0, 0
	_, _ = binary.Encode(out, binary.LittleEndian, h)
	_, _ = binary.Encode(out[h.Phoff:], binary.LittleEndian, moved)
	return out
}

// placeAfter is the first place at or after end to which a segment of an
// address can be mapped from.
func placeAfter(end, vaddr uint64) uint64 {
	return end + (vaddr-end)%pageSize
}
