package experiment

import (
	"cmp"
	"slices"
	"time"
)

// packing divides units among machines. Each machine makes for itself what its units
// need, once: that is scheduling with set-up times on identical machines. The units
// are few classes of like ones. Whether all can be done in some time is tried by
// filling one machine after the other, the largest class first, and a class whole where
// it has room; the shortest time in which that succeeds is found by halving (after
// MULTIFIT: Coffman, Garey and Johnson, An application of bin-packing to multiprocessor
// scheduling, SIAM J. Comput. 7, 1978).
type packing struct {
	pieces  []piece
	classes []class
}

// class is units that need and take the same.
type class struct {
	units []int
	needs []int
	cost  time.Duration
	total time.Duration // of one machine that does all of them
}

func newPacking(pieces []piece, units []unit) *packing {
	p := &packing{pieces: pieces}
	for i, u := range units {
		k := slices.IndexFunc(p.classes, func(c class) bool { return c.cost == u.cost && slices.Equal(c.needs, u.needs) })
		if k < 0 {
			k = len(p.classes)
			p.classes = append(p.classes, class{needs: u.needs, cost: u.cost})
		}
		p.classes[k].units = append(p.classes[k].units, i)
	}
	for i := range p.classes {
		c := &p.classes[i]
		c.total = p.setUp(&bin{}, c) + time.Duration(len(c.units))*c.cost
	}
	slices.SortStableFunc(p.classes, func(a, b class) int { return cmp.Compare(b.total, a.total) })
	return p
}

// bin is a machine's part.
type bin struct {
	units []int
	have  []bool // pieces, nil for none
	used  time.Duration
}

// setUp is what a machine has to make for a class that it has not made.
func (p *packing) setUp(b *bin, c *class) time.Duration {
	var sum time.Duration
	for _, i := range c.needs {
		if b.have == nil || !b.have[i] {
			sum += p.pieces[i].cost
		}
	}
	return sum
}

// precision is how exactly the shortest time is sought.
const precision = time.Millisecond

// divide finds the parts of n machines. Some may have nothing to do.
func (p *packing) divide(n int) []bin {
	var least, most time.Duration
	for i := range p.classes {
		c := &p.classes[i]
		least = max(least, p.setUp(&bin{}, c)+c.cost)
		most += c.total
	}
	best := p.fit(n, most)
	for least < most {
		middle := least + (most-least)/2
		if bins := p.fit(n, middle); bins != nil {
			best, most = bins, middle
		} else {
			least = middle + precision
		}
	}
	return best
}

// fit fills n machines for a time, nil if not all fits.
func (p *packing) fit(n int, limit time.Duration) []bin {
	bins := make([]bin, n)
	for i := range p.classes {
		c := &p.classes[i]
		left := c.units
		for k := range bins {
			if p.room(&bins[k], c, limit) >= len(left) {
				left = p.fill(&bins[k], c, left, limit)
				break
			}
		}
		for k := range bins {
			if len(left) == 0 {
				break
			}
			left = p.fill(&bins[k], c, left, limit)
		}
		if len(left) > 0 {
			return nil
		}
	}
	return bins
}

// room is how many units of a class a bin has room for.
func (p *packing) room(b *bin, c *class, limit time.Duration) int {
	if b.used+c.cost > limit {
		return 0
	}
	switch room := limit - b.used - p.setUp(b, c); {
	case room < 0:
		return 0
	case c.cost == 0:
		return len(c.units)
	default:
		return int(room / c.cost)
	}
}

// fill puts as many units of a class into a bin as it has room for, and returns the
// others.
func (p *packing) fill(b *bin, c *class, units []int, limit time.Duration) []int {
	k := min(len(units), p.room(b, c, limit))
	if k == 0 {
		return units
	}
	setUp := p.setUp(b, c)
	if b.have == nil {
		b.have = make([]bool, len(p.pieces))
	}
	for _, i := range c.needs {
		b.have[i] = true
	}
	b.units = append(b.units, units[:k]...)
	b.used += setUp + time.Duration(k)*c.cost
	return units[k:]
}
