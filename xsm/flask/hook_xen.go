package flask

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// Hooks on the hypervisor itself.

// tbufControl passes the number of class xen where a permission belongs, as
// 3.2 does: the mask 1 is the permission scheduler. The permission tbufcontrol
// is never asked for.
func (m *Module) tbufControl(cur *xsm.VCPU) abi.Errno {
	return m.domainHasXen(cur, cur.Domain, uint32(classXen))
}

func (m *Module) readConsole(cur *xsm.VCPU, clear uint32) abi.Errno {
	perms := xenReadconsole
	if clear != 0 {
		perms |= xenClearconsole
	}
	return m.domainHasXen(cur, cur.Domain, perms)
}

func (m *Module) schedID(cur *xsm.VCPU) abi.Errno {
	return m.domainHasXen(cur, cur.Domain, xenScheduler)
}

func (m *Module) perfControl(cur *xsm.VCPU) abi.Errno {
	return m.domainHasXen(cur, cur.Domain, xenPerfcontrol)
}

func (m *Module) consoleIO(cur *xsm.VCPU, d *xsm.Domain, cmd int) abi.Errno {
	var perm uint32
	switch cmd {
	case abi.CONSOLEIORead:
		perm = xenReadconsole
	case abi.CONSOLEIOWrite:
		perm = xenWriteconsole
	default:
		return -abi.EPERM
	}
	return m.domainHasXen(cur, d, perm)
}

func (m *Module) profile(cur *xsm.VCPU, d *xsm.Domain, op int) abi.Errno {
	var perm uint32
	switch op {
	case abi.XENOPROFInit, abi.XENOPROFEnableVIRQ, abi.XENOPROFDisableVIRQ, abi.XENOPROFGetBuffer:
		perm = xenNonprivprofile
	case abi.XENOPROFResetActiveList, abi.XENOPROFResetPassiveList, abi.XENOPROFSetActive,
		abi.XENOPROFSetPassive, abi.XENOPROFReserveCounters, abi.XENOPROFCounter, abi.XENOPROFSetupEvents,
		abi.XENOPROFStart, abi.XENOPROFStop, abi.XENOPROFReleaseCounters, abi.XENOPROFShutdown:
		perm = xenPrivprofile
	default:
		return -abi.EPERM
	}
	return m.domainHasXen(cur, d, perm)
}

func (m *Module) kexec(cur *xsm.VCPU) abi.Errno {
	return m.domainHasXen(cur, cur.Domain, xenKexec)
}

func (m *Module) apic(cur *xsm.VCPU, d *xsm.Domain, cmd int) abi.Errno {
	var perm uint32
	switch cmd {
	case abi.PHYSDEVOPApicRead:
		perm = xenReadapic
	case abi.PHYSDEVOPApicWrite:
		perm = xenWriteapic
	default:
		return -abi.EPERM
	}
	return m.domainHasXen(cur, d, perm)
}

func (m *Module) xenSettime(cur *xsm.VCPU) abi.Errno {
	return m.domainHasXen(cur, cur.Domain, xenSettime)
}

func (m *Module) memtype(cur *xsm.VCPU, access uint32) abi.Errno {
	var perm uint32
	switch access {
	case abi.XENPFAddMemtype:
		perm = xenMtrrAdd
	case abi.XENPFDelMemtype:
		perm = xenMtrrDel
	case abi.XENPFReadMemtype:
		perm = xenMtrrRead
	default:
		return -abi.EPERM
	}
	return m.domainHasXen(cur, cur.Domain, perm)
}

func (m *Module) microcode(cur *xsm.VCPU) abi.Errno {
	return m.domainHasXen(cur, cur.Domain, xenMicrocode)
}

func (m *Module) physInfo(cur *xsm.VCPU) abi.Errno {
	return m.domainHasXen(cur, cur.Domain, xenPhysinfo)
}

func (m *Module) platformQuirk(cur *xsm.VCPU, _ uint32) abi.Errno {
	return m.domainHasXen(cur, cur.Domain, xenQuirk)
}
