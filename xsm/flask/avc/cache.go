// Package avc is FLASK's access vector cache: it keeps the security server's
// decisions by source, target and class, in 512 hashed chains.
//
// A hit takes no lock and writes nothing that another processor reads: chains
// are read through atomic pointers, nodes are replaced rather than changed,
// and statistics are counted per processor on cache lines of their own. What
// changes a chain holds its slot's lock. A node that has been unlinked stays
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

	heads [slots]atomic.Pointer[node] // the chains
	_     [cacheLine]byte             // what follows is written on misses
	locks [slots]sync.Mutex           // of the chains' writers

	active    atomic.Int64 // nodes in the chains
	threshold atomic.Uint32
	lruHint   atomic.Uint32 // slot that was reclaimed from last
	notif     sync.Mutex    // guards latest
	latest    uint32        // number of the newest policy that was announced

	_     [cacheLine]byte
	stats [MaxCPUs]cpuStats
}

// node is a cached decision. Only used and next change once it is linked.
type node struct {
	ssid, tsid ss.SID
	class      uint16
	// used is Xen's one-bit clock: 1 for a new node, set to 1 by a hit that
	// finds another value, counted down by reclaim, which takes the node
	// when that leaves 0. A node is at 1 unless reclaim has just passed it,
	// so a hit writes nothing.
	used     atomic.Int32
	decision ss.Decision
	next     atomic.Pointer[node]
}

// New makes an empty cache before a server.
func New(s server) *Cache {
	c := &Cache{server: s}
	c.threshold.Store(defaultThreshold)
	return c
}

// hash is Xen's.
func hash(ssid, tsid ss.SID, class uint16) uint32 {
	return (ssid ^ tsid<<2 ^ uint32(class)<<4) & (slots - 1)
}

// Lookup returns the decision on a tuple, from the cache if it is there and
// covers the permissions requested, else from the server. cpu is the
// processor that asks. The error is the server's.
//
// Xen calls it avc_has_perm_noaudit; what the decision means for the caller,
// and what permissive mode makes of it, is for the caller. Xen copies the
// decision out, for its node may go; here it is the caller's to read, not to
// change, and stays.
func (c *Cache) Lookup(cpu int, ssid, tsid ss.SID, class uint16, requested uint32) (*ss.Decision, error) {
	st := &c.stats[uint(cpu)%MaxCPUs]
	st.lookups.Add(1)
	for n := c.heads[hash(ssid, tsid, class)].Load(); n != nil; n = n.next.Load() {
		if n.ssid == ssid && n.tsid == tsid && n.class == class {
			if requested&^n.decision.Decided != 0 {
				break
			}
			if n.used.Load() != 1 {
				n.used.Store(1)
			}
			return &n.decision, nil
		}
	}
	return c.miss(st, ssid, tsid, class)
}

// miss asks the server and keeps the answer.
func (c *Cache) miss(st *cpuStats, ssid, tsid ss.SID, class uint16) (*ss.Decision, error) {
	st.misses.Add(1)
	d, err := c.server.ComputeAV(ssid, tsid, class)
	if err != nil {
		return nil, err
	}
	c.insert(st, ssid, tsid, class, d)
	return &d, nil
}

// insert keeps a decision unless a newer policy has been announced since it
// was made. It replaces one on the same tuple.
func (c *Cache) insert(st *cpuStats, ssid, tsid ss.SID, class uint16, d ss.Decision) {
	if !c.current(d.Seqno) {
		return
	}
	n := c.alloc(st, ssid, tsid, class, d)
	h := hash(ssid, tsid, class)
	c.locks[h].Lock()
	defer c.locks[h].Unlock()
	if !c.current(d.Seqno) {
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
		if at.ssid == ssid && at.tsid == tsid && at.class == class {
			n.next.Store(at.next.Load())
			link.Store(n)
			c.free(st)
			return
		}
		link = &at.next
	}
	n.next.Store(c.heads[h].Load())
	c.heads[h].Store(n)
}

// current says whether a decision by policy seqno may still be kept.
func (c *Cache) current(seqno uint32) bool {
	c.notif.Lock()
	defer c.notif.Unlock()
	return seqno >= c.latest
}

// alloc makes a node, and room for it if the cache is over its threshold.
func (c *Cache) alloc(st *cpuStats, ssid, tsid ss.SID, class uint16, d ss.Decision) *node {
	n := &node{ssid: ssid, tsid: tsid, class: class, decision: d}
	n.used.Store(1)
	st.allocations.Add(1)
	if c.active.Add(1) > int64(c.threshold.Load()) {
		c.reclaim(st)
	}
	return n
}

// free accounts for a node that is no longer linked, or never was.
func (c *Cache) free(st *cpuStats) {
	st.frees.Add(1)
	c.active.Add(-1)
}

// reclaim drops up to 16 nodes from the slots that follow the last reclaimed
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

// Grant adds permissions to the cached decision on a tuple, if it is cached
// still and by the same policy (avc_update_node): so that permissive mode
// audits a denial once. The node is replaced by a copy.
func (c *Cache) Grant(cpu int, ssid, tsid ss.SID, class uint16, seqno, perms uint32) {
	st := &c.stats[uint(cpu)%MaxCPUs]
	h := hash(ssid, tsid, class)
	c.locks[h].Lock()
	defer c.locks[h].Unlock()
	for link := &c.heads[h]; ; {
		at := link.Load()
		if at == nil {
			return
		}
		if at.ssid == ssid && at.tsid == tsid && at.class == class && at.decision.Seqno == seqno {
			n := &node{ssid: ssid, tsid: tsid, class: class, decision: at.decision}
			n.decision.Allowed |= perms
			n.used.Store(1)
			n.next.Store(at.next.Load())
			link.Store(n)
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

// Threshold returns the number of nodes from which the cache reclaims.
func (c *Cache) Threshold() uint32 { return c.threshold.Load() }

// SetThreshold changes it.
func (c *Cache) SetThreshold(n uint32) { c.threshold.Store(n) }

// HashStats describes the chains.
type HashStats struct {
	Entries, BucketsUsed, BucketsTotal, MaxChain int
}

// HashStats counts the chains' nodes.
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
