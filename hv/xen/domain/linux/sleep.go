//go:build linux && (amd64 || 386)

package linux

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"

	"xsmbench/abi"
	"xsmbench/bench"
)

// interval is a struct itimerval.
type interval struct{ every, first syscall.Timeval }

// ReadySleep readies sleeps. While it does, no signal reaches the thread: those by
// which the runtime asks for a goroutine's processor would end a sleep early.
func (o *OS) ReadySleep(m bench.SleepMethod, length time.Duration) (sleep func() error, end func(), err error) {
	var call func(*sleeping) syscall.Errno
	switch m {
	case bench.Usleep:
		call = (*sleeping).clock
	case bench.Nanosleep:
		call = (*sleeping).nano
	case bench.SleepIn:
		call = (*sleeping).polling
	case bench.SleepInP:
		call = (*sleeping).pollingP
	case bench.Itimer:
		call = (*sleeping).timer
	default:
		return nil, nil, fmt.Errorf("sleep by %q: %w", m, abi.EINVAL)
	}
	s := &sleeping{length: syscall.NsecToTimespec(int64(length)), short: syscall.NsecToTimeval(int64(length))}
	s.alarm = 1 << (syscall.SIGALRM - 1)
	all := ^sigset(0)
	var before sigset
	sigprocmask(sigBlock, &all, &before)
	return func() error { return failure(call(s)) }, func() { sigprocmask(sigSetMask, &before, nil) }, nil
}

// sleeping is what the calls hand to the kernel.
type sleeping struct {
	length syscall.Timespec
	short  syscall.Timeval
	now    syscall.Timeval // that select changes
	nowP   syscall.Timespec
	once   interval
	alarm  sigset
}

// clock is clock_nanosleep, by which the C library's usleep sleeps.
func (s *sleeping) clock() syscall.Errno {
	_, _, e := syscall.RawSyscall6(syscall.SYS_CLOCK_NANOSLEEP, 0, 0, uintptr(unsafe.Pointer(&s.length)), 0, 0, 0)
	return e
}

func (s *sleeping) nano() syscall.Errno {
	_, _, e := syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&s.length)), 0, 0)
	return e
}

func (s *sleeping) polling() syscall.Errno {
	s.now = s.short
	_, _, e := syscall.RawSyscall6(sysSelect, 0, 0, 0, 0, uintptr(unsafe.Pointer(&s.now)), 0)
	return e
}

func (s *sleeping) pollingP() syscall.Errno {
	s.nowP = s.length
	_, _, e := syscall.RawSyscall6(sysPselect, 0, 0, 0, 0, uintptr(unsafe.Pointer(&s.nowP)), 0)
	return e
}

// timer starts the timer and waits for its signal, which no handler takes.
func (s *sleeping) timer() syscall.Errno {
	s.once.first = s.short
	const real = 0 // ITIMER_REAL
	if _, _, e := syscall.RawSyscall(syscall.SYS_SETITIMER, real, uintptr(unsafe.Pointer(&s.once)), 0); e != 0 {
		return e
	}
	_, _, e := syscall.RawSyscall6(syscall.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&s.alarm)), 0, 0, sigsetSize, 0, 0)
	return e
}
