package guest

import (
	"time"

	"xsmbench/bench"
)

// addUsage adds what another process used.
func addUsage(sum, u *bench.Usage) {
	sum.User += u.User
	sum.System += u.System
	sum.Voluntary += u.Voluntary
	sum.Involuntary += u.Involuntary
	sum.MinorFaults += u.MinorFaults
}

// Rusage tells what the children that were waited for have used.
func (p *Process) Rusage() bench.Usage {
	p.enter()
	u := p.reaped
	p.leave()
	return u
}

// tick is the timer interrupt: the process that it finds running pays for the
// time since the last one (account_ticks), and another may be due. An
// interrupt taken at the entry of a system call was due in user mode.
func (k *Kernel) tick() {
	now := k.cpu.SystemTime()
	elapsed := time.Duration(now - k.lastTick)
	k.lastTick = now
	p := k.current
	if p == nil {
		return
	}
	if k.entering {
		p.usage.User += elapsed
	} else {
		p.usage.System += elapsed
	}
	k.resched = true
}
