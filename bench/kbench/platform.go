package kbench

import (
	"encoding/binary"

	"xsmbench/abi"
	"xsmbench/bench"
)

// registerMachine registers what dom0 does to the machine: platform_op, the
// other sysctls, interrupt controllers, kexec and
// the profiler.
func registerMachine() {
	registerPlatform()
	registerSysctls()
	registerInterrupts()
	registerProfiler()
	steps{
		op: "kexec_get_range", doc: "ask where a kernel to go on with after a crash would find Xen",
		source: "common/kexec.c:do_kexec_op", hooks: crosses("kexec"),
		list: []step{zero("ask for range", abi.KexecOp, &abi.Args{R: [4]uint64{abi.KEXECCmdGetRange}, H: &abi.KexecArgs{Range: kexecRangeXen}})},
	}.register()
	steps{
		op: "memory_machine_memory_map", doc: "read the machine's memory map",
		source: "arch/x86/mm.c:arch_memory_op", hooks: crosses("machine_memory_map"), list: []step{machineMap()},
	}.register()
}

// kexecRangeXen is KEXEC_RANGE_MA_XEN.
const kexecRangeXen = 1

// steps is a benchmark of dom0's that needs nothing made for it, and leaves the
// machine as it is.
type steps struct {
	op, doc, source string
	hooks           []bench.Crossing
	list            []step
}

func (s steps) register() {
	hypercall{
		op: s.op, doc: s.doc, source: s.source, hooks: s.hooks, dom0: true, full: true,
		ready: func(bench.Hypercalls) ([]step, func(), error) { return append([]step(nil), s.list...), nil, nil },
	}.register()
}

// mapRanges is the room for a memory map: more than a machine has.
const mapRanges = 128

func machineMap() step {
	buffer := make([]abi.E820Entry, mapRanges)
	m := &abi.MemoryMap{Entries: buffer}
	s := zero("read memory map", abi.MemoryOp, memory(abi.XENMEMMachineMemoryMap, m))
	s.before = func() { m.Entries = buffer }
	return s
}

func platformOp(name string, p *abi.PlatformOpArgs) step {
	p.Interface = abi.XENPFInterfaceVersion
	return zero(name, abi.PlatformOp, &abi.Args{H: p})
}

// registerPlatform registers platform_op.
func registerPlatform() {
	const source = "arch/x86/platform_hypercall.c:do_platform_op"
	interval{
		op: "platform_settime", doc: "set the machine's wall clock", source: source, hooks: crosses("xen_settime"), dom0: true,
		ready: func(hc bench.Hypercalls) (undone, error) {
			set := func(secs uint32) step {
				return platformOp("set time", &abi.PlatformOpArgs{Cmd: abi.XENPFSettime, Secs: secs})
			}
			u := alternating(set(1_165_000_000), set(0))
			u.cleanup = undo(hc, set(0))
			return u, nil
		},
	}.register()
	for _, m := range []struct {
		op, doc string
		add     bool // is what is measured
	}{
		{"platform_add_memtype", "give a range of device memory a type, in a free register", true},
		{"platform_del_memtype", "take the type of a range of device memory back", false},
	} {
		interval{
			op: m.op, doc: m.doc, source: source, hooks: crosses("memtype"), dom0: true,
			ready: func(hc bench.Hypercalls) (undone, error) { return memtype(hc, m.add), nil },
		}.register()
	}
	steps{
		op: "platform_read_memtype", doc: "read a memory-type register", source: source, hooks: crosses("memtype"),
		list: []step{platformOp("read type", &abi.PlatformOpArgs{Cmd: abi.XENPFReadMemtype})},
	}.register()
	steps{
		op: "platform_microcode", doc: "check a microcode update that is meant for other processors", source: source, hooks: crosses("microcode"),
		list: []step{platformOp("update microcode", &abi.PlatformOpArgs{Cmd: abi.XENPFMicrocodeUpdate, Data: microcodeUpdate()})},
	}.register()
	steps{
		op: "platform_quirk", doc: "report that interrupts must not be balanced, again", source: source, hooks: crosses("platform_quirk"),
		list: []step{platformOp("report quirk", &abi.PlatformOpArgs{Cmd: abi.XENPFPlatformQuirk, QuirkID: quirkNoIRQBalancing})},
	}.register()
}

