package fleetsim

import "container/heap"

// link is the store's bandwidth, which transfers share equally. In the time of the link,
// a byte of each transfer passes in one unit, however many there are; so a transfer's end
// is known in that time when it begins.
type link struct {
	each, all float64 // bytes per second: the most for one, and for all together
	passed    float64 // time of the link, in bytes
	flows     flows
	live      int
}

// flow is a transfer.
type flow struct {
	ends float64 // in the time of the link
	gone bool
	then func()
}

// rate is that of one transfer.
func (l *link) rate() float64 {
	if l.live == 0 {
		return l.each
	}
	return min(l.each, l.all/float64(l.live))
}

// add begins a transfer.
func (l *link) add(bytes int64, then func()) *flow {
	f := &flow{ends: l.passed + float64(bytes), then: then}
	heap.Push(&l.flows, f)
	l.live++
	return f
}

// drop ends a transfer that is not complete.
func (l *link) drop(f *flow) {
	if !f.gone {
		f.gone = true
		l.live--
	}
}

// next is the transfer that ends first, and in how many seconds; nil if there is none.
func (l *link) next() (*flow, float64) {
	for len(l.flows) > 0 && l.flows[0].gone {
		heap.Pop(&l.flows)
	}
	if len(l.flows) == 0 {
		return nil, 0
	}
	return l.flows[0], max(0, l.flows[0].ends-l.passed) / l.rate()
}

// flows are a heap by end.
type flows []*flow

func (f flows) Len() int           { return len(f) }
func (f flows) Less(i, k int) bool { return f[i].ends < f[k].ends }
func (f flows) Swap(i, k int)      { f[i], f[k] = f[k], f[i] }
func (f *flows) Push(x any)        { *f = append(*f, x.(*flow)) }
func (f *flows) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}
