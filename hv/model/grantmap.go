package model

import "xsmbench/abi"

// Host mappings of granted frames (create_grant_host_mapping… in
// arch/x86/mm.c). The grant table has taken the references that the mapping
// stands for, and drops them when it has been destroyed; the domain's TLBs are
// flushed by then. The caller holds the bigLock of the vCPU's domain.

// grantPTEFlags are the bits of an entry that maps a granted frame
// (GRANT_PTE_FLAGS).
func grantPTEFlags() uint64 {
	flags := abi.PtePresent | abi.PteAccessed | abi.PteDirty
	if abi.PTLevels == 4 {
		flags |= abi.PteUser
	}
	return flags
}

// createGrantHostMapping maps a granted frame at a linear address, or in the
// entry at a machine address if the flags have GNTMAPContainsPTE. What was
// mapped there is unmapped.
func (m *Machine) createGrantHostMapping(v *VCPU, addr uint64, mfn abi.MFN, flags uint32) int16 {
	e := abi.MkPte(mfn, grantPTEFlags())
	if flags&abi.GNTMAPApplicationMap != 0 {
		e |= abi.PteUser
	}
	if flags&abi.GNTMAPReadonly == 0 {
		e |= abi.PteRW
	}
	e = adjustEntry(1, e)
	d := v.dom
	if flags&abi.GNTMAPContainsPTE != 0 {
		return m.withGrantPTE(d, addr, func(table abi.MFN, p *uint64) int16 {
			m.putPageFromL1E(m.writePTE(d, table, p, loadPTE(p), e), d)
			return abi.GNTSTOkay
		})
	}
	l1, slot, ok := m.grantL1E(v, addr)
	if !ok {
		return abi.GNTSTGeneralError
	}
	p := &m.table(l1)[slot]
	m.putPageFromL1E(m.writePTE(d, l1, p, loadPTE(p), e), d)
	return abi.GNTSTOkay
}

// destroyGrantHostMapping takes a mapping of a granted frame away. If newAddr
// is not 0, what is mapped there moves into the mapping's place
// (replace_grant_host_mapping).
func (m *Machine) destroyGrantHostMapping(v *VCPU, addr, newAddr uint64, mfn abi.MFN, flags uint32) int16 {
	d := v.dom
	if flags&abi.GNTMAPContainsPTE != 0 {
		if newAddr != 0 {
			return abi.GNTSTGeneralError
		}
		return m.withGrantPTE(d, addr, func(table abi.MFN, p *uint64) int16 {
			return m.replaceGrantPTE(d, table, p, mfn, 0)
		})
	}
	if newAddr == 0 {
		return m.replaceGrantVA(v, addr, mfn, 0)
	}
	l1, slot, ok := m.grantL1E(v, newAddr)
	if !ok {
		return abi.GNTSTGeneralError
	}
	p := &m.table(l1)[slot]
	moved := m.writePTE(d, l1, p, loadPTE(p), 0)
	rc := m.replaceGrantVA(v, addr, mfn, moved)
	if rc != abi.GNTSTOkay {
		m.putPageFromL1E(moved, d)
	}
	return rc
}

// grantL1E finds the entry for a linear address, in a table that is an L1.
func (m *Machine) grantL1E(v *VCPU, va uint64) (abi.MFN, int, bool) {
	l1, slot, ok := v.guestL1E(va)
	return l1, slot, ok && addressOK(va) && m.frames[l1].typeInfo.Load()&pgtTypeMask == pgtL1
}

func (m *Machine) replaceGrantVA(v *VCPU, va uint64, mfn abi.MFN, e uint64) int16 {
	l1, slot, ok := m.grantL1E(v, va)
	if !ok {
		return abi.GNTSTGeneralError
	}
	return m.replaceGrantPTE(v.dom, l1, &m.table(l1)[slot], mfn, e)
}

// replaceGrantPTE replaces an entry that must map the granted frame.
func (m *Machine) replaceGrantPTE(d *Domain, table abi.MFN, p *uint64, mfn abi.MFN, e uint64) int16 {
	old := loadPTE(p)
	if old&abi.PtePresent == 0 || abi.PteMFN(old) != mfn {
		return abi.GNTSTGeneralError
	}
	m.writePTE(d, table, p, old, e)
	m.flushDomainTLB(d)
	return abi.GNTSTOkay
}

// withGrantPTE calls f with the L1 entry at a machine address.
func (m *Machine) withGrantPTE(d *Domain, addr uint64, f func(table abi.MFN, p *uint64) int16) int16 {
	mfn := abi.MFN(addr >> abi.PageShift)
	if addr&7 != 0 || !m.getPage(mfn, d) {
		return abi.GNTSTGeneralError
	}
	defer m.putPage(mfn)
	if m.frames[mfn].typeInfo.Load()&pgtTypeMask != pgtL1 || !m.getPageType(mfn, pgtL1) {
		return abi.GNTSTGeneralError
	}
	defer m.putPageType(mfn)
	return f(mfn, &m.table(mfn)[addr&(abi.PageSize-1)>>3])
}
