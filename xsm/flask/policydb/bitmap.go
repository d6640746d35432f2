package policydb

import "math/bits"

// Bitmap is a set of small numbers (struct ebitmap): the words that are not
// empty, in ascending order, so that a set takes no more memory than its text
// in the policy takes bytes.
type Bitmap []Word

// Word is 64 neighbours of a set: bit n stands for Start+n.
type Word struct {
	Start uint32 // a multiple of 64
	Bits  uint64
}

// Has says whether bit is in the set.
func (b Bitmap) Has(bit uint32) bool {
	for i := range b {
		if bit < b[i].Start {
			return false
		}
		if bit-b[i].Start < bitmapWord {
			return b[i].Bits>>(bit-b[i].Start)&1 != 0
		}
	}
	return false
}

// Len returns the number of bits in the set.
func (b Bitmap) Len() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w.Bits)
	}
	return n
}

// Max returns the largest bit of the set, -1 for the empty set.
func (b Bitmap) Max() int {
	if len(b) == 0 {
		return -1
	}
	last := b[len(b)-1]
	return int(last.Start) + 63 - bits.LeadingZeros64(last.Bits)
}

// Contains says whether every bit of o is in b (ebitmap_contains).
func (b Bitmap) Contains(o Bitmap) bool {
	i := 0
	for _, w := range o {
		for i < len(b) && b[i].Start < w.Start {
			i++
		}
		if i == len(b) || b[i].Start != w.Start || w.Bits&^b[i].Bits != 0 {
			return false
		}
	}
	return true
}

// All calls f for every bit, in ascending order, until it returns false.
func (b Bitmap) All(f func(bit uint32) bool) {
	for _, w := range b {
		for left := w.Bits; left != 0; left &= left - 1 {
			if !f(w.Start + uint32(bits.TrailingZeros64(left))) {
				return
			}
		}
	}
}

// Set adds a bit.
func (b *Bitmap) Set(bit uint32) {
	start, mask := bit&^(bitmapWord-1), uint64(1)<<(bit%bitmapWord)
	i := 0
	for i < len(*b) && (*b)[i].Start < start {
		i++
	}
	if i < len(*b) && (*b)[i].Start == start {
		(*b)[i].Bits |= mask
		return
	}
	*b = append(*b, Word{})
	copy((*b)[i+1:], (*b)[i:])
	(*b)[i] = Word{start, mask}
}

// bitmapWord is the width of a word of a bitmap, in a policy and here.
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
	b := make(Bitmap, 0, n)
	next := uint32(0)
	for range n {
		at := c.off
		w := Word{c.u32(what), c.u64(what)}
		if c.err != nil {
			return nil
		}
		if w.Start%bitmapWord != 0 || w.Start < next || w.Start >= high || w.Bits == 0 {
			c.invalid(at, "%s has a node at bit %d, value %#x", what, w.Start, w.Bits)
			return nil
		}
		b = append(b, w)
		next = w.Start + bitmapWord
	}
	if m := b.Max(); m >= limit {
		c.invalid(off, "%s names value %d of %d", what, m+1, limit)
		return nil
	}
	return b
}
