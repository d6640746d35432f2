package hypercall

import "xsmbench/abi"

// bitmaps is what a map of processors needs: struct xenctl_bitmap.
var bitmaps = []string{bitmap}

// processors is the room for a map of 64.
func processors(*abi.Domctl) int { return 8 }

// hardAffinity is XEN_VCPUAFFINITY_HARD: the processors that a vCPU must run on.
const hardAffinity = 1

func encodeAffinity(i *Interface, u record, room memory, h *abi.Domctl) {
	u.put("vcpu", uint64(h.VCPU))
	u.put("flags", hardAffinity)
	cpus := u.within("cpumap_hard", i.Structs[bitmap])
	cpus.put("bitmap", room.at)
	cpus.put("nr_bits", 64)
	room.put64(0, h.Affinity)
}

func decodeAffinity(_ *Interface, _ record, room memory, h *abi.Domctl) { h.Affinity = room.get64(0) }

func encodeVCPU(_ *Interface, u record, _ memory, h *abi.Domctl) { u.put("vcpu", uint64(h.VCPU)) }

func decodeVCPUInfo(_ *Interface, u record, _ memory, h *abi.Domctl) {
	h.VCPUInfo = abi.DomctlVCPUInfo{
		Online: u.get("online") != 0, Blocked: u.get("blocked") != 0, Running: u.get("running") != 0,
		CPUTime: u.get("cpu_time"), CPU: uint32(u.get("cpu")),
	}
}

// context is the room for struct vcpu_guest_context.
func context(*abi.Domctl) int { return mostStructure }

// setContext gives a vCPU the state that a benchmark can say here: its flags, its
// page tables and its stack's segment. Without one it resets the vCPU.
var setContext = domctlCommand{
	name: "setvcpucontext", structure: vcpuContext, also: []string{registers}, room: context,
	encode: func(i *Interface, u record, room memory, h *abi.Domctl) {
		u.put("vcpu", uint64(h.VCPU))
		if h.Context == nil {
			return
		}
		u.put("ctxt", room.at)
		r := record{room, i.Structs[registers]}
		r.put("flags", h.Context.Flags)
		r.put("kernel_ss", h.Context.KernelSS)
		r.put("ctrlreg[3]", uint64(h.Context.CR3)*abi.PageSize)
	},
}

var getContext = domctlCommand{
	name: "getvcpucontext", structure: vcpuContext, also: []string{registers}, room: context,
	encode: func(_ *Interface, u record, room memory, h *abi.Domctl) {
		u.put("vcpu", uint64(h.VCPU))
		u.put("ctxt", room.at)
	},
	decode: func(i *Interface, _ record, room memory, h *abi.Domctl) {
		if h.Context == nil {
			h.Context = &abi.VCPUContext{}
		}
		r := record{room, i.Structs[registers]}
		h.Context.Flags, h.Context.KernelSS = r.get("flags"), r.get("kernel_ss")
		h.Context.CR3 = abi.MFN(r.get("ctrlreg[3]") / abi.PageSize)
	},
}
