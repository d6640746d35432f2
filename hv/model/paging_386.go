package model

import "xsmbench/abi"

// Three-level paging of x86_32 with PAE (asm-x86/x86_32/page-3level.h). The
// top table has four entries; Xen lives at the end of what the fourth maps, in
// an L2 table that therefore cannot be shared. Guest kernels run in ring 1,
// kept from Xen by their segments' limit, from processes by the user bit.

// maxDirectMap is the number of frames that fit where guest kernels map their
// memory, below Xen.
const maxDirectMap = int((abi.HypervisorStart - abi.VirtBase) >> abi.PageShift)

// archName is the architecture as capabilities name it.
const archName = "x86_32p"

// Bits that must not be set in guests' entries (L1_DISALLOW_MASK…).
const (
	baseDisallowMask = abi.PteGlobal | abi.PtePSE | abi.PtePCD | abi.PtePWT | 0x7ff<<52
	l1DisallowMask   = baseDisallowMask
	l3DisallowMask   = abi.PteRW | abi.PteUser | abi.PteAccessed | abi.PteDirty | abi.PtePWT | abi.PtePCD |
		abi.PtePSE | abi.PteGlobal | 0xfff<<52
)

func disallowMask(level int) uint64 {
	if level == 3 {
		return l3DisallowMask
	}
	return baseDisallowMask
}

// Slots of the fourth L2 table that are Xen's, from firstXenSlot on.
const (
	firstXenSlot = int(abi.HypervisorStart>>21) & (abi.PTEntries - 1)
	linearPTSlot = 496 // four, one for each L2 table
)

// xenL3Slot is the slot of the top table whose L2 holds Xen's mappings.
const xenL3Slot = 3

func tableEntries(level int) int {
	if level == 3 {
		return 4
	}
	return abi.PTEntries
}

// guestSlot reports whether an entry of a table is the guest's to use
// (is_guest_l2_slot).
func guestSlot(level int, typ uint64, slot int) bool {
	return level != 2 || typ&pgtPAEXenL2 == 0 || slot < firstXenSlot
}

// adjustEntry completes a guest's entry; there is nothing to complete here.
func adjustEntry(level int, e uint64) uint64 { return e }

// getPageFromSlot is getPageFromEntry for a given slot: the last of an L3
// table must be there, and its L2 be made for Xen's mappings.
func (m *Machine) getPageFromSlot(level, slot int, e uint64, table abi.MFN, d *Domain) bool {
	if level != 3 || slot != xenL3Slot {
		return m.getPageFromEntry(level, e, table, d)
	}
	return e&abi.PtePresent != 0 && e&l3DisallowMask == 0 &&
		m.getPageAndType(abi.PteMFN(e), d, pgtL2|pgtPAEXenL2)
}

// createXenMappings fills the slots of the fourth L2 table that are Xen's
// (create_pae_xen_mappings).
func (m *Machine) createXenMappings(level int, mfn abi.MFN, d *Domain) bool {
	if level != 3 {
		return true
	}
	l3 := m.table(mfn)
	l2 := abi.PteMFN(loadPTE(&l3[xenL3Slot]))
	if m.frames[l2].typeInfo.Load()&pgtCountMask != 1 {
		return false // shared with another L3
	}
	t := m.table(l2)
	for i := firstXenSlot; i < abi.PTEntries; i++ {
		storePTE(&t[i], m.table(m.xen.root)[i])
	}
	m.rootUpdated(3, mfn, d)
	return true
}

// rootUpdateAllowed reports whether an entry of a table in use may be
// replaced: not that of the L2 with Xen's mappings.
func rootUpdateAllowed(level, slot int) bool { return level != 3 || slot != xenL3Slot }

// rootUpdated keeps the linear range in step with a changed L3 entry, and
// drops the copies of it that processors keep.
func (m *Machine) rootUpdated(level int, table abi.MFN, d *Domain) {
	if level != 3 {
		return
	}
	l3 := m.table(table)
	t := m.table(abi.PteMFN(loadPTE(&l3[xenL3Slot])))
	for i := range 4 {
		var e uint64
		if below := loadPTE(&l3[i]); below&abi.PtePresent != 0 {
			e = abi.MkPte(abi.PteMFN(below), xenTableFlags)
		}
		storePTE(&t[linearPTSlot+i], e)
	}
	m.flushDomainTLB(d)
}

// addressOK reports whether a guest may name an address in a hypercall
// (__addr_ok).
func addressOK(va uint64) bool { return va < abi.HypervisorStart }

// reachable reports whether a guest's access to an address is within its
// segments' limit, the end of the machine-to-physical table; others raise a
// general protection fault.
func (m *Machine) reachable(va uint64) bool {
	return va < abi.HypervisorStart+uint64(m.xen.m2pFrames)<<abi.PageShift
}

// walkFlags are the bits that the entries of a level contribute to the rights
// of an access (the top level has none), needUser whether it needs the user
// bit.
func walkFlags(level int, e uint64) uint64 {
	if level == 3 {
		return e | abi.PteRW | abi.PteUser
	}
	return e
}
func needUser(user bool) bool { return user }

// makeXenMappings makes the table from which new address spaces get Xen's
// slots: the machine-to-physical table, readable by guests.
func (m *Machine) makeXenMappings() error {
	return m.makeXenRoot(2)
}
