//go:build linux && (amd64 || 386)

package linux

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/hv/count/mark"
	"xsmbench/hv/xen/domain/native"
)

// windows is what a process needs to mark windows.
type windows struct {
	first int  // slot of the benchmark's first phase
	slot  int  // of the window that is open
	open  bool // Begin was called, and not End
	// served counts the native loops that are ready: they mark themselves.
	served int
}

// Phases is how many slots a benchmark's windows take: one for each phase.
const Phases = int(bench.PhaseOperation) + 1

// SetSlot says which slots the windows of the next benchmark have: its phases
// have slots first, first+1 and so on.
func (o *OS) SetSlot(first int) error {
	if first < 0 || first+Phases >= native.Slots {
		return fmt.Errorf("mark windows from slot %d: the table has %d", first, native.Slots)
	}
	o.windows.first = first
	return nil
}

// Begin marks the beginning of a window, or leaves it to the native loop that
// is about to run.
func (o *OS) Begin(p bench.Phase) {
	w := o.windows
	w.slot, w.open = w.first+int(p), true
	if w.served == 0 {
		mark.Begin(w.slot)
	}
}

// End marks the end of a window.
func (o *OS) End() {
	if o.windows.served == 0 {
		mark.End()
	}
	o.windows.open = false
}

// NativeLoop readies an operation in the program of package native. A loop's
// error is that of the program, EPROTO if an iteration did not do what it
// should.
func (o *OS) NativeLoop(op bench.NativeOp, args ...int64) (bench.Loop, func(), error) {
	if o.config.Native == "" || isCall(op) && !o.mostDynamic() || op == bench.NativeRandom && !o.mostDynamicIPC() {
		return nil, nil, errors.ErrUnsupported
	}
	if isLibrary(op) && o.config.Dynamic == "" {
		return nil, nil, fmt.Errorf("ready native %s: this system has no program that is linked with the C library", op)
	}
	s, err := o.serve(op, args)
	if err != nil {
		return nil, nil, fmt.Errorf("ready native %s: %w", op, err)
	}
	o.windows.served++
	return s.loop, s.stop, nil
}

// Dynamic is the path of a program that is linked with the C library.
func (o *OS) Dynamic() string { return o.config.Dynamic }

// isLibrary tells the operations of the program that is linked with the C library.
func isLibrary(op bench.NativeOp) bool {
	return op == bench.NativeLibraryFork || op == bench.NativeLibraryExec || op == bench.NativeLibraryShell
}

// isSmall tells the operations that are of processes of a few pages.
func isSmall(op bench.NativeOp) bool {
	return op == bench.NativeFork || op == bench.NativeExec || op == bench.NativeShell
}

// isCall tells the operations that are single calls. The agent makes them itself, unless
// processes are to be C programs: after a system call returns are dear on some
// processors, and Go's functions return more often than the library's.
func isCall(op bench.NativeOp) bool {
	switch op {
	case bench.NativeGetppid, bench.NativeReadByte, bench.NativeWriteByte, bench.NativeMap:
		return true
	}
	return false
}

// mostDynamic reports whether processes that are not of a few pages are C programs.
func (o *OS) mostDynamic() bool { return o.config.MostDynamic && o.config.Dynamic != "" }

// mostDynamicIPC is the same of the second program.
func (o *OS) mostDynamicIPC() bool { return o.config.MostDynamic && o.config.DynamicIPC != "" }

// server is a running native program.
type server struct {
	os       *OS
	op       bench.NativeOp
	pid      int
	requests bench.FD
	replies  bench.FD
	request  [native.RequestSize]byte
	reply    [native.ReplySize]byte
}

