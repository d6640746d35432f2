package qemu

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"xsmbench/hv/child"
)

// ErrNoQEMU is the cause when QEMU is not installed.
var ErrNoQEMU = errors.New(Program + " not found; install the package qemu-system-x86")

// Process is a running QEMU. Its end is noticed at once: Ended is closed.
type Process struct {
	Ended  <-chan struct{}
	cmd    *exec.Cmd
	said   bytes.Buffer
	status int // valid once Ended is closed
	kill   sync.Once
}

// orphansDelay is how long QEMU's end waits for what QEMU started, a cat that
// reads or writes a snapshot, to let go of standard error.
const orphansDelay = time.Second

// Start starts a machine. It goes on until it ends itself or is killed.
func Start(m Machine) (*Process, error) {
	path, err := exec.LookPath(Program)
	if err != nil {
		return nil, fmt.Errorf("start QEMU: %w", ErrNoQEMU)
	}
	ended := make(chan struct{})
	p := &Process{Ended: ended, cmd: exec.Command(path, m.Args()...)}
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	p.cmd.Dir, _ = socketName(m.Control)
	p.cmd.WaitDelay = orphansDelay
	if err := child.Start(p.cmd); err != nil {
		return nil, fmt.Errorf("start QEMU: %w", err)
	}
	go func() {
		// The status says how it ended.
		_ = p.cmd.Wait()
		p.status = p.cmd.ProcessState.ExitCode()
		_ = child.Kill(p.cmd) // what it started and left
		close(ended)
	}()
	return p, nil
}

// Kill ends QEMU, if it still runs, and waits for its end.
func (p *Process) Kill() {
	p.kill.Do(func() {
		select {
		case <-p.Ended: // its number may be another's by now
		default:
			_ = child.Kill(p.cmd)
		}
	})
	<-p.Ended
}

// Status is QEMU's exit status, -1 if a signal ended it. It may be called
// once QEMU has ended.
func (p *Process) Status() int { return p.status }

// Said is what QEMU itself printed: complaints about its command line, its
// snapshot or its plug-in. It may be called once QEMU has ended.
func (p *Process) Said() string { return strings.TrimSpace(p.said.String()) }

// Failure describes an end that was not asked for.
func (p *Process) Failure() error {
	how := fmt.Sprintf("QEMU ended with status %d", p.status)
	if p.status < 0 {
		how = "QEMU was killed"
		if state := p.cmd.ProcessState; state != nil {
			how = "QEMU was ended by " + strings.TrimPrefix(state.String(), "signal: ")
		}
	}
	if said := p.Said(); said != "" {
		return fmt.Errorf("%s: %s", how, child.LastLine(said))
	}
	return errors.New(how)
}
