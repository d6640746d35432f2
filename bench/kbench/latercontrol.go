package kbench

import (
	"strings"

	"xsmbench/abi"
	"xsmbench/bench"
)

// registerLaterControl registers domctls and sysctls that Xen 3.2 has not, and
// those of which later releases ask something else.
func registerLaterControl() {
	registerLaterResources()
	registerLaterDomctls()
	registerFreeing()
	registerLaterSysctls()
}

// control is the structure of a domctl or a sysctl, by names: its prefix is
// DOMCTL or SYSCTL, its structure xen_domctl or xen_sysctl.
func control(prefix, structure, command string, fields ...abi.NamedField) *abi.Named {
	head := []abi.NamedField{
		abi.Member("cmd", abi.Constant("XEN_"+prefix+"_"+command)),
		abi.Member("interface_version", abi.Constant("XEN_"+prefix+"_INTERFACE_VERSION")),
	}
	return &abi.Named{Registers: []abi.Word{abi.Address(abi.Struct(structure, append(head, fields...)...))}}
}

// named is a domctl on the domain that Xen 3.2 has not.
func (d *scratchDomain) named(name, command string, result int64, fields ...abi.NamedField) step {
	fields = append(fields, abi.Member("domain", abi.Number(uint64(d.id))))
	return named(name, abi.DomctlOp, control("DOMCTL", "xen_domctl", command, fields...), result)
}

func namedSysctl(name, command string, fields ...abi.NamedField) step {
	return named(name, abi.SysctlOp, control("SYSCTL", "xen_sysctl", command, fields...), 0)
}

// registerLaterResources registers the permissions on devices once more. From Xen
// 4 on a domain gives only what it has, so that dom0 cannot take from itself and
// give back: it gives itself what it has. What a security module lets dom0 give to
// another domain depends on which device it is.
func registerLaterResources() {
	const (
		irq  = 9 // of ACPI, which every kernel of a dom0 has mapped
		port = 0x1000
	)
	for _, r := range []struct {
		op, doc, source, hook string
		set                   func(allow uint8) abi.Domctl
	}{
		{
			"domctl_irq_permission", "an interrupt", "common/domctl.c:do_domctl", "irq_permission",
			func(allow uint8) abi.Domctl {
				return abi.Domctl{Cmd: abi.DomctlIRQPermission, IRQ: abi.DomctlIRQ{PIRQ: irq, Allow: allow}}
			},
		},
		{
			"domctl_iomem_permission", "a frame of device memory", "common/domctl.c:do_domctl", "iomem_permission",
			func(allow uint8) abi.Domctl {
				return abi.Domctl{Cmd: abi.DomctlIOMemPermission, IOMem: abi.DomctlIOMem{First: mfn, Nr: 1, Allow: allow}}
			},
		},
		{
			"domctl_ioport_permission", "an I/O port", "arch/x86/domctl.c:arch_do_domctl", "ioport_permission",
			func(allow uint8) abi.Domctl {
				return abi.Domctl{Cmd: abi.DomctlIOPortPermission, IOPort: abi.DomctlIOPort{First: port, Nr: 1, Allow: allow}}
			},
		},
	} {
		hypercall{
			op: r.op + "/of=own", doc: "give dom0 " + r.doc + " that it has", source: r.source, hooks: crosses("domctl", r.hook), dom0: true, full: true, later: true,
			ready: func(hc bench.Hypercalls) ([]step, func(), error) {
				give := r.set(1)
				return []step{domctlOf("give permission", hc.DomID(), &give)}, nil, nil
			},
		}.register()
	}
	onSelf := func(hc bench.Hypercalls) ([]step, func(), error) {
		self := scratchDomain{hc: hc, id: hc.DomID()}
		ask := self.named("map memory", "memory_mapping", 0,
			abi.Member("u.memory_mapping.first_gfn", abi.Number(mfn)), abi.Member("u.memory_mapping.first_mfn", abi.Number(mfn)),
			abi.Member("u.memory_mapping.nr_mfns", abi.Number(1)), abi.Member("u.memory_mapping.add_mapping", abi.Number(1)))
		return []step{ask}, nil, nil
	}
	hypercall{
		op: "domctl_memory_mapping", doc: "map a frame of device memory into dom0, which does that itself in its page tables",
		source: "common/domctl.c:do_domctl", hooks: crosses("domctl", "iomem_mapping"), dom0: true, full: true, later: true, ready: onSelf,
	}.register()
}