// serve starts the program and waits until it is ready.
func (o *OS) serve(op bench.NativeOp, args []int64) (*server, error) {
	argv := []string{o.config.Native, string(op)}
	switch op {
	case bench.NativeExec:
		argv = append(argv, o.config.Hello)
	case bench.NativeShell:
		argv = append(argv, o.config.Shell, o.config.Hello)
	case bench.NativeLibraryExec:
		argv = append(argv, o.config.Dynamic)
	case bench.NativeLibraryShell:
		argv = append(argv, o.config.LibraryShell, o.config.Dynamic)
	}
	switch {
	case native.IsIPC(op) && o.mostDynamicIPC():
		argv[0] = o.config.DynamicIPC
	case native.IsIPC(op):
		argv[0] = o.config.IPC
	case isLibrary(op) || o.mostDynamic() && !isSmall(op):
		argv[0] = o.config.Dynamic
	}
	for _, a := range args {
		argv = append(argv, strconv.FormatInt(a, 10))
	}
	if op == bench.NativeConnectUnix {
		path, err := o.placed(bench.UnixAddress)
		if err != nil {
			return nil, err
		}
		argv = append(argv, string(path))
	}
	s := &server{os: o, op: op}
	if err := s.start(argv); err != nil {
		return nil, err
	}
	if err := s.answer(); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// start starts the program with pipes of its own, which no other program gets.
func (s *server) start(argv []string) error {
	var in, out [2]int
	if err := syscall.Pipe2(in[:], syscall.O_CLOEXEC); err != nil {
		return fmt.Errorf("open pipe: %w", err)
	}
	if err := syscall.Pipe2(out[:], syscall.O_CLOEXEC); err != nil {
		syscall.Close(in[0])
		syscall.Close(in[1])
		return fmt.Errorf("open pipe: %w", err)
	}
	pid, err := syscall.ForkExec(argv[0], argv, s.attributes(uintptr(in[0]), uintptr(out[1])))
	syscall.Close(in[0])
	syscall.Close(out[1])
	s.pid, s.requests, s.replies = pid, bench.FD(in[1]), bench.FD(out[0])
	if err != nil {
		s.os.Close(s.requests)
		s.os.Close(s.replies)
		return fmt.Errorf("start %s: %w", argv[0], err)
	}
	return nil
}

// attributes are those of the program: its descriptors, and its end with this
// process.
func (s *server) attributes(in, out uintptr) *syscall.ProcAttr {
	a := &syscall.ProcAttr{Files: []uintptr{in, out, 2}}
	if s.os.config.Mortal {
		a.Sys = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	}
	return a
}

// loop has the program run n iterations, in a window if one was begun.
func (s *server) loop(n int64) error {
	if n <= 0 {
		return nil
	}
	r := native.Request{Count: n, Slot: native.Unmarked}
	if s.os.windows.open {
		r.Slot = int64(s.os.windows.slot)
	}
	r.Put(s.request[:])
	if _, err := s.os.Write(s.requests, s.request[:]); err != nil {
		return fmt.Errorf("ask for native %s: %w", s.op, err)
	}
	if err := s.answer(); err != nil {
		return fmt.Errorf("run native %s: %w", s.op, err)
	}
	return nil
}

// answer reads a reply.
func (s *server) answer() error {
	k, err := s.read()
	switch {
	case err != nil:
		return fmt.Errorf("read reply: %w", err)
	case k != len(s.reply):
		return errors.New("the program has ended")
	}
	if e := native.Reply(s.reply[:]); e != 0 {
		return abi.Errno(e)
	}
	return nil
}

// read waits for a reply. In a window of a long operation the scheduler is told of the
// waiting: Go's run-time system else wakes up every 10 ms to look after a thread that
// seems to run, and each time the window has an interrupt in it.
func (s *server) read() (int, error) {
	if s.os.windows.open && isLibrary(s.op) {
		return syscall.Read(int(s.replies), s.reply[:])
	}
	return s.os.Read(s.replies, s.reply[:])
}

// end has the program end, and waits for it.
func (s *server) end() {
	s.os.Close(s.requests)
	s.os.Wait(s.pid)
	s.os.Close(s.replies)
}

func (s *server) stop() {
	s.os.windows.served--
	s.end()
}
