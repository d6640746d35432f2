package hypercall

import "xsmbench/abi"

// memory plans memory_op.
func (p *planner) memory(a *abi.Args) (plan, error) {
	switch cmd := abi.MemoryCmd(a.R[0]); cmd {
	case abi.XENMEMCurrentReservation, abi.XENMEMMaximumReservation:
		return reservation(a)
	case abi.XENMEMMaximumRAMPage:
		return plan{args: func(uint64) [5]uint64 { return [5]uint64{uint64(cmd)} }}, nil
	case abi.XENMEMIncreaseReservation:
		return p.increase(a)
	case abi.XENMEMDecreaseReservation:
		return p.decrease(a)
	case abi.XENMEMMachineMemoryMap:
		return machineMap(a)
	case abi.XENMEMSetMemoryMap:
		return setMap(a)
	case abi.XENMEMPopulatePhysmap:
		return p.populate(a)
	case abi.XENMEMAddToPhysmap:
		return p.addToPhysmap(a)
	case abi.XENMEMTranslateGPFNList:
		return plan{}, unsupported(abi.MemoryOp, reasonTranslate)
	default:
		return plan{}, unknown(abi.MemoryOp, uint64(cmd))
	}
}

// reservation plans on struct xen_memory_domain, which is a domain's number.
func reservation(a *abi.Args) (plan, error) {
	h, err := handle[abi.MemoryDomain](abi.MemoryOp, a)
	if err != nil {
		return plan{}, err
	}
	return plan{args: pointer(a.R[0]), size: 2, encode: func(m memory) abi.Errno {
		m.put16(0, uint16(h.DomID))
		return 0
	}}, nil
}

// extentsAt is where the list of extents lies, behind struct
// xen_memory_reservation.
const extentsAt = 32

// extents plans a change of the own reservation by single pages: pointer to
// the extents, their number, order at 16, flags at 20, domain at 24.
func (p *planner) extents(a *abi.Args) (*abi.MemoryReservation, plan, error) {
	h, err := handle[abi.MemoryReservation](abi.MemoryOp, a)
	if err != nil {
		return nil, plan{}, err
	}
	room := len(h.ExtentStart)
	switch {
	case p.translated:
		// Xen does not tell such a domain which frame it got, so that it
		// could give none but its own back.
		return nil, plan{}, unsupported(abi.MemoryOp, "frames have no numbers in a translated domain")
	case h.ExtentOrder != 0 || h.DomID != abi.DomSelf:
		return nil, plan{}, unsupported(abi.MemoryOp, "only single pages of the domain's own")
	case room > maxFrames:
		return nil, plan{}, unsupported(abi.MemoryOp, "too many extents")
	}
	encode := func(m memory) abi.Errno {
		if len(h.ExtentStart) > room {
			return abi.E2BIG
		}
		encodeReservation(m, h)
		return 0
	}
	return h, plan{args: pointer(a.R[0]), size: extentsAt + 8*room, encode: encode}, nil
}

func encodeReservation(m memory, h *abi.MemoryReservation) {
	m.clear()
	m.put64(0, m.at+extentsAt)
	m.put64(8, uint64(len(h.ExtentStart)))
	m.put32(16, h.ExtentOrder)
	m.put32(20, h.AddressBits)
	m.put16(24, uint16(h.DomID))
	for i, frame := range h.ExtentStart {
		m.put64(extentsAt+8*i, frame)
	}
}

// increase notes the frames that come.
func (p *planner) increase(a *abi.Args) (plan, error) {
	h, change, err := p.extents(a)
	if err != nil {
		return plan{}, err
	}
	encode := change.encode
	change.encode = func(m memory) abi.Errno {
		if p.frames.n+len(h.ExtentStart) > maxFrames {
			return abi.ENOMEM
		}
		return encode(m)
	}
	change.decode = func(m memory, done int64) {
		for i := range min(int(done), len(h.ExtentStart)) {
			h.ExtentStart[i] = m.get64(extentsAt + 8*i)
			p.frames.add(h.ExtentStart[i])
		}
	}
	return change, nil
}

// decrease gives back frames that came from increase and none else: what the
// kernel uses must stay.
func (p *planner) decrease(a *abi.Args) (plan, error) {
	h, change, err := p.extents(a)
	if err != nil {
		return plan{}, err
	}
	encode := change.encode
	change.encode = func(m memory) abi.Errno {
		for _, frame := range h.ExtentStart {
			if p.frames.find(frame) < 0 {
				return abi.EPERM
			}
		}
		return encode(m)
	}
	change.decode = func(_ memory, done int64) {
		for _, frame := range h.ExtentStart[:min(int(done), len(h.ExtentStart))] {
			p.frames.remove(frame)
		}
	}
	return change, nil
}
