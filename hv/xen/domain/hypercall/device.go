//go:build linux && (amd64 || 386)

package hypercall

import (
	"errors"
	"fmt"
	"syscall"
	"time"
	"unsafe"

	"xsmbench/abi"
)

// Paths of the devices.
const (
	privcmdPath   = "/dev/xen/privcmd"
	hypercallPath = "/dev/xen/hypercall"
	gntdevPath    = "/dev/xen/gntdev"
	gntallocPath  = "/dev/xen/gntalloc"
	evtchnPath    = "/dev/xen/evtchn"
)

// Operations of the devices.
var (
	privcmdHypercall  = ioc('P', 0, uint32(unsafe.Sizeof(request{})))
	gntallocAlloc     = ioc('G', 5, uint32(unsafe.Sizeof(allocation{})))
	evtchnRemote      = ioc('E', 1, 8)
	evtchnUnboundPort = ioc('E', 2, 4)
	evtchnUnbind      = ioc('E', 3, 4)
	evtchnNotify      = ioc('E', 4, 4)
)

// allocation is struct ioctl_gntalloc_alloc_gref of a 64-bit program.
type allocation struct {
	dom, flags uint16
	count      uint32
	index      uint64
	ref        uint32
	_          uint32
}

const gntallocWritable = 1

// Open opens the devices of a domain; dom is its own number.
func Open(dom abi.DomID, privileged bool, iface *Interface) (*Domain, error) {
	dev, err := openDevices()
	if err != nil {
		return nil, fmt.Errorf("open domain: %w", err)
	}
	d, err := newDomain(dom, privileged, dev, iface)
	if err != nil {
		if errors.Is(err, abi.Errno(syscall.ENOTTY)) && unsafe.Sizeof(uintptr(0)) == 4 {
			err = fmt.Errorf("a 64-bit kernel takes no hypercalls from a 32-bit program: %w", err)
		}
		return nil, errors.Join(fmt.Errorf("open domain: %w", err), dev.close())
	}
	return d, nil
}

// kernel is the devices of the running kernel.
type kernel struct {
	privcmd, buffers int
	more             []int // descriptors opened later
	free             memory
}

func openDevices() (*kernel, error) {
	privcmd, err := openDevice(privcmdPath)
	if err != nil {
		return nil, err
	}
	buffers, err := openDevice(hypercallPath)
	if err != nil {
		syscall.Close(privcmd)
		return nil, err
	}
	return &kernel{privcmd: privcmd, buffers: buffers}, nil
}

func openDevice(path string) (int, error) {
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", path, err)
	}
	return fd, nil
}

// openMore opens a device that close closes.
func (k *kernel) openMore(path string) (int, error) {
	fd, err := openDevice(path)
	if err == nil {
		k.more = append(k.more, fd)
	}
	return fd, err
}

func (k *kernel) close() error {
	var errs []error
	for _, fd := range append(k.more, k.privcmd, k.buffers) {
		if err := syscall.Close(fd); err != nil {
			errs = append(errs, fmt.Errorf("close device: %w", err))
		}
	}
	return errors.Join(errs...)
}

// hypercall is timed: it must stay a raw system call.
func (k *kernel) hypercall(r *request) int64 {
	n, _, e := syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(k.privcmd), uintptr(privcmdHypercall), uintptr(unsafe.Pointer(r)))
	return result(n, e)
}

// result is what a system call returns, a negated error number on failure.
func result(n uintptr, e syscall.Errno) int64 {
	if e != 0 {
		return -int64(e)
	}
	return int64(n)
}

const (
	chunk     = 16 * abi.PageSize // of memory for arguments
	alignment = 64                // no two calls' arguments share a cache line
)

// allocate cuts arguments from chunks, which stay to the end of the process.
func (k *kernel) allocate(size int) (memory, error) {
	size = (size + alignment - 1) &^ (alignment - 1)
	if size > len(k.free.b) {
		b, err := syscall.Mmap(k.buffers, 0, max(chunk, pages(size)), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
		if err != nil {
			return memory{}, fmt.Errorf("map %s: %w", hypercallPath, err)
		}
		k.free = memoryOf(b)
	}
	m := memory{k.free.b[:size:size], k.free.at}
	k.free = k.free.from(size)
	return m, nil
}

func pages(size int) int { return (size + abi.PageSize - 1) &^ (abi.PageSize - 1) }

func memoryOf(b []byte) memory {
	return memory{b, uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))}
}

// page is present from the start, so that no copy waits for a fault.
func (k *kernel) page() (memory, error) {
	const flags = syscall.MAP_PRIVATE | syscall.MAP_ANONYMOUS | syscall.MAP_POPULATE
	b, err := syscall.Mmap(-1, 0, abi.PageSize, syscall.PROT_READ|syscall.PROT_WRITE, flags)
	if err != nil {
		return memory{}, err
	}
	return memoryOf(b), nil
}

