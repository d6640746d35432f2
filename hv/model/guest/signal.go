package guest

import (
	"math/bits"

	"xsmbench/abi"
	"xsmbench/bench"
)

// Signals that the kernel itself knows, besides those of package bench.
const (
	sigKill bench.Signal = 9
	sigBus  bench.Signal = 7
	nrSig                = 64
)

// signalFrame is the size of what the kernel saves on the user's stack for a
// handler: struct rt_sigframe of x86_64 with the FPU's state.
const signalFrame = 8 + 304 + 128 + 512

// signalState is a process's signals: those that wait to be delivered, those
// held back while their handler runs, and what to do with each.
type signalState struct {
	pending, blocked uint64
	handlers         [nrSig + 1]func(bench.Signal)
}

func sigBit(s bench.Signal) uint64 { return 1 << (s - 1) }

func (s *signalState) deliverable() bool { return s.pending&^s.blocked != 0 }

// inherit takes over what a child has of its parent's.
func (s *signalState) inherit(from *signalState) {
	*s = *from
	s.pending = 0
}

// reset restores the default actions, as exec does.
func (s *signalState) reset() { s.handlers = [nrSig + 1]func(bench.Signal){} }

// raise makes a signal pending for p and wakes it, unless p ignores it.
func (s *signalState) raise(p *Process, sig bench.Signal) {
	if sig == bench.SIGCHLD && s.handlers[sig] == nil {
		return
	}
	s.pending |= sigBit(sig)
	if s.deliverable() {
		p.k.wake(p)
	}
}

// Sigaction installs a handler for a signal; nil restores the default.
func (p *Process) Sigaction(sig bench.Signal, handler func(bench.Signal)) error {
	p.enter()
	if sig < 1 || sig > nrSig || sig == sigKill {
		p.leave()
		return abi.EINVAL
	}
	p.signals.handlers[sig] = handler
	p.leave()
	return nil
}

// Kill sends a signal to a process; signal 0 only asks whether it is there.
func (p *Process) Kill(pid int, sig bench.Signal) error {
	p.enter()
	if pid <= 0 || pid >= maxPID || p.k.procs[pid] == nil {
		p.leave()
		return abi.ESRCH
	}
	if sig < 0 || sig > nrSig {
		p.leave()
		return abi.EINVAL
	}
	if t := p.k.procs[pid]; sig != 0 && t.state != stateZombie {
		t.signals.raise(t, sig)
	}
	p.leave()
	return nil
}

// deliverSignals runs the handlers of the pending signals on the way back to
// user mode. A signal whose action is the default ends the process.
func (p *Process) deliverSignals() {
	for p.signals.deliverable() {
		sig := bench.Signal(bits.TrailingZeros64(p.signals.pending&^p.signals.blocked) + 1)
		p.signals.pending &^= sigBit(sig)
		h := p.signals.handlers[sig]
		if h == nil {
			if sig == bench.SIGCHLD {
				continue
			}
			p.leaveCode(128 + int(sig))
		}
		p.runHandler(sig, h)
	}
}

// runHandler calls a handler in user mode: the interrupted state goes to the
// user's stack, and comes back from it by sigreturn.
func (p *Process) runHandler(sig bench.Signal, h func(bench.Signal)) {
	k := p.k
	mask := p.signals.blocked
	p.signals.blocked |= sigBit(sig)
	p.mm.stackTop -= signalFrame
	sp := p.mm.stackTop
	copyOut(k, sp, k.savedState[:])
	k.returnToUser()
	if p.accounted {
		p.book(&p.usage.System)
	}
	h(sig)
	if p.accounted {
		p.book(&p.usage.User)
	}
	k.cpu.InterruptWindow()
	copyIn(k, k.savedState[:], sp)
	p.mm.stackTop += signalFrame
	p.signals.blocked = mask
	k.returnToUser()
}

// force delivers a signal that the process's own access caused: it cannot be
// held back or ignored.
func (p *Process) force(sig bench.Signal) {
	h := p.signals.handlers[sig]
	if h == nil || p.signals.blocked&sigBit(sig) != 0 {
		p.leaveCode(128 + int(sig))
	}
	p.runHandler(sig, h)
}

// copyOut copies to a user address, copyIn from one, page by page.
func copyOut(k *Kernel, va uint64, b []byte) {
	for len(b) > 0 {
		n := copy(k.cpu.Page(va, true, true), b)
		va += uint64(n)
		b = b[n:]
	}
}

func copyIn(k *Kernel, b []byte, va uint64) {
	for len(b) > 0 {
		n := copy(b, k.cpu.Page(va, false, true))
		va += uint64(n)
		b = b[n:]
	}
}
