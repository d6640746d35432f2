package model

import (
	"sync/atomic"

	"xsmbench/abi"
)

// pteAccessBits are the bits that the processor itself sets.
const pteAccessBits = abi.PteAccessed | abi.PteDirty

// pteFreeBits may change in an entry without further checks.
const pteFreeBits = pteAccessBits | abi.PteAvail0 | abi.PteAvail1 | abi.PteAvail2

// Cache attributes in an L1 entry: write-through, cache-disable, PAT.
const pteCacheBits = abi.PtePWT | abi.PtePCD | abi.PtePSE

// cacheAttr packs them as countInfo keeps them.
func cacheAttr(e uint64) uint64 {
	return e>>3&3 | e>>5&4
}

// loadPTE reads an entry; other processors may set its access bits meanwhile.
func loadPTE(p *uint64) uint64 { return atomic.LoadUint64(p) }

// writePTE replaces an entry whose last known value is old and returns what it
// replaced: only the access bits can have changed since, because every other
// writer holds the domain's lock (update_intpte). They are not carried over.
func (m *Machine) writePTE(d *Domain, table abi.MFN, p *uint64, old, e uint64) uint64 {
	for !atomic.CompareAndSwapUint64(p, old, e) {
		old = atomic.LoadUint64(p)
	}
	m.markDirty(d, table)
	return old
}

// setPTEBits sets access bits in an entry read as old; false if it has changed
// otherwise.
func setPTEBits(p *uint64, old, set uint64) bool {
	for old&set != set {
		if atomic.CompareAndSwapUint64(p, old, old|set) {
			return true
		}
		now := atomic.LoadUint64(p)
		if (now^old)&^pteAccessBits != 0 {
			return false
		}
		old = now
	}
	return true
}

// storePTE replaces an entry that nobody else can use yet.
func storePTE(p *uint64, e uint64) { atomic.StoreUint64(p, e) }
