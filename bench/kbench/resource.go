package kbench

import (
	"xsmbench/abi"
	"xsmbench/bench"
)

// registerResources registers the permissions on devices. They are dom0's own,
// which it takes from itself and gives back: what a security module lets dom0
// give to another domain depends on which device it is, and on the policy.
func registerResources() {
	// Nobody uses these, or those behind them: interrupts of none of the model's
	// devices, frames far behind the machine's memory, ports of no device. Every
	// other one is taken, so that they are as many ranges.
	const (
		irq  = 200
		mfn  = 0xfed00
		port = 0x1000
	)
	for _, r := range []struct {
		op, doc, source, hook string
		set                   func(i, allow uint8) abi.Domctl
	}{
		{
			"domctl_irq_permission", "give a domain an interrupt", "common/domctl.c:do_domctl", "irq_permission",
			func(i, allow uint8) abi.Domctl {
				return abi.Domctl{Cmd: abi.DomctlIRQPermission, IRQ: abi.DomctlIRQ{PIRQ: irq + 2*i, Allow: allow}}
			},
		},
		{
			"domctl_iomem_permission", "give a domain a frame of device memory", "common/domctl.c:do_domctl", "iomem_permission",
			func(i, allow uint8) abi.Domctl {
				return abi.Domctl{Cmd: abi.DomctlIOMemPermission, IOMem: abi.DomctlIOMem{First: mfn + 2*abi.MFN(i), Nr: 1, Allow: allow}}
			},
		},
		{
			"domctl_ioport_permission", "give a domain an I/O port", "arch/x86/domctl.c:arch_do_domctl", "ioport_permission",
			func(i, allow uint8) abi.Domctl {
				return abi.Domctl{Cmd: abi.DomctlIOPortPermission, IOPort: abi.DomctlIOPort{First: port + 2*uint32(i), Nr: 1, Allow: allow}}
			},
		},
	} {
		interval{
			op: r.op, doc: r.doc + ": dom0 gives back what it took from itself", source: r.source, hooks: crosses(r.hook), dom0: true,
			ready: func(hc bench.Hypercalls) (undone, error) {
				var u undone
				var back []step
				for i := range uint8(permissions) {
					forbid, allow := r.set(i, 0), r.set(i, 1)
					give := domctlOf("give permission", hc.DomID(), &allow)
					back = append(back, give)
					u.items = append(u.items, item{before: []step{domctlOf("take permission", hc.DomID(), &forbid)}, op: give})
				}
				u.cleanup = undo(hc, back...)
				return u, nil
			},
		}.register()
	}
}

// permissions is how many are given in turn.
const permissions = 8
