package model

import (
	"sync/atomic"

	"xsmbench/abi"
)

// doSetGDT is set_gdt: R[0] is the number of descriptors.
func doSetGDT(m *Machine, v *VCPU, a *abi.Args) int64 {
	if a.R[0] > maxGDTEntries {
		return einval
	}
	list, _ := a.H.(*abi.GDTFrames)
	if list == nil {
		return efault
	}
	v.dom.bigLock.Lock()
	defer v.dom.bigLock.Unlock()
	return int64(m.setGDT(v, list.Frames, a.R[0]))
}

// doUpdateDescriptor is update_descriptor (arch/x86/mm.c): R[0] is the machine
// address of an entry of a descriptor table in the caller's memory, R[1] the
// descriptor, which must grant nothing of Xen's.
func doUpdateDescriptor(m *Machine, v *VCPU, a *abi.Args) int64 {
	addr, desc := a.R[0], a.R[1]
	mfn := abi.MFN(addr >> abi.PageShift)
	if addr&7 != 0 || !m.validMFN(mfn) || !validDescriptor(desc) {
		return einval
	}
	d := v.dom
	d.bigLock.Lock()
	defer d.bigLock.Unlock()
	if !m.getPage(mfn, d) {
		return einval
	}
	defer m.putPage(mfn)
	// A frame that is a descriptor table stays one; any other must be
	// writable, or the guest would have a page table changed for it.
	typ := pgtWritable
	if t := m.frames[mfn].typeInfo.Load() & pgtTypeMask; t == pgtGDT || t == pgtLDT {
		typ = t
	}
	if !m.getPageType(mfn, typ) {
		return einval
	}
	defer m.putPageType(mfn)
	m.markDirty(d, mfn)
	atomic.StoreUint64(&m.table(mfn)[addr&(abi.PageSize-1)>>3], desc)
	return 0
}
