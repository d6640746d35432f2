//go:build linux && (amd64 || 386)

package linux

import (
	"runtime"
	"runtime/debug"
	"syscall"
	"unsafe"

	"xsmbench/abi"
	"xsmbench/bench"
)

// Statuses of children that have none of their own, as a shell's.
const (
	statusSignal    = 128 // and the signal's number
	statusPanic     = 2
	statusNoProgram = 127
)

// mostLocks is more often than a goroutine is locked to its thread.
const mostLocks = 8

// sigset is the kernel's set of signals, sigsetSize its bytes.
type sigset uint64

const (
	sigsetSize = 8
	sigBlock   = 0 // SIG_BLOCK
	sigSetMask = 2 // SIG_SETMASK
)

// Fork makes a child that runs the given code. Signals are blocked around it,
// since the child must not run the runtime's handlers: with the other threads
// its means to handle them are gone.
func (o *OS) Fork(child func(bench.OS) int) (int, error) {
	// A child is as its parent was made ready, and has no other threads to
	// wait for.
	if !o.forked {
		defer readyRuntime()()
	}
	// The child's own OS is made here, where memory may still be had.
	c := o.copied()
	if !o.forked {
		// A request to give up the processor that came before the fork
		// would reach the child, where no other thread can take it.
		runtime.Gosched()
	}
	var before sigset
	all := ^sigset(0)
	sigprocmask(sigBlock, &all, &before)
	pid, _, e := syscall.RawSyscall(sysFork, 0, 0, 0)
	if pid == 0 && e == 0 {
		// A request that came since reaches the child at its next call. A
		// goroutine that is locked to its thread would then wait for another
		// thread to hand it over; one that is not goes on at once. Unlocking
		// looks for no request.
		for range mostLocks {
			runtime.UnlockOSThread()
		}
		c.live(child)
	}
	sigprocmask(sigSetMask, &before, nil)
	return result(pid, e)
}

// readyRuntime keeps the goroutine on its thread and the collector from
// running, whose threads a child will not have. SetGCPercent waits until a
// collection that has begun is over.
func readyRuntime() (restore func()) {
	runtime.LockOSThread()
	percent := debug.SetGCPercent(-1)
	return func() {
		debug.SetGCPercent(percent)
		runtime.UnlockOSThread()
	}
}

// copied is the OS of a child: with the handler for faults, the only ones that
// reach it. A child's windows are begun at the domain, that is by its parent's
// OS, and marked by the native loops that the child readies: the two have one
// state (each process its own copy, after the fork).
func (o *OS) copied() *OS {
	c := &OS{config: o.config, start: o.start, windows: o.windows, forked: true}
	c.handlers[bench.SIGSEGV] = o.handlers[bench.SIGSEGV]
	return c
}

func sigprocmask(how uintptr, set, old *sigset) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, how, uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), sigsetSize, 0, 0)
}

// live is a child's life. Faults must reach their handler; the other signals
// stay blocked.
func (o *OS) live(child func(bench.OS) int) {
	faults := sigset(1<<(syscall.SIGSEGV-1) | 1<<(syscall.SIGBUS-1))
	others := ^faults
	sigprocmask(sigSetMask, &others, nil)
	if o.config.Mortal {
		syscall.RawSyscall6(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0, 0)
	}
	status := statusPanic
	defer func() {
		// A panic has nobody to tell: the parent sees the status.
		_ = recover()
		for {
			syscall.RawSyscall(syscall.SYS_EXIT_GROUP, uintptr(status), 0, 0)
		}
	}()
	status = child(o)
}

// Exec replaces the process by the program at path, with no environment. It
// returns only if it cannot.
func (o *OS) Exec(path string, args ...string) int {
	name, err := syscall.BytePtrFromString(o.program(path))
	if err != nil {
		return statusNoProgram
	}
	placed := make([]string, len(args))
	for i, a := range args {
		placed[i] = o.program(a) // a shell's command, too
	}
	argv, err := syscall.SlicePtrFromStrings(placed)
	if err != nil {
		return statusNoProgram
	}
	var none [1]*byte
	var unblocked sigset
	sigprocmask(sigSetMask, &unblocked, nil) // the mask would outlive the exec
	syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&none)))
	runtime.KeepAlive(argv) // whose elements the kernel reads, too
	return statusNoProgram
}

// program is where a program of the benchmarks lies.
func (o *OS) program(path string) string {
	switch path {
	case "/bin/hello":
		return o.config.Hello
	case "/bin/sh":
		return o.config.Shell
	}
	return path
}

// Wait waits for a child (any if pid is -1) and reaps it. The status of one
// that a signal ended is 128 and the signal's number.
func (o *OS) Wait(pid int) (int, error) {
	_, _, e := syscall.RawSyscall6(syscall.SYS_WAIT4, uintptr(pid), uintptr(unsafe.Pointer(&o.status)), 0, 0, 0, 0)
	if e != 0 {
		return 0, abi.Errno(e)
	}
	return o.exitStatus(), nil
}

// exitStatus is what the last wait said.
func (o *OS) exitStatus() int {
	w := syscall.WaitStatus(o.status)
	if w.Signaled() {
		return statusSignal + int(w.Signal())
	}
	return w.ExitStatus()
}

// Yield gives the processor to another process.
func (o *OS) Yield() { syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
