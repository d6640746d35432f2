package model

import (
	"sync"
	"sync/atomic"

	"xsmbench/abi"
)

// pcpu is a physical processor. It is a token, not a thread: the goroutine of
// the vCPU in curr owns it, and gives it up only in switchFrom. An idle
// processor has no goroutine at all; whoever finds work for it (kick) makes
// the scheduling decision in the idle vCPU's place.
type pcpu struct {
	id   int
	idle *VCPU // the idle domain's vCPU of this processor

	softirq atomic.Uint32 // pending work, looked at on every exit to a guest

	lock     sync.Mutex // guards what follows (schedule_data[cpu].schedule_lock)
	curr     *VCPU
	runq     runQueue
	sortSeen uint32 // scheduler.sortWanted at the last sort of runq
	sliceEnd uint64 // when curr's time slice ends, ns of system time; 0 for never

	calls [abi.NrHypercalls]atomic.Uint32 // performance counters, see perfc
	trace traceBuffer
}

// Soft interrupts of a processor.
const softirqSchedule = 1 << 0

// raise makes the processor's owner reschedule at its next exit to the guest.
func (c *pcpu) raise() { c.softirq.Or(softirqSchedule) }

// cpuMask is a set of physical processors, as Xen's cpumask_t; a machine has
// at most maxCPUs.
type cpuMask uint64

const maxCPUs = 64

func (s cpuMask) has(cpu int) bool { return s&(1<<uint(cpu)) != 0 }
func maskOf(cpu int) cpuMask       { return 1 << uint(cpu) }
func maskBelow(cpus int) cpuMask   { return ^cpuMask(0) >> uint(maxCPUs-cpus) }

// choose makes the scheduling decision for c, whose lock is held: it charges
// the outgoing vCPU, asks the scheduler for the next one and makes it current.
// The caller wakes the chosen vCPU after releasing the lock if it has changed.
func (m *Machine) choose(c *pcpu) (prev, next *VCPU) {
	now := m.SystemTime()
	prev = c.curr
	next, slice := m.sched.pick(c)
	c.sliceEnd = 0
	if slice != 0 {
		c.sliceEnd = now + slice
	}
	if next == prev {
		return prev, next
	}
	prev.setRunstate(prev.offCPUState(), now)
	next.setRunstate(abi.RunstateRunning, now)
	c.curr = next
	next.pcpu = c
	next.CPU = c.id
	if !next.started {
		next.started, next.fresh = true, true
	}
	c.traceRecord(&m.trace, traceSwitch, uint64(prev.dom.ID)<<16|uint64(prev.ID), uint64(next.dom.ID)<<16|uint64(next.ID), now)
	return prev, next
}

// offCPUState is the runstate of a vCPU that stops running: what keeps it
// from running says which (schedule, in Xen's common/schedule.c).
func (v *VCPU) offCPUState() int32 {
	switch {
	case v.pauseFlags.Load()&pauseBlocked != 0:
		return abi.RunstateBlocked
	case v.runnable():
		return abi.RunstateRunnable
	}
	return abi.RunstateOffline
}

// switchFrom gives prev's processor to the vCPU that the scheduler chooses.
// It returns at once if that is prev. Otherwise, with park set, it returns
// when prev has a processor again; without, prev's goroutine must not touch
// guest or processor state any more.
func (m *Machine) switchFrom(prev *VCPU, park bool) {
	c := prev.pcpu
	c.softirq.Store(0)
	c.lock.Lock()
	_, next := m.choose(c)
	c.lock.Unlock()
	if next == prev {
		return
	}
	if next != c.idle {
		next.resume()
	}
	if prev.pauseFlags.Load()&pauseMigrating != 0 {
		m.migrate(prev)
	}
	if park {
		prev.await()
	}
}

// kick makes a processor reconsider what it runs: its owner at the next exit
// to the guest, or, if it is idle, the caller here and now.
func (m *Machine) kick(c *pcpu) {
	c.lock.Lock()
	if c.curr != c.idle {
		c.raise()
		c.lock.Unlock()
		return
	}
	c.softirq.Store(0)
	_, next := m.choose(c)
	c.lock.Unlock()
	if next != c.idle {
		next.resume()
	}
}

// kickAll kicks every processor of the set.
func (m *Machine) kickAll(s cpuMask) {
	for _, c := range m.cpus {
		if s.has(c.id) {
			m.kick(c)
		}
	}
}

// lockRun locks the processor that v is assigned to (vcpu_schedule_lock): the
// assignment can change until the lock is held.
func (m *Machine) lockRun(v *VCPU) *pcpu {
	for {
		c := m.cpus[v.processor.Load()]
		c.lock.Lock()
		if int(v.processor.Load()) == c.id {
			return c
		}
		c.lock.Unlock()
	}
}

// wake puts v on a run queue if nothing keeps it from running (vcpu_wake).
func (m *Machine) wake(v *VCPU) {
	var tickle cpuMask
	c := m.lockRun(v)
	if v.runnable() {
		if v.runstate.State >= abi.RunstateBlocked {
			v.setRunstate(abi.RunstateRunnable, m.SystemTime())
		}
		tickle = m.sched.wake(c, v)
	} else if v.pauseFlags.Load()&pauseBlocked == 0 && v.runstate.State == abi.RunstateBlocked {
		v.setRunstate(abi.RunstateOffline, m.SystemTime())
	}
	c.lock.Unlock()
	if tickle != 0 {
		m.kickAll(tickle)
	}
}

// sleep takes v off its run queue, or makes its processor notice that it must
// not go on (vcpu_sleep_nosync).
func (m *Machine) sleep(v *VCPU) {
	c := m.lockRun(v)
	if !v.runnable() {
		if v.runstate.State == abi.RunstateRunnable {
			v.setRunstate(abi.RunstateOffline, m.SystemTime())
		}
		m.sched.sleep(c, v)
	}
	c.lock.Unlock()
}

// migrate assigns a vCPU that has stopped running to the processor that the
// scheduler picks for it and wakes it there (vcpu_migrate).
func (m *Machine) migrate(v *VCPU) {
	c := m.lockRun(v)
	if c.curr == v || v.pauseFlags.Load()&pauseMigrating == 0 {
		c.lock.Unlock()
		return
	}
	v.pauseFlags.And(^uint32(pauseMigrating))
	v.processor.Store(int32(m.sched.cpuPick(v)))
	c.lock.Unlock()
	m.wake(v)
}
