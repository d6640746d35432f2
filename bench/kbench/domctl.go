package kbench

import (
	"errors"
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// registerDomains registers the operations by which dom0 makes, changes and ends
// domains, on a domain made for it.
func registerDomains() {
	for _, register := range []func(){registerLife, registerSettings, registerVCPUs, registerMemoryOfDomains} {
		register()
	}
}

// onDomain is a benchmark of one domctl on a scratch domain.
type onDomain struct {
	op, doc string
	source  string // common/domctl.c:do_domctl if it is ""
	hooks   []bench.Crossing
	later   bool // Xen 3.2 has it not
	domain  making
	// One of the two: what is done on one domain, or once on each of several.
	steps func(*scratchDomain) (undone, error)
	each  func(*scratchDomain) item
}

func (o onDomain) register() {
	if o.source == "" {
		o.source = "common/domctl.c:do_domctl"
	}
	i := interval{op: o.op, doc: o.doc, source: o.source, hooks: o.hooks, dom0: true, later: o.later}
	if i.ready = onScratch(o.domain, o.steps); o.each != nil {
		i.ready = onEach(o.domain, o.each)
	}
	i.register()
}

// change is steps that change a setting and change it back.
func change(name string, to, back abi.Domctl) func(*scratchDomain) (undone, error) {
	return func(d *scratchDomain) (undone, error) {
		return alternating(d.domctl(name, &to), d.domctl(name+" back", &back)), nil
	}
}

// read is a step that changes nothing, as often as one likes.
func read(name string, op abi.Domctl) func(*scratchDomain) (undone, error) {
	return func(d *scratchDomain) (undone, error) {
		return reading(d.domctl(name, &op)), nil
	}
}

// registerLife registers a domain's beginning and end.
func registerLife() {
	const source = "common/domain.c:domain_create"
	interval{
		op: "domctl_createdomain", doc: "make a domain without memory and vCPUs", source: source, dom0: true,
		hooks: []bench.Crossing{
			{Hook: "alloc_security_domain", PerOp: 1}, {Hook: "domain_create", PerOp: 1},
			{Hook: "alloc_security_evtchn", PerOp: evtchnsPerBucket},
		},
		ready: func(hc bench.Hypercalls) (undone, error) {
			create, err := creating(hc, plain, scratchID)
			destroy := destroying(scratchID)
			return undone{items: single(create, destroy), cleanup: undo(hc, destroy)}, err
		},
	}.register()
	interval{
		op: "domctl_destroydomain", doc: "destroy a domain without memory and vCPUs", source: "common/domain.c:domain_kill", dom0: true,
		hooks: crosses("destroydomain", "free_security_evtchn", "free_security_domain"),
		ready: func(hc bench.Hypercalls) (undone, error) {
			create, err := creating(hc, plain, scratchID)
			destroy := destroying(scratchID)
			// The last one may not be freed yet, and has the number.
			before := append(freeing(), create)
			return undone{items: []item{{before: before, op: destroy}}, cleanup: undo(hc, destroy)}, err
		},
	}.register()
	shutdown := func(d *scratchDomain) step {
		args := &abi.Args{R: [4]uint64{uint64(abi.SCHEDOPRemoteShutdown)}, H: &abi.SchedRemoteShutdown{Dom: d.id, Reason: abi.ShutdownSuspend}}
		return zero("shut domain down", abi.SchedOp, args)
	}
	resume := func(d *scratchDomain) step { return domctl("resume domain", abi.DomctlResumeDomain, d.id) }
	onDomain{
		op: "sched_remote_shutdown", doc: "shut another domain down, for suspension",
		source: "common/schedule.c:do_sched_op", hooks: crosses("schedop_shutdown"), domain: newGuest,
		each: func(d *scratchDomain) item { return item{op: shutdown(d), after: []step{resume(d)}} },
	}.register()
	onDomain{
		op: "domctl_resumedomain", doc: "resume a domain that is suspended", hooks: crosses("resumedomain"), domain: newGuest,
		each: func(d *scratchDomain) item { return item{before: []step{shutdown(d)}, op: resume(d)} },
	}.register()
}

// evtchnsPerBucket is how many event channels are made, and labelled, at a time;
// a new domain gets the first bucket.
const evtchnsPerBucket = 128

// registerSettings registers what is set of a domain as a whole.
func registerSettings() {
	for _, o := range []onDomain{
		{
			op: "domctl_setdomainhandle", doc: "set a domain's handle, its UUID", hooks: crosses("setdomainhandle"), domain: emptyDomain,
			steps: change("set handle", abi.Domctl{Cmd: abi.DomctlSetDomainHandle, Handle: [16]byte{1, 2, 3, 4}}, abi.Domctl{Cmd: abi.DomctlSetDomainHandle}),
		},
		{
			op: "domctl_settimeoffset", doc: "set how far a domain's wall clock is ahead of the machine's", hooks: crosses("domain_settime"), domain: emptyDomain,
			steps: change("set time offset", abi.Domctl{Cmd: abi.DomctlSetTimeOffset, TimeOffset: 3600}, abi.Domctl{Cmd: abi.DomctlSetTimeOffset}),
		},
		{
			op: "domctl_setdebugging", doc: "let a domain's debugger take its traps", hooks: crosses("setdebugging"), domain: newGuest,
			steps: change("set debugging", abi.Domctl{Cmd: abi.DomctlSetDebugging, Enable: 1}, abi.Domctl{Cmd: abi.DomctlSetDebugging}),
		},
		{
			op: "domctl_scheduler_op", doc: "set a domain's weight in the credit scheduler",
			source: "common/schedule.c:sched_adjust", hooks: crosses("scheduler"), domain: newGuest,
			steps: scheduling,
		},
		{
			op: "domctl_get_address_size", doc: "ask for the width of a domain's addresses",
			source: "arch/x86/domctl.c:arch_do_domctl", hooks: crosses("address_size"), domain: newGuest,
			steps: read("ask for address size", abi.Domctl{Cmd: abi.DomctlGetAddressSize}),
		},
		{
			op: "domctl_set_address_size", doc: "set the width of a domain's addresses to what it is",
			source: "arch/x86/domctl.c:arch_do_domctl", hooks: crosses("address_size"), domain: newGuest,
			steps: read("set address size", abi.Domctl{Cmd: abi.DomctlSetAddressSize, AddrSize: addressSize}),
		},
		{
			op: "domctl_shadow_op", doc: "put a domain into log-dirty mode, as for a live migration",
			source: "arch/x86/mm/paging.c:paging_domctl", hooks: crosses("shadow_control"), domain: newGuest,
			each: logDirty,
		},
	} {
		o.register()
	}
}

// addressSize is the width of guests' addresses in bits.
const addressSize = 32 * (abi.PTLevels - 2)

// scheduling changes a weight in the scheduler that runs.
func scheduling(d *scratchDomain) (undone, error) {
	runs := &abi.Sysctl{Cmd: abi.SysctlSchedID}
	if err := do(d.hc, "ask for scheduler", abi.SysctlOp, sysctl(runs)); err != nil {
		return undone{}, err
	}
	weight := func(w uint16) abi.Domctl {
		return abi.Domctl{Cmd: abi.DomctlSchedulerOp, Sched: abi.DomctlScheduler{SchedID: runs.SchedID, Put: true, Weight: w}}
	}
	return change("set weight", weight(512), weight(256))(d)
}

func logDirty(d *scratchDomain) item {
	on, off := shadow(abi.ShadowOpEnableLogdirty), shadow(abi.ShadowOpOff)
	return item{op: d.domctl("enable log-dirty mode", &on), after: []step{d.domctl("disable log-dirty mode", &off)}}
}

func shadow(op uint32) abi.Domctl {
	return abi.Domctl{Cmd: abi.DomctlShadowOp, Shadow: abi.DomctlShadow{Op: op}}
}

// registerVCPUs registers operations on vCPUs.
func registerVCPUs() {
	for _, o := range []onDomain{
		{
			op: "domctl_max_vcpus", doc: "give a new domain its first vCPU", hooks: crosses("max_vcpus"), domain: emptyDomain,
			each: func(d *scratchDomain) item {
				first := &abi.Domctl{Cmd: abi.DomctlMaxVCPUs, MaxVCPUs: 1}
				return item{op: d.domctl("add vCPU", first), after: d.renewed()}
			},
		},
		{
			op: "domctl_setvcpuaffinity", doc: "keep a vCPU to the first processor", hooks: crosses("vcpuaffinity"), domain: newGuest,
			steps: change("set affinity", abi.Domctl{Cmd: abi.DomctlSetVCPUAffinity, Affinity: 1}, abi.Domctl{Cmd: abi.DomctlSetVCPUAffinity, Affinity: 1<<32 - 1}),
		},
		{
			op: "domctl_getvcpuaffinity", doc: "ask for a vCPU's processors", hooks: crosses("vcpuaffinity"), domain: newGuest,
			steps: read("ask for affinity", abi.Domctl{Cmd: abi.DomctlGetVCPUAffinity}),
		},
		{
			op: "domctl_getvcpuinfo", doc: "read a vCPU's state and the time it has run", hooks: crosses("getvcpuinfo"), domain: newGuest,
			steps: read("read vCPU", abi.Domctl{Cmd: abi.DomctlGetVCPUInfo}),
		},
		{
			op: "domctl_setvcpucontext", doc: "give a vCPU its registers and page tables, which are validated", hooks: crosses("setvcpucontext"), domain: newGuest,
			steps: func(d *scratchDomain) (undone, error) {
				set, reset, err := d.context()
				return undone{items: single(set, reset)}, err
			},
		},
		{
			op: "domctl_getvcpucontext", doc: "read a vCPU's registers", hooks: crosses("getvcpucontext"), domain: newGuest,
			steps: func(d *scratchDomain) (undone, error) {
				set, _, err := d.context()
				if err == nil {
					err = makeOnce(d.hc, []step{set})
				}
				return reading(d.domctl("read context", &abi.Domctl{Cmd: abi.DomctlGetVCPUContext})), err
			},
		},
	} {
		o.register()
	}
}

// context makes the steps that initialise vCPU 0 with page tables that map
// nothing, and that take it back.
func (d *scratchDomain) context() (set, reset step, err error) {
	base, err := d.emptyTables()
	if err != nil {
		return set, reset, err
	}
	never := func(any, *abi.StartInfo) {}
	set = d.domctl("set context", &abi.Domctl{Cmd: abi.DomctlSetVCPUContext, Context: &abi.VCPUContext{
		Flags: abi.VGCFInKernel, Entry: never, CR3: base, KernelSS: kernelSS, EventMask: true,
	}})
	return set, d.domctl("reset vCPU", &abi.Domctl{Cmd: abi.DomctlSetVCPUContext}), nil
}

// emptyTables makes a top-level page table in the domain's first frames. That of
// PAE must have the table below it in which the hypervisor's mappings are.
func (d *scratchDomain) emptyTables() (abi.MFN, error) {
	m, ok := d.hc.(bench.FrameMapper)
	if !ok {
		return 0, fmt.Errorf("make page tables: a process cannot map a domain's frames: %w", errors.ErrUnsupported)
	}
	for i := range 2 {
		page, unmap, err := m.MapFrame(d.id, abi.MFN(d.frames[i]))
		if err != nil {
			return 0, fmt.Errorf("make page tables: %w", err)
		}
		clear(page)
		if i == 0 && abi.PTLevels == 3 {
			putEntry(page, 3, abi.MkPte(abi.MFN(d.frames[1]), abi.PtePresent))
		}
		unmap()
	}
	return abi.MFN(d.frames[0]), nil
}
