// Package child starts programs that do not outlive this one. Each has a
// process group of its own: a terminal's Ctrl-C does not reach it before this
// program has decided what to keep, and what it started can be ended with it.
// Where the kernel can (Linux), it is ended when this process dies, however
// that happens.
package child

import (
	"bytes"
	"errors"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// Start starts a command. If the command has a context, the end of that ends
// the whole group.
func Start(cmd *exec.Cmd) error {
	attr := cmd.SysProcAttr
	if attr == nil {
		attr = &syscall.SysProcAttr{}
		cmd.SysProcAttr = attr
	}
	attr.Setpgid = true
	dieWithParent(attr)
	if cmd.Cancel != nil {
		cmd.Cancel = func() error { return Kill(cmd) }
	}
	return onStarter(cmd.Start)
}

// Run starts a command and waits for its end.
func Run(cmd *exec.Cmd) error {
	if err := Start(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}

// Output runs a command and returns what it prints.
func Output(cmd *exec.Cmd) ([]byte, error) {
	var out bytes.Buffer
	cmd.Stdout = &out
	err := Run(cmd)
	return out.Bytes(), err
}

// CombinedOutput runs a command and returns what it prints, complaints included.
func CombinedOutput(cmd *exec.Cmd) ([]byte, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := Run(cmd)
	return out.Bytes(), err
}

// Kill ends a command and all that it started.
func Kill(cmd *exec.Cmd) error {
	err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return nil // it has ended
	}
	return err
}

// onStarter calls start on one thread that lives as long as the process: the
// kernel takes the end of the thread that started a child for the parent's.
func onStarter(start func() error) error {
	startOnce.Do(func() {
		go func() {
			runtime.LockOSThread()
			for s := range starts {
				s.done <- s.start()
			}
		}()
	})
	done := make(chan error, 1)
	starts <- request{start, done}
	return <-done
}

type request struct {
	start func() error
	done  chan<- error
}

var (
	startOnce sync.Once
	starts    = make(chan request)
)
