package model

import "xsmbench/abi"

// Four-level paging of x86_64 (asm-x86/x86_64/page.h). Guest kernels run in
// ring 3 like their processes: what a process must not see is missing from the
// page table that is in force in user mode. Hence every guest entry has the
// user bit, and an L1 entry remembers in bit 52 that the guest meant it for
// its kernel.

// maxDirectMap is the number of frames that fit where guest kernels map their
// memory, as one top-level entry allows.
const maxDirectMap = 1 << 27

// archName is the architecture as capabilities name it.
const archName = "x86_64"

const pteGuestKernel = uint64(1) << 52 // _PAGE_GUEST_KERNEL

// Bits that must not be set in guests' entries (L1_DISALLOW_MASK…).
const (
	baseDisallowMask = abi.PteGlobal | abi.PtePSE | abi.PtePCD | abi.PtePWT
	l1DisallowMask   = baseDisallowMask &^ abi.PteGlobal
)

func disallowMask(level int) uint64 { return baseDisallowMask }

// Slots of the L4 table that are Xen's (ROOT_PAGETABLE_FIRST_XEN_SLOT…).
const (
	firstXenSlot = 256
	lastXenSlot  = 271
	linearPTSlot = 258 // the L4 itself
)

func tableEntries(level int) int { return abi.PTEntries }

// guestSlot reports whether an entry of a table is the guest's to use
// (is_guest_l4_slot).
func guestSlot(level int, typ uint64, slot int) bool {
	return level != 4 || slot < firstXenSlot || slot > lastXenSlot
}

// adjustEntry completes a guest's entry (adjust_guest_l1e…).
func adjustEntry(level int, e uint64) uint64 {
	switch {
	case e&abi.PtePresent == 0:
		return e
	case level > 1:
		return e | abi.PteUser
	case e&abi.PteUser == 0:
		e |= pteGuestKernel | abi.PteUser
	}
	if e&pteGuestKernel == 0 {
		e |= abi.PteGlobal
	}
	return e
}

// getPageFromSlot is getPageFromEntry for a given slot; all are alike here.
func (m *Machine) getPageFromSlot(level, slot int, e uint64, table abi.MFN, d *Domain) bool {
	return m.getPageFromEntry(level, e, table, d)
}

// createXenMappings fills the slots of an L4 table that are Xen's.
func (m *Machine) createXenMappings(level int, mfn abi.MFN, d *Domain) bool {
	if level != 4 {
		return true
	}
	t := m.table(mfn)
	copy(t[firstXenSlot:lastXenSlot+1], m.table(m.xen.root)[firstXenSlot:])
	t[linearPTSlot] = abi.MkPte(mfn, xenTableFlags)
	return true
}

// rootUpdateAllowed reports whether a present table's entry may be replaced.
func rootUpdateAllowed(level, slot int) bool { return true }

// rootUpdated keeps Xen's mappings in step with a changed entry.
func (m *Machine) rootUpdated(level int, table abi.MFN, d *Domain) {}

// addressOK reports whether a guest may name an address in a hypercall
// (__addr_ok).
func addressOK(va uint64) bool { return va < 1<<48 || va >= abi.HypervisorEnd }

// reachable reports whether a guest's access to an address gets as far as the
// page tables; others raise a general protection fault.
func (m *Machine) reachable(va uint64) bool {
	return va < 1<<47 || va >= 0xffff_8000_0000_0000
}

// walkFlags are the bits that the entries of a level contribute to the rights
// of an access, needUser whether it needs the user bit.
func walkFlags(level int, e uint64) uint64 { return e }
func needUser(user bool) bool              { return true }

// makeXenMappings makes the table from which new address spaces get Xen's
// slots: the machine-to-physical table, readable by guests.
func (m *Machine) makeXenMappings() error {
	return m.makeXenRoot(4)
}
