//go:build linux

package hypercall

import "syscall"

func mmap(length, prot, flags, fd uintptr, offset uint64) (uintptr, syscall.Errno) {
	at, _, e := syscall.RawSyscall6(syscall.SYS_MMAP, 0, length, prot, flags, fd, uintptr(offset))
	return at, e
}
