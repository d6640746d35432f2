package model

import (
	"sync/atomic"
	"unsafe"

	"xsmbench/abi"
)

// domainMM is what memory management keeps of a domain apart from its page
// list.
type domainMM struct {
	xenPages pageList                 // Xen's frames shared with it, guarded by pageLock
	io       ioCaps                   // devices it may use
	e820     []abi.E820Entry          // set_memory_map, guarded by bigLock
	dirty    atomic.Pointer[dirtyLog] // log-dirty mode; nil for off
	physmap  atomic.Pointer[physmap]  // translated mode; nil for off
}

// archDomainCreate gives a new domain its shared page (arch_domain_create).
func (m *Machine) archDomainCreate(d *Domain) bool {
	mfn, ok := m.allocXenheapPage()
	if !ok {
		return false
	}
	d.sharedMFN = mfn
	d.shared = (*abi.SharedInfo)(unsafe.Pointer(m.pageArray(mfn)))
	m.shareXenPageWithGuest(mfn, d, false)
	return true
}

// archDomainDestroy frees the shared page (arch_domain_destroy). A domain that
// never ran still holds its reference.
func (m *Machine) archDomainDestroy(d *Domain) {
	if d.sharedMFN == 0 {
		return
	}
	m.endXenPage(d.sharedMFN)
	d.sharedMFN, d.shared = 0, new(abi.SharedInfo)
}

// endXenPage frees a frame of Xen's that was shared with a domain and that the
// domain may never have given back. Its user calls it when nobody refers to
// the frame any more.
func (m *Machine) endXenPage(mfn abi.MFN) {
	if m.clearAllocated(mfn) {
		m.putPage(mfn)
	}
	m.freeXenheapPage(mfn)
}

// clearAllocated takes back the reference that a domain has for owning a
// frame, and reports whether it had it; it is the caller's then.
func (m *Machine) clearAllocated(mfn abi.MFN) bool {
	return m.frames[mfn].countInfo.And(^uint64(pgcAllocated))&pgcAllocated != 0
}

// The shared page must fit its frame.
const _ = uint(abi.PageSize - unsafe.Sizeof(abi.SharedInfo{}))
