package flask

import (
	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/ss"
)

// Hooks on devices' resources. Three questions each: may the current domain
// change d's resources, may it add or remove this one, may d use it.

// resourceChange asks whether the current domain may give d a resource or take
// one from it.
func (m *Module) resourceChange(cur *xsm.VCPU, d *xsm.Domain, access uint8) abi.Errno {
	if access != 0 {
		return m.domainHasPerm(cur, cur.Domain, d, classResource, resourceAdd)
	}
	return m.domainHasPerm(cur, cur.Domain, d, classResource, resourceRemove)
}

// resourceUse asks the questions on the resource itself. d must be allowed to
// use even what it loses, as in 3.2.
func (m *Module) resourceUse(cur *xsm.VCPU, d *xsm.Domain, sid ss.SID, number uint64, access uint8, add, remove uint32) abi.Errno {
	perm := remove
	if access != 0 {
		perm = add
	}
	at := &resource{number}
	if rc := m.hasPerm(cur, domainSID(cur.Domain), sid, classResource, perm, at); rc != 0 {
		return rc
	}
	return m.hasPerm(cur, domainSID(d), sid, classResource, resourceUse, at)
}

func (m *Module) irqPermission(cur *xsm.VCPU, d *xsm.Domain, pirq, access uint8) abi.Errno {
	if rc := m.resourceChange(cur, d, access); rc != 0 {
		return rc
	}
	sid, err := m.server.PIRQSID(uint32(pirq), sidPirq)
	if err != nil {
		return errno(err)
	}
	return m.resourceUse(cur, d, sid, uint64(pirq), access, resourceAddIrq, resourceRemoveIrq)
}

func (m *Module) iomemPermission(cur *xsm.VCPU, d *xsm.Domain, mfn abi.MFN, access uint8) abi.Errno {
	if rc := m.resourceChange(cur, d, access); rc != 0 {
		return rc
	}
	sid, rc := m.iomemSID(mfn)
	if rc != 0 {
		return rc
	}
	return m.resourceUse(cur, d, sid, uint64(mfn), access, resourceAddIomem, resourceRemoveIomem)
}

func (m *Module) ioportPermission(cur *xsm.VCPU, d *xsm.Domain, ioport uint32, access uint8) abi.Errno {
	if rc := m.resourceChange(cur, d, access); rc != 0 {
		return rc
	}
	sid, err := m.server.IOPortSID(ioport, sidIoport)
	if err != nil {
		return errno(err)
	}
	return m.resourceUse(cur, d, sid, uint64(ioport), access, resourceAddIoport, resourceRemoveIoport)
}

func (m *Module) assignVector(cur *xsm.VCPU, d *xsm.Domain, pirq uint32) abi.Errno {
	sid, err := m.server.PIRQSID(pirq, sidPirq)
	if err != nil {
		return -abi.EPERM
	}
	return m.hasPerm(cur, domainSID(d), sid, classEvent, eventVector, nil)
}
