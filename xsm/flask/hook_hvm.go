package flask

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// Hooks on hardware-virtualised guests.

func (m *Module) hvmContext(cur *xsm.VCPU, d *xsm.Domain, op uint32) abi.Errno {
	var perm uint32
	switch abi.DomctlCmd(op) {
	case abi.DomctlSetHVMContext:
		perm = hvmSethvmc
	case abi.DomctlGetHVMContext:
		perm = hvmGethvmc
	default:
		return -abi.EPERM
	}
	return m.domainHasPerm(cur, cur.Domain, d, classHvm, perm)
}

func (m *Module) hvmParam(cur *xsm.VCPU, d *xsm.Domain, op uint64) abi.Errno {
	var perm uint32
	switch op {
	case abi.HVMOPSetParam:
		perm = hvmSetparam
	case abi.HVMOPGetParam:
		perm = hvmGetparam
	default:
		return -abi.EPERM
	}
	return m.domainHasPerm(cur, cur.Domain, d, classHvm, perm)
}

func (m *Module) hvmSetPCIIntxLevel(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classHvm, hvmPcilevel)
}

func (m *Module) hvmSetISAIRQLevel(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classHvm, hvmIrqlevel)
}

func (m *Module) hvmSetPCILinkRoute(cur *xsm.VCPU, d *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, cur.Domain, d, classHvm, hvmPciroute)
}
