// Package hypercall is bench.Hypercalls inside a domain of the real Xen that
// runs Linux: a process of root's makes the hypercalls through the
// kernel's devices.
//
// The arguments that a benchmark gives are the structures of package abi, Xen
// 3.2's. Every call encodes them anew, in the layout of a 64-bit hypervisor,
// and for control hypercalls with the versions and layouts that the Xen's own
// public headers have (see Interface), into memory from
// /dev/xen/hypercall, which never faults; /dev/xen/privcmd makes the
// hypercall; what Xen wrote is decoded into the structures again. Grants are
// mapped and copied by /dev/xen/gntdev, since only the kernel knows the
// addresses that such hypercalls name. Each of these is a system call more
// than the kernel's own hypercalls have, in every build of Xen the same.
//
// What would take something away from the kernel below the process is refused
// with an error that wraps errors.ErrUnsupported (see Refused), and so is what
// the package does not know. Operations on ports and frames that the process
// did not get itself fail without asking Xen.
//
// Sources: other layouts are those of xen/include/public of Xen 4.17, the
// devices' those of include/uapi/xen of Linux 6.1. Linux knows the ioctls of
// these devices from programs of its own word size only: Open fails for a
// 32-bit program on a 64-bit kernel.
package hypercall

import (
	"errors"
	"fmt"

	"xsmbench/abi"
)

// request is a hypercall as privcmd takes it.
type request struct {
	op   uint64
	args [5]uint64
}

// caller makes hypercalls.
type caller interface {
	// hypercall returns Xen's result, or a negated error number.
	hypercall(r *request) int64
	// allocate gives zeroed memory that a hypercall's arguments may lie in.
	allocate(size int) (memory, error)
}

// plan says how a hypercall is made.
type plan struct {
	// args are the registers, for arguments in memory that begins at an
	// address.
	args func(at uint64) [5]uint64
	size int // of the memory, 0 for none
	// encode fills the memory, nil for nothing to fill; an error is the
	// call's result, and Xen is not asked.
	encode func(memory) abi.Errno
	// decode reads what Xen wrote, nil for nothing; it does so only if the
	// hypercall did not fail.
	decode func(m memory, result int64)
	// call, if not nil, takes the place of all of them.
	call func() int64
	// op is made in place of the hypercall that was asked for, 0 for that one:
	// Xen 3.2 had it as a command of another.
	op abi.Hypercall
}

// pointer is the registers of a command with a pointer.
func pointer(cmd uint64) func(uint64) [5]uint64 {
	return func(at uint64) [5]uint64 { return [5]uint64{cmd, at} }
}

// planner makes plans, and knows what in the domain is the process's own.
type planner struct {
	// translated domains have a physical address space of Xen's making
	// (PVH, HVM); frames in hypercalls are then none of the machine's.
	translated bool
	ports      ports
	frames     frames
	domains    domains // that the process made
	self       abi.DomID
	grants     func() (*grants, error) // opens the device at the first call
	iface      *Interface              // of control hypercalls, nil if it is not known
}

// plan makes the plan of a hypercall.
func (p *planner) plan(op abi.Hypercall, a *abi.Args) (plan, error) {
	if n, ok := a.H.(*abi.Named); ok {
		return p.iface.named(op, n)
	}
	if reason := refusedOps[op]; reason != "" {
		return plan{}, unsupported(op, reason)
	}
	switch op {
	case abi.XenVersion:
		return version(a)
	case abi.Multicall:
		return multicall(a)
	case abi.EventChannelOp:
		return p.event(a)
	case abi.GrantTableOp:
		return p.grant(a)
	case abi.MemoryOp:
		return p.memory(a)
	case abi.SchedOp:
		return p.iface.scheduling(a)
	case abi.VCPUOp:
		return vcpu(a)
	case abi.GetDebugreg:
		return debugreg(a)
	case abi.PhysdevOp:
		return p.iface.physdev(a)
	case abi.PlatformOp:
		return p.iface.platform(a)
	case abi.HVMOp:
		return p.iface.hvm(a)
	case abi.XenoprofOp:
		return p.iface.profiler(a)
	case abi.KexecOp:
		return p.iface.kexec(a)
	case abi.ConsoleIO:
		return console(a)
	case abi.DomctlOp:
		return p.domctl(a)
	case abi.SysctlOp:
		return p.iface.sysctl(a)
	case abi.XSMOp:
		return p.iface.security(a)
	}
	return plan{}, unsupported(op, "not known")
}

// ready makes a plan's call. The call allocates nothing.
func (p plan) ready(c caller, op abi.Hypercall) (func() int64, error) {
	if p.call != nil {
		return p.call, nil
	}
	var m memory
	if p.size > 0 {
		var err error
		if m, err = c.allocate(p.size); err != nil {
			return nil, fmt.Errorf("prepare %s: %w", name(op), err)
		}
	}
	if p.op != 0 {
		op = p.op
	}
	r := &request{op: uint64(op)}
	return func() int64 {
		if p.encode != nil {
			if e := p.encode(m); e != 0 {
				return -int64(e)
			}
		}
		r.args = p.args(m.at)
		n := c.hypercall(r)
		if n >= 0 && p.decode != nil {
			p.decode(m, n)
		}
		return n
	}, nil
}

var names = map[abi.Hypercall]string{
	abi.MMUUpdateOp: "mmu_update", abi.StackSwitch: "stack_switch", abi.FPUTaskSwitch: "fpu_taskswitch",
	abi.GetDebugreg: "get_debugreg", abi.MemoryOp: "memory_op", abi.Multicall: "multicall",
	abi.UpdateVAMapping: "update_va_mapping", abi.SetTimerOp: "set_timer_op", abi.XenVersion: "xen_version",
	abi.ConsoleIO: "console_io", abi.GrantTableOp: "grant_table_op", abi.VCPUOp: "vcpu_op",
	abi.MMUExtOp: "mmuext_op", abi.XSMOp: "xsm_op", abi.SchedOp: "sched_op",
	abi.EventChannelOp: "event_channel_op", abi.PhysdevOp: "physdev_op", abi.SysctlOp: "sysctl", abi.DomctlOp: "domctl",
	abi.PlatformOp: "platform_op", abi.HVMOp: "hvm_op", abi.XenoprofOp: "xenoprof_op", abi.KexecOp: "kexec_op",
	abi.DMOp: "dm_op", abi.HypfsOp: "hypfs_op", abi.MCAOp: "mca", abi.ArgoOp: "argo_op",
}

// name is Xen's name of a hypercall.
func name(op abi.Hypercall) string {
	if n, ok := names[op]; ok {
		return n
	}
	return fmt.Sprintf("hypercall %d", op)
}

func unsupported(op abi.Hypercall, reason string) error {
	return fmt.Errorf("prepare %s: %s: %w", name(op), reason, errors.ErrUnsupported)
}

// unknown is the error of a command that a hypercall has and this package has
// not.
func unknown(op abi.Hypercall, cmd uint64) error {
	return unsupported(op, fmt.Sprintf("command %d is not known", cmd))
}

// handle is the structure that a hypercall's handle points to.
func handle[T any](op abi.Hypercall, a *abi.Args) (*T, error) {
	h, ok := a.H.(*T)
	if !ok || h == nil {
		return nil, unsupported(op, fmt.Sprintf("the argument is a %T, not a %T", a.H, h))
	}
	return h, nil
}
