package avc

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"xsmbench/xsm/flask/ss"
)

// fake is a security server that allows what f says.
type fake struct {
	asked atomic.Int64
	seqno atomic.Uint32
	f     func(ssid, tsid ss.SID, class uint16) ss.Decision
}

func (s *fake) ComputeAV(ssid, tsid ss.SID, class uint16) (ss.Decision, error) {
	s.asked.Add(1)
	if class == 0 {
		return ss.Decision{}, ss.ErrClass
	}
	seqno := s.seqno.Load()
	d := ss.Decision{Allowed: ssid ^ tsid, Decided: ^uint32(0), AuditDeny: ^uint32(0)}
	if s.f != nil {
		d = s.f(ssid, tsid, class)
	}
	d.Seqno = seqno
	return d, nil
}

func newCache(s server) *Cache {
	c := new(Cache)
	c.Init(s)
	return c
}

// ask looks a tuple up as hooks do.
func ask(c *Cache, cpu int, ssid, tsid ss.SID, class uint16, requested uint32) (*ss.Decision, error) {
	t := Tuple{ssid, tsid, class}
	found := c.Find(cpu, t)
	if found != nil && found.Allows(requested) {
		return &found.decision, nil
	}
	return c.Decide(cpu, found, t, requested)
}

func lookup(t *testing.T, c *Cache, ssid, tsid ss.SID, class uint16) *ss.Decision {
	t.Helper()
	d, err := ask(c, 0, ssid, tsid, class, 1)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestHitMiss(t *testing.T) {
	s := &fake{}
	c := newCache(s)
	for range 3 {
		for sid := ss.SID(1); sid <= 4; sid++ {
			if d := lookup(t, c, sid, 9, 2); d.Allowed != sid^9 {
				t.Errorf("decision on %d is %#x", sid, d.Allowed)
			}
		}
	}
	want := Stats{Lookups: 12, Hits: 8, Misses: 4, Allocations: 4}
	if have := c.Stats(0); have != want {
		t.Errorf("%+v, want %+v", have, want)
	}
	if s.asked.Load() != 4 {
		t.Errorf("asked the server %d times, want 4", s.asked.Load())
	}
	if _, err := ask(c, 1, 1, 2, 0, 1); !errors.Is(err, ss.ErrClass) {
		t.Errorf("server's error is %v", err)
	}
	if have := c.Stats(1); have != (Stats{Lookups: 1, Misses: 1}) {
		t.Errorf("processor 1 has %+v", have)
	}
	if have := c.Total(); have.Lookups != 13 || have.Misses != 5 {
		t.Errorf("total %+v", have)
	}
}

// TestHash puts tuples that Xen's hash sends to one slot into one chain, new
// ones at its head.
func TestHash(t *testing.T) {
	for _, c := range []struct {
		ssid, tsid ss.SID
		class      uint16
		want       uint32
	}{{1, 1, 1, 1 ^ 4 ^ 16}, {512, 0, 0, 0}, {0, 128, 0, 0}, {3, 5, 9, 3 ^ 20 ^ 144}} {
		if have := (Tuple{c.ssid, c.tsid, c.class}).slot(); have != c.want {
			t.Errorf("slot of (%d, %d, %d) = %d, want %d", c.ssid, c.tsid, c.class, have, c.want)
		}
	}
	c := newCache(&fake{})
	for i := range ss.SID(5) {
		lookup(t, c, 1+i*slots, 2, 3)
	}
	lookup(t, c, 7, 2, 3)
	want := HashStats{Entries: 6, BucketsUsed: 2, BucketsTotal: slots, MaxChain: 5}
	if have := c.HashStats(); have != want {
		t.Errorf("%+v, want %+v", have, want)
	}
	if head := c.heads[Tuple{1, 2, 3}.slot()].Load(); head.tuple.Source != 1+4*slots {
		t.Errorf("head of the chain is %d", head.tuple.Source)
	}
	if s := want.String(); s != "entries: 6\nbuckets used: 2/512\nlongest chain: 5\n" {
		t.Errorf("%q", s)
	}
}

// TestReclaim fills the cache beyond its threshold: 16 nodes go, and again
// when they have been filled up.
func TestReclaim(t *testing.T) {
	c := newCache(&fake{})
	for sid := range ss.SID(defaultThreshold) {
		lookup(t, c, sid, 0, 1)
	}
	if s := c.Total(); s.Reclaims != 0 || c.HashStats().Entries != defaultThreshold {
		t.Fatalf("at the threshold: %+v, %+v", s, c.HashStats())
	}
	lookup(t, c, 5000, 0, 1)
	if s := c.Total(); s.Reclaims != 16 || s.Frees != 16 || c.HashStats().Entries != defaultThreshold+1-16 {
		t.Errorf("over the threshold: %+v, %+v", s, c.HashStats())
	}
	for sid := range ss.SID(16) {
		lookup(t, c, 6000+sid, 0, 1)
	}
	if s := c.Total(); s.Reclaims != 32 {
		t.Errorf("over it again: %+v", s)
	}
	// Reclaim takes slots in turn, from the hint on.
	if hint := c.lruHint.Load(); hint != 32 {
		t.Errorf("hint is %d, want 32", hint)
	}
	c.SetThreshold(8)
	if c.Threshold() != 8 {
		t.Error("threshold not set")
	}
	lookup(t, c, 9000, 0, 1)
	if s := c.Total(); s.Reclaims != 48 {
		t.Errorf("with a lower threshold: %+v", s)
	}
}

// TestUsed gives a node that reclaim has passed another turn once it is hit.
func TestUsed(t *testing.T) {
	c := newCache(&fake{})
	lookup(t, c, 1, 0, 0+1)
	n := c.heads[Tuple{1, 0, 1}.slot()].Load()
	n.used.Store(0)
	c.reclaim(&c.stats[0])
	if c.heads[Tuple{1, 0, 1}.slot()].Load() != n || n.used.Load() != -1 {
		t.Errorf("reclaim took a node at 0, or left it at %d", n.used.Load())
	}
	lookup(t, c, 1, 0, 1)
	if n.used.Load() != 1 {
		t.Errorf("a hit left the node at %d", n.used.Load())
	}
	c.reclaim(&c.stats[0])
	if c.heads[Tuple{1, 0, 1}.slot()].Load() != nil {
		t.Error("reclaim passed a node at 1")
	}
}

// TestReclaimLocked passes over slots that someone else has.
func TestReclaimLocked(t *testing.T) {
	c := newCache(&fake{})
	lookup(t, c, 1, 0, 1)
	h := Tuple{1, 0, 1}.slot()
	c.locks[h].Lock()
	c.reclaim(&c.stats[0])
	c.locks[h].Unlock()
	if c.heads[h].Load() == nil {
		t.Error("reclaimed from a locked slot")
	}
}

func TestGrant(t *testing.T) {
	c := newCache(&fake{f: func(ss.SID, ss.SID, uint16) ss.Decision { return ss.Decision{Decided: ^uint32(0)} }})
	if d := lookup(t, c, 1, 2, 3); d.Allowed != 0 {
		t.Fatal("allowed")
	}
	lookup(t, c, 1+slots, 2, 3) // before it in the chain
	old := c.heads[Tuple{1, 2, 3}.slot()].Load().next.Load()
	c.Grant(0, Tuple{1, 2, 3}, &old.decision, 6)
	c.Grant(0, Tuple{1, 2, 3}, &old.decision, 8)   // no longer there
	c.Grant(0, Tuple{1, 200, 3}, &old.decision, 8) // never there
	if d := lookup(t, c, 1, 2, 3); d.Allowed != 6 {
		t.Errorf("allowed %#x, want 6", d.Allowed)
	}
	if old.decision.Allowed != 0 {
		t.Error("a node was changed in place")
	}
	if d := lookup(t, c, 1+slots, 2, 3); d.Allowed != 0 {
		t.Error("granted to another tuple")
	}
	if h := c.HashStats(); h.Entries != 2 || h.MaxChain != 2 {
		t.Errorf("%+v", h)
	}
}

// TestDecided asks again when a decision does not cover what is requested, and
// keeps one node for the tuple.
func TestDecided(t *testing.T) {
	decided := uint32(1)
	s := &fake{f: func(ss.SID, ss.SID, uint16) ss.Decision { return ss.Decision{Allowed: decided, Decided: decided} }}
	c := newCache(s)
	lookup(t, c, 1, 2, 3)
	decided = 3
	if _, err := ask(c, 0, 1, 2, 3, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(c, 0, 1, 2, 3, 2); err != nil {
		t.Fatal(err)
	}
	if st := c.Stats(0); st.Misses != 2 || st.Hits != 1 || st.Frees != 1 || c.HashStats().Entries != 1 {
		t.Errorf("%+v, %+v", st, c.HashStats())
	}
}

// TestReset flushes, and keeps out what an older policy decided.
func TestReset(t *testing.T) {
	s := &fake{}
	c := newCache(s)
	for sid := range ss.SID(100) {
		lookup(t, c, sid, 0, 1)
	}
	c.Reset(0, 1)
	if h := c.HashStats(); h.Entries != 0 || h.BucketsUsed != 0 {
		t.Errorf("after a reset: %+v", h)
	}
	if st := c.Total(); st.Frees != 100 {
		t.Errorf("%d frees, want 100", st.Frees)
	}
	lookup(t, c, 1, 0, 1) // decided by policy 0
	if h := c.HashStats(); h.Entries != 0 {
		t.Error("a stale decision was kept")
	}
	s.seqno.Store(1)
	lookup(t, c, 1, 0, 1)
	if h := c.HashStats(); h.Entries != 1 {
		t.Error("a current decision was not kept")
	}
}

// TestConcurrent looks up, grants and flushes at once: no decision may ever be
// another tuple's, or an older policy's than the last one announced before the
// lookup.
func TestConcurrent(t *testing.T) {
	s := &fake{}
	s.f = func(ssid, tsid ss.SID, class uint16) ss.Decision {
		return ss.Decision{Allowed: ssid<<16 | tsid<<8 | uint32(class)<<4, Decided: ^uint32(0)}
	}
	c := newCache(s)
	c.SetThreshold(64)
	var announced atomic.Uint32
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for cpu := range 4 {
		wg.Go(func() {
			for i := range 20000 {
				ssid, tsid, class := ss.SID(i%37), ss.SID(i*7%11), uint16(1+i%3)
				before := announced.Load()
				d, err := ask(c, cpu, ssid, tsid, class, 1)
				if err != nil {
					t.Error(err)
					return
				}
				if d.Allowed&^3 != ssid<<16|tsid<<8|uint32(class)<<4 || d.Seqno < before {
					t.Errorf("lookup of %d, %d, %d after policy %d: %+v", ssid, tsid, class, before, *d)
					return
				}
				if i%5 == 0 {
					c.Grant(cpu, Tuple{ssid, tsid, class}, d, uint32(i&3))
				}
			}
		})
	}
	var flusher sync.WaitGroup
	flusher.Go(func() {
		for n := uint32(1); ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			s.seqno.Store(n)
			c.Reset(0, n)
			announced.Store(n)
		}
	})
	wg.Wait()
	close(stop)
	flusher.Wait()
	c.Reset(0, 0)
	st := c.Total()
	if h := c.HashStats(); h.Entries != 0 {
		t.Errorf("entries left over: %+v", h)
	}
	if st.Allocations != st.Frees || st.Lookups != 80000 || st.Hits+st.Misses != st.Lookups {
		t.Errorf("counts do not add up: %+v", st)
	}
}

// TestHitWritesNothing makes sure that a hit changes nothing but its own
// processor's counters: neither a node, nor a chain, nor another's counters.
func TestHitWritesNothing(t *testing.T) {
	c := newCache(&fake{})
	lookup(t, c, 1, 2, 3)
	n := c.heads[Tuple{1, 2, 3}.slot()].Load()
	others := c.Stats(1)
	d := n.decision
	if a := testing.AllocsPerRun(100, func() { lookup(t, c, 1, 2, 3) }); a != 0 {
		t.Errorf("a hit allocates %v times", a)
	}
	if c.heads[Tuple{1, 2, 3}.slot()].Load() != n || n.decision != d || n.used.Load() != 1 || c.Stats(1) != others {
		t.Error("a hit changed shared state")
	}
}
