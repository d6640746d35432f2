package hypercall

import "xsmbench/abi"

// rangeSize is the size of an entry of a memory map (struct e820entry): address,
// size at 8, type at 16.
const rangeSize = 20

// machineMap plans on struct xen_memory_map: number of entries, pointer to them at
// 8. They lie behind it.
func machineMap(a *abi.Args) (plan, error) {
	h, err := handle[abi.MemoryMap](abi.MemoryOp, a)
	if err != nil {
		return plan{}, err
	}
	const list = 16
	room := len(h.Entries)
	return plan{
		args: pointer(a.R[0]), size: list + rangeSize*room,
		encode: func(m memory) abi.Errno {
			if len(h.Entries) > room {
				return abi.E2BIG
			}
			m.clear()
			m.put32(0, uint32(len(h.Entries)))
			m.put64(8, m.at+list)
			return 0
		},
		decode: func(m memory, _ int64) {
			h.Entries = h.Entries[:min(int(m.get32(0)), len(h.Entries))]
			for n := range h.Entries {
				e := m.from(list + rangeSize*n)
				h.Entries[n] = abi.E820Entry{Addr: e.get64(0), Size: e.get64(8), Type: e.get32(16)}
			}
		},
	}, nil
}

// setMap plans on struct xen_foreign_memory_map: domain, and a struct
// xen_memory_map at 8.
func setMap(a *abi.Args) (plan, error) {
	h, err := handle[abi.MemoryMap](abi.MemoryOp, a)
	if err != nil {
		return plan{}, err
	}
	const list = 24
	room := len(h.Entries)
	return plan{
		args: pointer(a.R[0]), size: list + rangeSize*room,
		encode: func(m memory) abi.Errno {
			if len(h.Entries) > room {
				return abi.E2BIG
			}
			m.clear()
			m.put16(0, uint16(h.DomID))
			m.put32(8, uint32(len(h.Entries)))
			m.put64(16, m.at+list)
			for n, r := range h.Entries {
				e := m.from(list + rangeSize*n)
				e.put64(0, r.Addr)
				e.put64(8, r.Size)
				e.put32(16, r.Type)
			}
			return 0
		},
	}, nil
}
