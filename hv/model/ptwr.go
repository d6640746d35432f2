package model

import "xsmbench/abi"

// emulatePTEWrite is Xen's answer to a guest kernel's write to an L1 page
// table that it has mapped read-only, as it must: the new entry is checked as
// mmu_update checks it, and written for the guest (ptwr_do_page_fault in
// arch/x86/mm.c). No security hook is crossed: the entry must map the domain's
// own memory. It reports whether the write was made; all else is the guest's
// fault.
func (v *VCPU) emulatePTEWrite(va, e uint64) bool {
	m, d := v.machine, v.dom
	d.bigLock.Lock()
	defer d.bigLock.Unlock()

	l1, i, ok := v.guestL1E(va)
	if !ok {
		return false
	}
	pte := loadPTE(&m.table(l1)[i])
	mfn := abi.PteMFN(pte)
	if pte&(abi.PtePresent|abi.PteRW) != abi.PtePresent || !m.validMFN(mfn) {
		return false
	}
	pg := &m.frames[mfn]
	if t := pg.typeInfo.Load(); t&pgtTypeMask != pgtL1 || t&pgtCountMask == 0 || pg.owner() != d {
		return false
	}
	if !m.getPageFromL1E(e, d, d) {
		return false
	}
	p := &m.table(mfn)[va&(abi.PageSize-1)>>3]
	old := m.writePTE(d, mfn, p, loadPTE(p), adjustEntry(1, e))
	m.putPageFromL1E(old, d)
	return true
}
