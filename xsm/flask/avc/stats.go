package avc

import "sync/atomic"

// MaxCPUs is the number of processors with statistics of their own (NR_CPUS);
// higher numbers share.
const MaxCPUs = 64

// cacheLine keeps what different processors write apart, the neighbouring
// line that a prefetcher fetches included.
const cacheLine = 128

// cpuStats counts one processor's use. A hit adds to one counter only: hits
// are the lookups that did not miss. Counters have the machine's word size and
// wrap, as Xen's do.
type cpuStats struct {
	lookups     ownCounter
	misses      atomic.Uintptr
	allocations atomic.Uintptr
	reclaims    atomic.Uintptr
	frees       atomic.Uintptr
	_           [2*cacheLine - 5*wordSize]byte
}

// ownCounter is a counter that only its processor adds to, and others read. So
// it needs no atomic addition, which would cost as much as the rest of a hit:
// a processor runs one vCPU at a time.
type ownCounter uintptr

// inc adds one. The race detector, which would see a read by another processor
// meanwhile, is told to leave it alone: a word is read as it was or as it is.
//
//go:norace
func (c *ownCounter) inc() { *c++ }

func (c *ownCounter) load() uintptr { return atomic.LoadUintptr((*uintptr)(c)) }

const wordSize = 4 << (^uintptr(0) >> 63)

// Stats are a processor's counts since the start.
type Stats struct {
	Lookups, Hits, Misses, Allocations, Reclaims, Frees uint64
}

// Stats returns the counts of processor cpu, which count on meanwhile.
func (c *Cache) Stats(cpu int) Stats {
	st := &c.stats[uint(cpu)%MaxCPUs]
	// Misses first: a lookup that comes between is then taken for a hit,
	// never for fewer than none.
	misses := st.misses.Load()
	lookups := st.lookups.load()
	return Stats{
		Lookups:     uint64(lookups),
		Hits:        uint64(lookups - misses),
		Misses:      uint64(misses),
		Allocations: uint64(st.allocations.Load()),
		Reclaims:    uint64(st.reclaims.Load()),
		Frees:       uint64(st.frees.Load()),
	}
}

// Total returns the sum over all processors.
func (c *Cache) Total() Stats {
	var t Stats
	for cpu := range MaxCPUs {
		s := c.Stats(cpu)
		t.Lookups += s.Lookups
		t.Hits += s.Hits
		t.Misses += s.Misses
		t.Allocations += s.Allocations
		t.Reclaims += s.Reclaims
		t.Frees += s.Frees
	}
	return t
}
