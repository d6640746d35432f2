// Package avc is FLASK's access vector cache: it keeps the security server's
// decisions by source, target and class, in 512 hashed chains.
//
// A hit takes no lock and writes nothing that another processor reads: chains
// are read through atomic pointers, entries are replaced rather than changed,
// and statistics are counted per processor on cache lines of their own. What
// changes a chain holds its slot's lock. An entry that has been unlinked stays
// readable for those who are still on it (Xen waits for them with RCU; here
// the garbage collector does).
//
// The source is Xen 3.2's xen/xsm/flask/avc.c: its hash, its threshold, its
// reclaim, its statistics.
package avc

import (
	"fmt"
	"sync"
	"sync/atomic"

	"xsmbench/xsm/flask/ss"
)

// Sizes of Xen's (AVC_CACHE_SLOTS, AVC_DEF_CACHE_THRESHOLD, AVC_CACHE_RECLAIM).
const (
	slots            = 512
	defaultThreshold = 512
	reclaimBatch     = 16
)

// server decides what is not in the cache.
type server interface {
	ComputeAV(ssid, tsid ss.SID, class uint16) (ss.Decision, error)
}

// Cache is an access vector cache.
type Cache struct {
	server server

	heads [slots]atomic.Pointer[Entry] // the chains
	_     [cacheLine]byte              // what follows is written on misses
	locks [slots]sync.Mutex            // of the chains' writers

	active    atomic.Int64 // entries in the chains
	threshold atomic.Uint32
	lruHint   atomic.Uint32 // slot that was reclaimed from last
	notif     sync.Mutex    // guards latest
	latest    uint32        // number of the newest policy that was announced

	_     [cacheLine]byte
	stats [MaxCPUs]cpuStats
}

// Tuple is what a decision is about.
type Tuple struct {
	Source, Target ss.SID
	Class          uint16
}

// slot is Xen's hash (avc_hash).
func (t Tuple) slot() uint32 {
	return (t.Source ^ t.Target<<2 ^ uint32(t.Class)<<4) & (slots - 1)
}

// Entry is a cached decision. Only used and next change once it is linked. It
// takes one cache line.
type Entry struct {
	tuple Tuple
	// used is Xen's one-bit clock: 1 for a new entry, set to 1 by a look-up
	// that finds another value, counted down by reclaim, which takes the entry
	// when that leaves 0. An entry is at 1 unless reclaim has just taken it,
	// so a hit writes nothing.
	used     atomic.Int32
	loud     uint32 // what is not allowed, or audited
	decision ss.Decision
	next     atomic.Pointer[Entry]
}

// newEntry makes one for a decision.
func newEntry(t Tuple, d ss.Decision) *Entry {
	e := &Entry{tuple: t, loud: ^d.Allowed | d.AuditAllow, decision: d}
	e.used.Store(1)
	return e
}

// Init makes an empty cache before a server of a zero one. A cache may be part
// of a larger structure, which spares those that ask it a pointer.
func (c *Cache) Init(s server) {
	c.server = s
	c.threshold.Store(defaultThreshold)
}

// First returns the first entry of a tuple's chain, nil if the chain is empty. With
// Hits and Count it is all of the usual hit. Each of them is small enough to be inlined.
func (c *Cache) First(t Tuple) *Entry { return c.heads[t.slot()].Load() }

// Hits says whether an entry, which may be nil, is one on a tuple and Grants what is
// requested.
func (e *Entry) Hits(t Tuple, requested uint32) bool {
	return e != nil && e.is(t) && e.Grants(requested)
}

// lookup returns the entry for a tuple, nil if there is none.
func (c *Cache) lookup(t Tuple) *Entry {
	e := c.First(t)
	for e != nil && !e.is(t) {
		e = e.next.Load()
	}
	return e
}

func (e *Entry) is(t Tuple) bool {
	return e.tuple.Source == t.Source && e.tuple.Target == t.Target && e.tuple.Class == t.Class
}

// Grants says whether an entry grants what is requested, which is something,
// and no rule wants that audited. No is not the last word: see Find. It leaves the
// mark of use alone, which only an entry lacks that reclaim has unlinked.
func (e *Entry) Grants(requested uint32) bool { return requested&e.loud == 0 }

// Count counts a look-up of processor cpu.
func (c *Cache) Count(cpu int) { c.stats[uint(cpu)%MaxCPUs].lookups.inc() }

// Find looks a tuple up, marks the entry as used, and
// counts the look-up. It returns nil if there is none.
func (c *Cache) Find(cpu int, t Tuple) *Entry {
	c.Count(cpu)
	e := c.lookup(t)
	if e != nil && e.used.Load() != 1 {
		e.used.Store(1)
	}
	return e
}

// Allows says whether an entry grants what is requested, which is something,
// and no rule wants that audited. No is not the last word: see Decide.
func (e *Entry) Allows(requested uint32) bool { return requested != 0 && e.Grants(requested) }

// Decide ends a look-up that Find began: it returns the decision of the entry
// that Find found, if it covers the permissions requested, or the server's. The
// error is the server's.
//
// Xen calls the two avc_has_perm_noaudit; what the decision means for the
// caller, and what permissive mode makes of it, is for the caller. Xen copies
// the decision out, for its node may go; here it is the caller's to read, not
// to change, and stays.
func (c *Cache) Decide(cpu int, found *Entry, t Tuple, requested uint32) (*ss.Decision, error) {
	if found != nil && requested&^found.decision.Decided == 0 {
		return &found.decision, nil
	}
	st := &c.stats[uint(cpu)%MaxCPUs]
	st.misses.Add(1)
	d, err := c.server.ComputeAV(t.Source, t.Target, t.Class)
	if err != nil {
		return nil, err
	}
	e := newEntry(t, d)
	c.insert(st, e)
	return &e.decision, nil
}

