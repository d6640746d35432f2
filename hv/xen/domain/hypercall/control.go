package hypercall

import "xsmbench/abi"

// physdev plans on struct physdev_irq_status_query: interrupt, flags.
func physdev(a *abi.Args) (plan, error) {
	if a.R[0] != abi.PHYSDEVOPIRQStatusQuery {
		return plan{}, unknown(abi.PhysdevOp, a.R[0])
	}
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

// console plans a write of nothing: the console is the kernel's, and its log
// is where the runner looks for the domain's.
func console(a *abi.Args) (plan, error) {
	h, err := handle[abi.ConsoleBuf](abi.ConsoleIO, a)
	if err != nil {
		return plan{}, err
	}
	if a.R[0] != abi.CONSOLEIOWrite {
		return plan{}, unknown(abi.ConsoleIO, a.R[0])
	}
	if len(h.Data) > 0 {
		return plan{}, unsupported(abi.ConsoleIO, "only a write of 0 bytes")
	}
	return plan{args: func(at uint64) [5]uint64 { return [5]uint64{abi.CONSOLEIOWrite, 0, at} }, size: 8}, nil
}

// struct xen_domctl and struct xen_sysctl: command, version, for domctl the
// domain at 8, and a union of 128 bytes.
const (
	domctlUnion = 16
	domctlSize  = domctlUnion + 128
	sysctlUnion = 8
	sysctlSize  = sysctlUnion + 128
)

// domctl plans commands that only name a domain.
func domctl(a *abi.Args) (plan, error) {
	h, err := handle[abi.Domctl](abi.DomctlOp, a)
	if err != nil {
		return plan{}, err
	}
	p := plan{
		args: func(at uint64) [5]uint64 { return [5]uint64{at} }, size: domctlSize,
		encode: func(m memory) abi.Errno {
			m.clear()
			m.put32(0, uint32(h.Cmd))
			m.put32(4, domctlVersion)
			m.put16(8, uint16(h.DomID))
			return 0
		},
	}
	switch h.Cmd {
	case abi.DomctlPauseDomain, abi.DomctlUnpauseDomain:
	case abi.DomctlGetDomainInfo:
		p.decode = func(m memory, _ int64) {
			h.DomID = abi.DomID(m.get16(8))
			decodeDomainInfo(m.from(domctlUnion), &h.Info)
		}
	default:
		return plan{}, unknown(abi.DomctlOp, uint64(h.Cmd))
	}
	return p, nil
}

// domainInfo is the size of struct xen_domctl_getdomaininfo.
const domainInfo = 112

func decodeDomainInfo(m memory, info *abi.DomainInfo) {
	*info = abi.DomainInfo{
		Domain:        abi.DomID(m.get16(0)),
		Flags:         m.get32(4),
		TotPages:      m.get64(8),
		MaxPages:      m.get64(16),
		SharedInfoMFN: m.get64(48),
		CPUTime:       m.get64(56),
		NrOnlineVCPUs: m.get32(64),
		MaxVCPUID:     m.get32(68),
		SSIDRef:       m.get32(72),
		Handle:        [16]byte(m.b[76:92]),
	}
}

// sysctl plans what is asked of the machine.
func sysctl(a *abi.Args) (plan, error) {
	h, err := handle[abi.Sysctl](abi.SysctlOp, a)
	if err != nil {
		return plan{}, err
	}
	p := plan{
		args: func(at uint64) [5]uint64 { return [5]uint64{at} }, size: sysctlSize,
		encode: func(m memory) abi.Errno { encodeSysctl(m, h); return 0 },
	}
	switch h.Cmd {
	case abi.SysctlPhysInfo:
		p.decode = func(m memory, _ int64) { decodePhysInfo(m.from(sysctlUnion), &h.Phys) }
	case abi.SysctlSchedID:
		p.decode = func(m memory, _ int64) { h.SchedID = m.get32(sysctlUnion) }
	case abi.SysctlGetDomainInfoList:
		return domainList(p, h), nil
	default:
		return plan{}, unknown(abi.SysctlOp, uint64(h.Cmd))
	}
	return p, nil
}

func encodeSysctl(m memory, h *abi.Sysctl) {
	m.clear()
	m.put32(0, uint32(h.Cmd))
	m.put32(4, sysctlVersion)
}

// decodePhysInfo reads struct xen_sysctl_physinfo. It counts processors where
// 3.2 counted sockets of a node.
func decodePhysInfo(m memory, info *abi.PhysInfo) {
	*info = abi.PhysInfo{
		ThreadsPerCore: m.get32(0),
		CoresPerSocket: m.get32(4),
		NrNodes:        m.get32(16),
		CPUKHz:         m.get32(24),
		TotalPages:     m.get64(40),
		FreePages:      m.get64(48),
		ScrubPages:     m.get64(56),
	}
	if perNode := info.ThreadsPerCore * info.CoresPerSocket * info.NrNodes; perNode > 0 {
		info.SocketsPerNode = m.get32(8) / perNode
	}
}

// domainList plans struct xen_sysctl_getdomaininfolist: first domain, room at
// 4, pointer at 8, number filled at 16. The list is behind the structure.
func domainList(p plan, h *abi.Sysctl) plan {
	room := len(h.Domains)
	p.size = sysctlSize + domainInfo*room
	p.encode = func(m memory) abi.Errno {
		if len(h.Domains) > room {
			return abi.E2BIG
		}
		encodeSysctl(m, h)
		u := m.from(sysctlUnion)
		u.put16(0, uint16(h.FirstDomain))
		u.put32(4, uint32(len(h.Domains)))
		u.put64(8, m.at+sysctlSize)
		return 0
	}
	p.decode = func(m memory, _ int64) {
		n := min(int(m.get32(sysctlUnion+16)), len(h.Domains))
		h.Domains = h.Domains[:n]
		for i := range h.Domains {
			decodeDomainInfo(m.from(sysctlSize+domainInfo*i), &h.Domains[i])
		}
	}
	return p
}

// security plans FLASK's question for its mode. 4.17 returns what 3.2 wrote as
// text into the buffer; both are given.
func security(a *abi.Args) (plan, error) {
	h, err := handle[abi.XSMOpArgs](abi.XSMOp, a)
	if err != nil {
		return plan{}, err
	}
	if h.Cmd != flaskGetEnforce {
		return plan{}, unknown(abi.XSMOp, uint64(h.Cmd))
	}
	return plan{
		args: func(at uint64) [5]uint64 { return [5]uint64{at} }, size: flaskOpSize,
		encode: func(m memory) abi.Errno {
			encodeFlask(m, h.Cmd)
			return 0
		},
		decode: func(_ memory, result int64) {
			h.Size = uint32(min(1, len(h.Buf)))
			clear(h.Buf)
			if len(h.Buf) > 0 {
				h.Buf[0] = '0' + byte(result)
			}
		},
	}, nil
}
