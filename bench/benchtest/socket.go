package benchtest

import (
	"time"

	"xsmbench/abi"
	"xsmbench/bench"
)

// socket is what a socket that is not a stream's end keeps: who waits to be accepted,
// or the datagrams that came.
type socket struct {
	kind    bench.SocketKind
	at, to  bench.SocketAddr // its own address, and that of the one it is connected to
	listens bool
	pending []*openFile // ends of connections that nobody accepted
	inbox   []datagram
	last    bench.SocketAddr // whom the last datagram came from
}

type datagram struct {
	from bench.SocketAddr
	data []byte
}

// firstPort is the lowest that Bind chooses.
const firstPort = 32768

func (p *process) Socket(kind bench.SocketKind) (bench.FD, error) {
	defer p.enter()()
	return p.install(&openFile{socket: &socket{kind: kind}}), nil
}

// socketOf finds a socket; it is undefined for other files.
func (p *process) socketOf(fd bench.FD) (*openFile, error) {
	f, err := p.file(fd)
	if err == nil && f.socket == nil {
		err = abi.EINVAL
	}
	return f, err
}

func (p *process) Bind(fd bench.FD, kind bench.SocketKind, a bench.SocketAddr) (bench.SocketAddr, error) {
	defer p.enter()()
	f, err := p.socketOf(fd)
	if err != nil {
		return a, err
	}
	if kind != bench.UnixStream && a.Port == 0 {
		p.dom.nextPort++
		a.Port = firstPort + p.dom.nextPort
	}
	if a.Path != "" {
		if p.dom.files[a.Path] != nil {
			return a, abi.EEXIST
		}
		p.dom.files[a.Path] = p.dom.newInode()
	}
	f.socket.at = a
	p.dom.sockets[address{kind, a}] = f
	return a, nil
}

// address is what sockets are found by.
type address struct {
	kind bench.SocketKind
	at   bench.SocketAddr
}

func (p *process) Listen(fd bench.FD) error {
	defer p.enter()()
	f, err := p.socketOf(fd)
	if err == nil {
		f.socket.listens = true
	}
	return err
}

func (p *process) Accept(fd bench.FD) (bench.FD, error) {
	defer p.enter()()
	f, err := p.socketOf(fd)
	if err != nil {
		return -1, err
	}
	for len(f.socket.pending) == 0 {
		p.wait()
	}
	end := f.socket.pending[0]
	f.socket.pending = f.socket.pending[1:]
	return p.install(end), nil
}

func (p *process) Connect(fd bench.FD, kind bench.SocketKind, a bench.SocketAddr) error {
	defer p.enter()()
	f, err := p.socketOf(fd)
	if err != nil {
		return err
	}
	server := p.dom.sockets[address{kind, a}]
	if server == nil || kind != bench.UDP && !server.socket.listens {
		return abi.ENOENT
	}
	if kind == bench.UDP {
		p.dom.nextPort++
		f.socket.at = bench.SocketAddr{Port: firstPort + p.dom.nextPort}
		f.socket.to = a
		p.dom.sockets[address{kind, f.socket.at}] = f
		return nil
	}
	there, back := &stream{readers: 1, writers: 1}, &stream{readers: 1, writers: 1}
	f.in, f.out, f.socket = back, there, nil
	server.socket.pending = append(server.socket.pending, &openFile{in: there, out: back})
	p.dom.changed.Broadcast()
	return nil
}

func (p *process) Send(fd bench.FD, b []byte) (int, error) {
	defer p.enter()()
	f, err := p.socketOf(fd)
	if err != nil {
		return -1, err
	}
	return p.sendTo(f.socket, f.socket.to, b)
}

func (p *process) sendTo(s *socket, to bench.SocketAddr, b []byte) (int, error) {
	server := p.dom.sockets[address{bench.UDP, to}]
	if server == nil {
		return -1, abi.ENOENT
	}
	server.socket.inbox = append(server.socket.inbox, datagram{s.at, append([]byte(nil), b...)})
	p.dom.changed.Broadcast()
	return len(b), nil
}

func (p *process) Receive(fd bench.FD, b []byte) (int, error) {
	defer p.enter()()
	f, err := p.socketOf(fd)
	if err != nil {
		return -1, err
	}
	for len(f.socket.inbox) == 0 {
		p.wait()
	}
	d := f.socket.inbox[0]
	f.socket.inbox = f.socket.inbox[1:]
	f.socket.last = d.from
	return copy(b, d.data), nil
}

func (p *process) ReceiveFrom(fd bench.FD, b []byte) (int, error) { return p.Receive(fd, b) }

