package history

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"go.etcd.io/bbolt"
)

// bbolt follows what stands in its pages without a look: a damaged one leads it
// out of the file, to a crash that no program survives. So all pages are read
// and checked before it does. (Its meta pages carry checksums of their own, and
// the list of free pages is not kept in the file.)
//
// The layout, in the machine's byte order: a page begins with its number (8
// bytes), flags (2), how many elements it has (2), and how many further pages
// it covers (4). Elements of a leaf are flags, offset of the key from the
// element, sizes of key and value (4 each); those of a branch offset, size (4
// each) and a page (8). A bucket is a value of a page (8), a sequence (8) and,
// if the page is 0, a page within the value.
const (
	pageHead      = 16
	elementSize   = 16
	bucketHead    = 16
	branchPage    = 0x01
	leafPage      = 0x02
	bucketElement = 0x01
	firstPage     = 2 // after the two metas
)

// pages checks a file's pages.
type pages struct {
	file io.ReaderAt
	size uint64 // of a page, bytes
	end  uint64 // first page that the file does not use
	seen map[uint64]bool
}

// checkPages checks all pages that a transaction can reach.
func checkPages(tx *bbolt.Tx, file io.ReaderAt) error {
	size := uint64(tx.DB().Info().PageSize)
	p := &pages{file, size, uint64(tx.Size()) / size, map[uint64]bool{}}
	return p.check(uint64(tx.Cursor().Bucket().Root()), nil, nil)
}

// check checks a page and those below it. Its keys are at least low and below
// high, if they are not nil.
func (p *pages) check(id uint64, low, high []byte) error {
	data, err := p.read(id)
	if err == nil {
		err = p.content(data, low, high)
	}
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// read reads a page with those that belong to it.
func (p *pages) read(id uint64) ([]byte, error) {
	head := make([]byte, pageHead)
	if id < firstPage || id >= p.end {
		return nil, errContent
	}
	if _, err := p.file.ReadAt(head, int64(id*p.size)); err != nil {
		return nil, err
	}
	covers := 1 + uint64(binary.NativeEndian.Uint32(head[12:]))
	if binary.NativeEndian.Uint64(head) != id || covers > p.end-id {
		return nil, errContent
	}
	for i := id; i < id+covers; i++ {
		if p.seen[i] {
			return nil, errContent
		}
		p.seen[i] = true
	}
	data := make([]byte, covers*p.size)
	if _, err := p.file.ReadAt(data, int64(id*p.size)); err != nil {
		return nil, err
	}
	return data, nil
}

// element is a key with what belongs to it.
type element struct {
	key, value []byte
	bucket     bool
	child      uint64
}

// content checks a page's elements, and what they lead to.
func (p *pages) content(data, low, high []byte) error {
	flags := binary.NativeEndian.Uint16(data[8:])
	elements, err := elementsOf(data, flags)
	if err != nil {
		return err
	}
	for i, e := range elements {
		if low != nil && bytes.Compare(e.key, low) < 0 || high != nil && bytes.Compare(e.key, high) >= 0 ||
			i > 0 && bytes.Compare(e.key, elements[i-1].key) <= 0 {
			return fmt.Errorf("key %d: %w", i, errContent)
		}
		next := high
		if i+1 < len(elements) {
			next = elements[i+1].key
		}
		switch {
		case flags == branchPage:
			err = p.check(e.child, e.key, next)
		case e.bucket:
			err = p.bucket(e.value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bucket checks a bucket's pages, or the one within it.
func (p *pages) bucket(value []byte) error {
	if len(value) < bucketHead {
		return errContent
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return p.check(root, nil, nil)
	}
	if inner := value[bucketHead:]; len(inner) >= pageHead {
		return p.content(inner, nil, nil)
	}
	return errContent
}

// elementsOf reads a page's elements; all of them lie within it.
func elementsOf(data []byte, flags uint16) ([]element, error) {
	n := int(binary.NativeEndian.Uint16(data[10:]))
	if flags != leafPage && (flags != branchPage || n == 0) || pageHead+n*elementSize > len(data) {
		return nil, errContent
	}
	elements := make([]element, n)
	for i := range elements {
		at := pageHead + i*elementSize
		if !elements[i].read(data[at:], flags) {
			return nil, fmt.Errorf("element %d: %w", i, errContent)
		}
	}
	return elements, nil
}

// read reads the element that data begins with, and reports whether it lies
// within.
func (e *element) read(data []byte, flags uint16) bool {
	word := func(i int) uint64 { return uint64(binary.NativeEndian.Uint32(data[4*i:])) }
	offset, key, value := word(0), word(1), uint64(0)
	if flags == leafPage {
		offset, key, value = word(1), word(2), word(3)
		e.bucket = word(0)&bucketElement != 0
	} else {
		e.child = binary.NativeEndian.Uint64(data[8:])
	}
	if offset < elementSize || offset+key+value > uint64(len(data)) {
		return false
	}
	e.key, e.value = data[offset:offset+key], data[offset+key:offset+key+value]
	return true
}
