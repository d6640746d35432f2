package model

import "xsmbench/abi"

// The processor's interface as a guest sees it: traps, events, stacks,
// descriptors and debug registers (arch/x86/traps.c, x86_64/traps.c).

// TrapInfo.Flags: mask events when the trap is taken.
const trapMaskEvents = 1 << 2

// upcall delivers events: events are masked, the guest's callback runs. It
// reports false if the guest has registered none.
func (v *VCPU) upcall() bool {
	callback := v.ctx.Callbacks.Event
	if callback == nil {
		return false
	}
	v.info.UpcallMask.Store(1)
	v.inUpcall = true
	v.userMode = false
	callback()
	v.inUpcall = false
	return true
}

// deliverTrap delivers an exception to the guest's handler and reports false if it
// has none, which is the end of its domain.
func (v *VCPU) deliverTrap(frame *abi.TrapFrame) bool {
	t := &v.traps[frame.Vector]
	if t.Handler == nil {
		return false
	}
	if t.Flags&trapMaskEvents != 0 {
		v.info.UpcallMask.Store(1)
	}
	v.userMode = false
	t.Handler(frame)
	return true
}

// doSetTrapTable installs trap handlers, up to the first entry without one;
// no table at all takes all handlers away.
func doSetTrapTable(_ *Machine, v *VCPU, a *abi.Args) int64 {
	if a.H == nil {
		clear(v.traps[:])
		return 0
	}
	table, _ := a.H.(*abi.TrapTable)
	if table == nil {
		return efault
	}
	v.setTraps(table.Traps)
	return 0
}

func (v *VCPU) setTraps(traps []abi.TrapInfo) {
	for _, t := range traps {
		if t.Handler == nil {
			return
		}
		v.traps[t.Vector] = t
	}
}

// doSetCallbacks installs the entry points for events and failures.
func doSetCallbacks(_ *Machine, v *VCPU, a *abi.Args) int64 {
	cb, _ := a.H.(*abi.Callbacks)
	if cb == nil {
		return efault
	}
	v.ctx.Callbacks = *cb
	return 0
}

// Commands of callback_op.
const (
	callbackRegister   = 0
	callbackUnregister = 1
)

// doCallbackOp is callback_op: R[0] is the command; the entry points that are
// set in the handle are registered. They cannot be unregistered.
func doCallbackOp(_ *Machine, v *VCPU, a *abi.Args) int64 {
	if a.R[0] != callbackRegister && a.R[0] != callbackUnregister {
		return enosys
	}
	cb, _ := a.H.(*abi.Callbacks)
	switch {
	case cb == nil:
		return efault
	case a.R[0] == callbackUnregister:
		return einval
	}
	if cb.Event != nil {
		v.ctx.Callbacks.Event = cb.Event
	}
	if cb.Failsafe != nil {
		v.ctx.Callbacks.Failsafe = cb.Failsafe
	}
	return 0
}

// doIret returns from a trap or an event: to user or kernel mode, with events
// on or off. At the end of an event callback it is upcall's loop that looks
// for further events, so that they do not pile up on the guest's stack.
func doIret(_ *Machine, v *VCPU, a *abi.Args) int64 {
	frame, _ := a.H.(*abi.IretFrame)
	if frame == nil {
		v.dom.crash("iret without a frame")
		return efault
	}
	v.userMode = frame.User
	if frame.EventsOn {
		v.info.UpcallMask.Store(0)
	} else {
		v.info.UpcallMask.Store(1)
	}
	return 0
}

// doStackSwitch sets the stack for entries to the guest's kernel: R[0] ss,
// R[1] sp. The selector's privilege level is the guest kernel's.
func doStackSwitch(_ *Machine, v *VCPU, a *abi.Args) int64 {
	v.ctx.KernelSS = a.R[0] | guestKernelRPL
	v.ctx.KernelSP = a.R[1]
	return 0
}

// doFPUTaskSwitch sets or clears the flag that makes the next use of the
// floating-point unit trap: R[0].
func doFPUTaskSwitch(_ *Machine, v *VCPU, a *abi.Args) int64 {
	v.fpuTaskSwitched = a.R[0] != 0
	return 0
}

