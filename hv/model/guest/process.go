package guest

import (
	"iter"

	"xsmbench/abi"
	"xsmbench/bench"
)

// processState says what a process is doing.
type processState uint8

const (
	stateFree     processState = iota // in the pool
	stateRunnable                     // running or in the run queue
	stateBlocked                      // in a wait queue
	stateZombie                       // has exited, not yet waited for
	stateReaped                       // is exiting and nobody waits for it
)

// Geometry of the process table.
const (
	maxPID   = 32768
	maxFiles = 1024
	initPID  = 1
)

// Process is a process: an address space, open files, signals, and a
// coroutine that runs its code. It is the bench.OS of that code. The processor's main loop
// resumes the coroutine; the process gives the processor back by yielding,
// so kernel code never runs on two processes at once.
type Process struct {
	k      *Kernel
	pid    int
	parent *Process
	// child is the youngest child, older and younger its siblings.
	child, older, younger *Process
	adopted               bool // its parent died before it

	state  processState
	body   func(bench.OS) int
	status int

	mm      *addressSpace
	prog    *executable
	files   []*file // by descriptor
	lowest  int     // no free descriptor lies below
	usedFPU bool

	signals signalState
	usage   bench.Usage // its own; reaped is that of the children it waited for
	reaped  bench.Usage
	// accounted processes book the time they use; mark is when the last
	// change of mode was, ns of system time.
	accounted bool
	mark      uint64

	runNext  *Process   // in the run queue
	waitNext *Process   // in a wait queue
	waiting  *waitQueue // the queue it sleeps in
	children waitQueue  // where it waits for its children

	resume    func() (struct{}, bool)
	stop      func()
	yield     func(struct{}) bool
	unwinding bool // being torn down: its code is left by a panic
	stopped   bool // the machine stops: no exit work is done
}

// unwind is what a process's code is left with when it must not go on: it was
// killed, or its domain stops.
type unwind struct{}

// newProcess takes a process from the pool and gives it a number. It returns
// nil if the table is full.
func (k *Kernel) newProcess() *Process {
	pid := k.freePID()
	if pid == 0 {
		return nil
	}
	var p *Process
	if n := len(k.pool); n > 0 {
		p = k.pool[n-1]
		k.pool = k.pool[:n-1]
	} else {
		p = &Process{k: k, files: make([]*file, 0, 16)}
		p.resume, p.stop = iter.Pull(p.life)
		k.all = append(k.all, p)
	}
	p.pid = pid
	k.procs[pid] = p
	k.nprocs++
	return p
}

// freePID finds the next unused process number, 0 if all are taken.
func (k *Kernel) freePID() int {
	for range maxPID {
		k.lastPID++
		if k.lastPID >= maxPID {
			k.lastPID = initPID + 1
		}
		if k.procs[k.lastPID] == nil {
			return k.lastPID
		}
	}
	return 0
}

// life is a coroutine: the lives of the processes that use it, one by one.
func (p *Process) life(yield func(struct{}) bool) {
	p.yield = yield
	for {
		status := p.live()
		if p.stopped {
			return
		}
		p.exit(status)
		if !yield(struct{}{}) {
			return
		}
	}
}

// live runs the process's code. Only the panic that unwinds this very process
// ends here; any other goes on to the processor's main loop.
func (p *Process) live() (status int) {
	defer func() {
		if p.unwinding {
			recover()
			status = p.status
		}
	}()
	p.unwinding = false
	if p.accounted {
		p.mark = p.k.cpu.SystemTime()
	}
	if p.prog != nil {
		p.prog.afterFork(p)
	}
	return p.body(p)
}

// leaveCode ends the process's code at once, wherever it is.
func (p *Process) leaveCode(status int) {
	p.status = status
	p.unwinding = true
	panic(unwind{})
}

// switchOut gives the processor back to the main loop and returns when the
// process is resumed.
func (p *Process) switchOut() {
	if p.accounted {
		p.book(&p.usage.System)
	}
	if !p.yield(struct{}{}) {
		p.stopped = true
		p.leaveCode(0)
	}
	if p.accounted {
		p.mark = p.k.cpu.SystemTime()
	}
}

