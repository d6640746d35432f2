package flask

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// Hooks on memory: reservations, page tables, frames.

func (m *Module) memoryAdjustReservation(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, d1, d2, classMmu, mmuAdjust)
}

func (m *Module) memoryStatReservation(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, d1, d2, classMmu, mmuStat)
}

func (m *Module) addToPhysmap(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, d1, d2, classMmu, mmuPhysmap)
}

func (m *Module) getMemList(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classMmu, mmuPagelist)
}

func (m *Module) domainMemoryMap(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classMmu, mmuMemorymap)
}

func (m *Module) machineMemoryMap(cur *xsm.VCPU) abi.Errno {
	return m.hasPerm(cur, domainSID(cur.Domain), sidXen, classMmu, mmuMemorymap, nil)
}

// memoryPinPage and getPageFrameInfo get a frame's descriptor without its
// number, which their callers know to have an owner.
func (m *Module) memoryPinPage(cur *xsm.VCPU, d *xsm.Domain, page *xsm.Page) abi.Errno {
	sid, rc := m.pageSID(d, page, abi.InvalidMFN)
	if rc != 0 {
		return rc
	}
	return m.hasPerm(cur, domainSID(d), sid, classMmu, mmuPinpage, nil)
}

func (m *Module) getPageFrameInfo(cur *xsm.VCPU, page *xsm.Page) abi.Errno {
	sid, rc := m.pageSID(cur.Domain, page, abi.InvalidMFN)
	if rc != 0 {
		return rc
	}
	return m.hasPerm(cur, domainSID(cur.Domain), sid, classMmu, mmuPageinfo, nil)
}

// onFrame asks for d on the frame mfn.
func (m *Module) onFrame(cur *xsm.VCPU, d *xsm.Domain, mfn abi.MFN, perms uint32) abi.Errno {
	sid, rc := m.mfnSID(cur, d, mfn)
	if rc != 0 {
		return rc
	}
	return m.hasPerm(cur, domainSID(d), sid, classMmu, perms, nil)
}

func (m *Module) translateGPFNList(cur *xsm.VCPU, d *xsm.Domain, mfn abi.MFN) abi.Errno {
	return m.onFrame(cur, d, mfn, mmuTranslategp)
}

func (m *Module) mmuMachphysUpdate(cur *xsm.VCPU, d *xsm.Domain, mfn abi.MFN) abi.Errno {
	return m.onFrame(cur, d, mfn, mmuUpdatemp)
}

// mmuNormalUpdate and updateVAMapping ask for the frame that a new page-table
// entry names. They do not look whether the entry is present, as 3.2 does not:
// to clear an entry is to map frame 0, for reading.
func (m *Module) mmuNormalUpdate(cur *xsm.VCPU, d *xsm.Domain, fpte uint64) abi.Errno {
	return m.onFrame(cur, d, abi.PteMFN(fpte), mapPermissions(fpte))
}

func (m *Module) updateVAMapping(cur *xsm.VCPU, d *xsm.Domain, pte uint64) abi.Errno {
	return m.onFrame(cur, d, abi.PteMFN(pte), mapPermissions(pte))
}

// mapPermissions are those that a page-table entry wants.
func mapPermissions(pte uint64) uint32 {
	if pte&abi.PteRW != 0 {
		return mmuMapRead | mmuMapWrite
	}
	return mmuMapRead
}