// mfn is a frame behind the machine's memory that no device answers at.
const mfn = 0xe0000

// freeing is what gives Xen the time to free a domain: it does so when nobody looks
// at the domain any longer, after RCU's grace period, of which a yield is a step.
func freeing() []step {
	const yields = 16
	var list []step
	for range yields {
		list = append(list, zero("yield", abi.SchedOp, &abi.Args{R: [4]uint64{uint64(abi.SCHEDOPYield)}}))
	}
	return list
}

// registerFreeing registers a domain's beginning and whole end.
func registerFreeing() {
	hypercall{
		op: "domctl_create_destroy", doc: "make a domain without memory and vCPUs, destroy it, and yield until it is freed",
		source: "common/domain.c:complete_domain_destroy", dom0: true, full: true, later: true,
		hooks: crosses("alloc_security_domain", "domain_create", "alloc_security_evtchns", "free_security_evtchns", "free_security_domain"),
		ready: func(hc bench.Hypercalls) ([]step, func(), error) {
			create, err := creating(hc, plain, scratchID)
			steps := append([]step{create, destroying(scratchID)}, freeing()...)
			return steps, undo(hc, destroying(scratchID)), err
		},
	}.register()
}

// registerLaterDomctls registers domctls.
func registerLaterDomctls() {
	const arch = "arch/x86/domctl.c:arch_do_domctl"
	for _, o := range []onDomain{
		{
			op: "domctl_monitor_op", doc: "ask which events of a domain can be monitored",
			source: "common/monitor.c:monitor_domctl", hooks: crosses("domctl", "vm_event_control"), domain: newGuest,
			steps: func(d *scratchDomain) (undone, error) {
				return reading(d.named("ask for events", "monitor_op", 0, abi.Member("u.monitor_op.op", abi.Constant("XEN_DOMCTL_MONITOR_OP_GET_CAPABILITIES")))), nil
			},
		},
		{
			op: "domctl_getvcpuextstate", doc: "ask how long the extended state of a vCPU is", source: arch, hooks: crosses("domctl"), domain: newGuest,
			steps: func(d *scratchDomain) (undone, error) {
				return reading(d.named("ask for size", "getvcpuextstate", 0)), nil
			},
		},
		{
			op: "domctl_gettscinfo", doc: "ask how a domain's time-stamp counter runs", source: arch, hooks: crosses("domctl"), domain: newGuest,
			steps: func(d *scratchDomain) (undone, error) {
				return reading(d.named("ask for time-stamp counter", "gettscinfo", 0)), nil
			},
		},
		{
			op: "domctl_set_target", doc: "make a domain the device model's of an HVM domain", hooks: crosses("domctl", "set_target"), domain: deviceModel,
			steps: setTarget,
		},
		{
			op: "domctl_ioport_mapping", doc: "give an HVM domain an I/O port under another number", source: arch, hooks: crosses("domctl", "ioport_mapping"),
			domain: hvmDomain, steps: mapPort,
		},
		{
			op: "domctl_bind_pt_irq", doc: "bind an interrupt to an HVM domain that has it not, which is refused after the hook",
			source: arch, hooks: crosses("domctl", "bind_pt_irq"), domain: hvmDomain, steps: bindNone,
		},
		{
			op: "domctl_unbind_pt_irq", doc: "unbind an interrupt of an HVM domain that is not bound", source: arch, hooks: crosses("domctl", "unbind_pt_irq"),
			domain: hvmDomain, steps: unbind,
		},
		{
			op: "physdev_map_pirq/to=other", doc: "give an HVM domain an interrupt", source: "arch/x86/physdev.c:physdev_map_pirq",
			hooks: crosses("map_domain_pirq", "map_domain_irq"), domain: hvmDomain,
			steps: passing(func(give, take step) item { return item{op: give, after: []step{take}} }),
		},
		{
			op: "physdev_unmap_pirq/of=other", doc: "take an interrupt from an HVM domain", source: "arch/x86/physdev.c:physdev_unmap_pirq",
			hooks: crosses("unmap_domain_pirq", "unmap_domain_irq"), domain: hvmDomain,
			steps: passing(func(give, take step) item { return item{before: []step{give}, op: take} }),
		},
	} {
		o.later = true
		o.register()
	}
}

