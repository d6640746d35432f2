package model

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// VCPU is a virtual processor of a domain (struct vcpu).
//
// Its guest code runs on a goroutine that owns a physical processor while it
// runs and waits on token while it does not. Hypercalls may come from other
// goroutines (a guest's processes are coroutines), but never from two at a
// time; so whoever gives up the processor waits on the same token.
type VCPU struct {
	xsm.VCPU // Domain and CPU, as hooks see them

	ID      int
	dom     *Domain
	machine *Machine
	info    *abi.VCPUInfo // its part of the shared page

	mmu             mmu // base pointer, TLB: memory accesses of the guest
	ctx             abi.VCPUContext
	traps           [256]abi.TrapInfo
	sched           vcpuSched // the credit scheduler's account
	timer           vcpuTimer // set_timer_op, periodic and single-shot timers
	fpuTaskSwitched bool
	userMode        bool // the guest runs in user mode
	inUpcall        bool // the event callback has not yet done its iret
	debugreg        [8]uint64
	segmentBase     [3]uint64
	nmiCallback     func()
	iopl            uint32 // I/O privilege level
	ioBitmapPorts   uint32 // ports that its I/O bitmap covers

	pcpu              *pcpu        // the processor it runs or last ran on; the owner's
	processor         atomic.Int32 // the processor whose run queue it belongs to
	pauseFlags        atomic.Uint32
	pauseCount        atomic.Int32
	affinity          atomic.Uint64        // cpuMask
	runstate          abi.VCPURunstateInfo // under its processor's lock
	runstateArea      atomic.Pointer[abi.VCPURunstateInfo]
	initialised       atomic.Bool
	polling           atomic.Bool
	pausedForShutdown bool // under dom.shutdown.lock

	virqToEvtchn [abi.NrVIRQs]atomic.Uint32

	token   chan struct{} // a processor for this vCPU, or its end
	started bool          // its goroutine exists, or is about to; under its processor's lock
	fresh   bool          // it does not exist yet; whoever chose the vCPU starts it
	killed  atomic.Bool   // the goroutine must unwind
	gone    chan struct{} // closed when the goroutine has ended
}

// Reasons why a vCPU does not run (VPF_* flags).
const (
	pauseBlocked   = 1 << 0
	pauseDown      = 1 << 1
	pauseMigrating = 1 << 3
)

// stopSignal is the value that unwinds a vCPU's goroutine.
type stopSignal struct{}

// IsStop reports whether a recovered value is the hypervisor's way of ending
// a vCPU whose domain has crashed, been destroyed or is on a machine that
// stops. Guest code that recovers it must panic with it again.
func IsStop(recovered any) bool {
	_, ok := recovered.(stopSignal)
	return ok
}

// newVCPU makes a vCPU of d, off-line until VCPUOP_up or the domain builder
// sets its context (alloc_vcpu). cpu is where it belongs at first.
func (m *Machine) newVCPU(d *Domain, id, cpu int) *VCPU {
	v := &VCPU{
		ID: id, dom: d, machine: m,
		token: make(chan struct{}, 1),
		gone:  make(chan struct{}),
	}
	v.VCPU.Domain = &d.Domain
	v.CPU = cpu
	v.pcpu = m.cpus[cpu]
	v.processor.Store(int32(cpu))
	v.affinity.Store(uint64(maskBelow(len(m.cpus))))
	v.runstate.StateEntryTime = m.SystemTime()
	if d == m.idle {
		v.info = new(abi.VCPUInfo)
		v.affinity.Store(uint64(maskOf(cpu)))
		v.initialised.Store(true)
		v.runstate.State = abi.RunstateRunning
	} else {
		v.info = &d.shared.VCPU[id]
		v.info.UpcallMask.Store(1)
		v.pauseFlags.Store(pauseDown)
		v.runstate.State = abi.RunstateOffline
		v.initTimers()
		if d.ID == 0 && m.cfg.PinDom0 {
			v.affinity.Store(uint64(maskOf(cpu)))
		}
	}
	m.sched.initVCPU(v)
	d.vcpus[id].Store(v)
	return v
}

// Shared is the page that the vCPU's domain shares with the hypervisor.
func (v *VCPU) Shared() *abi.SharedInfo { return v.dom.shared }

// SystemTime is the time since the machine started, in ns.
func (v *VCPU) SystemTime() uint64 { return v.machine.SystemTime() }

// runnable reports whether nothing keeps v from running (vcpu_runnable).
func (v *VCPU) runnable() bool {
	return v.pauseFlags.Load() == 0 && v.pauseCount.Load() == 0 && v.dom.pauseCount.Load() == 0
}

// setRunstate enters a runstate and books the time spent in the last one. The
// vCPU's processor is locked.
func (v *VCPU) setRunstate(state int32, now uint64) {
	r := &v.runstate
	if now > r.StateEntryTime {
		r.Time[r.State] += now - r.StateEntryTime
		r.StateEntryTime = now
	}
	r.State = state
}

// runstateNow returns the vCPU's runstate with the time in the current state
// booked (vcpu_runstate_get).
func (v *VCPU) runstateNow() abi.VCPURunstateInfo {
	c := v.machine.lockRun(v)
	r := v.runstate
	now := v.machine.SystemTime()
	c.lock.Unlock()
	if now > r.StateEntryTime {
		r.Time[r.State] += now - r.StateEntryTime
	}
	return r
}

// isRunning reports whether v has a processor.
func (v *VCPU) isRunning() bool {
	c := v.machine.lockRun(v)
	defer c.lock.Unlock()
	return c.curr == v
}

