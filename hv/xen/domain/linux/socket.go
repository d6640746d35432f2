//go:build linux && (amd64 || 386)

package linux

import (
	"bytes"
	"fmt"
	"syscall"
	"unsafe"

	"xsmbench/abi"
	"xsmbench/bench"
)

// socketState is what the calls of sockets hand to the kernel.
type socketState struct {
	loopback bool // the device is up
	address  rawAddress
	peer     rawAddress // whom the last message of ReceiveFrom came from
	option   int32
}

// rawAddress holds a struct sockaddr_in or sockaddr_un.
type rawAddress struct {
	bytes  [2 + 108]byte
	length uint32
}

const (
	inetLength = 16 // of a struct sockaddr_in
	backlog    = 100
)

// set encodes an address as the kernel wants it.
func (r *rawAddress) set(o *OS, kind bench.SocketKind, a bench.SocketAddr) error {
	clear(r.bytes[:])
	if kind != bench.UnixStream {
		r.bytes[0] = syscall.AF_INET
		r.bytes[2], r.bytes[3] = byte(a.Port>>8), byte(a.Port)
		host := a.Host
		if host == (bench.Host{}) {
			host = bench.Host{127, 0, 0, 1}
		}
		copy(r.bytes[4:], host[:])
		r.length = inetLength
		return nil
	}
	name, err := o.placed(a.Path)
	if err != nil {
		return err
	}
	if len(name) > len(r.bytes)-3 {
		return abi.Errno(syscall.ENAMETOOLONG)
	}
	r.bytes[0] = syscall.AF_UNIX
	copy(r.bytes[2:], name)
	r.length = uint32(len(r.bytes)) // as the C library's structure
	return nil
}

// placed is a path with Tmp applied, in one of the buffers.
func (o *OS) placed(path string) ([]byte, error) {
	if _, err := o.name(0, path); err != nil {
		return nil, err
	}
	b := o.path[0][:]
	return b[:bytes.IndexByte(b, 0)], nil
}

func (r *rawAddress) pointer() uintptr { return uintptr(unsafe.Pointer(&r.bytes)) }

// Socket opens a socket.
func (o *OS) Socket(kind bench.SocketKind) (bench.FD, error) {
	if kind == bench.UnixStream {
		return socket(syscall.AF_UNIX, syscall.SOCK_STREAM)
	}
	if !o.sockets.loopback {
		if err := raiseLoopback(); err != nil {
			return -1, err
		}
		o.sockets.loopback = true
	}
	if kind == bench.UDP {
		return socket(syscall.AF_INET, syscall.SOCK_DGRAM)
	}
	return socket(syscall.AF_INET, syscall.SOCK_STREAM)
}

func socket(family, kind uintptr) (bench.FD, error) {
	r, _, e := syscall.RawSyscall(sysSocket, family, kind, 0)
	fd, err := result(r, e)
	return bench.FD(fd), err
}

// interfaceRequest is a struct ifreq with flags.
type interfaceRequest struct {
	name  [syscall.IFNAMSIZ]byte
	flags uint16
	_     [22]byte
}

// raiseLoopback brings the loopback device up if it is not: the first program of
// a guest does not need it. The kernel gives it its address.
func raiseLoopback() error {
	fd, err := socket(syscall.AF_INET, syscall.SOCK_DGRAM)
	if err != nil {
		return fmt.Errorf("find loopback device: %w", err)
	}
	defer syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0)
	r := interfaceRequest{name: [syscall.IFNAMSIZ]byte{'l', 'o'}}
	control := func(request uintptr) error {
		_, _, e := syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&r)))
		return failure(e)
	}
	if err := control(syscall.SIOCGIFFLAGS); err != nil {
		return fmt.Errorf("find loopback device: %w", err)
	}
	if r.flags&syscall.IFF_UP != 0 {
		return nil
	}
	r.flags |= syscall.IFF_UP
	if err := control(syscall.SIOCSIFFLAGS); err != nil {
		return fmt.Errorf("bring loopback device up: %w", err)
	}
	return nil
}