func (p *process) Reply(fd bench.FD, b []byte) (int, error) {
	defer p.enter()()
	f, err := p.socketOf(fd)
	if err != nil {
		return -1, err
	}
	return p.sendTo(f.socket, f.socket.last, b)
}

func (p *process) Buffers(fd bench.FD, _, _ int) error {
	defer p.enter()()
	_, err := p.file(fd)
	return err
}

func (p *process) Reuse(fd bench.FD) error { return p.Buffers(fd, 0, 0) }

func (p *process) Duplicate(fd bench.FD) (bench.FD, error) {
	defer p.enter()()
	f, err := p.file(fd)
	if err != nil {
		return -1, err
	}
	refs := f.refs
	got := p.install(f)
	f.refs = refs + 1
	return got, nil
}

func (p *process) SelectWritable(n int, w *bench.FDSet) (int, error) {
	defer p.enter()()
	var ready bench.FDSet
	count := 0
	for fd := bench.FD(0); int(fd) < n; fd++ {
		if !w.Has(fd) {
			continue
		}
		f, err := p.file(fd)
		if err != nil {
			return 0, err
		}
		if f.out == nil || len(f.out.data) < streamSize {
			ready.Set(fd)
			count++
		}
	}
	*w = ready
	return count, nil
}

func (p *process) Mkfifo(path string) error {
	defer p.enter()()
	if p.dom.files[path] != nil {
		return abi.EEXIST
	}
	f := p.dom.newInode()
	f.fifo = &stream{}
	p.dom.files[path] = f
	return nil
}

// openFIFO opens an end of a named pipe, or both, and waits for the other.
func (p *process) openFIFO(f *inode, flags int) (bench.FD, error) {
	o := &openFile{}
	if flags&3 != bench.O_WRONLY {
		o.in = f.fifo
		f.fifo.readers++
	}
	if flags&3 != bench.O_RDONLY {
		o.out = f.fifo
		f.fifo.writers++
	}
	p.dom.changed.Broadcast()
	for o.in != nil && f.fifo.writers == 0 || o.out != nil && f.fifo.readers == 0 {
		p.wait()
	}
	return p.install(o), nil
}

func (p *process) Seek(fd bench.FD, offset int64) error {
	defer p.enter()()
	f, err := p.file(fd)
	if err == nil {
		f.pos = int(offset)
	}
	return err
}

func (p *process) Fsync(fd bench.FD) error { return p.Buffers(fd, 0, 0) }

// Disk is a file that every domain has.
func (p *process) Disk() string { return diskPath }

// Dynamic is a program that counts as one that is linked with the C library.
func (p *process) Dynamic() string { return "/bin/hello" }

// The file that is the domain's disk.
const (
	diskPath = "/dev/disk"
	diskSize = 1 << 20
)

func (p *process) Lock(fd bench.FD) error {
	defer p.enter()()
	f, err := p.file(fd)
	if err != nil {
		return err
	}
	for f.inode.lockedBy != nil && f.inode.lockedBy != p && !f.inode.lockedBy.ended {
		p.wait()
	}
	f.inode.lockedBy = p
	return nil
}

func (p *process) Unlock(fd bench.FD) error {
	defer p.enter()()
	f, err := p.file(fd)
	if err != nil {
		return err
	}
	if f.inode.lockedBy == p {
		f.inode.lockedBy = nil
		p.dom.changed.Broadcast()
	}
	return nil
}

func (p *process) NewSemaphores(count int) (int, error) {
	defer p.enter()()
	p.dom.nextSet++
	p.dom.semaphores[p.dom.nextSet] = make([]int, count)
	return p.dom.nextSet, nil
}

func (p *process) Operate(id int, ops []bench.SemaphoreOp) error {
	defer p.enter()()
	for {
		set := p.dom.semaphores[id]
		if set == nil {
			return abi.EINVAL
		}
		can := true
		for _, o := range ops {
			can = can && set[o.Number]+int(o.Add) >= 0
		}
		if can {
			for _, o := range ops {
				set[o.Number] += int(o.Add)
			}
			p.dom.changed.Broadcast()
			return nil
		}
		p.wait()
	}
}

func (p *process) RemoveSemaphores(id int) error {
	defer p.enter()()
	if p.dom.semaphores[id] == nil {
		return abi.EINVAL
	}
	delete(p.dom.semaphores, id)
	p.dom.changed.Broadcast()
	return nil
}

// ReadySleep readies sleeps, which pass on the domain's clock only.
func (p *process) ReadySleep(_ bench.SleepMethod, length time.Duration) (sleep func() error, end func(), err error) {
	return func() error {
		p.dom.charge()
		p.dom.charged.Add(int64(length))
		return nil
	}, func() {}, nil
}
