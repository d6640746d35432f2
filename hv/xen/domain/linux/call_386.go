package linux

import (
	"syscall"
	"unsafe"

	"xsmbench/abi"
)

// System calls that 32-bit and 64-bit Linux have under different numbers.
const (
	sysStat       = syscall.SYS_STAT64
	sysFstat      = syscall.SYS_FSTAT64
	sysFstatat    = syscall.SYS_FSTATAT64
	sysSocketpair = 360 // since Linux 4.3; before, socketcall
	sysSelect     = syscall.SYS__NEWSELECT
	sysSyncfs     = 344 // which package syscall does not name
	sysFork       = syscall.SYS_FORK
	sysFcntl      = syscall.SYS_FCNTL64
	sysPselect    = syscall.SYS_PSELECT6

	// Sockets have calls of their own since Linux 4.3; before, socketcall.
	sysSocket      = 359
	sysBind        = 361
	sysConnect     = 362
	sysListen      = 363
	sysAccept      = 364 // accept4
	sysSetsockopt  = 366
	sysGetsockname = 367
	sysSendto      = 369
	sysRecvfrom    = 371

	// Semaphores have calls of their own since Linux 5.1; before, ipc.
	sysSemget = 393
	sysSemctl = 394
	sysSemop  = 420 // semtimedop with a time of 64 bits
)

// kernelStat is what stat64 and fstat64 write.
type kernelStat = syscall.Stat_t

// seek is _llseek, for which an offset has two halves.
func seek(fd uintptr, offset int64) syscall.Errno {
	var at int64
	_, _, e := syscall.RawSyscall6(syscall.SYS__LLSEEK, fd, uintptr(uint32(offset>>32)), uintptr(uint32(offset)), uintptr(unsafe.Pointer(&at)), 0, 0)
	return e
}

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
