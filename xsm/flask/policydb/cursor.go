package policydb

import (
	"encoding/binary"
	"fmt"
)

// cursor walks over a policy's bytes. The first failure sticks: from then on
// it reads zeros and counts of zero, so that a parser need look at err only
// where it loops or indexes.
type cursor struct {
	buf     []byte
	off     int
	section string
	err     *Error
}

func (c *cursor) fail(off int, err error) {
	if c.err == nil {
		c.err = &Error{Section: c.section, Offset: off, err: err}
	}
}

// invalid reports a value that cannot be, the one that begins at off.
func (c *cursor) invalid(off int, format string, args ...any) {
	c.fail(off, fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...)))
}

// take returns the next n bytes, nil after a failure.
func (c *cursor) take(n int, what string) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > len(c.buf)-c.off {
		c.fail(c.off, fmt.Errorf("%w: %s wants %d bytes, %d are left", ErrTruncated, what, n, len(c.buf)-c.off))
		return nil
	}
	b := c.buf[c.off : c.off+n]
	c.off += n
	return b
}

func (c *cursor) u16(what string) uint16 {
	if b := c.take(2, what); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32(what string) uint32 {
	if b := c.take(4, what); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64(what string) uint64 {
	if b := c.take(8, what); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// count reads the number of elements that follow, each of at least size
// bytes: a number that the rest of the policy cannot hold is refused before
// anything is allocated for it.
func (c *cursor) count(what string, size int) int {
	off := c.off
	n := c.u32(what)
	if c.err == nil && uint64(n)*uint64(size) > uint64(len(c.buf)-c.off) {
		c.fail(off, fmt.Errorf("%w: %d %s want %d bytes or more, %d are left", ErrTruncated, n, what, uint64(n)*uint64(size), len(c.buf)-c.off))
	}
	if c.err != nil {
		return 0
	}
	return int(n)
}

// name reads n bytes as a symbol's name.
func (c *cursor) name(n int, what string) string {
	off := c.off
	b := c.take(n, what)
	if c.err == nil && n == 0 {
		c.invalid(off, "%s is empty", what)
	}
	return string(b)
}
