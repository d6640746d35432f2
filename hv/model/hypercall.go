package model

import "xsmbench/abi"

// hypercall is the function behind a hypercall's number. It returns what the
// guest gets: a negated error number, or a value.
type hypercall func(*Machine, *VCPU, *abi.Args) int64

// hypercallTable is Xen's hypercall_table. It is filled at start, since
// multicall, one of its members, reads it.
var hypercallTable [abi.NrHypercalls]hypercall

func init() {
	hypercallTable = [abi.NrHypercalls]hypercall{
		abi.SetTrapTable:         doSetTrapTable,
		abi.MMUUpdateOp:          doMMUUpdate,
		abi.SetGDT:               doSetGDT,
		abi.StackSwitch:          doStackSwitch,
		abi.SetCallbacks:         doSetCallbacks,
		abi.FPUTaskSwitch:        doFPUTaskSwitch,
		abi.SchedOpCompat:        doSchedOpCompat,
		abi.PlatformOp:           doPlatformOp,
		abi.SetDebugreg:          doSetDebugreg,
		abi.GetDebugreg:          doGetDebugreg,
		abi.UpdateDescriptor:     doUpdateDescriptor,
		abi.MemoryOp:             doMemoryOp,
		abi.Multicall:            doMulticall,
		abi.UpdateVAMapping:      doUpdateVAMapping,
		abi.SetTimerOp:           doSetTimerOp,
		abi.EventChannelCompat:   doEventChannelOp,
		abi.XenVersion:           doXenVersion,
		abi.ConsoleIO:            doConsoleIO,
		abi.PhysdevOpCompat:      doPhysdevOp,
		abi.GrantTableOp:         doGrantTableOp,
		abi.VMAssist:             doVMAssist,
		abi.UpdateVAMappingOther: doUpdateVAMappingOther,
		abi.Iret:                 doIret,
		abi.VCPUOp:               doVCPUOp,
		abi.SetSegmentBase:       doSetSegmentBase,
		abi.MMUExtOp:             doMMUExtOp,
		abi.XSMOp:                doXSMOp,
		abi.NMIOp:                doNMIOp,
		abi.SchedOp:              doSchedOp,
		abi.CallbackOp:           doCallbackOp,
		abi.XenoprofOp:           doXenoprofOp,
		abi.EventChannelOp:       doEventChannelOp,
		abi.PhysdevOp:            doPhysdevOp,
		abi.HVMOp:                doHVMOp,
		abi.SysctlOp:             doSysctl,
		abi.DomctlOp:             doDomctl,
		abi.KexecOp:              doKexecOp,
	}
}

// Hypercall enters the hypervisor. It returns what the hypercall returns,
// -ENOSYS if there is none of that number, after other vCPUs have run and
// events have been delivered if that was due. If the vCPU's domain has been
// stopped it does not return but panics (see IsStop).
//
// Calls may come from any goroutine, but never from two at a time.
func (v *VCPU) Hypercall(op abi.Hypercall, a *abi.Args) int64 {
	if v.killed.Load() {
		panic(stopSignal{})
	}
	r := v.call(op, a)
	if op == abi.Iret && v.inUpcall {
		v.inUpcall = false // upcall's loop looks for further events
		return r
	}
	v.exitToGuest()
	return r
}

// call dispatches without returning to the guest.
func (v *VCPU) call(op abi.Hypercall, a *abi.Args) int64 {
	if op >= abi.NrHypercalls || hypercallTable[op] == nil {
		return enosys
	}
	v.pcpu.calls[op].Add(1)
	return hypercallTable[op](v.machine, v, a)
}

// Results of hypercalls that need no hook's.
const (
	enosys = -int64(abi.ENOSYS)
	efault = -int64(abi.EFAULT)
	einval = -int64(abi.EINVAL)
	eperm  = -int64(abi.EPERM)
	esrch  = -int64(abi.ESRCH)
	enoent = -int64(abi.ENOENT)
	eacces = -int64(abi.EACCES)
	enomem = -int64(abi.ENOMEM)
	eexist = -int64(abi.EEXIST)
	ebusy  = -int64(abi.EBUSY)
)
