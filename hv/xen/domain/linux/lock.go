//go:build linux && (amd64 || 386)

package linux

import (
	"syscall"
	"unsafe"

	"xsmbench/bench"
)

// fifo is the type of a named pipe among the modes of mknod.
const fifo = syscall.S_IFIFO | mode

// Mkfifo makes a named pipe.
func (o *OS) Mkfifo(path string) error {
	name, err := o.name(0, path)
	if err != nil {
		return err
	}
	_, _, e := syscall.RawSyscall(syscall.SYS_MKNOD, name, fifo, 0)
	return failure(e)
}

// Seek sets the position of an open file.
func (o *OS) Seek(fd bench.FD, offset int64) error { return failure(seek(uintptr(fd), offset)) }

// Fsync waits until a file is on its device.
func (o *OS) Fsync(fd bench.FD) error {
	_, _, e := syscall.RawSyscall(syscall.SYS_FSYNC, uintptr(fd), 0, 0)
	return failure(e)
}

// Disk is what Config says.
func (o *OS) Disk() string { return o.config.Block }

// Lock takes the exclusive lock of a file's first byte.
func (o *OS) Lock(fd bench.FD) error { return o.control(fd, syscall.F_SETLKW, syscall.F_WRLCK) }

// Unlock gives it back.
func (o *OS) Unlock(fd bench.FD) error { return o.control(fd, syscall.F_SETLK, syscall.F_UNLCK) }

func (o *OS) control(fd bench.FD, command uintptr, kind int16) error {
	o.lock = syscall.Flock_t{Type: kind, Len: 1}
	_, _, e := syscall.RawSyscall(sysFcntl, uintptr(fd), command, uintptr(unsafe.Pointer(&o.lock)))
	return failure(e)
}

// Constants of semaphores.
const (
	ipcPrivate = 0
	ipcCreate  = 0o1000
	ipcRemove  = 0
	semMode    = 0o600
)

// NewSemaphores makes a set of semaphores.
func (o *OS) NewSemaphores(count int) (int, error) {
	r, _, e := syscall.RawSyscall(sysSemget, ipcPrivate, uintptr(count), ipcCreate|semMode)
	return result(r, e)
}

// Operate does operations on a set. What a signal of the runtime's interrupts is
// begun again.
func (o *OS) Operate(id int, ops []bench.SemaphoreOp) error {
	for {
		_, _, e := syscall.RawSyscall6(sysSemop, uintptr(id), uintptr(unsafe.Pointer(unsafe.SliceData(ops))), uintptr(len(ops)), 0, 0, 0)
		if e != syscall.EINTR {
			return failure(e)
		}
	}
}

// RemoveSemaphores removes a set.
func (o *OS) RemoveSemaphores(id int) error {
	_, _, e := syscall.RawSyscall6(sysSemctl, uintptr(id), 0, ipcRemove, 0, 0, 0)
	return failure(e)
}
