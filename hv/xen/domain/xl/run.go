//go:build linux && (amd64 || 386)

package xl

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"xsmbench/bench"
)

// run runs xl with arguments.
func (t *Toolstack) run(args ...string) error {
	_, err := t.output(args...)
	return err
}

// said is where a program writes to, beside the saved domain: there is nobody to read a
// pipe meanwhile.
func (t *Toolstack) said() string { return filepath.Join(filepath.Dir(t.Config.Save), "xl.said") }

// output runs xl and returns what it said. The calling thread waits: its descriptors
// may be its own (linux.OwnDescriptors), which goroutines of package os/exec could
// not use.
func (t *Toolstack) output(args ...string) (string, error) {
	fail := func(err error) (string, error) {
		return "", fmt.Errorf("run xl %s: %w", strings.Join(args, " "), err)
	}
	said := t.said()
	fd, err := syscall.Open(said, syscall.O_RDWR|syscall.O_CREAT|syscall.O_TRUNC|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return fail(&os.PathError{Op: "open", Path: said, Err: err})
	}
	defer syscall.Close(fd)
	a := &syscall.ProcAttr{Files: []uintptr{0, uintptr(fd), uintptr(fd)}, Env: []string{"PATH=" + t.Path, "LIBXL_SAVE_HELPER=" + t.Helper}}
	pid, err := syscall.ForkExec(t.Program, append([]string{"xl"}, args...), a)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) {
		return "", bench.Lack("%s cannot be run: %v", t.Program, err)
	}
	if err != nil {
		return fail(err)
	}
	status, err := wait(pid)
	if err != nil {
		return fail(err)
	}
	out, err := read(fd)
	if err != nil {
		return fail(err)
	}
	if status.ExitStatus() != 0 {
		return fail(fmt.Errorf("exit status %d: %s", status.ExitStatus(), lastLines(out)))
	}
	return out, nil
}

func wait(pid int) (status syscall.WaitStatus, err error) {
	for {
		_, err = syscall.Wait4(pid, &status, 0, nil)
		if err != syscall.EINTR {
			return status, err
		}
	}
}

// mostSaid is more than any command says.
const mostSaid = 64 << 10

func read(fd int) (string, error) {
	b := make([]byte, mostSaid)
	n, err := syscall.Pread(fd, b, 0)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

// lastLines are the last of what a program said, in one.
func lastLines(out string) string {
	const most = 6
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "; ")
}
