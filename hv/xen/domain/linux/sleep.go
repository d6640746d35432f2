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

// alarmTimer is a timer whose signal goes to the thread that waits for it: that of an
// interval timer would reach any of the runtime's. The program of package native,
// which has one thread, uses the interval timer itself.
type alarmTimer struct {
	event event
	id    int32
	every syscall.Timespec
	first syscall.Timespec
}

// event is a struct sigevent.
type event struct {
	value  uintptr
	signal int32
	notify int32
	thread int32
	_      [64]byte
}

const toThread = 4 // SIGEV_THREAD_ID

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
		call = (*sleeping).wait
	default:
		return nil, nil, fmt.Errorf("sleep by %q: %w", m, abi.EINVAL)
	}
	s := &sleeping{length: syscall.NsecToTimespec(int64(length)), short: syscall.NsecToTimeval(int64(length))}
	s.alarm = 1 << (syscall.SIGALRM - 1)
	remove := func() {}
	if m == bench.Itimer {
		if remove, err = s.makeTimer(); err != nil {
			return nil, nil, err
		}
	}
	all := ^sigset(0)
	var before sigset
	sigprocmask(sigBlock, &all, &before)
	return func() error { return failure(call(s)) }, func() { remove(); sigprocmask(sigSetMask, &before, nil) }, nil
}

// makeTimer makes the thread's timer.
func (s *sleeping) makeTimer() (remove func(), err error) {
	thread, _, _ := syscall.RawSyscall(syscall.SYS_GETTID, 0, 0, 0)
	t := &s.timer
	t.event = event{signal: int32(syscall.SIGALRM), notify: toThread, thread: int32(thread)}
	t.first = s.length
	const realTime = 0 // CLOCK_REALTIME
	if _, _, e := syscall.RawSyscall(syscall.SYS_TIMER_CREATE, realTime, uintptr(unsafe.Pointer(&t.event)), uintptr(unsafe.Pointer(&t.id))); e != 0 {
		return nil, fmt.Errorf("make timer: %w", abi.Errno(e))
	}
	return func() { syscall.RawSyscall(syscall.SYS_TIMER_DELETE, uintptr(t.id), 0, 0) }, nil
}

// sleeping is what the calls hand to the kernel.
type sleeping struct {
	length syscall.Timespec
	short  syscall.Timeval
	now    syscall.Timeval // that select changes
	nowP   syscall.Timespec
	timer  alarmTimer
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

// wait starts the timer and waits for its signal, which no handler takes.
func (s *sleeping) wait() syscall.Errno {
	if _, _, e := syscall.RawSyscall6(syscall.SYS_TIMER_SETTIME, uintptr(s.timer.id), 0, uintptr(unsafe.Pointer(&s.timer.every)), 0, 0, 0); e != 0 {
		return e
	}
	_, _, e := syscall.RawSyscall6(syscall.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&s.alarm)), 0, 0, sigsetSize, 0, 0)
	return e
}
