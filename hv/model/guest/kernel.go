package guest

import (
	"time"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/hv/model"
)

// Kernel is the operating system of one domain.
type Kernel struct {
	cpu    *model.VCPU // the first processor, which runs the processes
	si     *abi.StartInfo
	shared *abi.SharedInfo
	domID  abi.DomID
	config Config
	dying  bool // in bug

	p2m []abi.MFN // by PFN
	m2p []pfn     // by MFN; 0 where the frame is not the domain's
	mem frameList

	initial  addressSpace // the page tables that the domain was started with
	active   *addressSpace
	zeroPage pfn
	window   window

	fs           *fileSystem
	linker, libc *inode

	procs   []*Process // by number
	all     []*Process // with a coroutine, in use or not
	pool    []*Process // not in use
	nprocs  int
	lastPID int
	current *Process
	last    *Process // whose task state the processor holds
	runq    runQueue
	resched bool // the timer asks for another process

	freeFiles  *file
	freeSpaces []*addressSpace
	savedState [signalFrame]byte

	calls   calls
	events  events
	grants  grantTable
	console consoleDevice
	hyper   hypercalls
	halting bool
	started time.Time

	stats Stats
}

// Stats counts what the kernel has done to memory (/proc/vmstat).
type Stats struct {
	Faults      uint64 // page faults
	Copies      uint64 // of them, pages copied on a write
	TablesAdded uint64 // page tables added to a pinned address space
	TablesFreed uint64 // and taken from one
	Pins        uint64 // address spaces pinned
	PinnedPages uint64 // page tables of those, the top levels too
	Unpinned    uint64 // page tables of address spaces unpinned
	Reprotected uint64 // pages whose mapping mprotect changed
	Switches    uint64 // changes of the running process
}

// run is the processor's main loop: it resumes the runnable processes one by
// one until the kernel halts.
func (k *Kernel) run() {
	defer k.stopAll()
	for !k.halting {
		k.cpu.InterruptWindow()
		p := k.runq.pop()
		if p == nil {
			k.idle()
			continue
		}
		k.switchTo(p)
		p.resume()
		k.current = nil
		if p.state == stateReaped {
			k.recycle(p)
		}
	}
}

// switchTo is the switch from one process to another (context_switch):
// the address space first, then what belongs to the task.
func (k *Kernel) switchTo(p *Process) {
	k.current = p
	if k.last == p {
		return
	}
	if p.mm != nil {
		k.use(p.mm)
	}
	fpu := false
	if k.last != nil {
		fpu = k.last.usedFPU
		k.last.usedFPU = false
	}
	k.stats.Switches++
	k.last = p
	k.switchTask(fpu, kernelStack(p.pid))
}

// kernelStack is a number for the kernel stack of a process, by which the
// hypervisor would find it.
func kernelStack(pid int) uint64 { return abi.VirtBase + uint64(pid)<<13 }

// idle gives the processor back to the hypervisor until an event comes. The
// idle task has no address space of its own and keeps the last one. Events stay
// masked from the last look at the run queue until the hypervisor blocks the
// processor, which opens the mask: one that comes between the two and makes a
// process runnable would otherwise be taken before, and block for good.
func (k *Kernel) idle() {
	k.disableEvents()
	if !k.runq.empty() {
		k.enableEvents()
		return
	}
	if k.last != nil {
		fpu := k.last.usedFPU
		k.last.usedFPU = false
		k.last = nil
		k.switchTask(fpu, kernelStack(0))
	}
	k.cpu.Hypercall(abi.SetTimerOp, &k.calls.timer) // no timer is due: 0
	k.cpu.Hypercall(abi.SchedOp, &k.calls.block)
}

// stopAll ends all coroutines. Those of a domain that the hypervisor stops
// unwind without reaching it.
func (k *Kernel) stopAll() {
	for _, p := range k.all {
		p.end()
	}
}

// end unwinds the process's coroutine. What its code panics with on the way
// has no one to tell: the kernel is gone.
func (p *Process) end() {
	defer func() { _ = recover() }()
	p.stop()
}

// enter is the entry of every system call: the processor is in the kernel,
// and events that wait are taken first.
func (p *Process) enter() {
	if p.unwinding {
		panic(unwind{})
	}
	if p.accounted {
		p.book(&p.usage.User)
	}
	p.k.cpu.InterruptWindow()
}

// leave is the way back to user mode: another process may be due, and signals
// are delivered. A 64-bit kernel returns by a hypercall, from a system call
// too.
func (p *Process) leave() {
	k := p.k
	if k.resched {
		k.resched = false
		if !k.runq.empty() {
			k.runq.push(p)
			p.usage.Involuntary++
			p.switchOut()
		}
	}
	if p.signals.deliverable() {
		p.deliverSignals()
	} else if iretReturns {
		k.cpu.Hypercall(abi.Iret, &k.calls.iret)
	}
	if p.accounted {
		p.book(&p.usage.System)
	}
}

// Now is the monotonic clock. Programs read it to compute with times, in
// floating point.
func (p *Process) Now() time.Duration {
	p.usedFPU = true
	return time.Since(p.k.started)
}

// spawn makes a process that starts with code of the kernel's own.
func (k *Kernel) spawn(body func(bench.OS) int) *Process {
	p := k.newProcess()
	if p == nil {
		k.bug("no process number is free")
	}
	p.body = body
	p.state = stateRunnable
	k.runq.push(p)
	return p
}
