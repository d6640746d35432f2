//go:build linux && (amd64 || 386)

package linux

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"xsmbench/abi"
	"xsmbench/bench"
)

// block is a block device that is read and written past the page cache (O_DIRECT),
// several requests at a time by the kernel's asynchronous I/O: one thread is enough.
type block struct {
	path  string
	fd    uintptr
	size  int64
	ring  uintptr // the kernel's context of requests
	ready []completion
	busy  []control
	ask   []*control
}

// mostDepth bounds how many requests are under way.
const mostDepth = 64

// control is a struct iocb.
type control struct {
	data   uint64
	_      [2]uint32 // key, flags
	opcode uint16
	_      int16
	fd     uint32
	buffer uint64
	length uint64
	offset int64
	_      uint64
	_, _   uint32
}

// Opcodes of control.
const (
	readBlock  = 0 // IOCB_CMD_PREAD
	writeBlock = 1 // IOCB_CMD_PWRITE
)

// completion is a struct io_event.
type completion struct {
	data, object uint64
	result, _    int64
}

// OpenBlock opens a block device.
func (o *OS) OpenBlock(path string) (bench.BlockDevice, error) {
	fail := func(what string, err error) (bench.BlockDevice, error) {
		return nil, fmt.Errorf("open %s: %s: %w", path, what, err)
	}
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_DIRECT|syscall.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENXIO):
		return nil, bench.Lack("%s cannot be opened: %v", path, err)
	case errors.Is(err, syscall.EINVAL):
		return nil, bench.Lack("%s cannot be read past the page cache", path)
	case err != nil:
		return fail("open", err)
	}
	b := &block{path: path, fd: uintptr(fd), ready: make([]completion, mostDepth), busy: make([]control, mostDepth), ask: make([]*control, mostDepth)}
	const end = 2 // SEEK_END
	if b.size, err = syscall.Seek(fd, 0, end); err != nil {
		b.Close()
		return fail("find its size", err)
	}
	if _, _, e := syscall.RawSyscall(syscall.SYS_IO_SETUP, mostDepth, uintptr(unsafe.Pointer(&b.ring)), 0); e != 0 {
		b.Close()
		return fail("ready asynchronous I/O", abi.Errno(e))
	}
	return b, nil
}

// Size is the device's, in bytes.
func (b *block) Size() int64 { return b.size }

// Buffer maps memory, which begins a page. It is never given back: a benchmark has
// one.
func (*block) Buffer(length int) ([]byte, error) {
	m, err := syscall.Mmap(-1, 0, length, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANONYMOUS)
	if err != nil {
		return nil, fmt.Errorf("map a buffer of %d bytes: %w", length, err)
	}
	return m, nil
}

// Do keeps as many requests under way as depth says until all are done.
func (b *block) Do(requests []bench.BlockRequest, depth int) error {
	if depth < 1 || depth > mostDepth {
		return fmt.Errorf("%d requests at a time on %s: %w", depth, b.path, abi.EINVAL)
	}
	var failed error
	next, under := 0, 0
	free := make([]int, depth) // controls that no request has
	for i := range free {
		free[i] = i
	}
	for next < len(requests) || under > 0 {
		n := min(len(free), len(requests)-next)
		if failed != nil {
			n = 0
		}
		if n > 0 {
			for i := range n {
				b.ask[i] = b.fill(free[i], next+i, requests[next+i])
			}
			r, _, e := syscall.RawSyscall(syscall.SYS_IO_SUBMIT, b.ring, uintptr(n), uintptr(unsafe.Pointer(&b.ask[0])))
			if e != 0 {
				failed = fmt.Errorf("ask %s for %d requests: %w", b.path, n, abi.Errno(e))
				continue
			}
			free, next, under = free[r:], next+int(r), under+int(r)
		}
		if under == 0 {
			break
		}
		done, err := b.await(requests)
		failed = errors.Join(failed, err)
		free, under = append(free, done...), under-len(done)
	}
	return failed
}

// Begin hands requests to the device. It has its own controls: none of Do may be under
// way.
func (b *block) Begin(requests []bench.BlockRequest) (end func() error, err error) {
	if len(requests) > mostDepth {
		return nil, fmt.Errorf("%d requests at a time on %s: %w", len(requests), b.path, abi.EINVAL)
	}
	under := 0
	for under < len(requests) {
		for i := under; i < len(requests); i++ {
			b.ask[i-under] = b.fill(i, i, requests[i])
		}
		r, _, e := syscall.RawSyscall(syscall.SYS_IO_SUBMIT, b.ring, uintptr(len(requests)-under), uintptr(unsafe.Pointer(&b.ask[0])))
		if e != 0 {
			err = fmt.Errorf("ask %s for %d requests: %w", b.path, len(requests)-under, abi.Errno(e))
			break
		}
		under += int(r)
	}
	end = func() error {
		var failed error
		for under > 0 {
			done, err := b.await(requests)
			failed, under = errors.Join(failed, err), under-len(done)
			if err != nil && len(done) == 0 {
				break
			}
		}
		return failed
	}
	if err != nil {
		return nil, errors.Join(err, end())
	}
	return end, nil
}

// fill writes the control of a request.
func (b *block) fill(slot, number int, r bench.BlockRequest) *control {
	c := &b.busy[slot]
	*c = control{data: uint64(slot)<<32 | uint64(number), opcode: readBlock, fd: uint32(b.fd), length: uint64(len(r.Data)), offset: r.Offset}
	c.buffer = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(r.Data))))
	if r.Write {
		c.opcode = writeBlock
	}
	return c
}

// await waits for a request, and takes those that are done. It returns their controls.
func (b *block) await(requests []bench.BlockRequest) (slots []int, err error) {
	r, _, e := syscall.RawSyscall6(syscall.SYS_IO_GETEVENTS, b.ring, 1, mostDepth, uintptr(unsafe.Pointer(&b.ready[0])), 0, 0)
	if e == syscall.EINTR {
		return nil, nil
	}
	if e != 0 {
		return nil, fmt.Errorf("wait for %s: %w", b.path, abi.Errno(e))
	}
	for _, c := range b.ready[:r] {
		slots = append(slots, int(c.data>>32))
		q := requests[uint32(c.data)]
		switch {
		case c.result < 0:
			err = errors.Join(err, fmt.Errorf("%d bytes at %d of %s: %w", len(q.Data), q.Offset, b.path, abi.Errno(-c.result)))
		case c.result != int64(len(q.Data)):
			err = errors.Join(err, fmt.Errorf("%d of %d bytes at %d of %s were moved", c.result, len(q.Data), q.Offset, b.path))
		}
	}
	return slots, err
}

const sectorBytes = 512

// Moved reads the kernel's statistics of the device (Documentation/block/stat.rst).
func (b *block) Moved() (read, written int64, err error) {
	name := filepath.Join("/sys/block", filepath.Base(b.path), "stat")
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, 0, err
	}
	words := strings.Fields(string(text))
	if len(words) < 7 {
		return 0, 0, fmt.Errorf("read %s: %q", name, text)
	}
	in, e1 := strconv.ParseInt(words[2], 10, 64)
	out, e2 := strconv.ParseInt(words[6], 10, 64)
	return in * sectorBytes, out * sectorBytes, errors.Join(e1, e2)
}

// Close gives the device back.
func (b *block) Close() {
	if b.ring != 0 {
		syscall.RawSyscall(syscall.SYS_IO_DESTROY, b.ring, 0, 0)
	}
	syscall.Close(int(b.fd))
}