// deviceModel makes a domain that may be a device model's.
func deviceModel(hc bench.Hypercalls, id abi.DomID) (*scratchDomain, error) {
	sid, err := label(hc, deviceModelContext)
	if err != nil {
		return nil, err
	}
	d := &scratchDomain{hc: hc, id: id, create: creatingAs(sid, plain, id)}
	return d, makeOnce(hc, []step{d.create})
}

// notPermitted is what Xen itself answers; a refusal by FLASK is EACCES.
const notPermitted = -int64(abi.EPERM)

// bindNone binds an interrupt that the domain has not. A security module is asked
// for interrupt 0 then.
func bindNone(d *scratchDomain) (undone, error) {
	unlabel, err := labelled(d.hc, labelIRQ, 0, nicContext)
	if err != nil {
		return undone{}, err
	}
	u := reading(d.named("bind interrupt", "bind_pt_irq", notPermitted, abi.Member("u.bind_pt_irq.machine_irq", abi.Number(passedIRQ))))
	u.cleanup = unlabel
	return u, nil
}

// passedIRQ is an interrupt that no device of a small machine has.
const passedIRQ = 11

// passing gives a domain an interrupt that it may use, and takes it.
func passing(operation func(give, take step) item) func(*scratchDomain) (undone, error) {
	return func(d *scratchDomain) (undone, error) {
		unlabel, err := labelled(d.hc, labelIRQ, passedIRQ, nicContext)
		if err != nil {
			return undone{}, err
		}
		return undone{items: []item{operation(d.pirq(true), d.pirq(false))}, cleanup: unlabel}, nil
	}
}

// pirq is a step that gives the domain the interrupt, or takes it.
func (d *scratchDomain) pirq(give bool) step {
	what := "unmap"
	fields := []abi.NamedField{abi.Member("domid", abi.Number(uint64(d.id))), abi.Member("pirq", abi.Number(passedIRQ))}
	if give {
		what = "map"
		fields = append(fields, abi.Member("type", abi.Constant("MAP_PIRQ_TYPE_GSI")), abi.Member("index", abi.Number(passedIRQ)))
	}
	return named(what+" interrupt", abi.PhysdevOp, abi.Command("PHYSDEVOP_"+what+"_pirq", abi.Struct("physdev_"+what+"_pirq", fields...)), 0)
}

// unbind gives the domain the interrupt first.
func unbind(d *scratchDomain) (undone, error) {
	unlabel, err := labelled(d.hc, labelIRQ, passedIRQ, nicContext)
	if err != nil {
		return undone{}, err
	}
	u := reading(d.named("unbind interrupt", "unbind_pt_irq", 0, abi.Member("u.bind_pt_irq.machine_irq", abi.Number(passedIRQ))))
	u.cleanup = unlabel
	if err := makeOnce(d.hc, []step{d.pirq(true)}); err != nil {
		unlabel()
		return undone{}, err
	}
	return u, nil
}

// setTarget makes a second domain, of which the first becomes the device model's.
// Only its end takes that back.
func setTarget(d *scratchDomain) (undone, error) {
	target, err := hvmDomain(d.hc, d.id+1)
	if err != nil {
		return undone{}, err
	}
	set := d.named("set target", "set_target", 0, abi.Member("u.set_target.target", abi.Number(uint64(target.id))))
	u := undone{items: single(set, d.renewed()...), cleanup: target.destroy}
	return u, nil
}

// mapPort gives the domain a port of a device that it may use. From 4.23 on Xen wants it to be
// permitted first; before, the mapping permits it, and its removal takes that back.
func mapPort(d *scratchDomain) (undone, error) {
	const port = 0x1000
	unlabel, err := labelled(d.hc, labelIOPort, port, nicContext)
	if err != nil {
		return undone{}, err
	}
	permit := &abi.Domctl{Cmd: abi.DomctlIOPortPermission, IOPort: abi.DomctlIOPort{First: port, Nr: 1, Allow: 1}}
	if err := makeOnce(d.hc, []step{domctlOf("permit port", d.id, permit)}); err != nil {
		unlabel()
		return undone{}, err
	}
	set := func(add uint64) step {
		return d.named("map port", "ioport_mapping", 0,
			abi.Member("u.ioport_mapping.first_gport", abi.Number(2*port)), abi.Member("u.ioport_mapping.first_mport", abi.Number(port)),
			abi.Member("u.ioport_mapping.nr_ports", abi.Number(1)), abi.Member("u.ioport_mapping.add_mapping", abi.Number(add)))
	}
	return undone{items: single(set(1), set(0)), cleanup: unlabel}, nil
}

