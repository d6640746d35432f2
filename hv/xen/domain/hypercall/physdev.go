package hypercall

import "xsmbench/abi"

// physdev plans what asks for and sets interrupts.
func (i *Interface) physdev(a *abi.Args) (plan, error) {
	switch a.R[0] {
	case abi.PHYSDEVOPIRQStatusQuery:
		return irqStatus(a)
	case abi.PHYSDEVOPApicRead:
		return i.apic("PHYSDEVOP_apic_read", a)
	case abi.PHYSDEVOPApicWrite:
		return i.apic("PHYSDEVOP_apic_write", a)
	case abi.PHYSDEVOPAllocIRQVector:
		return i.irqVector(a)
	default:
		return plan{}, unknown(abi.PhysdevOp, a.R[0])
	}
}

// irqStatus plans on struct physdev_irq_status_query: interrupt, flags.
func irqStatus(a *abi.Args) (plan, error) {
	h, err := handle[abi.PhysdevIRQStatus](abi.PhysdevOp, a)
	if err != nil {
		return plan{}, err
	}
	return plan{
		args: pointer(abi.PHYSDEVOPIRQStatusQuery), size: 8,
		encode: func(m memory) abi.Errno {
			m.put32(0, h.IRQ)
			m.put32(4, 0)
			return 0
		},
		decode: func(m memory, _ int64) { h.Flags = m.get32(4) },
	}, nil
}

func (i *Interface) apic(command string, a *abi.Args) (plan, error) {
	h, err := handle[abi.PhysdevApic](abi.PhysdevOp, a)
	if err != nil {
		return plan{}, err
	}
	return i.named(abi.PhysdevOp, abi.Command(command, abi.Struct("physdev_apic",
		abi.Member("apic_physbase", abi.Variable(&h.APICPhysbase)), abi.Member("reg", abi.Variable(&h.Reg)), abi.Member("value", abi.Variable(&h.Value)))))
}

func (i *Interface) irqVector(a *abi.Args) (plan, error) {
	h, err := handle[abi.PhysdevIRQ](abi.PhysdevOp, a)
	if err != nil {
		return plan{}, err
	}
	return i.named(abi.PhysdevOp, abi.Command("PHYSDEVOP_alloc_irq_vector", abi.Struct("physdev_irq",
		abi.Member("irq", abi.Variable(&h.IRQ)), abi.Member("vector", abi.Variable(&h.Vector)))))
}
