package guest

import (
	"xsmbench/abi"
	"xsmbench/bench"
)

// file is an open file (struct file); descriptors of several processes may
// share it.
type file struct {
	refs  int
	flags int
	pos   int64
	node  *inode // nil for pipes and sockets
	ops   fileOps
	in    *channel // read from: pipes and sockets
	out   *channel // written to
	next  *file    // in the kernel's free list
}

// fileOps is what an open file does (struct file_operations).
type fileOps interface {
	read(p *Process, f *file, b []byte) (int, error)
	write(p *Process, f *file, b []byte) (int, error)
	readable(f *file) bool
	stat(f *file, st *bench.Stat)
	release(k *Kernel, f *file)
}

// newFile makes an open file with one descriptor's reference.
func (k *Kernel) newFile(flags int, node *inode, ops fileOps) *file {
	f := k.freeFiles
	if f == nil {
		f = new(file)
	} else {
		k.freeFiles = f.next
	}
	*f = file{refs: 1, flags: flags, node: node, ops: ops}
	if node != nil {
		node.users++
	}
	return f
}

// putFile drops a reference to an open file.
func (k *Kernel) putFile(f *file) {
	f.refs--
	if f.refs > 0 {
		return
	}
	f.ops.release(k, f)
	if f.node != nil {
		k.fs.release(f.node)
	}
	*f = file{next: k.freeFiles}
	k.freeFiles = f
}

// install gives an open file the lowest free descriptor.
func (p *Process) install(f *file) (bench.FD, error) {
	for fd := p.lowest; fd < len(p.files); fd++ {
		if p.files[fd] == nil {
			p.files[fd] = f
			p.lowest = fd + 1
			return bench.FD(fd), nil
		}
	}
	if len(p.files) >= maxFiles {
		return -1, abi.EMFILE
	}
	p.files = append(p.files, f)
	p.lowest = len(p.files)
	return bench.FD(len(p.files) - 1), nil
}

// file returns the open file of a descriptor, nil if there is none.
func (p *Process) file(fd bench.FD) *file {
	if uint(fd) >= uint(len(p.files)) {
		return nil
	}
	return p.files[fd]
}

// remove takes a descriptor away without dropping its reference.
func (p *Process) remove(fd bench.FD) {
	p.files[fd] = nil
	if int(fd) < p.lowest {
		p.lowest = int(fd)
	}
}

// closeAll closes every descriptor.
func (p *Process) closeAll() {
	for fd, f := range p.files {
		if f != nil {
			p.files[fd] = nil
			p.k.putFile(f)
		}
	}
	p.files = p.files[:0]
	p.lowest = 0
}

// Open opens the file at path, which O_CREAT makes if it is not there.
func (p *Process) Open(path string, flags int) (bench.FD, error) {
	p.enter()
	fd, err := p.openAt(path, flags)
	p.leave()
	return fd, err
}

func (p *Process) openAt(path string, flags int) (bench.FD, error) {
	k := p.k
	n, err := k.fs.lookup(path)
	if err == abi.ENOENT && flags&bench.O_CREAT != 0 {
		n, err = k.fs.create(path)
	}
	if err != nil {
		return -1, err
	}
	write := flags&(bench.O_WRONLY|bench.O_RDWR) != 0
	if n.entries != nil && write {
		return -1, abi.EISDIR
	}
	if flags&bench.O_TRUNC != 0 && write && n.mode&modeFile == modeFile {
		n.truncate(k, 0)
	}
	f := k.newFile(flags, n, n.open)
	fd, err := p.install(f)
	if err != nil {
		k.putFile(f)
	}
	return fd, err
}

// Close closes a descriptor.
func (p *Process) Close(fd bench.FD) error {
	p.enter()
	f := p.file(fd)
	if f == nil {
		p.leave()
		return abi.EBADF
	}
	p.remove(fd)
	p.k.putFile(f)
	p.leave()
	return nil
}

// Read reads from a descriptor into b; 0 bytes are the end of the file.
func (p *Process) Read(fd bench.FD, b []byte) (int, error) {
	p.enter()
	f := p.file(fd)
	if f == nil || f.flags&3 == bench.O_WRONLY {
		p.leave()
		return 0, abi.EBADF
	}
	n, err := f.ops.read(p, f, b)
	p.leave()
	return n, err
}

// Write writes b to a descriptor.
func (p *Process) Write(fd bench.FD, b []byte) (int, error) {
	p.enter()
	f := p.file(fd)
	if f == nil || f.flags&3 == bench.O_RDONLY {
		p.leave()
		return 0, abi.EBADF
	}
	n, err := f.ops.write(p, f, b)
	p.leave()
	return n, err
}

// Fstat tells what a descriptor stands for.
func (p *Process) Fstat(fd bench.FD, st *bench.Stat) error {
	p.enter()
	f := p.file(fd)
	if f == nil {
		p.leave()
		return abi.EBADF
	}
	f.ops.stat(f, st)
	p.leave()
	return nil
}

// Ftruncate sets the size of an open file.
func (p *Process) Ftruncate(fd bench.FD, size int64) error {
	p.enter()
	defer p.leave()
	f := p.file(fd)
	switch {
	case f == nil:
		return abi.EBADF
	case f.flags&3 == bench.O_RDONLY || f.node == nil || f.node.mode&modeFile != modeFile || size < 0:
		return abi.EINVAL
	case size > maxFileSize:
		return abi.EFBIG
	}
	f.node.truncate(p.k, size)
	return nil
}

// Seek sets the position of an open file, from its beginning.
func (p *Process) Seek(fd bench.FD, offset int64) error {
	p.enter()
	defer p.leave()
	f := p.file(fd)
	switch {
	case f == nil:
		return abi.EBADF
	case f.node == nil || f.node.mode&modeFile != modeFile || offset < 0:
		return abi.EINVAL
	}
	f.pos = offset
	return nil
}

// Fsync has nothing to wait for: files are in memory.
func (p *Process) Fsync(fd bench.FD) error {
	p.enter()
	defer p.leave()
	if p.file(fd) == nil {
		return abi.EBADF
	}
	return nil
}

// Select tells which of the first n descriptors of r are readable, without
// waiting.
func (p *Process) Select(n int, r *bench.FDSet) (int, error) {
	p.enter()
	ready, err := p.poll(n, r)
	p.leave()
	return ready, err
}

func (p *Process) poll(n int, r *bench.FDSet) (int, error) {
	if n < 0 || n > maxFiles {
		return 0, abi.EINVAL
	}
	ready := 0
	for w := 0; w*64 < n; w++ {
		set := r[w]
		if n < w*64+64 {
			set &= 1<<(n-w*64) - 1
		}
		var out uint64
		for bit := 0; set>>bit != 0; bit++ {
			if set>>bit&1 == 0 {
				continue
			}
			f := p.file(bench.FD(w*64 + bit))
			if f == nil {
				return 0, abi.EBADF
			}
			if f.ops.readable(f) {
				out |= 1 << bit
				ready++
			}
		}
		r[w] = out
	}
	return ready, nil
}
