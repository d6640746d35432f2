package benchtest

import (
	"fmt"
	"runtime"
	"time"

	"xsmbench/abi"
	"xsmbench/bench"
)

// process implements bench.OS.
type process struct {
	dom      *Domain
	pid      int
	parent   *process
	children map[int]*process
	fds      []*openFile
	maps     []*mapping
	nextAddr bench.Addr
	handlers map[bench.Signal]func(bench.Signal)
	ended    bool
	killed   bool
	ending   bool // in exit
	status   int
	started  time.Duration
	used     bench.Usage // own
	reaped   bench.Usage // of children
}

func (d *Domain) newProcess(parent *process) *process {
	d.nextPID++
	p := &process{
		dom: d, pid: d.nextPID, parent: parent,
		children: map[int]*process{}, handlers: map[bench.Signal]func(bench.Signal){},
		nextAddr: 0x10000, started: d.now(),
	}
	if parent != nil {
		parent.children[p.pid] = p
	}
	return p
}

func (p *process) descendants() int {
	n := 0
	for _, c := range p.children {
		n += 1 + c.descendants()
	}
	return n
}

// enter takes the machine's lock; use as defer p.enter()().
func (p *process) enter() func() {
	p.dom.charge()
	p.dom.mu.Lock()
	if p.killed && !p.ending {
		p.dom.mu.Unlock()
		panic(segfault{fmt.Sprintf("process %d: killed", p.pid)})
	}
	return p.dom.mu.Unlock
}

// wait blocks until something has changed. A process that is killed leaves its code
// there; the lock is given back as enter says.
func (p *process) wait() {
	p.used.Voluntary++
	p.dom.changed.Wait()
	if p.killed && !p.ending {
		panic(segfault{fmt.Sprintf("process %d: killed", p.pid)})
	}
}

func (p *process) Getpid() int {
	p.dom.charge()
	return p.pid
}

func (p *process) Getppid() int {
	p.dom.charge()
	if p.parent == nil {
		return 0
	}
	return p.parent.pid
}

func (p *process) Now() time.Duration {
	if p.dom.Clock != nil {
		return p.dom.Clock()
	}
	return p.dom.now()
}

func (p *process) Yield() {
	p.dom.charge()
	runtime.Gosched()
}

func (p *process) Fork(child func(bench.OS) int) (int, error) {
	defer p.enter()()
	c := p.dom.newProcess(p)
	c.fds = append(c.fds, p.fds...)
	for _, f := range c.fds {
		if f != nil {
			f.refs++
		}
	}
	for _, m := range p.maps {
		c.maps = append(c.maps, m.fork())
	}
	c.nextAddr = p.nextAddr
	for s, h := range p.handlers {
		c.handlers[s] = h
	}
	go c.run(child)
	return c.pid, nil
}

// run is a process's life after fork. A fault without a handler ends it, as
// SIGSEGV does.
func (p *process) run(child func(bench.OS) int) {
	status := 128 + int(bench.SIGSEGV)
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(segfault); !ok {
				panic(r)
			}
		}
		p.exit(status)
	}()
	status = child(p)
}

func (p *process) exit(status int) {
	p.dom.mu.Lock()
	p.ending = true
	p.dom.mu.Unlock()
	defer p.enter()()
	for fd := range p.fds {
		p.close(bench.FD(fd))
	}
	p.maps = nil
	p.ended, p.status = true, status
	p.used.User = p.dom.now() - p.started
	p.dom.changed.Broadcast()
}

func (p *process) Wait(pid int) (int, error) {
	defer p.enter()()
	for {
		if len(p.children) == 0 || pid >= 0 && p.children[pid] == nil {
			return 0, abi.ECHILD
		}
		for id, c := range p.children {
			if c.ended && (pid < 0 || id == pid) {
				delete(p.children, id)
				p.reaped = add(p.reaped, add(c.used, c.reaped))
				return c.status, nil
			}
		}
		p.wait()
	}
}

func add(a, b bench.Usage) bench.Usage {
	return bench.Usage{
		User: a.User + b.User, System: a.System + b.System,
		Voluntary: a.Voluntary + b.Voluntary, Involuntary: a.Involuntary + b.Involuntary,
		MinorFaults: a.MinorFaults + b.MinorFaults,
	}
}

func (p *process) Rusage() bench.Usage {
	defer p.enter()()
	return p.reaped
}

func (p *process) Exec(path string, args ...string) int {
	for _, e := range bench.Executables() {
		if e.Path == path {
			unlock := p.enter()
			p.maps = nil
			clear(p.handlers)
			unlock()
			return e.Main(p, args)
		}
	}
	return 127
}

func (p *process) Sigaction(sig bench.Signal, handler func(bench.Signal)) error {
	defer p.enter()()
	if handler == nil {
		delete(p.handlers, sig)
	} else {
		p.handlers[sig] = handler
	}
	return nil
}

// sigkill ends a process.
const sigkill bench.Signal = 9

// Kill delivers signals to the process itself, and kills children, at their next
// call or where they wait; signal 0 checks that a process exists.
func (p *process) Kill(pid int, sig bench.Signal) error {
	if pid != p.pid {
		defer p.enter()()
		c := p.children[pid]
		if c == nil {
			return abi.ESRCH
		}
		c.killed = c.killed || sig == sigkill
		p.dom.changed.Broadcast()
		return nil
	}
	p.dom.charge()
	if sig == 0 {
		return nil
	}
	p.deliver(sig)
	return nil
}

// segfault is the panic of an access that nothing handles.
type segfault struct{ text string }

func (s segfault) Error() string { return s.text }

func (p *process) deliver(sig bench.Signal) {
	unlock := p.enter()
	h := p.handlers[sig]
	unlock()
	if h == nil {
		panic(segfault{fmt.Sprintf("process %d: unhandled signal %d", p.pid, sig)})
	}
	h(sig)
}
