package linux

import (
	"syscall"

	"xsmbench/abi"
)

// System calls that 32-bit and 64-bit Linux have under different numbers.
const (
	sysStat       = syscall.SYS_STAT64
	sysFstat      = syscall.SYS_FSTAT64
	sysFstatat    = syscall.SYS_FSTATAT64
	sysSocketpair = 360 // since Linux 4.3; before, socketcall
	sysSelect     = syscall.SYS__NEWSELECT
	sysFork       = syscall.SYS_FORK
)

// kernelStat is what stat64 and fstat64 write.
type kernelStat = syscall.Stat_t

func ftruncate(fd uintptr, size int64) syscall.Errno {
	_, _, e := syscall.RawSyscall(syscall.SYS_FTRUNCATE64, fd, uintptr(uint32(size)), uintptr(uint32(size>>32)))
	return e
}

// mmap2 counts the offset in pages.
func mmap(length, prot, flags, fd uintptr, offset int64) (uintptr, syscall.Errno) {
	if offset%abi.PageSize != 0 {
		return 0, syscall.EINVAL
	}
	at, _, e := syscall.RawSyscall6(syscall.SYS_MMAP2, 0, length, prot, flags, fd, uintptr(offset/abi.PageSize))
	return at, e
}
