package hypercall

import "xsmbench/abi"

// struct xen_domctl: command, version, the domain at 8, and a union.
const domctlUnion = 16

// domctls are the commands of domctl. Those that change a domain are for domains
// that the process made.
var domctls = map[abi.DomctlCmd]domctlCommand{
	abi.DomctlCreateDomain:     createDomain,
	abi.DomctlDestroyDomain:    {name: "destroydomain"},
	abi.DomctlPauseDomain:      {name: "pausedomain"},
	abi.DomctlUnpauseDomain:    {name: "unpausedomain"},
	abi.DomctlGetDomainInfo:    {name: "getdomaininfo", structure: domainInfo, decode: decodeDomainInfo},
	abi.DomctlResumeDomain:     {name: "resumedomain"},
	abi.DomctlMaxVCPUs:         {name: "max_vcpus", structure: "xen_domctl_max_vcpus", encode: encodeMaxVCPUs},
	abi.DomctlMaxMem:           {name: "max_mem", structure: "xen_domctl_max_mem", encode: encodeMaxMem},
	abi.DomctlSetDomainHandle:  {name: "setdomainhandle", structure: "xen_domctl_setdomainhandle", encode: encodeHandle},
	abi.DomctlSetTimeOffset:    {name: "settimeoffset", structure: "xen_domctl_settimeoffset", encode: encodeTimeOffset},
	abi.DomctlSetDebugging:     {name: "setdebugging", structure: "xen_domctl_setdebugging", encode: encodeDebugging},
	abi.DomctlSchedulerOp:      {name: "scheduler_op", structure: "xen_domctl_scheduler_op", encode: encodeScheduler, decode: decodeScheduler},
	abi.DomctlGetAddressSize:   {name: "get_address_size", structure: addressSize, decode: decodeAddressSize},
	abi.DomctlSetAddressSize:   {name: "set_address_size", structure: addressSize, encode: encodeAddressSize},
	abi.DomctlShadowOp:         {name: "shadow_op", structure: "xen_domctl_shadow_op", encode: encodeShadow},
	abi.DomctlHypercallInit:    {name: "hypercall_init", structure: "xen_domctl_hypercall_init", encode: encodeHypercallPage},
	abi.DomctlGetPageFrameInfo: pageFrameInfo,
	abi.DomctlSetVCPUAffinity:  {name: "setvcpuaffinity", structure: affinity, also: bitmaps, room: processors, encode: encodeAffinity},
	abi.DomctlGetVCPUAffinity:  {name: "getvcpuaffinity", structure: affinity, also: bitmaps, room: processors, encode: encodeAffinity, decode: decodeAffinity},
	abi.DomctlGetVCPUInfo:      {name: "getvcpuinfo", structure: "xen_domctl_getvcpuinfo", encode: encodeVCPU, decode: decodeVCPUInfo},
	abi.DomctlSetVCPUContext:   setContext,
	abi.DomctlGetVCPUContext:   getContext,
	abi.DomctlGetHVMContext:    {name: "gethvmcontext", structure: hvmContext, room: platform, encode: encodePlatform, decode: decodePlatform},
	abi.DomctlSetHVMContext:    {name: "sethvmcontext", structure: hvmContext, room: platform, encode: encodeSavedPlatform},
	abi.DomctlIRQPermission:    {name: "irq_permission", structure: "xen_domctl_irq_permission", encode: encodeIRQ},
	abi.DomctlIOMemPermission:  {name: "iomem_permission", structure: "xen_domctl_iomem_permission", encode: encodeIOMem},
	abi.DomctlIOPortPermission: {name: "ioport_permission", structure: "xen_domctl_ioport_permission", encode: encodeIOPort},
}

type domctlCommand = command[abi.Domctl]

// Names of structures of two commands each.
const (
	addressSize = "xen_domctl_address_size"
	affinity    = "xen_domctl_vcpuaffinity"
	hvmContext  = "xen_domctl_hvmcontext"
	vcpuContext = "xen_domctl_vcpucontext"
	bitmap      = "xenctl_bitmap"
	registers   = "vcpu_guest_context"
)

