package policydb

import "math/bits"

// Bitmap is a set of small numbers (struct ebitmap, without its gaps).
type Bitmap []uint64

// Has says whether bit is in the set.
func (b Bitmap) Has(bit uint32) bool {
	w := int(bit / 64)
	return w < len(b) && b[w]>>(bit%64)&1 != 0
}

// Len returns the number of bits in the set.
func (b Bitmap) Len() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// Max returns the largest bit of the set, -1 for the empty set.
func (b Bitmap) Max() int {
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] != 0 {
			return i*64 + 63 - bits.LeadingZeros64(b[i])
		}
	}
	return -1
}

// set adds a bit.
func (b *Bitmap) set(bit uint32) {
	for int(bit/64) >= len(*b) {
		*b = append(*b, 0)
	}
	(*b)[bit/64] |= 1 << (bit % 64)
}

// bitmapWord is the width of a node of a bitmap in a policy.
const bitmapWord = 64

// bitmap reads a set whose bits are all below limit.
func (c *cursor) bitmap(what string, limit int) Bitmap {
	off := c.off
	size, high := c.u32(what), c.u32(what)
	n := c.count(what+" nodes", 12)
	if c.err != nil {
		return nil
	}
	if size != bitmapWord {
		c.invalid(off, "%s has words of %d bits, not %d", what, size, bitmapWord)
		return nil
	}
	if high%bitmapWord != 0 || uint64(high) > uint64(maxValue)+1 {
		c.invalid(off+4, "%s has a high bit of %d", what, high)
		return nil
	}
	if high == 0 && n != 0 {
		c.invalid(off+8, "%s is empty yet has %d nodes", what, n)
		return nil
	}
	b := make(Bitmap, high/bitmapWord)
	next := uint32(0)
	for range n {
		at := c.off
		start, word := c.u32(what), c.u64(what)
		if c.err != nil {
			return nil
		}
		if start%bitmapWord != 0 || start < next || start >= high || word == 0 {
			c.invalid(at, "%s has a node at bit %d, value %#x", what, start, word)
			return nil
		}
		b[start/bitmapWord] = word
		next = start + bitmapWord
	}
	if m := b.Max(); m >= limit {
		c.invalid(off, "%s names value %d of %d", what, m+1, limit)
		return nil
	}
	return b
}
