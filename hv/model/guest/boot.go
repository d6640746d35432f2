// Package guest is the paravirtual kernel that dom0 and every domU of the
// model run: a small operating system after XenLinux 2.6.18 (pgtable-xen.c,
// process-xen.c and mach-xen's mmu_context.h of both architectures), with
// processes, address spaces, files, pipes, sockets and signals.
//
// It reaches the hypervisor as any guest does: by hypercalls, by the shared
// page, and by memory accesses that go through the page tables it built in its
// own frames. What matters to the measurements is which hypercalls an
// operation makes, and how many; they are XenLinux's. A change to the current
// address space is an update_va_mapping, one to another's a plain store that
// the hypervisor emulates if it must, a new page table an update_va_mapping
// and an mmu_update. A whole address space is announced by making its tables
// read-only, four per multicall, and pinning the top one.
//
// Processes are coroutines: user code is Go code, written against bench.OS,
// that runs until it makes a system call which blocks. User buffers of read
// and write are Go slices outside of the domain's memory; all other memory of
// a process that benchmarks touch is the domain's. Processes run on the first
// processor only; further ones are brought up and idle.
package guest

import (
	"strconv"
	"strings"
	"time"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/hv/model"
)

// Config says what a kernel's first process does.
type Config struct {
	// Init is the code of process 1. When it returns, the domain powers off
	// if the status is 0 and crashes otherwise.
	Init func(*Control) int
	// Programs are the executable files of the domain, besides those that
	// the benchmarks registered.
	Programs []bench.Executable
	// AVC says that the hypervisor's security module answers FLASK's operations on
	// its access vector cache. Another module's hypercall may mean anything by them.
	AVC bool
}

// Entry is where a domain's first processor enters a kernel of the given
// configuration: the value to register with model.RegisterKernel.
func Entry(c Config) abi.VCPUEntry {
	return func(cpu any, si *abi.StartInfo) {
		k := &Kernel{cpu: cpu.(*model.VCPU), si: si, config: c}
		k.boot()
		k.run()
	}
}

// boot brings the kernel up to where its first process can run (start_kernel).
func (k *Kernel) boot() {
	k.started = time.Now()
	k.shared = k.cpu.Shared()
	k.maskAll()
	k.calls.init()
	k.hyper.k = k
	k.console.k = k
	k.setUpTraps(k.cpu)
	k.setUpMemory()
	k.makeWindow()
	k.console.setUp(k)
	k.domID = k.ownID()
	k.printf("Linux-compatible guest kernel, %d pages, command line %q\n", k.si.NrPages, k.si.CmdLine)
	k.setUpGrants()
	k.setUpTime()
	if k.si.Flags&abi.SIFInitDomain != 0 {
		k.setUpDevices()
	}
	k.startProcessors()
	k.setUpFiles()
	k.enableEvents()
	k.startInit()
}

// trapMaskEvents in a trap's flags keeps events out of its handler.
const trapMaskEvents = 1 << 2

// setUpTraps tells the hypervisor where traps and events enter the kernel
// (trap_init).
func (k *Kernel) setUpTraps(cpu *model.VCPU) {
	k.must("set_trap_table", cpu.Hypercall(abi.SetTrapTable, &abi.Args{H: &abi.TrapTable{Traps: k.traps()}}))
	cb := k.callbacks(cpu)
	k.must("set_callbacks", cpu.Hypercall(abi.SetCallbacks, &abi.Args{H: &cb}))
	k.must("vm_assist", cpu.Hypercall(abi.VMAssist, &abi.Args{
		R: [4]uint64{abi.VMASSTCmdEnable, abi.VMASSTWritablePagetables}}))
}

func (k *Kernel) traps() []abi.TrapInfo {
	return []abi.TrapInfo{
		{Vector: abi.TrapDivide, Handler: k.badTrap},
		{Vector: abi.TrapNoDevice, Flags: trapMaskEvents, Handler: k.deviceNotAvailable},
		{Vector: abi.TrapGP, Handler: k.badTrap},
		{Vector: abi.TrapPageFault, Flags: trapMaskEvents, Handler: k.pageFault},
	}
}

func (k *Kernel) callbacks(cpu *model.VCPU) abi.Callbacks {
	return abi.Callbacks{
		Event:    func() { k.upcall(cpu) },
		Failsafe: func() { k.bug("failsafe callback") },
	}
}

// badTrap is a trap that a process's code is killed for.
func (k *Kernel) badTrap(f *abi.TrapFrame) {
	p := k.current
	if p == nil || p.mm == nil {
		k.bug("trap %d in the kernel, address %#x", f.Vector, f.CR2)
	}
	p.force(bench.SIGSEGV)
}

// deviceNotAvailable gives the floating-point unit to the current process; the
// hypervisor has cleared the flag that made it trap.
func (k *Kernel) deviceNotAvailable(*abi.TrapFrame) {
	if k.current != nil {
		k.current.usedFPU = true
	}
	k.returnToUser()
}

// setUpMemory takes over the frames that the domain was built with. All are
// mapped already; those of the initial page tables, and what lies below them,
// are in use.
func (k *Kernel) setUpMemory() {
	k.p2m = k.si.MFNList
	last := abi.MFN(0)
	for _, m := range k.p2m {
		last = max(last, m)
	}
	k.m2p = make([]pfn, last+1)
	for f, m := range k.p2m {
		k.m2p[m] = pfn(f)
	}
	k.mem.frames = make([]frame, len(k.p2m))
	k.initial = addressSpace{k: k, top: pfn((k.si.PTBase - abi.VirtBase) >> abi.PageShift), pinned: true}
	k.active = &k.initial
	k.mem.add(k.initial.top+pfn(k.si.NrPTFrames), pfn(k.si.NrPages))
	if k.zeroPage = k.zeroed(); k.zeroPage == 0 {
		k.bug("no memory")
	}
}

