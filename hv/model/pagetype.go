package model

import (
	"runtime"

	"xsmbench/abi"
)

// This file is the heart of Xen's paravirtual memory management
// (arch/x86/mm.c): a frame has at most one type at a time, a frame that is a
// page table is never writable for a guest, and every entry of a page table
// holds a reference to what it maps. So no guest ever reaches memory that it
// was not given.

// getPage takes a reference to a frame of the domain's (get_page). It fails if
// the frame does not exist, is free, or is another's.
func (m *Machine) getPage(mfn abi.MFN, d *Domain) bool {
	if mfn >= abi.MFN(len(m.frames)) {
		return false
	}
	pg := &m.frames[mfn]
	for {
		x := pg.countInfo.Load()
		if x&pgcCountMask == 0 || (x+1)&pgcCountMask == 0 {
			return false
		}
		if pg.countInfo.CompareAndSwap(x, x+1) {
			break
		}
	}
	if pg.Owner != &d.Domain {
		m.putPage(mfn)
		return false
	}
	return true
}

// putPage drops a reference; the last one frees the frame (put_page).
func (m *Machine) putPage(mfn abi.MFN) {
	if m.frames[mfn].countInfo.Add(^uint64(0))&pgcCountMask == 0 {
		m.freeDomheapPage(mfn)
	}
}

// getPageAndType takes a reference to a frame of the domain's, used as a type
// (get_page_and_type).
func (m *Machine) getPageAndType(mfn abi.MFN, d *Domain, typ uint64) bool {
	if !m.getPage(mfn, d) {
		return false
	}
	if !m.getPageType(mfn, typ) {
		m.putPage(mfn)
		return false
	}
	return true
}

// putPageAndType undoes getPageAndType.
func (m *Machine) putPageAndType(mfn abi.MFN) {
	m.putPageType(mfn)
	m.putPage(mfn)
}

// getPageType counts one more use of a frame as a type; the caller holds a
// reference (get_page_type). The first use validates the frame's content. It
// fails if the frame is in use as another type or its content is not valid.
func (m *Machine) getPageType(mfn abi.MFN, typ uint64) bool {
	pg := &m.frames[mfn]
	var next uint64
	for {
		x := pg.typeInfo.Load()
		next = x + 1
		switch {
		case next&pgtCountMask == 0:
			return false
		case x&pgtCountMask == 0:
			if x&pgtTableBits != typ {
				// Entries from its last life may linger in TLBs.
				if d := pg.owner(); d != nil {
					m.flushStale(d, pg)
				}
				next = next&^(pgtTableBits|pgtValidated) | typ
				if typ == pgtWritable {
					next |= pgtValidated
				}
			}
		case x&pgtTableBits != typ:
			return false
		case x&pgtValidated == 0:
			// Another processor is validating it.
			for pg.typeInfo.Load() == x {
				runtime.Gosched()
			}
			continue
		}
		if pg.typeInfo.CompareAndSwap(x, next) {
			break
		}
	}
	if next&pgtValidated != 0 {
		return true
	}
	if !m.allocPageType(mfn, typ) {
		pg.typeInfo.Store(0) // ours is the only use
		return false
	}
	pg.typeInfo.Or(pgtValidated)
	return true
}

// putPageType drops a use as a type; with the last one a page table gives up
// what its entries hold (put_page_type).
func (m *Machine) putPageType(mfn abi.MFN) {
	pg := &m.frames[mfn]
	for {
		x := pg.typeInfo.Load()
		next := x - 1
		if x&pgtCountMask == 0 {
			panic("put page type: count is zero")
		}
		if next&pgtCountMask == 0 {
			if tableLevel(x) != 0 && x&pgtValidated != 0 {
				// Without the validated bit others spin or fail
				// until the entries are gone.
				if !pg.typeInfo.CompareAndSwap(x, x&^pgtValidated) {
					continue
				}
				m.freePageType(mfn, x)
				x = pg.typeInfo.Load()
				next = x - 1
			}
			pg.tlbStamp.Store(m.tlb.clock.Load())
		}
		if pg.typeInfo.CompareAndSwap(x, next) {
			return
		}
	}
}

