package hypercall

import "xsmbench/abi"

// hvm plans hvm_op. What a device model does is a hypercall of its own since Xen
// 4.9, dm_op.
func (i *Interface) hvm(a *abi.Args) (plan, error) {
	switch h := a.H.(type) {
	case *abi.HVMParam:
		return i.hvmParam(a.R[0], h)
	case *abi.HVMIntxLevel:
		member := func(name string, v *uint8) abi.NamedField {
			return abi.Member("u.set_pci_intx_level."+name, abi.Variable(v))
		}
		return i.deviceModel(&h.DomID, "XEN_DMOP_set_pci_intx_level",
			member("domain", &h.Domain), member("bus", &h.Bus), member("device", &h.Device), member("intx", &h.Intx), member("level", &h.Level))
	case *abi.HVMISAIRQLevel:
		return i.deviceModel(&h.DomID, "XEN_DMOP_set_isa_irq_level",
			abi.Member("u.set_isa_irq_level.isa_irq", abi.Variable(&h.IRQ)), abi.Member("u.set_isa_irq_level.level", abi.Variable(&h.Level)))
	case *abi.HVMLinkRoute:
		return i.deviceModel(&h.DomID, "XEN_DMOP_set_pci_link_route",
			abi.Member("u.set_pci_link_route.link", abi.Variable(&h.Link)), abi.Member("u.set_pci_link_route.isa_irq", abi.Variable(&h.IRQ)))
	}
	return plan{}, unknown(abi.HVMOp, a.R[0])
}

func (i *Interface) hvmParam(cmd uint64, h *abi.HVMParam) (plan, error) {
	command := map[uint64]string{abi.HVMOPSetParam: "HVMOP_set_param", abi.HVMOPGetParam: "HVMOP_get_param"}[cmd]
	if command == "" {
		return plan{}, unknown(abi.HVMOp, cmd)
	}
	return i.named(abi.HVMOp, abi.Command(command, abi.Struct("xen_hvm_param",
		abi.Member("domid", abi.Variable(&h.DomID)), abi.Member("index", abi.Variable(&h.Index)), abi.Member("value", abi.Variable(&h.Value)))))
}

// deviceModel plans dm_op with one buffer.
func (i *Interface) deviceModel(dom *abi.DomID, command string, fields ...abi.NamedField) (plan, error) {
	op := abi.Struct("xen_dm_op", append(fields, abi.Member("op", abi.Constant(command)))...)
	buffer := abi.Struct("xen_dm_op_buf", abi.Member("h", abi.Address(op)), abi.Member("size", abi.SizeOf(op)))
	p, err := i.named(abi.DMOp, &abi.Named{Registers: []abi.Word{abi.Variable(dom), abi.Number(1), abi.Address(buffer)}})
	p.op = abi.DMOp
	return p, err
}