// registerLaterSysctls registers sysctls.
func registerLaterSysctls() {
	const source = "common/sysctl.c:do_sysctl"
	page := &abi.Block{Words: []abi.Word{abi.Number(0)}}
	laterSysctl{
		"sysctl_page_offline", "ask whether a frame of memory is offline", source, crosses("sysctl", "page_offline"),
		namedSysctl("ask for frame", "page_offline_op", abi.Member("u.page_offline.cmd", abi.Constant("sysctl_query_page_offline")),
			abi.Member("u.page_offline.start", abi.Number(0x1000)), abi.Member("u.page_offline.end", abi.Number(0x1000)), abi.Member("u.page_offline.status", abi.Address(page))),
	}.register()
	for _, p := range []struct {
		op, doc, hook string
		result        int64
	}{
		{"online", "bring the first processor online, which it is: refused after the hook", "resource_plug_core", -int64(abi.EEXIST)},
		{"offline", "take the first processor offline, which never goes: refused after the hook", "resource_unplug_core", -int64(abi.EINVAL)},
	} {
		plug := control("SYSCTL", "xen_sysctl", "cpu_hotplug", abi.Member("u.cpu_hotplug.op", abi.Constant("XEN_SYSCTL_CPU_HOTPLUG_"+strings.ToUpper(p.op))))
		laterSysctl{
			"sysctl_cpu_hotplug/to=" + p.op, p.doc, "arch/x86/sysctl.c:arch_do_sysctl", crosses("sysctl", p.hook),
			named("plug processor", abi.SysctlOp, plug, p.result),
		}.register()
	}
	for _, k := range []struct {
		key       byte
		doc, hook string
	}{
		{'e', "list all event channels on the console", "show_security_evtchn"},
		{'i', "list all interrupts on the console", "show_irq_sid"},
	} {
		keys := &abi.Block{Words: []abi.Word{abi.Number(uint64(k.key))}}
		laterSysctl{
			"sysctl_debug_keys/key=" + string(k.key), k.doc, "common/keyhandler.c:handle_keypress", []bench.Crossing{{Hook: "sysctl", PerOp: 1}, {Hook: k.hook, Note: "1 for each"}},
			namedSysctl("press key", "debug_keys", abi.Member("u.debug_keys.keys", abi.Address(keys)), abi.Member("u.debug_keys.nr_keys", abi.Number(1))),
		}.register()
	}
	hypercall{
		op: "sysctl_scheduler_op", doc: "read the scheduler's parameters", source: "common/sched/core.c:sched_adjust_global",
		hooks: crosses("sysctl", "sysctl_scheduler_op"), dom0: true, full: true, later: true,
		ready: func(hc bench.Hypercalls) ([]step, func(), error) {
			runs := &abi.Sysctl{Cmd: abi.SysctlSchedID}
			if err := do(hc, "ask for scheduler", abi.SysctlOp, sysctl(runs)); err != nil {
				return nil, nil, err
			}
			get := namedSysctl("read parameters", "scheduler_op", abi.Member("u.scheduler_op.sched_id", abi.Number(uint64(runs.SchedID))),
				abi.Member("u.scheduler_op.cmd", abi.Constant("XEN_SYSCTL_SCHEDOP_getinfo")))
			return []step{get}, nil, nil
		},
	}.register()
}

// laterSysctl is a sysctl that changes nothing.
type laterSysctl struct {
	op, doc, source string
	hooks           []bench.Crossing
	call            step
}

func (l laterSysctl) register() {
	hypercall{
		op: l.op, doc: l.doc, source: l.source, hooks: l.hooks, dom0: true, full: true, later: true,
		ready: func(bench.Hypercalls) ([]step, func(), error) { return []step{l.call}, nil, nil },
	}.register()
}
