package flask

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// Hooks on grant tables: d1 acts on d2's.

// grantMapref asks to write as well unless the mapping is to be read-only.
// Early Xen tested GTF_writing, a flag of grant entries, in the flags of a
// mapping, where the bit means something else.
func (m *Module) grantMapref(cur *xsm.VCPU, d1, d2 *xsm.Domain, flags uint32) abi.Errno {
	perms := grantMapRead
	if flags&abi.GNTMAPReadonly == 0 {
		perms |= grantMapWrite
	}
	return m.domainHasPerm(cur, d1, d2, classGrant, perms)
}

func (m *Module) grantUnmapref(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, d1, d2, classGrant, grantUnmap)
}

func (m *Module) grantSetup(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, d1, d2, classGrant, grantSetup)
}

func (m *Module) grantTransfer(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, d1, d2, classGrant, grantTransfer)
}

func (m *Module) grantCopy(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, d1, d2, classGrant, grantCopy)
}

func (m *Module) grantQuerySize(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, d1, d2, classGrant, grantQuery)
}
