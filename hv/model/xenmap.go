package model

import (
	"errors"

	"xsmbench/abi"
)

// xenMappings is what every address space has of Xen's: page tables that map
// the machine-to-physical table at HypervisorStart, where guests read it. The
// model's hypervisor itself runs outside, as Go code, and needs no mappings.
type xenMappings struct {
	root      abi.MFN // table whose entries new address spaces copy (idle_pg_table)
	m2pFirst  abi.MFN // frames of the machine-to-physical table
	m2pFrames int
}

// xenTableFlags are the bits of entries that only Xen may use
// (__PAGE_HYPERVISOR).
const xenTableFlags = abi.PtePresent | abi.PteRW | abi.PteAccessed | abi.PteDirty

var errNoXenFrames = errors.New("make Xen's page tables: no frames left")

// makeXenRoot makes the table of a level from which address spaces get Xen's
// entries, and the tables below it.
func (m *Machine) makeXenRoot(level int) error {
	root, ok := m.allocXenheapPage()
	if !ok {
		return errNoXenFrames
	}
	m.xen.root = root
	for i := range m.xen.m2pFrames {
		va := abi.HypervisorStart + uint64(i)<<abi.PageShift
		t := m.table(root)
		for l := level; l > 1; l-- {
			e := &t[abi.PTIndex(va, l)]
			if *e == 0 {
				below, ok := m.allocXenheapPage()
				if !ok {
					return errNoXenFrames
				}
				*e = abi.MkPte(below, abi.PtePresent|abi.PteUser|abi.PteAccessed)
			}
			t = m.table(abi.PteMFN(*e))
		}
		t[abi.PTIndex(va, 1)] = abi.MkPte(m.xen.m2pFirst+abi.MFN(i), abi.PtePresent|abi.PteUser|abi.PteAccessed)
	}
	return nil
}
