package benchtest

import (
	"xsmbench/abi"
	"xsmbench/bench"
)

// inode is a file's content, in pages that mappings share.
type inode struct {
	ino   uint64
	size  int
	pages [][]byte
	fifo  *stream // of a named pipe
	// lockedBy has the lock of the first byte.
	lockedBy *process
}

func (d *Domain) newInode() *inode {
	d.nextIno++
	return &inode{ino: d.nextIno}
}

func (f *inode) page(i int) []byte {
	for len(f.pages) <= i {
		f.pages = append(f.pages, make([]byte, abi.PageSize))
	}
	return f.pages[i]
}

func (f *inode) readAt(b []byte, at int) int {
	b = b[:max(0, min(len(b), f.size-at))]
	done := 0
	for done < len(b) {
		done += copy(b[done:], f.page((at + done) / abi.PageSize)[(at+done)%abi.PageSize:])
	}
	return done
}

func (f *inode) writeAt(b []byte, at int) int {
	done := 0
	for done < len(b) {
		done += copy(f.page((at + done) / abi.PageSize)[(at+done)%abi.PageSize:], b[done:])
	}
	f.size = max(f.size, at+done)
	return done
}

// stream is a pipe's buffer.
type stream struct {
	data             []byte
	readers, writers int
}

const streamSize = 64 << 10

// openFile is what a descriptor stands for; fork shares it.
type openFile struct {
	refs    int
	inode   *inode
	pos     int
	device  string
	in, out *stream
	socket  *socket // not of a connected stream
}

func (f *openFile) drop(d *Domain) {
	if f.refs--; f.refs > 0 {
		return
	}
	if s := f.socket; s != nil {
		delete(d.sockets, address{s.kind, s.at})
	}
	if f.in != nil {
		f.in.readers--
	}
	if f.out != nil {
		f.out.writers--
	}
}

func (p *process) install(f *openFile) bench.FD {
	f.refs = 1
	for fd, old := range p.fds {
		if old == nil && fd > 2 {
			p.fds[fd] = f
			return bench.FD(fd)
		}
	}
	for len(p.fds) < 3 {
		p.fds = append(p.fds, nil)
	}
	p.fds = append(p.fds, f)
	return bench.FD(len(p.fds) - 1)
}

func (p *process) file(fd bench.FD) (*openFile, error) {
	if fd < 0 || int(fd) >= len(p.fds) || p.fds[fd] == nil {
		return nil, abi.EBADF
	}
	return p.fds[fd], nil
}

func (p *process) Open(path string, flags int) (bench.FD, error) {
	defer p.enter()()
	if path == "/dev/zero" || path == "/dev/null" {
		return p.install(&openFile{device: path}), nil
	}
	f := p.dom.files[path]
	if f == nil {
		if flags&bench.O_CREAT == 0 {
			return -1, abi.ENOENT
		}
		f = p.dom.newInode()
		p.dom.files[path] = f
	}
	if f.fifo != nil {
		return p.openFIFO(f, flags)
	}
	if flags&bench.O_TRUNC != 0 {
		f.size, f.pages = 0, nil
	}
	return p.install(&openFile{inode: f}), nil
}

func (p *process) Close(fd bench.FD) error {
	defer p.enter()()
	return p.close(fd)
}

func (p *process) close(fd bench.FD) error {
	f, err := p.file(fd)
	if err != nil {
		return err
	}
	p.fds[fd] = nil
	f.drop(p.dom)
	p.dom.changed.Broadcast()
	return nil
}

func (p *process) Read(fd bench.FD, b []byte) (int, error) {
	defer p.enter()()
	f, err := p.file(fd)
	switch {
	case err != nil:
		return 0, err
	case f.device == "/dev/zero":
		clear(b)
		return len(b), nil
	case f.device != "":
		return 0, nil
	case f.inode != nil:
		n := f.inode.readAt(b, f.pos)
		f.pos += n
		return n, nil
	case f.in == nil:
		return 0, abi.EBADF
	}
	for len(f.in.data) == 0 && f.in.writers > 0 {
		p.wait()
	}
	n := copy(b, f.in.data)
	f.in.data = f.in.data[n:]
	p.dom.changed.Broadcast()
	return n, nil
}

func (p *process) Write(fd bench.FD, b []byte) (int, error) {
	defer p.enter()()
	f, err := p.file(fd)
	switch {
	case err != nil:
		return 0, err
	case f.device != "":
		return len(b), nil
	case f.inode != nil:
		n := f.inode.writeAt(b, f.pos)
		f.pos += n
		return n, nil
	case f.out == nil:
		return 0, abi.EBADF
	}
	done := 0
	for done < len(b) {
		for len(f.out.data) == streamSize && f.out.readers > 0 {
			p.wait()
		}
		if f.out.readers == 0 {
			return done, abi.EPIPE
		}
		n := min(len(b)-done, streamSize-len(f.out.data))
		f.out.data = append(f.out.data, b[done:done+n]...)
		done += n
		p.dom.changed.Broadcast()
	}
	return done, nil
}

func (p *process) Stat(path string, st *bench.Stat) error {
	defer p.enter()()
	f := p.dom.files[path]
	if f == nil {
		return abi.ENOENT
	}
	*st = bench.Stat{Ino: f.ino, Size: int64(f.size)}
	return nil
}

func (p *process) Fstat(fd bench.FD, st *bench.Stat) error {
	defer p.enter()()
	f, err := p.file(fd)
	if err != nil {
		return err
	}
	*st = bench.Stat{}
	if f.inode != nil {
		*st = bench.Stat{Ino: f.inode.ino, Size: int64(f.inode.size)}
	}
	return nil
}

func (p *process) Unlink(path string) error {
	defer p.enter()()
	if p.dom.files[path] == nil {
		return abi.ENOENT
	}
	delete(p.dom.files, path)
	return nil
}

func (p *process) Rename(old, name string) error {
	defer p.enter()()
	f := p.dom.files[old]
	if f == nil {
		return abi.ENOENT
	}
	delete(p.dom.files, old)
	p.dom.files[name] = f
	return nil
}

func (p *process) Ftruncate(fd bench.FD, size int64) error {
	defer p.enter()()
	f, err := p.file(fd)
	if err != nil {
		return err
	}
	if f.inode == nil {
		return abi.EINVAL
	}
	f.inode.size = int(size)
	return nil
}

func (p *process) Pipe() (r, w bench.FD, err error) {
	defer p.enter()()
	s := &stream{readers: 1, writers: 1}
	return p.install(&openFile{in: s}), p.install(&openFile{out: s}), nil
}

func (p *process) Socketpair() (a, b bench.FD, err error) {
	defer p.enter()()
	s, t := &stream{readers: 1, writers: 1}, &stream{readers: 1, writers: 1}
	return p.install(&openFile{in: s, out: t}), p.install(&openFile{in: t, out: s}), nil
}

func (p *process) Select(n int, r *bench.FDSet) (int, error) {
	defer p.enter()()
	var ready bench.FDSet
	count := 0
	for fd := bench.FD(0); int(fd) < n; fd++ {
		if !r.Has(fd) {
			continue
		}
		f, err := p.file(fd)
		if err != nil {
			return 0, err
		}
		if f.in == nil || len(f.in.data) > 0 || f.in.writers == 0 {
			ready.Set(fd)
			count++
		}
	}
	*r = ready
	return count, nil
}
