package kbench

import "xsmbench/abi"

// registerLaterHVM registers operations on an HVM domain that Xen 3.2 has not.
func registerLaterHVM() {
	for _, o := range []onDomain{
		{
			op: "hvm_set_param_altp2m", doc: "set that an HVM domain has no alternate physical memory, as it is",
			source: "arch/x86/hvm/hvm.c:hvm_set_param", hooks: crosses("hvm_param", "hvm_param_altp2mhvm"),
			steps: onHVM("set parameter", abi.HVMOp, func(dom abi.Word) *abi.Named {
				return abi.Command("HVMOP_set_param", abi.Struct("xen_hvm_param", abi.Member("domid", dom), abi.Member("index", abi.Constant("HVM_PARAM_ALTP2M"))))
			}, 0),
		},
		{
			op: "dm_nr_vcpus", doc: "ask as a device model how many vCPUs an HVM domain has",
			source: "arch/x86/hvm/dm.c:dm_op", hooks: crosses("dm_op"),
			steps: onHVM("ask for vCPUs", abi.DMOp, func(dom abi.Word) *abi.Named {
				op := abi.Struct("xen_dm_op", abi.Member("op", abi.Constant("XEN_DMOP_nr_vcpus")))
				buffer := abi.Struct("xen_dm_op_buf", abi.Member("h", abi.Address(op)), abi.Member("size", abi.SizeOf(op)))
				return &abi.Named{Registers: []abi.Word{dom, abi.Number(1), abi.Address(buffer)}}
			}, 0),
		},
		{
			op: "memory_get_pod_target", doc: "ask how much memory an HVM domain is populated with on demand",
			source: "arch/x86/mm.c:arch_memory_op", hooks: crosses("get_pod_target"),
			steps: onHVM("ask for target", abi.MemoryOp, func(dom abi.Word) *abi.Named {
				return abi.Command("XENMEM_get_pod_target", abi.Struct("xen_pod_target", abi.Member("domid", dom)))
			}, 0),
		},
		{
			op: "memory_set_pod_target", doc: "set how much memory an HVM domain is populated with on demand, which is none",
			source: "arch/x86/mm.c:arch_memory_op", hooks: crosses("set_pod_target"),
			steps: onHVM("set target", abi.MemoryOp, func(dom abi.Word) *abi.Named {
				return abi.Command("XENMEM_set_pod_target", abi.Struct("xen_pod_target", abi.Member("domid", dom)))
			}, 0),
		},
		{
			op: "memory_remove_from_physmap", doc: "take the shared page out of the memory of an HVM domain",
			source: "common/memory.c:do_memory_op", hooks: crosses("remove_from_physmap"), steps: removeShared,
		},
	} {
		o.domain, o.later = hvmDomain, true
		o.register()
	}
}

// onHVM is a step on the domain that changes nothing.
func onHVM(name string, op abi.Hypercall, call func(dom abi.Word) *abi.Named, result int64) func(*scratchDomain) (undone, error) {
	return func(d *scratchDomain) (undone, error) {
		return reading(named(name, op, call(abi.Number(uint64(d.id))), result)), nil
	}
}

func removeShared(d *scratchDomain) (undone, error) {
	remove := named("remove from physmap", abi.MemoryOp, abi.Command("XENMEM_remove_from_physmap", abi.Struct("xen_remove_from_physmap",
		abi.Member("domid", abi.Number(uint64(d.id))), abi.Member("gpfn", abi.Number(scratchFrames)))), 0)
	return undone{items: []item{{before: []step{d.addShared(scratchFrames)}, op: remove}}}, nil
}

// addShared puts the shared page at a frame of the domain's.
func (d *scratchDomain) addShared(at uint64) step {
	return named("add to physmap", abi.MemoryOp, abi.Command("XENMEM_add_to_physmap", abi.Struct("xen_add_to_physmap",
		abi.Member("domid", abi.Number(uint64(d.id))), abi.Member("space", abi.Constant("XENMAPSPACE_shared_info")), abi.Member("gpfn", abi.Number(at)))), 0)
}
