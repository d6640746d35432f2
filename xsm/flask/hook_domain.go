package flask

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// Hooks on the control of domains: domctl, sched_op, and the creation of
// domains. Each asks for the current domain on the one controlled.

func (m *Module) securityDomainInfo(_ *xsm.VCPU, d *xsm.Domain, info *abi.DomainInfo) {
	info.SSIDRef = domainSID(d)
}

func (m *Module) setVCPUContext(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainSetvcpucontext)
}

func (m *Module) pauseDomain(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainPause)
}

func (m *Module) unpauseDomain(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainUnpause)
}

func (m *Module) resumeDomain(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainResume)
}

// domainCreate labels d with the label that its creator has set aside, or
// with ssidref, if the creator may create such a domain. What was set aside is
// used up in any case.
func (m *Module) domainCreate(cur *xsm.VCPU, d *xsm.Domain, ssidref uint32) abi.Errno {
	creator, ok := cur.Domain.SSID.(*domainSecurity)
	created, ok2 := d.SSID.(*domainSecurity)
	if !ok || !ok2 {
		return -abi.EACCES
	}
	sid := creator.createSID
	creator.createSID = 0
	if sid == 0 {
		sid = ssidref
	}
	if !m.createsUnasked(cur) {
		if rc := m.hasPerm(cur, creator.sid, sid, classDomain, domainCreate, nil); rc != 0 {
			return rc
		}
	}
	m.label(created, sid)
	created.createSID = 0
	if cur.Domain.ID == abi.DomIdle {
		m.label(creator, sidXen)
	}
	return 0
}

// createsUnasked says whether Xen creates dom0 and the policy is for a release
// that does not ask whether it may: 4.3 to 4.16, which have a class domain2 and
// no label for the time of the boot.
func (m *Module) createsUnasked(cur *xsm.VCPU) bool {
	if cur.Domain.ID != abi.DomIdle {
		return false
	}
	_, asks := m.server.InitialSID(sidNameXenBoot)
	return !asks && m.server.Defines("domain2")
}

func (m *Module) maxVCPUs(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainMaxVcpus)
}

func (m *Module) destroyDomain(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainDestroy)
}

func (m *Module) vcpuAffinity(cur *xsm.VCPU, cmd int, d *xsm.Domain) abi.Errno {
	var perm uint32
	switch abi.DomctlCmd(cmd) {
	case abi.DomctlSetVCPUAffinity:
		perm = domainSetvcpuaffinity
	case abi.DomctlGetVCPUAffinity:
		perm = domainGetvcpuaffinity
	default:
		return -abi.EPERM
	}
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, perm)
}

// scheduler asks twice: the parameters are the hypervisor's and the domain's.
func (m *Module) scheduler(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	if rc := m.domainHasXen(cur, cur.Domain, xenScheduler); rc != 0 {
		return rc
	}
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainScheduler)
}

func (m *Module) getDomainInfo(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainGetdomaininfo)
}

func (m *Module) getVCPUContext(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainGetvcpucontext)
}

func (m *Module) getVCPUInfo(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainGetvcpuinfo)
}

func (m *Module) domainSettime(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainSettime)
}

func (m *Module) setDomainMaxMem(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainSetdomainmaxmem)
}

func (m *Module) setDomainHandle(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainSetdomainhandle)
}

func (m *Module) setDebugging(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainSetdebugging)
}

func (m *Module) schedopShutdown(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, d1, d2, classDomain, domainShutdown)
}

func (m *Module) hypercallInit(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, domainHypercall)
}

func (m *Module) addressSize(cur *xsm.VCPU, d *xsm.Domain, op uint32) abi.Errno {
	var perm uint32
	switch abi.DomctlCmd(op) {
	case abi.DomctlSetAddressSize:
		perm = domainSetaddrsize
	case abi.DomctlGetAddressSize:
		perm = domainGetaddrsize
	default:
		return -abi.EPERM
	}
	return m.domainHasPerm(cur, cur.Domain, d, classDomain, perm)
}

// completeInit would label dom0. Nothing calls it in 3.2; the idle domain's
// createSID does it instead.
func (m *Module) completeInit(_ *xsm.VCPU, d *xsm.Domain) {
	if s, ok := d.SSID.(*domainSecurity); ok {
		m.label(s, sidDom0)
	}
}

func (m *Module) shadowControl(cur *xsm.VCPU, d *xsm.Domain, op uint32) abi.Errno {
	var perm uint32
	switch op {
	case abi.ShadowOpOff:
		perm = shadowDisable
	case abi.ShadowOpEnable, abi.ShadowOpEnableTest, abi.ShadowOpEnableTranslate, abi.ShadowOpGetAllocation, abi.ShadowOpSetAllocation:
		perm = shadowEnable
	case abi.ShadowOpEnableLogdirty, abi.ShadowOpPeek, abi.ShadowOpClean:
		perm = shadowLogdirty
	default:
		return -abi.EPERM
	}
	return m.domainHasPerm(cur, cur.Domain, d, classShadow, perm)
}