func (k *kernel) grantDevice() (grantDevice, error) {
	fd, err := k.openMore(gntdevPath)
	return gntdev(fd), err
}

// grantPage leaves the device open: the grant ends with it.
func (k *kernel) grantPage(to abi.DomID) (abi.GrantRef, error) {
	fd, err := k.openMore(gntallocPath)
	if err != nil {
		return 0, err
	}
	a := &allocation{dom: uint16(to), flags: gntallocWritable, count: 1}
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), uintptr(gntallocAlloc), uintptr(unsafe.Pointer(a))); e != 0 {
		return 0, fmt.Errorf("allocate page of %s: %w", gntallocPath, e)
	}
	return abi.GrantRef(a.ref), nil
}

func (k *kernel) events() (eventDevice, error) {
	fd, err := openDevice(evtchnPath)
	if err != nil {
		return nil, err
	}
	return &evtchn{fd: fd}, nil
}

// gntdev is a descriptor of /dev/xen/gntdev.
type gntdev int

func (g gntdev) ioctl(nr uint32, at uint64) int64 {
	n, _, e := syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(g), uintptr(nr), uintptr(at))
	return result(n, e)
}

func (g gntdev) mmap(offset uint64, writable bool) (uint64, abi.Errno) {
	prot := uintptr(syscall.PROT_READ)
	if writable {
		prot |= syscall.PROT_WRITE
	}
	at, e := mmap(abi.PageSize, prot, syscall.MAP_SHARED, uintptr(g), offset)
	return uint64(at), abi.Errno(e)
}

func (g gntdev) munmap(at uint64) abi.Errno {
	_, _, e := syscall.RawSyscall(syscall.SYS_MUNMAP, uintptr(at), abi.PageSize, 0)
	return abi.Errno(e)
}

// evtchn is an open /dev/xen/evtchn. The arguments of what is timed are in it,
// so that a call allocates nothing; one goroutine uses it at a time.
type evtchn struct {
	fd   int
	port uint32
	poll pollFD
}

// pollFD is struct pollfd.
type pollFD struct {
	fd              int32
	events, revents int16
}

const pollIn = 1

// bind makes an ioctl whose result is a port.
func (v *evtchn) bind(nr uint32, arg *[2]uint32) (abi.Port, error) {
	n, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(v.fd), uintptr(nr), uintptr(unsafe.Pointer(arg)))
	if e != 0 {
		return 0, e
	}
	return abi.Port(n), nil
}

func (v *evtchn) bindUnbound(remote abi.DomID) (abi.Port, error) {
	return v.bind(evtchnUnboundPort, &[2]uint32{uint32(remote)})
}

func (v *evtchn) bindRemote(remote abi.DomID, port abi.Port) (abi.Port, error) {
	return v.bind(evtchnRemote, &[2]uint32{uint32(remote), uint32(port)})
}

func (v *evtchn) unbind(port abi.Port) error {
	if _, err := v.bind(evtchnUnbind, &[2]uint32{uint32(port)}); err != nil {
		return fmt.Errorf("unbind port %d: %w", port, err)
	}
	return nil
}

func (v *evtchn) notify(port abi.Port) abi.Errno {
	v.port = uint32(port)
	_, _, e := syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(v.fd), uintptr(evtchnNotify), uintptr(unsafe.Pointer(&v.port)))
	return abi.Errno(e)
}

func (v *evtchn) enable(port abi.Port) abi.Errno {
	v.port = uint32(port)
	_, _, e := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(v.fd), uintptr(unsafe.Pointer(&v.port)), unsafe.Sizeof(v.port))
	return abi.Errno(e)
}

func (v *evtchn) read() (abi.Port, abi.Errno) {
	for {
		_, _, e := syscall.RawSyscall(syscall.SYS_READ, uintptr(v.fd), uintptr(unsafe.Pointer(&v.port)), unsafe.Sizeof(v.port))
		if e != syscall.EINTR {
			return abi.Port(v.port), abi.Errno(e)
		}
	}
}

func (v *evtchn) await() (abi.Port, abi.Errno) {
	for {
		_, _, e := syscall.Syscall(syscall.SYS_READ, uintptr(v.fd), uintptr(unsafe.Pointer(&v.port)), unsafe.Sizeof(v.port))
		if e != syscall.EINTR {
			return abi.Port(v.port), abi.Errno(e)
		}
	}
}

// ready may wait a little longer if a signal interrupts it.
func (v *evtchn) ready(d time.Duration) bool {
	v.poll = pollFD{fd: int32(v.fd), events: pollIn}
	for {
		n, _, e := syscall.RawSyscall(syscall.SYS_POLL, uintptr(unsafe.Pointer(&v.poll)), 1, uintptr(d.Milliseconds()))
		if e != syscall.EINTR {
			return e == 0 && n == 1
		}
	}
}

func (v *evtchn) close() error {
	if err := syscall.Close(v.fd); err != nil {
		return fmt.Errorf("close %s: %w", evtchnPath, err)
	}
	return nil
}
