package model

import (
	"sync/atomic"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// PageInfo describes one machine frame (struct page_info): who owns it, how
// often it is referenced, what it is used as and how often it is used so.
type PageInfo struct {
	xsm.Page // Owner
	// countInfo is the reference count with the pgc flags (PGC_allocated,
	// PGC_page_table…), typeInfo the type, the validated and pinned flags
	// and the type's count, as in Xen's asm-x86/mm.h.
	countInfo atomic.Uint64
	typeInfo  atomic.Uint64
	// next and prev chain the frames of a domain's page list, by MFN.
	next, prev abi.MFN
}

// frameTable is the machine's frames, indexed by MFN.
type frameTable []PageInfo

// Page implements xsm.FrameTable.
func (t frameTable) Page(m abi.MFN) *xsm.Page {
	if m >= abi.MFN(len(t)) {
		return nil
	}
	return &t[m].Page
}
