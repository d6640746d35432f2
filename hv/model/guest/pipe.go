package guest

import (
	"xsmbench/abi"
	"xsmbench/bench"
)

// channelSize is what a pipe, or one direction of a socket, holds: sixteen
// frames, as in Linux 2.6.11 and later.
const (
	channelFrames = 16
	channelSize   = channelFrames * abi.PageSize
)

// channel is a ring of bytes in frames of the domain, taken when first
// written to. It has at most one reading and one writing open file.
type channel struct {
	frames         [channelFrames]pfn
	head, used     int
	reader, writer bool // open for reading, for writing
	readers        waitQueue
	writers        waitQueue
}

// Pipe makes a pipe and returns its ends.
func (p *Process) Pipe() (r, w bench.FD, err error) {
	p.enter()
	defer p.leave()
	c := &channel{reader: true, writer: true}
	fr := p.k.newFile(bench.O_RDONLY, nil, pipeOps{})
	fr.in = c
	fw := p.k.newFile(bench.O_WRONLY, nil, pipeOps{})
	fw.out = c
	return p.installPair(fr, fw)
}

// Socketpair makes two connected stream sockets.
func (p *Process) Socketpair() (a, b bench.FD, err error) {
	p.enter()
	defer p.leave()
	ab := &channel{reader: true, writer: true}
	ba := &channel{reader: true, writer: true}
	fa := p.k.newFile(bench.O_RDWR, nil, socketOps{})
	fa.in, fa.out = ba, ab
	fb := p.k.newFile(bench.O_RDWR, nil, socketOps{})
	fb.in, fb.out = ab, ba
	return p.installPair(fa, fb)
}

// installPair gives descriptors to both files, or to neither.
func (p *Process) installPair(x, y *file) (a, b bench.FD, err error) {
	a, err = p.install(x)
	if err == nil {
		b, err = p.install(y)
		if err == nil {
			return a, b, nil
		}
		p.remove(a)
	}
	p.k.putFile(x)
	p.k.putFile(y)
	return -1, -1, err
}

// read takes what is there, up to len(b) bytes, and waits for the first.
func (c *channel) read(p *Process, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for c.used == 0 {
		if !c.writer {
			return 0, nil
		}
		p.sleep(&c.readers)
	}
	done := 0
	for done < len(b) && c.used > 0 {
		frame, off := c.head/abi.PageSize, c.head%abi.PageSize
		n := min(len(b)-done, c.used, abi.PageSize-off)
		copy(b[done:done+n], p.k.page(c.frames[frame], false)[off:])
		done += n
		c.used -= n
		c.head = (c.head + n) % channelSize
	}
	if c.used == 0 {
		c.head = 0
	}
	c.writers.wakeAll(p.k)
	return done, nil
}

// write puts all of b in, waiting for room. Without a reader it fails with
// EPIPE (SIGPIPE is taken as ignored).
func (c *channel) write(p *Process, b []byte) (int, error) {
	done := 0
	for done < len(b) {
		if !c.reader {
			return done, abi.EPIPE
		}
		if c.used == channelSize {
			p.sleep(&c.writers)
			continue
		}
		tail := (c.head + c.used) % channelSize
		frame, off := tail/abi.PageSize, tail%abi.PageSize
		if c.frames[frame] == 0 {
			if c.frames[frame] = p.k.mem.alloc(); c.frames[frame] == 0 {
				return done, abi.ENOMEM
			}
		}
		n := min(len(b)-done, channelSize-c.used, abi.PageSize-off)
		copy(p.k.page(c.frames[frame], true)[off:], b[done:done+n])
		done += n
		c.used += n
		c.readers.wakeAll(p.k)
	}
	return done, nil
}

// closeRead and closeWrite end one side; the frames go after both.
func (c *channel) closeRead(k *Kernel) {
	c.reader = false
	c.writers.wakeAll(k)
	c.reclaim(k)
}

func (c *channel) closeWrite(k *Kernel) {
	c.writer = false
	c.readers.wakeAll(k)
	c.reclaim(k)
}

func (c *channel) reclaim(k *Kernel) {
	if c.reader || c.writer {
		return
	}
	for i, f := range c.frames {
		if f != 0 {
			k.mem.put(f)
			c.frames[i] = 0
		}
	}
}

// pipeOps is one end of a pipe, socketOps one of a socket pair.
type pipeOps struct{}

func (pipeOps) read(p *Process, f *file, b []byte) (int, error)  { return f.in.read(p, b) }
func (pipeOps) write(p *Process, f *file, b []byte) (int, error) { return f.out.write(p, b) }

func (pipeOps) readable(f *file) bool {
	return f.in != nil && (f.in.used > 0 || !f.in.writer)
}

func (pipeOps) stat(f *file, st *bench.Stat) { *st = bench.Stat{Mode: modeFIFO | 0o600} }

func (pipeOps) release(k *Kernel, f *file) {
	if f.in != nil {
		f.in.closeRead(k)
	}
	if f.out != nil {
		f.out.closeWrite(k)
	}
}

type socketOps struct{ pipeOps }

func (socketOps) stat(f *file, st *bench.Stat) { *st = bench.Stat{Mode: modeSocket | 0o777} }
