package faketools

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// roleEnv makes a test's program one of its roles.
const roleEnv = "XSMBENCH_FAKETOOLS_ROLE"

// Main is TestMain of a package whose tests start processes of their own
// program: by role, what such a process does with its arguments.
func Main(m *testing.M, roles map[string]func(args []string) error) {
	role, ok := os.LookupEnv(roleEnv)
	if !ok {
		os.Exit(m.Run())
	}
	if err := roles[role](os.Args[1:]); err != nil {
		fmt.Println("failed", strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(1)
	}
}

// Process is a process of the test's own program.
type Process struct {
	t   testing.TB
	cmd *exec.Cmd
	out *bufio.Scanner
}

// Start starts the test's program in a role. It ends with the test.
func Start(t testing.TB, role string, args ...string) *Process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &Process{t, cmd, bufio.NewScanner(out)}
	t.Cleanup(p.Kill)
	return p
}

// Kill ends the process as SIGKILL does, and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// Wait waits for the end and returns what the process printed.
func (p *Process) Wait() string {
	p.t.Helper()
	var lines []string
	for p.out.Scan() {
		lines = append(lines, p.out.Text())
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the process: %v: %s", err, strings.Join(lines, "; "))
	}
	return strings.Join(lines, "\n")
}