// doSetDebugreg sets a debug register: R[0] register, R[1] value
// (set_debugreg). Breakpoints must not lie in the hypervisor's range; 4 and 5
// are reserved; in 7, general detection and I/O breakpoints are refused.
func doSetDebugreg(_ *Machine, v *VCPU, a *abi.Args) int64 {
	reg, value := a.R[0], a.R[1]
	switch {
	case reg <= 3:
		if !guestAddress(value) {
			return eperm
		}
	case reg == 6:
		value = value&^uint64(0x1000) | 0xffff0ff0
	case reg == 7:
		value = value&^uint64(0xd000) | 0x400
		if value&(1<<13) != 0 {
			return eperm
		}
		if ioBreakpoint(value) {
			return eperm
		}
	default:
		return einval
	}
	v.debugreg[reg] = value
	return 0
}

// ioBreakpoint reports whether debug register 7 enables a breakpoint on I/O.
func ioBreakpoint(dr7 uint64) bool {
	if dr7&0xff == 0 {
		return false
	}
	for i := range 4 {
		if (dr7>>(16+4*i))&3 == 2 {
			return true
		}
	}
	return false
}

// guestAddress reports whether a linear address is canonical and not in the
// hypervisor's range.
func guestAddress(va uint64) bool {
	if abi.PTLevels == 4 {
		if high := va >> 47; high != 0 && high != 1<<17-1 {
			return false
		}
	} else if va >= abi.HypervisorEnd {
		return false
	}
	return va < abi.HypervisorStart || va >= abi.HypervisorEnd
}

// doGetDebugreg returns a debug register: R[0].
func doGetDebugreg(_ *Machine, v *VCPU, a *abi.Args) int64 {
	if r := a.R[0]; r <= 3 || r == 6 || r == 7 {
		return int64(v.debugreg[r])
	}
	return einval
}

// doSetSegmentBase sets a segment's base: R[0] which (FS, GS of user mode, GS
// of the kernel, or the selector of GS), R[1] the base. It exists on x86_64
// only.
func doSetSegmentBase(_ *Machine, v *VCPU, a *abi.Args) int64 {
	const gsUserSel = 3
	which, base := a.R[0], a.R[1]
	switch {
	case abi.PTLevels != 4:
		return enosys
	case which < gsUserSel:
		if high := int64(base) >> 47; high != 0 && high != -1 {
			return efault
		}
		v.segmentBase[which] = base
	case which == gsUserSel:
		v.segmentBase[1] = 0 // a selector's base comes from its descriptor, flat here
	default:
		return einval
	}
	return 0
}

// maxAssist is the highest type of vm_assist (MAX_VMASST_TYPE).
const maxAssist = 3

// doVMAssist turns one of the hypervisor's aids on or off for the domain:
// R[0] command, R[1] type.
func doVMAssist(_ *Machine, v *VCPU, a *abi.Args) int64 {
	if a.R[1] > maxAssist {
		return einval
	}
	bit := uint32(1) << a.R[1]
	switch a.R[0] {
	case abi.VMASSTCmdEnable:
		v.dom.arch.assist.Or(bit)
	case abi.VMASSTCmdDisable:
		v.dom.arch.assist.And(^bit)
	default:
		return enosys
	}
	return 0
}

// Commands of nmi_op.
const (
	nmiRegister   = 0
	nmiUnregister = 1
)

// doNMIOp registers the callback for non-maskable interrupts, which only
// dom0's first vCPU gets: R[0] is the command.
func doNMIOp(_ *Machine, v *VCPU, a *abi.Args) int64 {
	switch a.R[0] {
	case nmiRegister:
		cb, _ := a.H.(*abi.NMICallback)
		if cb == nil {
			return efault
		}
		if v.dom.ID != 0 || v.ID != 0 {
			return einval
		}
		v.nmiCallback = cb.Handler
	case nmiUnregister:
		v.nmiCallback = nil
	default:
		return enosys
	}
	return 0
}