// domctlStructures are the structures of domctl's commands.
var domctlStructures = map[string]Structure{
	domainInfo: structure(
		fields(2, "domain"), fields(4, "flags", "nr_online_vcpus", "max_vcpu_id", "ssidref"), fields(16, "handle"),
		fields(8, "tot_pages", "max_pages", "shared_info_frame", "cpu_time"),
	),
	"xen_domctl_createdomain": structure(
		fields(16, "handle"),
		fields(4, "ssidref", "flags", "max_vcpus", "max_evtchn_port", "max_grant_frames", "max_maptrack_frames", "grant_opts", "arch.emulation_flags"),
	),
	"xen_domctl_max_vcpus":       structure(fields(4, "max")),
	"xen_domctl_max_mem":         structure(fields(8, "max_memkb")),
	"xen_domctl_setdomainhandle": structure(fields(16, "handle")),
	"xen_domctl_settimeoffset":   structure(fields(8, "time_offset_seconds")),
	"xen_domctl_setdebugging":    structure(fields(1, "enable")),
	// The credit schedulers' parameters lie at the same place.
	"xen_domctl_scheduler_op":      structure(fields(4, "sched_id", "cmd"), fields(2, "u.credit.weight", "u.credit.cap", "u.credit2.weight", "u.credit2.cap")),
	addressSize:                    structure(fields(4, "size")),
	"xen_domctl_shadow_op":         structure(fields(4, "op", "mode")),
	"xen_domctl_hypercall_init":    structure(fields(8, "gmfn")),
	"xen_domctl_getpageframeinfo3": structure(fields(8, "num", "array")),
	affinity:                       structure(fields(4, "vcpu", "flags"), fields(16, "cpumap_hard")),
	bitmap:                         structure(fields(8, "bitmap"), fields(4, "nr_bits")),
	"xen_domctl_getvcpuinfo":       structure(fields(1, "online", "blocked", "running"), fields(4, "vcpu", "cpu"), fields(8, "cpu_time")),
	vcpuContext:                    structure(fields(4, "vcpu"), fields(8, "ctxt")),
	registers:                      structure(fields(8, "flags", "kernel_ss", "ctrlreg[3]")),
	hvmContext:                     structure(fields(4, "size"), fields(8, "buffer")),
	// Up to 4.15 an interrupt's number has a byte.
	"xen_domctl_irq_permission":    structure(fields(anyWidth, "pirq"), fields(1, "allow_access")),
	"xen_domctl_iomem_permission":  structure(fields(8, "first_mfn", "nr_mfns"), fields(1, "allow_access")),
	"xen_domctl_ioport_permission": structure(fields(4, "first_port", "nr_ports"), fields(1, "allow_access")),
}

func init() {
	want(domctlControl, domctls)
	for name, s := range domctlStructures {
		wanted.Structs[name] = s
	}
}

// domctl plans a domctl.
func (p *planner) domctl(a *abi.Args) (plan, error) {
	h, err := handle[abi.Domctl](abi.DomctlOp, a)
	if err != nil {
		return plan{}, err
	}
	if h.Cmd == abi.DomctlGetMemList {
		return plan{}, unsupported(abi.DomctlOp, reasonMemList)
	}
	if h.Cmd == abi.DomctlShadowOp && h.Shadow.Op == abi.ShadowOpEnableTranslate {
		return plan{}, unsupported(abi.DomctlOp, "Xen 4 translates the memory of HVM domains only")
	}
	c, ok := domctls[h.Cmd]
	if !ok {
		return plan{}, unknown(abi.DomctlOp, uint64(h.Cmd))
	}
	made, err := c.plan(domctlControl, p.iface, h, func(m memory) abi.Errno {
		if !p.mayChange(h) {
			return abi.EPERM
		}
		m.put16(8, uint16(h.DomID))
		return 0
	})
	if err != nil {
		return plan{}, err
	}
	return p.noting(made, h), nil
}

func decodeDomainInfo(_ *Interface, u record, _ memory, h *abi.Domctl) {
	h.Info = u.domainInfo()
	h.DomID = h.Info.Domain
}

func (r record) domainInfo() abi.DomainInfo {
	return abi.DomainInfo{
		Domain:        abi.DomID(r.get("domain")),
		Flags:         uint32(r.get("flags")),
		TotPages:      r.get("tot_pages"),
		MaxPages:      r.get("max_pages"),
		SharedInfoMFN: r.get("shared_info_frame"),
		CPUTime:       r.get("cpu_time"),
		NrOnlineVCPUs: uint32(r.get("nr_online_vcpus")),
		MaxVCPUID:     uint32(r.get("max_vcpu_id")),
		SSIDRef:       uint32(r.get("ssidref")),
		Handle:        [16]byte(r.bytes("handle")),
	}
}

func encodeMaxVCPUs(_ *Interface, u record, _ memory, h *abi.Domctl) {
	u.put("max", uint64(h.MaxVCPUs))
}