// quirkNoIRQBalancing is QUIRK_NOIRQBALANCING.
const quirkNoIRQBalancing = 1

// memtypes is how many ranges get a type in turn: registers that a processor
// has.
const memtypes = 8

// memtype gives ranges of device memory types and takes them back. Which register
// each gets, the hypervisor chooses.
func memtype(hc bench.Hypercalls, add bool) undone {
	const writeCombining, first, frames = 1, 0xe0000, 0x1000
	var u undone
	var added [memtypes]bool
	var deletions []step
	for i := range memtypes {
		op := &abi.PlatformOpArgs{Cmd: abi.XENPFAddMemtype, MFN: first + abi.MFN(i)*frames, NrMFNs: frames, Type: writeCombining}
		del := &abi.PlatformOpArgs{Cmd: abi.XENPFDelMemtype}
		adding, deleting := platformOp("add type", op), platformOp("delete type", del)
		adding.after = func() error { added[i] = true; del.Handle, del.Reg = op.Handle, op.Reg; return nil }
		deleting.after = func() error { added[i] = false; return nil }
		deletions = append(deletions, deleting)
		if add {
			u.items = append(u.items, item{op: adding, after: []step{deleting}})
		} else {
			u.items = append(u.items, item{before: []step{adding}, op: deleting})
		}
	}
	u.cleanup = func() {
		for i, deleting := range deletions {
			if added[i] {
				undo(hc, deleting)()
			}
			added[i] = false
		}
	}
	return u
}

// microcodeUpdate is one of Intel's format for no processor that there is: a
// header of 12 words, 2000 bytes, and a sum of words that is 0.
func microcodeUpdate() []byte {
	b := make([]byte, 2048)
	word := func(i int, v uint32) { binary.LittleEndian.PutUint32(b[4*i:], v) }
	const headerVersion, loaderVersion = 1, 1
	word(0, headerVersion)
	word(5, loaderVersion)
	sum := uint32(headerVersion + loaderVersion)
	word(4, -sum)
	return b
}

// registerSysctls registers sysctls.
func registerSysctls() {
	const source = "common/sysctl.c:do_sysctl"
	steps{
		op: "sysctl_readconsole", doc: "read the beginning of the console's ring", source: source, hooks: crosses("readconsole"),
		list: []step{readConsole()},
	}.register()
	steps{
		op: "sysctl_perfc", doc: "read the performance counters", source: source, hooks: crosses("perfcontrol"),
		list: []step{zero("read counters", abi.SysctlOp, sysctl(&abi.Sysctl{Cmd: abi.SysctlPerfcOp, PerfcCmd: perfcQuery, Perfc: make([]uint64, abi.NrHypercalls)}))},
	}.register()
	interval{
		op: "sysctl_tbuf", doc: "choose the events that are traced", source: "common/trace.c:tb_control", hooks: crosses("tbufcontrol"), dom0: true,
		ready: traceEvents,
	}.register()
}

// Commands of sysctl perfc_op and tbuf_op.
const (
	perfcQuery = 2

	tbufGetInfo    = 0
	tbufSetEvtMask = 2
)

// consoleBytes is how much of the console is read.
const consoleBytes = 256

func readConsole() step {
	buffer := make([]byte, consoleBytes)
	c := &abi.Sysctl{Cmd: abi.SysctlReadConsole, Console: buffer}
	s := zero("read console", abi.SysctlOp, sysctl(c))
	s.before = func() { c.Console = buffer }
	return s
}