// allocPageType validates a frame's content for a type (alloc_page_type).
func (m *Machine) allocPageType(mfn abi.MFN, typ uint64) bool {
	d := m.frames[mfn].owner()
	m.markDirty(d, mfn)
	switch typ & pgtTypeMask {
	case pgtL1:
		return m.allocL1Table(mfn, d)
	case pgtL2, pgtL3, pgtL4:
		return m.allocTable(tableLevel(typ), typ, mfn, d)
	case pgtGDT, pgtLDT:
		return m.allocSegdescPage(mfn)
	}
	return false
}

// freePageType gives up what a page table's entries hold (free_page_type).
func (m *Machine) freePageType(mfn abi.MFN, typeInfo uint64) {
	d := m.frames[mfn].owner()
	if d != nil {
		m.flushDomainTLB(d)
		m.markDirty(d, mfn)
	}
	if level := tableLevel(typeInfo); level == 1 {
		m.freeL1Table(mfn, d)
	} else {
		m.freeTable(level, typeInfo, mfn)
	}
}

// isIOMem reports whether a frame is device memory: outside the machine's
// memory, or DOMID_IO's (is_iomem_page).
func (m *Machine) isIOMem(mfn abi.MFN) bool {
	return mfn >= abi.MFN(len(m.frames)) || m.frames[mfn].countInfo.Load()&pgcIOMem != 0
}

// l1Disallow are the bits that a domain's L1 entries must not have; domains
// with devices choose cache attributes.
func l1Disallow(d *Domain) uint64 {
	if d.cacheControlPermitted() {
		return l1DisallowMask &^ pteCacheBits
	}
	return l1DisallowMask
}

// getPageFromL1E takes the reference that a new L1 entry holds to a frame of
// the domain's (get_page_from_l1e). For DOMID_IO the privileges are the
// caller's.
func (m *Machine) getPageFromL1E(e uint64, d, caller *Domain) bool {
	if e&abi.PtePresent == 0 {
		return true
	}
	if e&l1Disallow(d) != 0 {
		return false
	}
	mfn := abi.PteMFN(e)
	if m.isIOMem(mfn) {
		if d == m.domIO {
			d = caller
		}
		return d.iomemPermitted(mfn)
	}
	if e&abi.PteRW != 0 {
		if !m.getPageAndType(mfn, d, pgtWritable) {
			return false
		}
	} else if !m.getPage(mfn, d) {
		return false
	}
	if m.frames[mfn].countInfo.Load()>>pgcCacheAttrBase&7 != cacheAttr(e) {
		return m.setCacheAttr(mfn, e)
	}
	return true
}

// setCacheAttr records the cache attributes of a frame's newest mapping; it
// drops the mapping's reference if it cannot.
func (m *Machine) setCacheAttr(mfn abi.MFN, e uint64) bool {
	pg := &m.frames[mfn]
	for {
		x := pg.countInfo.Load()
		if x&pgcXenHeap != 0 {
			if e&abi.PteRW != 0 {
				m.putPageType(mfn)
			}
			m.putPage(mfn)
			return false
		}
		if pg.countInfo.CompareAndSwap(x, x&^pgcCacheAttrMask|cacheAttr(e)<<pgcCacheAttrBase) {
			return true
		}
	}
}

// putPageFromL1E drops the reference of an L1 entry that was the domain's
// (put_page_from_l1e).
func (m *Machine) putPageFromL1E(e uint64, d *Domain) {
	mfn := abi.PteMFN(e)
	if e&abi.PtePresent == 0 || m.isIOMem(mfn) {
		return
	}
	pg := &m.frames[mfn]
	if pg.Owner != &d.Domain {
		// The frame may find its way to a third domain, whose use of it
		// knows nothing of this one's TLBs.
		m.flushDomainTLB(d)
	}
	if e&abi.PteRW != 0 {
		m.putPageAndType(mfn)
		return
	}
	if t := pg.typeInfo.Load(); t&pgtTypeMask == pgtLDT && t&pgtCountMask != 0 && pg.Owner == &d.Domain {
		d.eachVCPU((*VCPU).invalidateShadowLDT)
	}
	m.putPage(mfn)
}