// Bind gives a socket its address.
func (o *OS) Bind(fd bench.FD, kind bench.SocketKind, a bench.SocketAddr) (bench.SocketAddr, error) {
	r := &o.sockets.address
	if err := r.set(o, kind, a); err != nil {
		return a, err
	}
	if _, _, e := syscall.RawSyscall(sysBind, uintptr(fd), r.pointer(), uintptr(r.length)); e != 0 {
		return a, abi.Errno(e)
	}
	if kind == bench.UnixStream {
		return a, nil
	}
	_, _, e := syscall.RawSyscall(sysGetsockname, uintptr(fd), r.pointer(), uintptr(unsafe.Pointer(&r.length)))
	a.Port = uint16(r.bytes[2])<<8 | uint16(r.bytes[3])
	return a, failure(e)
}

// Listen lets a socket be connected to.
func (o *OS) Listen(fd bench.FD) error {
	_, _, e := syscall.RawSyscall(sysListen, uintptr(fd), backlog, 0)
	return failure(e)
}

// Accept waits for a connection.
func (o *OS) Accept(fd bench.FD) (bench.FD, error) {
	r, _, e := syscall.RawSyscall6(sysAccept, uintptr(fd), 0, 0, 0, 0, 0)
	got, err := result(r, e)
	return bench.FD(got), err
}

// Connect connects to a socket.
func (o *OS) Connect(fd bench.FD, kind bench.SocketKind, a bench.SocketAddr) error {
	r := &o.sockets.address
	if err := r.set(o, kind, a); err != nil {
		return err
	}
	_, _, e := syscall.RawSyscall(sysConnect, uintptr(fd), r.pointer(), uintptr(r.length))
	return failure(e)
}

// Send sends a message to the connected socket.
func (o *OS) Send(fd bench.FD, b []byte) (int, error) {
	r, _, e := syscall.RawSyscall6(sysSendto, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
	return result(r, e)
}

// Receive receives a message.
func (o *OS) Receive(fd bench.FD, b []byte) (int, error) {
	r, _, e := syscall.RawSyscall6(sysRecvfrom, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
	return result(r, e)
}

// ReceiveFrom receives a message and keeps whom it is from.
func (o *OS) ReceiveFrom(fd bench.FD, b []byte) (int, error) {
	p := &o.sockets.peer
	p.length = inetLength
	r, _, e := syscall.RawSyscall6(sysRecvfrom, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0,
		p.pointer(), uintptr(unsafe.Pointer(&p.length)))
	return result(r, e)
}

// Reply sends a message to whom the last one is from.
func (o *OS) Reply(fd bench.FD, b []byte) (int, error) {
	p := &o.sockets.peer
	r, _, e := syscall.RawSyscall6(sysSendto, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0,
		p.pointer(), uintptr(p.length))
	return result(r, e)
}

// Buffers sets what a socket buffers. The kernel may give less.
func (o *OS) Buffers(fd bench.FD, receive, send int) error {
	if receive > 0 {
		if err := o.set(fd, syscall.SO_RCVBUF, receive); err != nil {
			return err
		}
	}
	if send == 0 {
		return nil
	}
	return o.set(fd, syscall.SO_SNDBUF, send)
}

// Reuse sets SO_REUSEADDR.
func (o *OS) Reuse(fd bench.FD) error { return o.set(fd, syscall.SO_REUSEADDR, 1) }

func (o *OS) set(fd bench.FD, option, value int) error {
	v := &o.sockets.option
	*v = int32(value)
	_, _, e := syscall.RawSyscall6(sysSetsockopt, uintptr(fd), syscall.SOL_SOCKET, uintptr(option), uintptr(unsafe.Pointer(v)), 4, 0)
	return failure(e)
}

// Duplicate makes another descriptor.
func (o *OS) Duplicate(fd bench.FD) (bench.FD, error) {
	r, _, e := syscall.RawSyscall(syscall.SYS_DUP, uintptr(fd), 0, 0)
	got, err := result(r, e)
	return bench.FD(got), err
}

// SelectWritable polls the first n descriptors for writing.
func (o *OS) SelectWritable(n int, w *bench.FDSet) (int, error) {
	var now syscall.Timeval
	k, _, e := syscall.RawSyscall6(sysSelect, uintptr(n), 0, uintptr(unsafe.Pointer(w)), 0, uintptr(unsafe.Pointer(&now)), 0)
	return result(k, e)
}
