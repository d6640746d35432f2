package hypercall

import "xsmbench/abi"

// struct xen_sysctl: command, version, and a union.
const sysctlUnion = 8

type sysctlCommand = command[abi.Sysctl]

// sysctls are the commands of sysctl.
var sysctls = map[abi.SysctlCmd]sysctlCommand{
	abi.SysctlPhysInfo: {name: "physinfo", structure: physInfo, decode: decodePhysInfo},
	abi.SysctlSchedID: {
		name: "sched_id", structure: "xen_sysctl_sched_id",
		decode: func(_ *Interface, u record, _ memory, h *abi.Sysctl) { h.SchedID = uint32(u.get("sched_id")) },
	},
	abi.SysctlGetDomainInfoList: domainList,
	abi.SysctlReadConsole:       readConsole,
	abi.SysctlTBufOp:            {name: "tbuf_op", structure: "xen_sysctl_tbuf_op", encode: encodeTrace, decode: decodeTrace},
}

var sysctlStructures = map[string]Structure{
	physInfo: structure(
		fields(4, "threads_per_core", "cores_per_socket", "nr_cpus", "nr_nodes", "cpu_khz"), fields(8, "total_pages", "free_pages", "scrub_pages"),
	),
	"xen_sysctl_sched_id":          structure(fields(4, "sched_id")),
	"xen_sysctl_getdomaininfolist": structure(fields(2, "first_domain"), fields(4, "max_domains", "num_domains"), fields(8, "buffer")),
	"xen_sysctl_readconsole":       structure(fields(1, "clear", "incremental"), fields(4, "index", "count"), fields(8, "buffer")),
	"xen_sysctl_tbuf_op":           structure(fields(4, "cmd", "evt_mask", "size")),
}

func init() {
	want(sysctlControl, sysctls)
	wanted.Constants["XEN_SYSCTL_perfc_op"] = sysctlPerfc
	for name, s := range sysctlStructures {
		wanted.Structs[name] = s
	}
}

// sysctl plans a sysctl.
func (i *Interface) sysctl(a *abi.Args) (plan, error) {
	h, err := handle[abi.Sysctl](abi.SysctlOp, a)
	if err != nil {
		return plan{}, err
	}
	c, ok := sysctls[h.Cmd]
	if !ok {
		return plan{}, unknown(abi.SysctlOp, uint64(h.Cmd))
	}
	return c.plan(sysctlControl, i, h, func(memory) abi.Errno { return 0 })
}

func (i *Interface) sysctlSize() int { return max(sysctlUnion+unionSize, i.Structs["xen_sysctl"].Size) }

func (i *Interface) encodeSysctl(m memory, cmd uint32) {
	m.clear()
	m.put32(0, cmd)
	m.put32(4, i.Constants[sysctlVersion])
}

// decodePhysInfo counts processors where 3.2 counted sockets of a node.
func decodePhysInfo(_ *Interface, u record, _ memory, h *abi.Sysctl) {
	get32 := func(field string) uint32 { return uint32(u.get(field)) }
	h.Phys = abi.PhysInfo{
		ThreadsPerCore: get32("threads_per_core"),
		CoresPerSocket: get32("cores_per_socket"),
		NrNodes:        get32("nr_nodes"),
		CPUKHz:         get32("cpu_khz"),
		TotalPages:     u.get("total_pages"),
		FreePages:      u.get("free_pages"),
		ScrubPages:     u.get("scrub_pages"),
	}
	if perNode := h.Phys.ThreadsPerCore * h.Phys.CoresPerSocket * h.Phys.NrNodes; perNode > 0 {
		h.Phys.SocketsPerNode = get32("nr_cpus") / perNode
	}
}

// domainList lists domains behind the structure. How many there is room for is
// known when the call is planned.
var domainList = sysctlCommand{
	name: "getdomaininfolist", structure: "xen_sysctl_getdomaininfolist", also: []string{domainInfo},
	each: domainInfo, room: func(h *abi.Sysctl) int { return len(h.Domains) },
	encode: func(_ *Interface, u record, list memory, h *abi.Sysctl) {
		u.put("first_domain", uint64(h.FirstDomain))
		u.put("max_domains", uint64(len(h.Domains)))
		u.put("buffer", list.at)
	},
	decode: func(i *Interface, u record, list memory, h *abi.Sysctl) {
		s := i.Structs[domainInfo]
		h.Domains = h.Domains[:min(int(u.get("num_domains")), len(h.Domains))]
		for n := range h.Domains {
			h.Domains[n] = record{list.from(s.Size * n), s}.domainInfo()
		}
	},
}

// readConsole reads the ring from its beginning, and leaves it as it is.
var readConsole = sysctlCommand{
	name: "readconsole", structure: "xen_sysctl_readconsole",
	room: func(h *abi.Sysctl) int { return len(h.Console) },
	encode: func(_ *Interface, u record, room memory, h *abi.Sysctl) {
		u.put("clear", uint64(h.ConsoleClear))
		u.put("buffer", room.at)
		u.put("count", uint64(len(h.Console)))
	},
	decode: func(_ *Interface, u record, room memory, h *abi.Sysctl) {
		h.Console = h.Console[:copy(h.Console, room.b[:min(int(u.get("count")), len(h.Console))])]
	},
}

func encodeTrace(_ *Interface, u record, _ memory, h *abi.Sysctl) {
	u.put("cmd", uint64(h.TBufCmd))
	u.put("evt_mask", h.TBufMask)
	u.put("size", uint64(h.TBufSize))
}

func decodeTrace(_ *Interface, u record, _ memory, h *abi.Sysctl) {
	h.TBufMask, h.TBufSize = u.get("evt_mask"), uint32(u.get("size"))
}
