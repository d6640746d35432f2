//go:build linux && (amd64 || 386)

package linux

import (
	"os"
	"os/signal"
	"syscall"

	"xsmbench/abi"
	"xsmbench/bench"
)

// signals is one more than the last signal that has a handler.
const signals = 32

// handler is a signal's. Faults do not come through the channel: the access
// that faults finds out by itself.
type handler struct {
	set  bool
	call func(bench.Signal)
	came chan os.Signal
}

// Sigaction installs a handler; nil restores the default.
func (o *OS) Sigaction(sig bench.Signal, call func(bench.Signal)) error {
	if sig <= 0 || sig >= signals || sig == bench.Signal(syscall.SIGKILL) || sig == bench.Signal(syscall.SIGSTOP) {
		return abi.EINVAL
	}
	h := &o.handlers[sig]
	switch {
	case call == nil && h.came != nil:
		signal.Stop(h.came)
		*h = handler{}
	case call == nil:
		*h = handler{}
	case sig == bench.SIGSEGV:
		*h = handler{set: true, call: call}
	case o.forked:
		return abi.ENOSYS
	default:
		if h.came == nil {
			h.came = make(chan os.Signal, 1)
		}
		signal.Notify(h.came, syscall.Signal(sig))
		h.set, h.call = true, call
	}
	return nil
}

func (o *OS) handle(sig bench.Signal) { o.handlers[sig].call(sig) }

// Kill sends a signal. One that goes to the process itself is handled when
// Kill returns.
func (o *OS) Kill(pid int, sig bench.Signal) error {
	_, _, e := syscall.RawSyscall(syscall.SYS_KILL, uintptr(pid), uintptr(sig), 0)
	if e != 0 {
		return abi.Errno(e)
	}
	if sig > 0 && sig < signals && o.handlers[sig].came != nil && pid == o.Getpid() {
		<-o.handlers[sig].came
		o.handle(sig)
	}
	return nil
}
