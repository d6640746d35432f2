//go:build linux

package hypercall

import (
	"syscall"

	"xsmbench/abi"
)

// mmap2 counts the offset in pages.
func mmap(length, prot, flags, fd uintptr, offset uint64) (uintptr, syscall.Errno) {
	at, _, e := syscall.RawSyscall6(syscall.SYS_MMAP2, 0, length, prot, flags, fd, uintptr(offset/abi.PageSize))
	return at, e
}
