package linux

import "syscall"

// System calls that 32-bit and 64-bit Linux have under different numbers.
const (
	sysStat       = syscall.SYS_STAT
	sysFstat      = syscall.SYS_FSTAT
	sysFstatat    = syscall.SYS_NEWFSTATAT
	sysSocketpair = syscall.SYS_SOCKETPAIR
	sysSelect     = syscall.SYS_SELECT
	sysFork       = syscall.SYS_FORK
)

// kernelStat is what stat and fstat write.
type kernelStat = syscall.Stat_t

func ftruncate(fd uintptr, size int64) syscall.Errno {
	_, _, e := syscall.RawSyscall(syscall.SYS_FTRUNCATE, fd, uintptr(size), 0)
	return e
}

func mmap(length, prot, flags, fd uintptr, offset int64) (uintptr, syscall.Errno) {
	at, _, e := syscall.RawSyscall6(syscall.SYS_MMAP, 0, length, prot, flags, fd, uintptr(offset))
	return at, e
}