// exit is the end of a process (do_exit): it lets go of all it holds and
// tells its parent. The coroutine ends after it.
func (p *Process) exit(status int) {
	k := p.k
	p.status = status
	if p.accounted {
		p.book(&p.usage.User)
	}
	p.closeAll()
	k.dropAddressSpace(p)
	if p.accounted {
		p.book(&p.usage.System)
	}
	for c := p.child; c != nil; {
		older := c.older
		k.orphan(c)
		c = older
	}
	p.child = nil
	if p.adopted || p.parent == nil {
		p.state = stateReaped
		p.unlink()
	} else {
		p.state = stateZombie
		p.parent.signals.raise(p.parent, bench.SIGCHLD)
		p.parent.children.wakeAll(k)
	}
}

// orphan lets the kernel reap a child whose parent dies.
func (k *Kernel) orphan(c *Process) {
	c.parent, c.older, c.younger = nil, nil, nil
	c.adopted = true
	if c.state == stateZombie {
		k.recycle(c)
	}
}

// addChild makes c the youngest child of p.
func (p *Process) addChild(c *Process) {
	c.parent = p
	c.older, c.younger = p.child, nil
	if p.child != nil {
		p.child.younger = c
	}
	p.child = c
}

// unlink takes the process from its parent's children.
func (p *Process) unlink() {
	if p.parent == nil {
		return
	}
	if p.younger != nil {
		p.younger.older = p.older
	} else {
		p.parent.child = p.older
	}
	if p.older != nil {
		p.older.younger = p.younger
	}
	p.parent, p.older, p.younger = nil, nil, nil
}

// recycle returns a process that has ended to the pool.
func (k *Kernel) recycle(p *Process) {
	p.unlink()
	if k.last == p {
		k.last = nil
	}
	k.procs[p.pid] = nil
	k.nprocs--
	p.state = stateFree
	p.pid = 0
	p.body = nil
	p.prog = nil
	p.adopted = false
	p.unwinding = false
	p.usedFPU = false
	p.accounted = false
	p.signals = signalState{}
	p.usage, p.reaped = bench.Usage{}, bench.Usage{}
	k.pool = append(k.pool, p)
}

// Getpid returns the process's number.
func (p *Process) Getpid() int {
	p.enter()
	pid := p.pid
	p.leave()
	return pid
}

// Getppid returns the parent's number; a process whose parent has died has
// process 1 for one.
func (p *Process) Getppid() int {
	p.enter()
	pid := initPID
	if p.parent != nil {
		pid = p.parent.pid
	}
	p.leave()
	return pid
}

// Fork makes a child on a copy of the address space. As in Linux 2.6.18 the
// child runs first, since it is likely to exec.
func (p *Process) Fork(child func(bench.OS) int) (int, error) {
	p.enter()
	k := p.k
	c := k.newProcess()
	if c == nil {
		p.leave()
		return 0, abi.EAGAIN
	}
	mm, err := p.mm.dup()
	if err != nil {
		k.recycle(c)
		p.leave()
		return 0, err
	}
	c.mm = mm
	c.prog = p.prog
	c.files = append(c.files[:0], p.files...)
	for _, f := range c.files {
		if f != nil {
			f.refs++
		}
	}
	c.lowest = p.lowest
	c.signals.inherit(&p.signals)
	c.accounted = p.accounted
	c.status = 0
	c.body = child
	p.addChild(c)
	pid := c.pid
	c.state = stateRunnable
	k.runq.push(c)
	k.runq.push(p)
	p.switchOut()
	p.leave()
	p.prog.afterFork(p)
	return pid, nil
}

// Wait waits for a child, any if pid is -1, and reaps it.
func (p *Process) Wait(pid int) (int, error) {
	p.enter()
	for {
		c, err := p.exited(pid)
		if err != nil {
			p.leave()
			return 0, err
		}
		if c != nil {
			status := c.status
			addUsage(&p.reaped, &c.usage)
			addUsage(&p.reaped, &c.reaped)
			p.k.recycle(c)
			p.leave()
			return status, nil
		}
		p.sleep(&p.children)
	}
}

// exited finds a child that has exited: nil if there is none yet, ECHILD if
// there is no such child at all.
func (p *Process) exited(pid int) (*Process, error) {
	found := false
	for c := p.child; c != nil; c = c.older {
		if pid != -1 && c.pid != pid {
			continue
		}
		found = true
		if c.state == stateZombie {
			return c, nil
		}
	}
	if !found {
		return nil, abi.ECHILD
	}
	return nil, nil
}

// Yield gives the processor to another runnable process, if there is one.
func (p *Process) Yield() {
	p.enter()
	if !p.k.runq.empty() {
		p.k.runq.push(p)
		p.switchOut()
	}
	p.leave()
}
