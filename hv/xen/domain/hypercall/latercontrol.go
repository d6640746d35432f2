package hypercall

// laterControls and laterFields are what domctls and sysctls by names need of a
// Xen, besides what names.go has.
var (
	laterControls = []string{
		"XEN_DOMCTL_bind_pt_irq", "XEN_DOMCTL_gettscinfo", "XEN_DOMCTL_getvcpuextstate", "XEN_DOMCTL_ioport_mapping", "XEN_DOMCTL_memory_mapping",
		"XEN_DOMCTL_monitor_op", "XEN_DOMCTL_set_target", "XEN_DOMCTL_unbind_pt_irq",
		"XEN_DOMCTL_MONITOR_OP_GET_CAPABILITIES",
		"FLASK_ADD_OCONTEXT", "FLASK_CONTEXT_TO_SID", "FLASK_DEL_OCONTEXT",
		"XEN_SYSCTL_cpu_hotplug", "XEN_SYSCTL_debug_keys", "XEN_SYSCTL_page_offline_op", "XEN_SYSCTL_scheduler_op",
		"XEN_SYSCTL_CPU_HOTPLUG_OFFLINE", "XEN_SYSCTL_CPU_HOTPLUG_ONLINE", "XEN_SYSCTL_SCHEDOP_getinfo", "sysctl_query_page_offline",
	}
	laterFields = map[string][]string{
		"xen_domctl": {
			"u.bind_pt_irq.machine_irq", "u.bind_pt_irq.irq_type", "u.bind_pt_irq.u.pci.device",
			"u.ioport_mapping.add_mapping", "u.ioport_mapping.first_gport", "u.ioport_mapping.first_mport", "u.ioport_mapping.nr_ports",
			"u.memory_mapping.add_mapping", "u.memory_mapping.first_gfn", "u.memory_mapping.first_mfn", "u.memory_mapping.nr_mfns",
			"u.monitor_op.event", "u.monitor_op.op", "u.set_target.target",
		},
		"xen_flask_op": {
			"u.ocontext.high", "u.ocontext.low", "u.ocontext.ocon", "u.ocontext.sid", "u.sid_context.context", "u.sid_context.sid", "u.sid_context.size",
		},
		"xen_sysctl": {
			"u.cpu_hotplug.cpu", "u.cpu_hotplug.op", "u.debug_keys.keys", "u.debug_keys.nr_keys",
			"u.page_offline.cmd", "u.page_offline.end", "u.page_offline.start", "u.page_offline.status",
			"u.scheduler_op.cmd", "u.scheduler_op.sched_id",
		},
	}
)

func init() {
	for _, name := range laterControls {
		wanted.Constants[name] = 0
	}
	for name, fields := range laterFields {
		for _, f := range fields {
			wanted.Structs[name].Fields[f] = Field{}
		}
	}
}
