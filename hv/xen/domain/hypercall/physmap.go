package hypercall

import "xsmbench/abi"

// populate plans the first memory of a scratch domain; dom0's own is the kernel's.
// A paravirtual domain's frames are told, those of a translated one stay as they
// were asked for.
func (p *planner) populate(a *abi.Args) (plan, error) {
	h, err := handle[abi.MemoryReservation](abi.MemoryOp, a)
	if err != nil {
		return plan{}, err
	}
	room := len(h.ExtentStart)
	switch {
	case h.DomID == abi.DomSelf:
		return plan{}, unsupported(abi.MemoryOp, reasonPhysmap)
	case room > maxFrames:
		return plan{}, unsupported(abi.MemoryOp, "too many extents")
	}
	return plan{
		args: pointer(a.R[0]), size: extentsAt + 8*room,
		encode: func(m memory) abi.Errno {
			switch {
			case len(h.ExtentStart) > room:
				return abi.E2BIG
			case !p.domains[h.DomID]:
				return abi.EPERM
			}
			encodeReservation(m, h)
			return 0
		},
		decode: func(m memory, done int64) {
			for i := range min(int(done), len(h.ExtentStart)) {
				h.ExtentStart[i] = m.get64(extentsAt + 8*i)
			}
		},
	}, nil
}

// addToPhysmap plans a change of a scratch domain's memory: struct
// xen_add_to_physmap has the domain, the space at 4, the index at 8 and the frame
// at 16.
func (p *planner) addToPhysmap(a *abi.Args) (plan, error) {
	h, err := handle[abi.AddToPhysmap](abi.MemoryOp, a)
	if err != nil {
		return plan{}, err
	}
	return plan{args: pointer(a.R[0]), size: 24, encode: func(m memory) abi.Errno {
		if !p.domains[h.DomID] {
			return abi.EPERM
		}
		m.clear()
		m.put16(0, uint16(h.DomID))
		m.put32(4, h.Space)
		m.put64(8, h.Idx)
		m.put64(16, uint64(h.GPFN))
		return 0
	}}, nil
}
