package ss

import (
	"math"
	"sync"
	"sync/atomic"

	"xsmbench/xsm/flask/policydb"
)

// sidSlots is the number of chains of a SID table (SIDTAB_SIZE).
const sidSlots = 128

// sidTable maps SIDs to contexts by a hash, and contexts to SIDs by looking
// through all of them, as Xen does. Entries are never changed or removed, so
// lookups take no lock.
type sidTable struct {
	slots [sidSlots]atomic.Pointer[sidNode]

	db *policydb.DB // whose contexts these are

	mu     sync.Mutex // taken to insert
	levels policydb.Levels
	next   SID
	n      atomic.Int64
}

// sidNode is an entry. Chains are in ascending order of SIDs. What a decision
// reads of it comes first, so that it shares a cache line.
type sidNode struct {
	sid  SID
	next atomic.Pointer[sidNode]
	traits
	party   policydb.Party
	context policydb.Context
}

// traits are what a policy says of a context's type.
type traits struct {
	permissive bool // denials are audited only
	bounded    bool // another type bounds it
}

// newSIDTable makes a table for a policy's contexts whose SIDs after the initial
// ones are free.
func newSIDTable(db *policydb.DB, initial SID) *sidTable {
	return &sidTable{db: db, next: initial + 1}
}

// node finds a SID's entry, nil if there is none.
func (t *sidTable) node(sid SID) *sidNode {
	n := t.slots[sid%sidSlots].Load()
	for n != nil && n.sid != sid {
		n = n.next.Load()
	}
	return n
}

func (t *sidTable) search(sid SID) *policydb.Context {
	n := t.node(sid)
	if n == nil {
		return nil
	}
	return &n.context
}

// insert adds a SID that is not in the table. The caller holds mu, or no one
// else has the table yet.
func (t *sidTable) insert(sid SID, c policydb.Context) {
	link := &t.slots[sid%sidSlots]
	at := link.Load()
	for at != nil && at.sid < sid {
		link = &at.next
		at = link.Load()
	}
	n := &sidNode{sid: sid, context: c, traits: traits{
		permissive: t.db.Permissive.Has(c.Type),
		bounded:    t.db.Types.At(c.Type).Bounds != 0,
	}}
	n.party = t.levels.Party(&n.context)
	n.next.Store(at)
	link.Store(n)
	t.n.Add(1)
}

// find looks through the whole table for a context, 0 if it is not there.
func (t *sidTable) find(c *policydb.Context) SID {
	for i := range t.slots {
		for n := t.slots[i].Load(); n != nil; n = n.next.Load() {
			if n.context.Equal(c) {
				return n.sid
			}
		}
	}
	return 0
}

// contextToSID finds a context's SID or gives it the next one. It looks a
// second time under the lock, for another may have been there first.
func (t *sidTable) contextToSID(c *policydb.Context) (SID, error) {
	if sid := t.find(c); sid != 0 {
		return sid, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if sid := t.find(c); sid != 0 {
		return sid, nil
	}
	if t.next == math.MaxUint32 {
		return 0, ErrNoSID
	}
	sid := t.next
	t.next++
	t.insert(sid, *c)
	return sid, nil
}

// all calls f with every SID and its context.
func (t *sidTable) all(f func(sid SID, c *policydb.Context) bool) {
	for i := range t.slots {
		for n := t.slots[i].Load(); n != nil; n = n.next.Load() {
			if !f(n.sid, &n.context) {
				return
			}
		}
	}
}

func (t *sidTable) len() int { return int(t.n.Load()) }
