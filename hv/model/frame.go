package model

import (
	"sync/atomic"
	"unsafe"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// PageInfo describes one machine frame (struct page_info): who owns it, how
// often it is referenced, what it is used as and how often it is used so.
//
// Owner changes only while the count in countInfo is zero, so whoever holds a
// reference may read it.
type PageInfo struct {
	xsm.Page // Owner
	// countInfo is the reference count with the pgc flags (PGC_allocated,
	// PGC_page_table…), typeInfo the type, the validated and pinned flags
	// and the type's count, as in Xen's asm-x86/mm.h.
	countInfo atomic.Uint64
	typeInfo  atomic.Uint64
	// next and prev chain the frames of a domain's page list, or those of
	// a free list of the heap, by MFN.
	next, prev abi.MFN
	// tlbStamp is the TLB clock's time when the type count last fell to
	// zero: a processor that has flushed since holds no stale entry.
	tlbStamp atomic.Uint32
}

// Bits of PageInfo.countInfo. The low ones count references.
const (
	pgcCountMask      = 1<<26 - 1
	pgcCacheAttrBase  = 26
	pgcCacheAttrMask  = 7 << pgcCacheAttrBase // PWT, PCD, PAT of the guest's mappings
	pgcXenHeap        = 1 << 30               // Xen's own (is_xen_heap_page)
	pgcAllocated      = 1 << 31               // cleared when the owner gives the frame back
	pgcIOMem          = 1 << 32               // device memory: owned by DOMID_IO for ever
	pgcCountAllocated = pgcCountMask | pgcAllocated
)

// Bits of PageInfo.typeInfo. The low ones count uses as that type. Page-table
// types are ordered by level.
const (
	pgtCountMask uint64 = 1<<26 - 1
	pgtPAEXenL2  uint64 = 1 << 26 // the L2 of a PAE table that holds Xen's mappings
	pgtValidated uint64 = 1 << 27
	pgtPinned    uint64 = 1 << 28
	pgtTypeMask  uint64 = 7 << 29

	pgtNone      uint64 = 0 << 29
	pgtL1        uint64 = 1 << 29
	pgtL2        uint64 = 2 << 29
	pgtL3        uint64 = 3 << 29
	pgtL4        uint64 = 4 << 29
	pgtGDT       uint64 = 5 << 29
	pgtLDT       uint64 = 6 << 29
	pgtWritable  uint64 = 7 << 29
	pgtRoot             = uint64(abi.PTLevels) << 29 // PGT_root_page_table
	pgtTableBits        = pgtTypeMask | pgtPAEXenL2
)

// tableType is the type of a page table of a level, 1 for the lowest.
func tableType(level int) uint64 { return uint64(level) << 29 }

// tableLevel is the inverse of tableType: 0 for what is no page table.
func tableLevel(typeInfo uint64) int {
	if t := typeInfo & pgtTypeMask; t >= pgtL1 && t <= pgtL4 {
		return int(t >> 29)
	}
	return 0
}

// owner is the domain that owns the frame, nil for none. xsm.Domain is the
// first field of Domain, so that the pointer to one is the other's
// (container_of).
func (pg *PageInfo) owner() *Domain { return (*Domain)(unsafe.Pointer(pg.Owner)) }

// frameTable is the machine's frames, indexed by MFN.
type frameTable []PageInfo

// Page implements xsm.FrameTable.
func (t frameTable) Page(m abi.MFN) *xsm.Page {
	if m >= abi.MFN(len(t)) {
		return nil
	}
	return &t[m].Page
}

// page returns a frame's descriptor, nil for a frame that does not exist.
func (m *Machine) page(mfn abi.MFN) *PageInfo {
	if !m.validMFN(mfn) {
		return nil
	}
	return &m.frames[mfn]
}

// validMFN reports whether a frame exists (mfn_valid).
func (m *Machine) validMFN(mfn abi.MFN) bool { return mfn < abi.MFN(len(m.frames)) }

// frame returns a frame's memory.
func (m *Machine) frame(mfn abi.MFN) []byte {
	o := uintptr(mfn) << abi.PageShift
	return m.mem[o : o+abi.PageSize : o+abi.PageSize]
}

// pageArray returns a frame's memory as an array.
func (m *Machine) pageArray(mfn abi.MFN) *[abi.PageSize]byte {
	return (*[abi.PageSize]byte)(m.frame(mfn))
}

// table returns a frame as a page table.
func (m *Machine) table(mfn abi.MFN) *[abi.PTEntries]uint64 {
	return (*[abi.PTEntries]uint64)(unsafe.Pointer(&m.mem[uintptr(mfn)<<abi.PageShift]))
}

// gpfn reads the machine-to-physical table.
func (m *Machine) gpfn(mfn abi.MFN) abi.PFN {
	return abi.PFN(atomic.LoadUint64((*uint64)(&m.m2p[mfn])))
}

// setGPFN writes it (set_gpfn_from_mfn).
func (m *Machine) setGPFN(mfn abi.MFN, pfn abi.PFN) {
	atomic.StoreUint64((*uint64)(&m.m2p[mfn]), uint64(pfn))
}

// invalidPFN marks a frame without a place in its owner's memory
// (INVALID_M2P_ENTRY).
const invalidPFN = ^abi.PFN(0)
