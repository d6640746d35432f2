//go:build linux && (amd64 || 386)

package linux

import (
	"syscall"
	"unsafe"

	"xsmbench/abi"
	"xsmbench/bench"
)

// mode is that of files which Open creates.
const mode = 0o644

// Open opens a file.
func (o *OS) Open(path string, flags int) (bench.FD, error) {
	name, err := o.name(0, path)
	if err != nil {
		return -1, err
	}
	r, _, e := syscall.RawSyscall(syscall.SYS_OPEN, name, uintptr(flags), mode)
	fd, err := result(r, e)
	return bench.FD(fd), err
}

// Close closes a descriptor.
func (o *OS) Close(fd bench.FD) error {
	_, _, e := syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0)
	return failure(e)
}

// Read reads once; 0 is the end of the file.
func (o *OS) Read(fd bench.FD, b []byte) (int, error) {
	r, _, e := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return result(r, e)
}

// Write writes once.
func (o *OS) Write(fd bench.FD, b []byte) (int, error) {
	r, _, e := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return result(r, e)
}

// Stat tells of the file at path.
func (o *OS) Stat(path string, st *bench.Stat) error {
	name, err := o.name(0, path)
	if err != nil {
		return err
	}
	_, _, e := syscall.RawSyscall(sysStat, name, uintptr(unsafe.Pointer(&o.stat)), 0)
	return o.told(st, e)
}

// Fstat tells of an open file.
func (o *OS) Fstat(fd bench.FD, st *bench.Stat) error {
	_, _, e := syscall.RawSyscall(sysFstat, uintptr(fd), uintptr(unsafe.Pointer(&o.stat)), 0)
	return o.told(st, e)
}

// emptyPath is AT_EMPTY_PATH.
const emptyPath = 0x1000

// none is the path "".
var none [1]byte

// FstatEmptyPath tells of an open file by newfstatat.
func (o *OS) FstatEmptyPath(fd bench.FD, st *bench.Stat) error {
	_, _, e := syscall.RawSyscall6(sysFstatat, uintptr(fd), uintptr(unsafe.Pointer(&none)), uintptr(unsafe.Pointer(&o.stat)), emptyPath, 0, 0)
	return o.told(st, e)
}

func (o *OS) told(st *bench.Stat, e syscall.Errno) error {
	if e != 0 {
		return abi.Errno(e)
	}
	*st = bench.Stat{Ino: o.stat.Ino, Mode: o.stat.Mode, Size: o.stat.Size}
	return nil
}

// Unlink removes a name.
func (o *OS) Unlink(path string) error {
	name, err := o.name(0, path)
	if err != nil {
		return err
	}
	_, _, e := syscall.RawSyscall(syscall.SYS_UNLINK, name, 0, 0)
	return failure(e)
}

// Rename moves a file, over another if there is one.
func (o *OS) Rename(old, new string) error {
	from, err := o.name(0, old)
	if err != nil {
		return err
	}
	to, err := o.name(1, new)
	if err != nil {
		return err
	}
	_, _, e := syscall.RawSyscall(syscall.SYS_RENAME, from, to, 0)
	return failure(e)
}

// Ftruncate sets a file's size in bytes.
func (o *OS) Ftruncate(fd bench.FD, size int64) error {
	return failure(ftruncate(uintptr(fd), size))
}

// Pipe opens a pipe.
func (o *OS) Pipe() (r, w bench.FD, err error) {
	_, _, e := syscall.RawSyscall(syscall.SYS_PIPE, uintptr(unsafe.Pointer(&o.pair)), 0, 0)
	return o.opened(e)
}

// Socketpair opens a pair of connected UNIX stream sockets.
func (o *OS) Socketpair() (a, b bench.FD, err error) {
	_, _, e := syscall.RawSyscall6(sysSocketpair, syscall.AF_UNIX, syscall.SOCK_STREAM, 0, uintptr(unsafe.Pointer(&o.pair)), 0, 0)
	return o.opened(e)
}

func (o *OS) opened(e syscall.Errno) (a, b bench.FD, err error) {
	if e != 0 {
		return -1, -1, abi.Errno(e)
	}
	return bench.FD(o.pair[0]), bench.FD(o.pair[1]), nil
}

// Select polls the first n descriptors for reading.
func (o *OS) Select(n int, r *bench.FDSet) (int, error) {
	var now syscall.Timeval
	k, _, e := syscall.RawSyscall6(sysSelect, uintptr(n), uintptr(unsafe.Pointer(r)), 0, 0, uintptr(unsafe.Pointer(&now)), 0)
	return result(k, e)
}