// ownID is the domain's number. The hypervisor does not tell; a domU has it
// from the toolstack, in its command line.
func (k *Kernel) ownID() abi.DomID {
	for word := range strings.FieldsSeq(k.si.CmdLine) {
		if v, ok := strings.CutPrefix(word, "domid="); ok {
			if id, err := strconv.ParseUint(v, 10, 16); err == nil {
				return abi.DomID(id)
			}
		}
	}
	return 0
}

// tickPeriod is the time between timer interrupts, ns: HZ is 100.
const tickPeriod = 10_000_000

// setUpTime binds the timer's interrupt and asks for it to be periodic while
// the processor runs (time_init).
func (k *Kernel) setUpTime() {
	k.bindVIRQ(abi.VIRQTimer, 0, k.tick)
	k.must("set_periodic_timer", k.cpu.Hypercall(abi.VCPUOp, &abi.Args{
		R: [4]uint64{uint64(abi.VCPUOPSetPeriodicTimer), 0},
		H: &abi.VCPUSetPeriodicTimer{PeriodNS: tickPeriod}}))
}

// setUpDevices is what only dom0 does: it takes the right to use I/O ports.
func (k *Kernel) setUpDevices() {
	k.must("physdev set_iopl", k.cpu.Hypercall(abi.PhysdevOp, &abi.Args{
		R: [4]uint64{abi.PHYSDEVOPSetIOPL}, H: &abi.PhysdevSetIOPL{IOPL: 1}}))
}

// startProcessors brings up every further processor that the domain has
// (smp_prepare_cpus, cpu_up). They run no processes: the benchmarks have the
// first processor to themselves, as lmbench pinned to one has.
func (k *Kernel) startProcessors() {
	for id := uint32(1); id < abi.MaxVCPUs; id++ {
		op := abi.Args{R: [4]uint64{uint64(abi.VCPUOPIsUp), uint64(id)}}
		if k.cpu.Hypercall(abi.VCPUOp, &op) < 0 {
			return
		}
		k.bindIPI(id, func() {}) // reschedule: leaving the idle loop is all
		ctx := &abi.VCPUContext{
			Flags:    abi.VGCFInKernel,
			Entry:    k.secondary,
			CR3:      k.p2m[k.initial.top],
			Traps:    k.traps(),
			KernelSS: kernelSS,
			KernelSP: kernelStack(-int(id)),
		}
		op = abi.Args{R: [4]uint64{uint64(abi.VCPUOPInitialise), uint64(id)}, H: ctx}
		k.must("vcpu_op initialise", k.cpu.Hypercall(abi.VCPUOp, &op))
		op = abi.Args{R: [4]uint64{uint64(abi.VCPUOPUp), uint64(id)}}
		k.must("vcpu_op up", k.cpu.Hypercall(abi.VCPUOp, &op))
	}
}

// secondary is the idle loop of a further processor.
func (k *Kernel) secondary(cpu any, _ *abi.StartInfo) {
	v := cpu.(*model.VCPU)
	cb := k.callbacks(v)
	k.must("set_callbacks", v.Hypercall(abi.SetCallbacks, &abi.Args{H: &cb}))
	block := abi.Args{R: [4]uint64{uint64(abi.SCHEDOPBlock)}}
	for {
		v.Hypercall(abi.SchedOp, &block)
	}
}

// setUpFiles makes the file system and the programs in it.
func (k *Kernel) setUpFiles() {
	k.fs = newFileSystem(k)
	k.procs = make([]*Process, maxPID)
	if err := k.installLibraries(); err != nil {
		k.bug("install shared libraries: %v", err)
	}
	for _, list := range [][]bench.Executable{bench.Executables(), k.config.Programs} {
		for _, e := range list {
			if err := k.installProgram(e); err != nil {
				k.bug("install %s: %v", e.Path, err)
			}
		}
	}
}

// initPath is the program of the first process.
const initPath = "/sbin/init"

// startInit makes process 1. Its standard files are /dev/null, as lmbench's
// programs have theirs redirected.
func (k *Kernel) startInit() {
	status := 0
	err := k.installProgram(bench.Executable{Path: initPath, Text: 256 << 10, Data: 64 << 10,
		Main: func(os bench.OS, _ []string) int {
			status = k.config.Init(&Control{k: k, p: os.(*Process)})
			return status
		}})
	if err != nil {
		k.bug("install %s: %v", initPath, err)
	}
	p := k.spawn(func(os bench.OS) int {
		for range 3 {
			if _, err := os.Open("/dev/null", bench.O_RDWR); err != nil {
				k.bug("open /dev/null: %v", err)
			}
		}
		code := os.Exec(initPath, initPath)
		k.powerOff(code)
		return code
	})
	p.adopted = true // nobody waits for it
}

// powerOff ends the domain when its first process has ended.
func (k *Kernel) powerOff(status int) {
	k.halting = true
	reason := uint32(abi.ShutdownPoweroff)
	if status != 0 {
		k.printf("init ended with status %d\n", status)
		reason = abi.ShutdownCrash
	}
	k.shutdown(reason)
}