func encodeMaxMem(_ *Interface, u record, _ memory, h *abi.Domctl) { u.put("max_memkb", h.MaxMemKB) }

func encodeHandle(_ *Interface, u record, _ memory, h *abi.Domctl) {
	copy(u.bytes("handle"), h.Handle[:])
}

func encodeTimeOffset(_ *Interface, u record, _ memory, h *abi.Domctl) {
	u.put("time_offset_seconds", uint64(int64(h.TimeOffset)))
}

func encodeDebugging(_ *Interface, u record, _ memory, h *abi.Domctl) {
	u.put("enable", uint64(h.Enable))
}

// Commands of scheduler_op.
const (
	schedulerPut = 0
	schedulerGet = 1
)

func encodeScheduler(_ *Interface, u record, _ memory, h *abi.Domctl) {
	u.put("sched_id", uint64(h.Sched.SchedID))
	u.put("cmd", schedulerGet)
	if h.Sched.Put {
		u.put("cmd", schedulerPut)
	}
	u.put("u.credit.weight", uint64(h.Sched.Weight))
	u.put("u.credit.cap", uint64(h.Sched.Cap))
}

func decodeScheduler(_ *Interface, u record, _ memory, h *abi.Domctl) {
	h.Sched.Weight, h.Sched.Cap = uint16(u.get("u.credit.weight")), uint16(u.get("u.credit.cap"))
}

func encodeAddressSize(_ *Interface, u record, _ memory, h *abi.Domctl) {
	u.put("size", uint64(h.AddrSize))
}

func decodeAddressSize(_ *Interface, u record, _ memory, h *abi.Domctl) {
	h.AddrSize = uint32(u.get("size"))
}

func encodeShadow(_ *Interface, u record, _ memory, h *abi.Domctl) {
	u.put("op", uint64(h.Shadow.Op))
	u.put("mode", uint64(h.Shadow.Mode))
}

func encodeHypercallPage(_ *Interface, u record, _ memory, h *abi.Domctl) {
	u.put("gmfn", h.HyperGMFN)
}

// pageFrameInfo asks the third version of the command, the only one that is left,
// for one frame: the frame comes in, and its type in the upper bits of 32 goes out.
var pageFrameInfo = domctlCommand{
	name: "getpageframeinfo3", number: 61, structure: "xen_domctl_getpageframeinfo3",
	room: func(*abi.Domctl) int { return 8 },
	encode: func(_ *Interface, u record, frames memory, h *abi.Domctl) {
		u.put("num", 1)
		u.put("array", frames.at)
		frames.put64(0, h.PageInfo.GMFN)
	},
	decode: func(_ *Interface, _ record, frames memory, h *abi.Domctl) { h.PageInfo.Type = uint32(frames.get64(0)) },
}

func encodeIRQ(_ *Interface, u record, _ memory, h *abi.Domctl) {
	u.put("pirq", uint64(h.IRQ.PIRQ))
	u.put("allow_access", uint64(h.IRQ.Allow))
}

func encodeIOMem(_ *Interface, u record, _ memory, h *abi.Domctl) {
	u.put("first_mfn", uint64(h.IOMem.First))
	u.put("nr_mfns", h.IOMem.Nr)
	u.put("allow_access", uint64(h.IOMem.Allow))
}

func encodeIOPort(_ *Interface, u record, _ memory, h *abi.Domctl) {
	u.put("first_port", uint64(h.IOPort.First))
	u.put("nr_ports", uint64(h.IOPort.Nr))
	u.put("allow_access", uint64(h.IOPort.Allow))
}

// platform is how much room the state of an HVM domain needs.
func platform(h *abi.Domctl) int { return len(h.HVM) }

// encodePlatform asks for the size if there is no room.
func encodePlatform(_ *Interface, u record, room memory, h *abi.Domctl) {
	if len(h.HVM) > 0 {
		u.put("size", uint64(len(h.HVM)))
		u.put("buffer", room.at)
	}
}

func decodePlatform(_ *Interface, u record, room memory, h *abi.Domctl) {
	size := int(u.get("size"))
	if len(h.HVM) == 0 {
		h.HVM = make([]byte, min(size, mostPlatform))
		return
	}
	h.HVM = h.HVM[:copy(h.HVM, room.b[:min(size, len(room.b))])]
}

// mostPlatform bounds what is taken for the size of a domain's state.
const mostPlatform = 1 << 20

func encodeSavedPlatform(_ *Interface, u record, room memory, h *abi.Domctl) {
	u.put("size", uint64(len(h.HVM)))
	u.put("buffer", room.at)
	copy(room.b, h.HVM)
}
