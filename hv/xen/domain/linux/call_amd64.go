package linux

import "syscall"

// System calls that 32-bit and 64-bit Linux have under different numbers.
const (
	sysStat       = syscall.SYS_STAT
	sysFstat      = syscall.SYS_FSTAT
	sysFstatat    = syscall.SYS_NEWFSTATAT
	sysSocketpair = syscall.SYS_SOCKETPAIR
	sysSelect     = syscall.SYS_SELECT
	sysSyncfs     = 306 // which package syscall does not name
	sysFork       = syscall.SYS_FORK
	sysFcntl      = syscall.SYS_FCNTL
	sysPselect    = syscall.SYS_PSELECT6

	sysSocket      = syscall.SYS_SOCKET
	sysBind        = syscall.SYS_BIND
	sysConnect     = syscall.SYS_CONNECT
	sysListen      = syscall.SYS_LISTEN
	sysAccept      = syscall.SYS_ACCEPT
	sysSetsockopt  = syscall.SYS_SETSOCKOPT
	sysGetsockname = syscall.SYS_GETSOCKNAME
	sysSendto      = syscall.SYS_SENDTO
	sysRecvfrom    = syscall.SYS_RECVFROM

	sysSemget = syscall.SYS_SEMGET
	sysSemctl = syscall.SYS_SEMCTL
	sysSemop  = syscall.SYS_SEMOP
)

// kernelStat is what stat and fstat write.
type kernelStat = syscall.Stat_t

func seek(fd uintptr, offset int64) syscall.Errno {
	_, _, e := syscall.RawSyscall(syscall.SYS_LSEEK, fd, uintptr(offset), 0)
	return e
}

func ftruncate(fd uintptr, size int64) syscall.Errno {
	_, _, e := syscall.RawSyscall(syscall.SYS_FTRUNCATE, fd, uintptr(size), 0)
	return e
}

func mmap(length, prot, flags, fd uintptr, offset int64) (uintptr, syscall.Errno) {
	at, _, e := syscall.RawSyscall6(syscall.SYS_MMAP, 0, length, prot, flags, fd, uintptr(offset))
	return at, e
}