// traceEvents sets the mask to that of one class of events, and back to what it
// is.
func traceEvents(hc bench.Hypercalls) (undone, error) {
	const schedulerEvents = 0x0002f000
	info := &abi.Sysctl{Cmd: abi.SysctlTBufOp, TBufCmd: tbufGetInfo}
	if err := do(hc, "read trace mask", abi.SysctlOp, sysctl(info)); err != nil {
		return undone{}, err
	}
	mask := func(m uint64) step {
		return zero("set trace mask", abi.SysctlOp, sysctl(&abi.Sysctl{Cmd: abi.SysctlTBufOp, TBufCmd: tbufSetEvtMask, TBufMask: m}))
	}
	back := mask(info.TBufMask)
	u := alternating(mask(schedulerEvents), back)
	u.cleanup = undo(hc, back)
	return u, nil
}

// registerInterrupts registers physdev_op's on interrupt controllers.
func registerInterrupts() {
	const source = "arch/x86/physdev.c:do_physdev_op"
	steps{
		op: "physdev_apic_read", doc: "read a register of the I/O interrupt controller", source: source, hooks: crosses("apic"),
		list: []step{apic("read register", abi.PHYSDEVOPApicRead, &abi.PhysdevApic{})},
	}.register()
	interval{
		op: "physdev_apic_write", doc: "give an input of the I/O interrupt controller a vector", source: source, hooks: crosses("apic"), dom0: true,
		ready: writeAPIC,
	}.register()
	steps{
		op: "physdev_alloc_irq_vector", doc: "ask for the vector of an interrupt that has one", source: source, hooks: crosses("assign_vector"),
		list: []step{zero("ask for vector", abi.PhysdevOp, &abi.Args{R: [4]uint64{abi.PHYSDEVOPAllocIRQVector}, H: &abi.PhysdevIRQ{IRQ: 200}})},
	}.register()
}

// Registers of the I/O interrupt controller, and where it is.
const (
	apicBase = 0xfec00000
	// apicPin is the low half of the last input's redirection entry.
	apicPin    = 16 + 2*23
	apicMasked = 1 << 16
)

func apic(name string, cmd uint64, op *abi.PhysdevApic) step {
	op.APICPhysbase, op.Reg = apicBase, apicPin
	return zero(name, abi.PhysdevOp, &abi.Args{R: [4]uint64{cmd}, H: op})
}

// writeAPIC leaves the input masked.
func writeAPIC(hc bench.Hypercalls) (undone, error) {
	was := &abi.PhysdevApic{}
	get := apic("read register", abi.PHYSDEVOPApicRead, was)
	if err := do(hc, get.name, get.op, get.args); err != nil {
		return undone{}, err
	}
	back := apic("write register back", abi.PHYSDEVOPApicWrite, &abi.PhysdevApic{Value: was.Value})
	u := alternating(apic("write register", abi.PHYSDEVOPApicWrite, &abi.PhysdevApic{Value: apicMasked | 0x31}), back)
	u.cleanup = undo(hc, back)
	return u, nil
}

// registerProfiler registers xenoprof_op: a command that any domain may make,
// and one of the primary profiler's alone.
func registerProfiler() {
	const source = "common/xenoprof.c:do_xenoprof_op"
	command := func(name string, cmd uint64) step {
		return zero(name, abi.XenoprofOp, &abi.Args{R: [4]uint64{cmd}, H: &abi.XenoprofArgs{}})
	}
	start, reserve := command("start profiler", abi.XENOPROFInit), command("reserve counters", abi.XENOPROFReserveCounters)
	release, shutdown := command("release counters", abi.XENOPROFReleaseCounters), command("shut profiler down", abi.XENOPROFShutdown)
	interval{
		op: "xenoprof_init", doc: "become the primary profiler", source: source, hooks: crosses("profile"), dom0: true,
		ready: func(hc bench.Hypercalls) (undone, error) {
			return undone{items: single(start, shutdown), cleanup: undo(hc, shutdown)}, nil
		},
	}.register()
	interval{
		op: "xenoprof_reserve_counters", doc: "reserve the processors' performance counters, as the primary profiler", source: source, hooks: crosses("profile"), dom0: true,
		ready: func(hc bench.Hypercalls) (undone, error) {
			return undone{items: []item{{[]step{start}, reserve, []step{release, shutdown}}}, cleanup: undo(hc, release, shutdown)}, nil
		},
	}.register()
}