// resume lets v's goroutine run on the processor that was chosen for it,
// starting the goroutine if this is the first time.
func (v *VCPU) resume() {
	if v.fresh {
		v.fresh = false
		v.machine.vcpus.Add(1)
		go v.main()
		return
	}
	v.signal()
}

// signal wakes v's goroutine. There is never more to say than one token says.
func (v *VCPU) signal() {
	select {
	case v.token <- struct{}{}:
	default:
	}
}

// await parks the calling goroutine until v has a processor. Whoever kills v
// while it still has its processor gives it no token, so it looks first; whoever
// does so afterwards does.
func (v *VCPU) await() {
	if v.killed.Load() {
		panic(stopSignal{})
	}
	<-v.token
	if v.killed.Load() {
		panic(stopSignal{})
	}
	v.scheduledIn()
}

// scheduledIn is what a vCPU does first when it has got a processor.
func (v *VCPU) scheduledIn() {
	if v.timer.polling {
		v.timer.polling = false
		v.timer.poll.Stop()
	}
	v.timer.scheduledIn(v)
	if area := v.runstateArea.Load(); area != nil {
		*area = v.runstateNow()
	}
}

// main is the bottom of a vCPU's goroutine.
func (v *VCPU) main() {
	defer v.machine.vcpus.Done()
	defer close(v.gone)
	defer v.leave()
	if v.machine.stopping.Load() {
		return
	}
	v.scheduledIn()
	v.ctx.Entry(v, v.ctx.StartInfo)
	v.dom.crash(fmt.Sprintf("vCPU %d returned from its entry point", v.ID))
}

// leave ends a vCPU's goroutine: a panic other than the stop signal is the
// guest's and crashes its domain; a processor that is still owned goes to
// another vCPU.
func (v *VCPU) leave() {
	if r := recover(); r != nil && !IsStop(r) {
		v.dom.crash(fmt.Sprintf("vCPU %d: %v\n%s", v.ID, r, debug.Stack()))
	}
	v.stopTimers()
	v.pauseFlags.Or(pauseDown)
	if v.isRunning() {
		v.machine.switchFrom(v, false)
	}
}

// kill makes v's goroutine unwind: at once if it waits, at its next exit to
// the guest if it runs. The caller has made sure that v is not runnable.
func (v *VCPU) kill() {
	v.killed.Store(true)
	c := v.machine.lockRun(v)
	if c.curr == v {
		c.raise()
	}
	if v.started {
		v.signal() // also if it runs: it may be on its way to wait
	}
	c.lock.Unlock()
}

// join waits until a killed vCPU's goroutine has ended. The caller must not
// be that goroutine.
func (v *VCPU) join() {
	c := v.machine.lockRun(v)
	started := v.started
	c.lock.Unlock()
	if started {
		<-v.gone
	}
}

// exitToGuest does what Xen does between a hypercall and the guest: pending
// soft interrupts, then pending events (test_all_events).
func (v *VCPU) exitToGuest() {
	for {
		if v.pcpu.softirq.Load() != 0 {
			v.preempt()
			continue
		}
		if v.info.UpcallPending.Load() == 0 || v.info.UpcallMask.Load() != 0 {
			return
		}
		if !v.upcall() {
			return
		}
	}
}

// preempt does the processor's pending work: another vCPU may run meanwhile.
// Long hypercalls call it between two steps, holding no lock, where Xen would
// create a continuation (hypercall_preempt_check).
func (v *VCPU) preempt() {
	if v.killed.Load() {
		panic(stopSignal{})
	}
	v.machine.switchFrom(v, true)
}

// preemptCheck is preempt if there is something to do.
func (v *VCPU) preemptCheck() {
	if v.pcpu.softirq.Load() != 0 {
		v.preempt()
	}
}

// InterruptWindow is where a guest that computes without hypercalls can be
// interrupted: events are delivered, another vCPU may run meanwhile.
func (v *VCPU) InterruptWindow() {
	if v.killed.Load() {
		panic(stopSignal{})
	}
	v.exitToGuest()
}

// pauseNosync keeps v from running until unpause; it may run on for a while.
func (v *VCPU) pauseNosync() {
	v.pauseCount.Add(1)
	v.machine.sleep(v)
}

// pauseSync keeps v from running and returns when it does not run.
func (v *VCPU) pauseSync() {
	v.pauseCount.Add(1)
	v.sleepSync()
}

func (v *VCPU) unpause() {
	if v.pauseCount.Add(-1) == 0 {
		v.machine.wake(v)
	}
}

// sleepSync waits until a vCPU that must not run has stopped running
// (vcpu_sleep_sync).
func (v *VCPU) sleepSync() {
	v.machine.sleep(v)
	for spins := 0; !v.runnable() && v.isRunning(); spins++ {
		if spins < 100 {
			runtime.Gosched()
		} else {
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// unblock ends sched_op block or poll.
func (v *VCPU) unblock() {
	if v.pauseFlags.Load()&pauseBlocked == 0 {
		return
	}
	if v.pauseFlags.And(^uint32(pauseBlocked))&pauseBlocked != 0 {
		v.machine.wake(v)
	}
}

// setAffinity restricts v to a set of processors and moves it if it is
// elsewhere (vcpu_set_affinity).
func (v *VCPU) setAffinity(s cpuMask) abi.Errno {
	s &= maskBelow(len(v.machine.cpus))
	if s == 0 {
		return -abi.EINVAL
	}
	c := v.machine.lockRun(v)
	v.affinity.Store(uint64(s))
	move := !s.has(int(v.processor.Load()))
	if move {
		v.pauseFlags.Or(pauseMigrating)
	}
	c.lock.Unlock()
	if move {
		v.machine.sleep(v)
		v.machine.migrate(v)
	}
	return 0
}
