package hypercall

import (
	"encoding/binary"
	"errors"
	"fmt"

	"xsmbench/abi"
)

// layout places the blocks of a named hypercall one behind the other, and says what
// each call writes and reads there.
type layout struct {
	iface  *Interface
	size   int
	at     map[*abi.Block]int
	fields []place
}

// place is a field's or a register's number: where it lies, and what it is.
type place struct {
	at, size int
	word     abi.Word
	address  bool // of the memory is added
}

// blockAlign is more than any structure of Xen's asks for.
const blockAlign = 16

// named plans a hypercall by the names in this Xen's headers.
func (i *Interface) named(op abi.Hypercall, n *abi.Named) (plan, error) {
	if i == nil {
		return plan{}, lacks(op, i.check())
	}
	l := &layout{iface: i, at: map[*abi.Block]int{}}
	var registers [5]place
	if len(n.Registers) > len(registers) {
		return plan{}, unsupported(op, fmt.Sprintf("%d registers", len(n.Registers)))
	}
	for r, w := range n.Registers {
		p, err := l.resolve(w)
		if err != nil {
			return plan{}, lacks(op, err)
		}
		registers[r] = p
	}
	return plan{
		args: func(at uint64) (args [5]uint64) {
			for r := range registers {
				args[r] = registers[r].value(at)
			}
			return args
		},
		size: l.size, encode: l.encode, decode: func(m memory, _ int64) { l.decode(m) },
	}, nil
}

// resolve finds a word's number, or how it is found at each call.
func (l *layout) resolve(w abi.Word) (p place, err error) {
	p.word = w
	switch {
	case w.Constant != "":
		p.word.Number, err = l.iface.constant(w.Constant)
	case w.Address != nil:
		var at int
		at, err = l.place(w.Address)
		p.word.Number, p.address = uint64(at), true
	case w.SizeOf != nil:
		var size int
		size, err = l.iface.blockSize(w.SizeOf)
		p.word.Number = uint64(size)
	}
	return p, err
}

// place gives a block its place, once.
func (l *layout) place(b *abi.Block) (int, error) {
	if at, ok := l.at[b]; ok {
		return at, nil
	}
	size, err := l.iface.blockSize(b)
	if err != nil {
		return 0, err
	}
	at := l.size
	l.at[b] = at
	l.size += (size + blockAlign - 1) &^ (blockAlign - 1)
	for n, w := range b.Words {
		if err := l.add(at+8*n, 8, w); err != nil {
			return 0, err
		}
	}
	for _, f := range b.Fields {
		where, ok := l.iface.Structs[b.Struct].Fields[f.Name]
		if !ok {
			return 0, fmt.Errorf("this Xen's struct %s has no field %s: %w", b.Struct, f.Name, errors.ErrUnsupported)
		}
		if where.At < 0 || where.At+where.Size > size || !whole[where.Size] {
			return 0, fmt.Errorf("struct %s of %d bytes has %s, %d bytes, at %d: %w", b.Struct, size, f.Name, where.Size, where.At, errors.ErrUnsupported)
		}
		if err := l.add(at+where.At, where.Size, f.Word); err != nil {
			return 0, err
		}
	}
	return at, nil
}

// whole are the sizes of numbers.
var whole = map[int]bool{1: true, 2: true, 4: true, 8: true}

func (l *layout) add(at, size int, w abi.Word) error {
	p, err := l.resolve(w)
	p.at, p.size = at, size
	l.fields = append(l.fields, p)
	return err
}

func (i *Interface) constant(name string) (uint64, error) {
	v, ok := i.Constants[name]
	if !ok {
		return 0, fmt.Errorf("this Xen's public headers have no %s: %w", name, errors.ErrUnsupported)
	}
	return uint64(v), nil
}

func (i *Interface) blockSize(b *abi.Block) (int, error) {
	if b.Struct == "" {
		return 8 * len(b.Words), nil
	}
	s, ok := i.Structs[b.Struct]
	switch {
	case !ok:
		return 0, fmt.Errorf("this Xen's public headers have no struct %s: %w", b.Struct, errors.ErrUnsupported)
	case s.Size <= 0 || s.Size > mostStructure:
		return 0, fmt.Errorf("struct %s of %d bytes: %w", b.Struct, s.Size, errors.ErrUnsupported)
	}
	return s.Size, nil
}

// value is the number for memory at an address.
func (p *place) value(at uint64) uint64 {
	switch {
	case p.word.Read != nil:
		return p.word.Read()
	case p.address:
		return at + p.word.Number
	}
	return p.word.Number
}

func (l *layout) encode(m memory) abi.Errno {
	m.clear()
	for n := range l.fields {
		p := &l.fields[n]
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], p.value(m.at))
		copy(m.b[p.at:p.at+p.size], b[:])
	}
	return 0
}

func (l *layout) decode(m memory) {
	for n := range l.fields {
		p := &l.fields[n]
		if p.word.Write == nil {
			continue
		}
		var b [8]byte
		copy(b[:], m.b[p.at:p.at+p.size])
		p.word.Write(binary.LittleEndian.Uint64(b[:]))
	}
}
