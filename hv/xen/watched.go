package xen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"xsmbench/hv"
	"xsmbench/hv/xen/protocol"
	"xsmbench/hv/xen/qemu"
)

// watched is a running machine whose waits all notice its death.
type watched struct {
	*qemu.Process
	start   *start
	machine qemu.Machine
	dir     string // of its files
	died    context.Context
}

// watch starts a machine.
func (t *Target) watch(s *start, m qemu.Machine, dir string) (*watched, error) {
	w := &watched{start: s, machine: m, dir: dir}
	p, err := qemu.Start(m)
	if err != nil {
		return nil, w.failed(hv.BootFailed, err)
	}
	w.Process = p
	died, cancel := context.WithCancel(context.Background())
	go func() {
		<-p.Ended
		cancel()
	}()
	w.died = died
	return w, nil
}

// until is a context that ends with ctx or with QEMU.
func (w *watched) until(ctx context.Context) context.Context {
	both, cancel := context.WithCancelCause(ctx)
	context.AfterFunc(w.died, func() { cancel(errQEMUEnded) })
	return both
}

var errQEMUEnded = errors.New("QEMU has ended")

// endsWithin is how long after its connections break QEMU's end is noticed.
const endsWithin = 1500 * time.Millisecond

// over reports whether QEMU has ended, or is about to.
func (w *watched) over() bool {
	select {
	case <-w.Ended:
		return true
	case <-time.After(endsWithin):
		return false
	}
}

// broken is the error of a talk with QEMU that came to nothing. QEMU's own end,
// or what it said, tells more than that.
func (w *watched) broken(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return w.interrupted(ctx, hv.BootFailed)
	case w.over():
		return w.ended()
	}
	w.Kill()
	if said := w.Said(); said != "" {
		err = fmt.Errorf("%w; QEMU said: %s", err, said)
	}
	return w.failed(hv.BootFailed, err)
}

// ended is the error of a QEMU that ended when it should not.
func (w *watched) ended() error {
	console, _ := os.ReadFile(w.machine.Console)
	if w.Status() == protocol.StatusFailed {
		return w.failed(hv.GuestFailed, fmt.Errorf("dom0's agent gave up: %s", complaint(console)))
	}
	if line, ok := panicked(console); ok {
		return w.failed(hv.GuestFailed, errors.New(line))
	}
	kind := hv.BootFailed
	if info, err := os.Stat(w.machine.Results); err == nil && info.Size() > 0 {
		kind = hv.GuestFailed // an agent had reported
	}
	if strings.Contains(w.Said(), "cannot write the windows") {
		kind = hv.BadProtocol
	}
	return w.failed(kind, w.Failure())
}

// complaint is what the agent said last.
func complaint(console []byte) string {
	for _, prefix := range []string{"dom0 gives up: ", "xsmguest: "} {
		if text, ok := protocol.FindComplaint(string(console), prefix); ok {
			return text
		}
	}
	return "it did not say why"
}

// interrupted is the error of a wait whose context is done: out of time, or
// the caller's wish.
func (w *watched) interrupted(ctx context.Context, kind hv.BootErrorKind) error {
	cause := context.Cause(ctx)
	if !errors.Is(cause, errTimeOut) {
		return cause
	}
	if kind == hv.BootFailed {
		cause = fmt.Errorf("%w: dom0 and domU were not ready", cause)
	}
	return w.failed(hv.TimedOut, cause)
}

// failed makes the error of a machine that failed.
func (w *watched) failed(kind hv.BootErrorKind, err error) error {
	var boot *hv.BootError
	if errors.As(err, &boot) {
		return err
	}
	console, _ := os.ReadFile(w.machine.Console)
	return &hv.BootError{Kind: kind, Image: w.start.img, Console: w.tail(), Repeat: w.machine.CommandLine(), Err: w.start.blame(console, err)}
}

// checkTaken fails if Xen has another policy than it should.
func (w *watched) checkTaken() error {
	console, err := os.ReadFile(w.machine.Console)
	if err == nil {
		err = w.start.checkTaken(console)
	}
	if err != nil {
		return w.failed(hv.GuestFailed, err)
	}
	return nil
}

// tailLines is how much of a console an error shows.
const tailLines = 15

// tail is the console's last lines.
func (w *watched) tail() string {
	text, err := os.ReadFile(w.machine.Console)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(text), "\r", "")), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

// pulseEvery is how often a machine is looked at for signs of life.
const pulseEvery = 500 * time.Millisecond

// life grows while a machine lives: the bytes that it has written.
func (w *watched) life() int64 {
	var n int64
	for _, f := range []string{w.machine.Console, w.machine.Results, filepath.Join(w.dir, windowsFile)} {
		if info, err := os.Stat(f); err == nil {
			n += info.Size()
		}
	}
	return n
}

// panicked finds a crash on the console: Xen's, or a guest kernel's.
func panicked(console []byte) (line string, ok bool) {
	for _, mark := range []string{"Panic on CPU", "Kernel panic", "FATAL TRAP", "Domain 0 crashed", "BUG: "} {
		if i := bytes.Index(console, []byte(mark)); i >= 0 {
			begin := bytes.LastIndexByte(console[:i], '\n') + 1
			rest := console[begin:]
			if end := bytes.IndexByte(rest, '\n'); end >= 0 {
				rest = rest[:end]
			}
			return strings.TrimSpace(string(rest)), true
		}
	}
	return "", false
}