// insert keeps an entry unless a newer policy has been announced since its
// decision was made. It replaces one on the same tuple.
func (c *Cache) insert(st *cpuStats, e *Entry) {
	if !c.current(e.decision.Seqno) {
		return
	}
	c.makeRoom(st)
	h := e.tuple.slot()
	c.locks[h].Lock()
	defer c.locks[h].Unlock()
	if !c.current(e.decision.Seqno) {
		// Announced while this one waited: the flush may have passed
		// this slot already.
		c.free(st)
		return
	}
	for link := &c.heads[h]; ; {
		at := link.Load()
		if at == nil {
			break
		}
		if at.tuple == e.tuple {
			e.next.Store(at.next.Load())
			link.Store(e)
			c.free(st)
			return
		}
		link = &at.next
	}
	e.next.Store(c.heads[h].Load())
	c.heads[h].Store(e)
}

// current says whether a decision by policy seqno may still be kept.
func (c *Cache) current(seqno uint32) bool {
	c.notif.Lock()
	defer c.notif.Unlock()
	return seqno >= c.latest
}

// makeRoom accounts for a new entry, and reclaims if the cache is over its
// threshold (avc_alloc_node).
func (c *Cache) makeRoom(st *cpuStats) {
	st.allocations.Add(1)
	if c.active.Add(1) > int64(c.threshold.Load()) {
		c.reclaim(st)
	}
}

// free accounts for an entry that is no longer linked, or never was.
func (c *Cache) free(st *cpuStats) {
	st.frees.Add(1)
	c.active.Add(-1)
}

// reclaim drops up to 16 entries from the slots that follow the last reclaimed
// one, passing over slots whose lock is held.
func (c *Cache) reclaim(st *cpuStats) {
	dropped := 0
	for range slots {
		h := c.lruHint.Add(1) & (slots - 1)
		if !c.locks[h].TryLock() {
			continue
		}
		for link := &c.heads[h]; ; {
			n := link.Load()
			if n == nil {
				break
			}
			if n.used.Add(-1) != 0 {
				link = &n.next
				continue
			}
			link.Store(n.next.Load())
			c.free(st)
			st.reclaims.Add(1)
			if dropped++; dropped >= reclaimBatch {
				c.locks[h].Unlock()
				return
			}
		}
		c.locks[h].Unlock()
	}
}

// Grant adds permissions to the cached decision on a tuple, if it is still the
// one that the caller has got (avc_update_node): so that permissive mode audits
// a denial once. The entry is replaced by a copy.
//
// Xen asks for a decision by the same policy instead. That may be another one,
// made since enforcing was switched on, which must not be changed.
func (c *Cache) Grant(cpu int, t Tuple, d *ss.Decision, perms uint32) {
	st := &c.stats[uint(cpu)%MaxCPUs]
	h := t.slot()
	c.locks[h].Lock()
	defer c.locks[h].Unlock()
	for link := &c.heads[h]; ; {
		at := link.Load()
		if at == nil {
			return
		}
		if &at.decision == d {
			granted := *d
			granted.Allowed |= perms
			e := newEntry(t, granted)
			e.next.Store(at.next.Load())
			link.Store(e)
			st.allocations.Add(1)
			st.frees.Add(1)
			return
		}
		link = &at.next
	}
}

// Reset drops every decision and announces policy seqno: decisions by an
// older one that are still under way are not kept (avc_ss_reset). Seqno 0
// announces nothing.
func (c *Cache) Reset(cpu int, seqno uint32) {
	c.notif.Lock()
	c.latest = max(c.latest, seqno)
	c.notif.Unlock()
	st := &c.stats[uint(cpu)%MaxCPUs]
	for h := range c.heads {
		c.locks[h].Lock()
		for n := c.heads[h].Load(); n != nil; n = n.next.Load() {
			c.free(st)
		}
		c.heads[h].Store(nil)
		c.locks[h].Unlock()
	}
}

// Threshold returns the number of entries from which the cache reclaims.
func (c *Cache) Threshold() uint32 { return c.threshold.Load() }

// SetThreshold changes it.
func (c *Cache) SetThreshold(n uint32) { c.threshold.Store(n) }

// HashStats describes the chains.
type HashStats struct {
	Entries, BucketsUsed, BucketsTotal, MaxChain int
}

// HashStats counts the chains' entries.
func (c *Cache) HashStats() HashStats {
	h := HashStats{Entries: int(c.active.Load()), BucketsTotal: slots}
	for i := range c.heads {
		length := 0
		for n := c.heads[i].Load(); n != nil; n = n.next.Load() {
			length++
		}
		if length > 0 {
			h.BucketsUsed++
		}
		h.MaxChain = max(h.MaxChain, length)
	}
	return h
}

// String writes the counts as Xen does.
func (h HashStats) String() string {
	return fmt.Sprintf("entries: %d\nbuckets used: %d/%d\nlongest chain: %d\n", h.Entries, h.BucketsUsed, h.BucketsTotal, h.MaxChain)
}