// getPageFromEntry takes the reference that a new entry of a table of level 2
// or more holds to the table below (get_page_from_l2e…l4e).
func (m *Machine) getPageFromEntry(level int, e uint64, table abi.MFN, d *Domain) bool {
	if e&abi.PtePresent == 0 {
		return true
	}
	if e&disallowMask(level) != 0 {
		return false
	}
	return m.getPageAndType(abi.PteMFN(e), d, tableType(level-1)) ||
		m.getLinearTable(level, e, table, d)
}

// getLinearTable takes the reference of an entry that maps a table of its own
// level, so that page tables appear as memory in a linear range. The mapping
// must be read-only and the table already validated; a table that maps itself
// counts nothing (get_l2_linear_pagetable…).
func (m *Machine) getLinearTable(level int, e uint64, table abi.MFN, d *Domain) bool {
	if e&abi.PteRW != 0 {
		return false
	}
	mfn := abi.PteMFN(e)
	if mfn == table {
		return true
	}
	if !m.getPage(mfn, d) {
		return false
	}
	pg := &m.frames[mfn]
	for {
		x := pg.typeInfo.Load()
		if x&pgtCountMask == pgtCountMask || x&(pgtTypeMask|pgtValidated) != tableType(level)|pgtValidated {
			m.putPage(mfn)
			return false
		}
		if pg.typeInfo.CompareAndSwap(x, x+1) {
			return true
		}
	}
}

// putPageFromEntry drops the reference of an entry of level 2 or more
// (put_page_from_l2e…l4e).
func (m *Machine) putPageFromEntry(e uint64, table abi.MFN) {
	if mfn := abi.PteMFN(e); e&abi.PtePresent != 0 && mfn != table {
		m.putPageAndType(mfn)
	}
}

// allocL1Table validates a frame as an L1 table (alloc_l1_table).
func (m *Machine) allocL1Table(mfn abi.MFN, d *Domain) bool {
	t := m.table(mfn)
	for i := range t {
		e := loadPTE(&t[i])
		if e&abi.PtePresent == 0 {
			continue
		}
		if !m.getPageFromL1E(e, d, d) {
			for i--; i >= 0; i-- {
				m.putPageFromL1E(loadPTE(&t[i]), d)
			}
			return false
		}
		if a := adjustEntry(1, e); a != e {
			storePTE(&t[i], a)
		}
	}
	return true
}

// freeL1Table drops what an L1 table holds (free_l1_table).
func (m *Machine) freeL1Table(mfn abi.MFN, d *Domain) {
	t := m.table(mfn)
	for i := range t {
		m.putPageFromL1E(loadPTE(&t[i]), d)
	}
}

// allocTable validates a frame as a table of level 2 or more, and puts Xen's
// own mappings into it where they belong (alloc_l2_table…l4_table).
func (m *Machine) allocTable(level int, typ uint64, mfn abi.MFN, d *Domain) bool {
	t := m.table(mfn)
	i := 0
	for ; i < tableEntries(level); i++ {
		if !guestSlot(level, typ, i) {
			continue
		}
		e := loadPTE(&t[i])
		if !m.getPageFromSlot(level, i, e, mfn, d) {
			break
		}
		if a := adjustEntry(level, e); a != e {
			storePTE(&t[i], a)
		}
	}
	if i == tableEntries(level) && m.createXenMappings(level, mfn, d) {
		return true
	}
	for i--; i >= 0; i-- {
		if guestSlot(level, typ, i) {
			m.putPageFromEntry(loadPTE(&t[i]), mfn)
		}
	}
	return false
}

// freeTable drops what a table of level 2 or more holds (free_l2_table…).
func (m *Machine) freeTable(level int, typeInfo uint64, mfn abi.MFN) {
	t := m.table(mfn)
	for i := range tableEntries(level) {
		if guestSlot(level, typeInfo, i) {
			m.putPageFromEntry(loadPTE(&t[i]), mfn)
		}
	}
	if level == 2 {
		m.frames[mfn].typeInfo.And(^pgtPAEXenL2)
	}
}
