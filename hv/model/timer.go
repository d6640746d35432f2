package model

import (
	"sync"
	"sync/atomic"
	"time"

	"xsmbench/abi"
)

// vcpuTimer is a vCPU's timers. All of them end in VIRQ_TIMER, but for the
// one of sched_op poll, which ends the poll.
type vcpuTimer struct {
	singleshot *time.Timer
	poll       *time.Timer
	polling    bool // poll may be armed; the vCPU's own

	// The periodic timer ticks only while the vCPU can run; what it missed
	// is made up for by one tick when the vCPU is scheduled in.
	period   atomic.Uint64 // ns, 0 for none
	lock     sync.Mutex
	periodic *time.Timer
	armed    bool
	last     uint64 // system time of the last tick
	stopped  bool
}

// defaultPeriod is the period that a vCPU starts with (alloc_vcpu), in ns.
const defaultPeriod = 10 * 1000 * 1000

func newStoppedTimer(f func()) *time.Timer {
	t := time.AfterFunc(time.Hour, f)
	t.Stop()
	return t
}

func (v *VCPU) initTimers() {
	t := &v.timer
	t.singleshot = newStoppedTimer(func() { v.sendVIRQ(abi.VIRQTimer) })
	t.poll = newStoppedTimer(func() {
		v.polling.Store(false)
		v.unblock()
	})
	t.periodic = newStoppedTimer(func() { t.tick(v) })
	t.period.Store(defaultPeriod)
}

// stopTimers stops a vCPU's timers for good.
func (v *VCPU) stopTimers() {
	t := &v.timer
	if t.singleshot == nil {
		return
	}
	t.singleshot.Stop()
	t.poll.Stop()
	t.lock.Lock()
	t.stopped = true
	t.periodic.Stop()
	t.lock.Unlock()
}

// until is the time from now to a deadline, none if it has passed.
func (v *VCPU) until(deadline uint64) time.Duration {
	now := v.SystemTime()
	if deadline <= now {
		return 0
	}
	return time.Duration(deadline - now)
}

// setSingleshot arms the single-shot timer; a deadline that has passed
// interrupts at once.
func (v *VCPU) setSingleshot(deadline uint64) {
	wait := v.until(deadline)
	if wait == 0 {
		v.timer.singleshot.Stop()
		v.sendVIRQ(abi.VIRQTimer)
		return
	}
	v.timer.singleshot.Reset(wait)
}

// tick is the periodic timer's interrupt.
func (t *vcpuTimer) tick(v *VCPU) {
	t.lock.Lock()
	period := t.period.Load()
	t.armed = period != 0 && !t.stopped && v.pauseFlags.Load() == 0
	if t.armed {
		t.last = v.SystemTime()
		t.periodic.Reset(time.Duration(period))
	}
	fire := t.armed
	t.lock.Unlock()
	if fire {
		v.sendVIRQ(abi.VIRQTimer)
	}
}

// scheduledIn restarts the periodic timer of a vCPU that has got a processor
// and makes up for a tick missed (vcpu_periodic_timer_work).
func (t *vcpuTimer) scheduledIn(v *VCPU) {
	period := t.period.Load()
	if period == 0 || v.virqToEvtchn[abi.VIRQTimer].Load() == 0 {
		return
	}
	now := v.SystemTime()
	t.lock.Lock()
	missed := now-t.last >= period
	if missed {
		t.last = now
	}
	if !t.armed && !t.stopped {
		t.armed = true
		t.periodic.Reset(time.Duration(t.last + period - now))
	}
	t.lock.Unlock()
	if missed {
		v.sendVIRQ(abi.VIRQTimer)
	}
}

// setPeriod changes the periodic timer, 0 stops it.
func (v *VCPU) setPeriod(ns uint64) {
	t := &v.timer
	t.period.Store(ns)
	t.lock.Lock()
	t.periodic.Stop()
	t.armed = false
	t.lock.Unlock()
	if !v.runnable() {
		return
	}
	t.scheduledIn(v)
}

// doSetTimerOp is set_timer_op: R[0] is the deadline, in ns of system time; 0
// stops the timer. A deadline beyond all reason is taken for a mistake of the
// guest's clock and answered in 100 ms, as Xen does.
func doSetTimerOp(_ *Machine, v *VCPU, a *abi.Args) int64 {
	deadline := a.R[0]
	now := v.SystemTime()
	switch {
	case deadline == 0:
		v.timer.singleshot.Stop()
	case int64(deadline) < 0 || (deadline > now && (deadline-now)>>50 != 0):
		v.setSingleshot(now + 100*1000*1000)
	default:
		v.setSingleshot(deadline)
	}
	return 0
}
