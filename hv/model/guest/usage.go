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

// Rusage tells what the children that were waited for have used. Time is
// booked from the first call on, for the caller and its descendants only,
// because each system call then reads the clock twice; what else is measured
// must not pay for it.
func (p *Process) Rusage() bench.Usage {
	p.enter()
	if !p.accounted {
		p.accounted = true
		p.mark = p.k.cpu.SystemTime()
	}
	u := p.reaped
	p.leave()
	return u
}

// book adds the time since the process last changed its mode to one of the
// two times it has used.
func (p *Process) book(mode *time.Duration) {
	now := p.k.cpu.SystemTime()
	*mode += time.Duration(now - p.mark)
	p.mark = now
}

// tick is the timer interrupt: another process may be due.
func (k *Kernel) tick() { k.resched = true }
