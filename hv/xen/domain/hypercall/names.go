package hypercall

// namedConstants and namedFields are what hypercalls by names need of a Xen. A
// Xen that lacks one lacks what is made of it, and nothing else.
var (
	namedConstants = []string{
		"HVMOP_get_param", "HVMOP_set_param", "HVM_PARAM_ALTP2M",
		"KEXEC_CMD_kexec_get_range",
		"PHYSDEVOP_alloc_irq_vector", "PHYSDEVOP_apic_read", "PHYSDEVOP_apic_write", "PHYSDEVOP_map_pirq", "PHYSDEVOP_pci_device_add",
		"PHYSDEVOP_pci_device_remove", "PHYSDEVOP_pci_mmcfg_reserved", "PHYSDEVOP_restore_msi_ext", "PHYSDEVOP_setup_gsi", "PHYSDEVOP_unmap_pirq",
		"MAP_PIRQ_TYPE_GSI",
		"SCHEDOP_remote_shutdown",
		"XENMAPSPACE_shared_info", "XENMEM_acquire_resource", "XENMEM_add_to_physmap", "XENMEM_claim_pages",
		"XENMEM_exchange", "XENMEM_get_pod_target", "XENMEM_get_vnumainfo", "XENMEM_remove_from_physmap", "XENMEM_resource_grant_table", "XENMEM_set_pod_target",
		"XENOPROF_init", "XENOPROF_release_counters", "XENOPROF_reserve_counters", "XENOPROF_shutdown",
		"XENPF_INTERFACE_VERSION", "XENPF_add_memtype", "XENPF_del_memtype", "XENPF_read_memtype", "XENPF_settime32",
		"XEN_DMOP_nr_vcpus", "XEN_DMOP_set_isa_irq_level", "XEN_DMOP_set_pci_intx_level", "XEN_DMOP_set_pci_link_route",
		"XEN_HYPFS_OP_get_version", "XEN_MCA_INTERFACE_VERSION", "XEN_MC_physcpuinfo",
	}
	namedFields = map[string][]string{
		"physdev_apic":               {"apic_physbase", "reg", "value"},
		"physdev_irq":                {"irq", "vector"},
		"physdev_map_pirq":           {"domid", "index", "pirq", "type"},
		"physdev_pci_device":         {"bus", "devfn", "seg"},
		"physdev_pci_device_add":     {"bus", "devfn", "seg"},
		"physdev_pci_mmcfg_reserved": {"address", "end_bus", "flags", "segment", "start_bus"},
		"physdev_setup_gsi":          {"gsi", "polarity", "triggering"},
		"physdev_unmap_pirq":         {"domid", "pirq"},
		"sched_remote_shutdown":      {"domain_id", "reason"},
		"xen_add_to_physmap":         {"domid", "gpfn", "idx", "space"},
		"xen_dm_op": {
			"op", "u.nr_vcpus.vcpus", "u.set_isa_irq_level.isa_irq", "u.set_isa_irq_level.level", "u.set_pci_intx_level.bus", "u.set_pci_intx_level.device",
			"u.set_pci_intx_level.domain", "u.set_pci_intx_level.intx", "u.set_pci_intx_level.level", "u.set_pci_link_route.isa_irq", "u.set_pci_link_route.link",
		},
		"xen_dm_op_buf":            {"h", "size"},
		"xen_hvm_param":            {"domid", "index", "value"},
		"xen_kexec_range":          {"nr", "range", "size", "start"},
		"xen_mc":                   {"cmd", "interface_version", "u.mc_physcpuinfo.ncpus"},
		"xen_mem_acquire_resource": {"domid", "frame", "frame_list", "id", "nr_frames", "type"},
		"xen_memory_exchange":      {"in.domid", "in.extent_start", "in.nr_extents", "nr_exchanged", "out.domid", "out.extent_start", "out.nr_extents"},
		"xen_memory_reservation":   {"domid", "nr_extents"},
		"xen_platform_op": {
			"cmd", "interface_version",
			"u.add_memtype.handle", "u.add_memtype.mfn", "u.add_memtype.nr_mfns", "u.add_memtype.reg", "u.add_memtype.type", "u.del_memtype.handle", "u.del_memtype.reg",
			"u.read_memtype.mfn", "u.read_memtype.nr_mfns", "u.read_memtype.reg", "u.read_memtype.type",
			"u.settime32.nsecs", "u.settime32.secs", "u.settime32.system_time",
		},
		"xen_pod_target":          {"domid"},
		"xen_remove_from_physmap": {"domid", "gpfn"},
		"xen_vnuma_topology_info": {"domid"},
		"xenoprof_init":           {"num_events"},
	}
)

func init() {
	for _, name := range namedConstants {
		wanted.Constants[name] = 0
	}
	for name, fields := range namedFields {
		s := Structure{Fields: map[string]Field{}}
		for _, f := range fields {
			s.Fields[f] = Field{}
		}
		wanted.Structs[name] = s
	}
}
