package kbench

import (
	"xsmbench/abi"
)

// registerHVM registers what dom0 does as the device model of an HVM domain,
// and what it saves and restores of one. The domain is made for it.
func registerHVM() {
	const source = "arch/x86/hvm/hvm.c:"
	for _, o := range []onDomain{
		{
			op: "hvm_set_param", doc: "set a parameter of an HVM domain", source: source + "do_hvm_op", hooks: crosses("hvm_param"),
			steps: hvmChange("set parameter", abi.HVMOPSetParam, func(d abi.DomID, to uint8) any { return &abi.HVMParam{DomID: d, Index: 1, Value: uint64(to)} }),
		},
		{
			op: "hvm_get_param", doc: "read a parameter of an HVM domain", source: source + "do_hvm_op", hooks: crosses("hvm_param"),
			steps: func(d *scratchDomain) (undone, error) {
				return reading(zero("read parameter", abi.HVMOp, hvmOp(abi.HVMOPGetParam, &abi.HVMParam{DomID: d.id, Index: 1}))), nil
			},
		},
		{
			op: "hvm_set_pci_intx_level", doc: "raise a PCI interrupt line of an HVM domain", source: source + "hvmop_set_pci_intx_level", hooks: crosses("hvm_set_pci_intx_level"),
			steps: hvmChange("set PCI line", abi.HVMOPSetPCIIntxLevel, func(d abi.DomID, to uint8) any { return &abi.HVMIntxLevel{DomID: d, Device: 3, Level: to} }),
		},
		{
			op: "hvm_set_isa_irq_level", doc: "raise an ISA interrupt line of an HVM domain", source: source + "hvmop_set_isa_irq_level", hooks: crosses("hvm_set_isa_irq_level"),
			steps: hvmChange("set ISA line", abi.HVMOPSetISAIRQLevel, func(d abi.DomID, to uint8) any { return &abi.HVMISAIRQLevel{DomID: d, IRQ: 5, Level: to} }),
		},
		{
			op: "hvm_set_pci_link_route", doc: "route a PCI link of an HVM domain to an ISA interrupt", source: source + "hvmop_set_pci_link_route", hooks: crosses("hvm_set_pci_link_route"),
			steps: hvmChange("route link", abi.HVMOPSetPCILinkRoute, func(d abi.DomID, to uint8) any { return &abi.HVMLinkRoute{DomID: d, Link: 1, IRQ: 10 * to} }),
		},
		{
			op: "domctl_gethvmcontext", doc: "save the platform of an HVM domain", source: "arch/x86/domctl.c:arch_do_domctl", hooks: crosses("hvmcontext"),
			steps: func(d *scratchDomain) (undone, error) {
				saved, err := d.savedHVM()
				op := &abi.Domctl{Cmd: abi.DomctlGetHVMContext}
				save := d.domctl("save platform", op)
				save.before = func() { op.HVM = saved[:cap(saved)] } // Xen wants more room than it fills
				save.before()
				return reading(save), err
			},
		},
		{
			op: "domctl_sethvmcontext", doc: "restore the platform of an HVM domain, as it is", source: "arch/x86/domctl.c:arch_do_domctl", hooks: crosses("hvmcontext"),
			steps: func(d *scratchDomain) (undone, error) {
				saved, err := d.savedHVM()
				return reading(d.domctl("restore platform", &abi.Domctl{Cmd: abi.DomctlSetHVMContext, HVM: saved})), err
			},
		},
	} {
		o.domain = hvmDomain
		o.register()
	}
}

func hvmOp(cmd uint64, h any) *abi.Args { return &abi.Args{R: [4]uint64{cmd}, H: h} }

// hvmChange sets something to 1 and to 0, in turn.
func hvmChange(name string, cmd uint64, handle func(dom abi.DomID, to uint8) any) func(*scratchDomain) (undone, error) {
	return func(d *scratchDomain) (undone, error) {
		set := func(to uint8) step { return zero(name, abi.HVMOp, hvmOp(cmd, handle(d.id, to))) }
		return alternating(set(1), set(0)), nil
	}
}

// savedHVM asks how long the platform's state is, and saves it.
func (d *scratchDomain) savedHVM() ([]byte, error) {
	op := &abi.Domctl{Cmd: abi.DomctlGetHVMContext}
	for range 2 {
		if err := makeOnce(d.hc, []step{d.domctl("save platform", op)}); err != nil {
			return nil, err
		}
	}
	return op.HVM, nil
}
