package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// role tells the test's program what to be: "" for the tests.
const role = "XSMBENCH_CHILD_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "parent":
		parent()
	case "child":
		fmt.Println(os.Getpid())
		forever()
	}
}

// parent starts a child, passes on what it says, and waits to be killed.
func parent() {
	cmd := self("child")
	cmd.Stdout = os.Stdout
	if err := Start(cmd); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	forever()
}

// forever waits without being taken for a deadlock.
func forever() {
	for {
		time.Sleep(time.Hour)
	}
}

func self(as string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+as)
	return cmd
}

// said reads the child's number.
func said(t *testing.T, lines *bufio.Reader) int {
	t.Helper()
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the child says %q", line)
	}
	return pid
}

// awaitEnd waits until a process is gone or a zombie.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	for range 3000 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, rest, _ := strings.Cut(string(stat), ") ")
		if err != nil || strings.HasPrefix(rest, "Z") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("process %d lives on", pid)
}

// A child ends with its parent, even if that is killed.
func TestDiesWithParent(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc")
	}
	p := self("parent")
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	pid := said(t, bufio.NewReader(out))
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
	awaitEnd(t, pid)
}

// Many starts from goroutines that end do not end the children.
func TestOutlivesGoroutine(t *testing.T) {
	cmd := self("child")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- Start(cmd) }()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	pid := said(t, bufio.NewReader(out))
	if err := syscall.Kill(pid, 0); err != nil {
		t.Errorf("the child is gone: %v", err)
	}
	if err := Kill(cmd); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("it was not killed")
	}
}

// The end of a context ends what the command itself started, too.
func TestContextEndsGroup(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), role+"=parent")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := Start(cmd); err != nil {
		t.Fatal(err)
	}
	pid := said(t, bufio.NewReader(out))
	cancel()
	_ = cmd.Wait()
	awaitEnd(t, pid)
}

func TestStartFails(t *testing.T) {
	if err := Run(exec.Command("/nonexistent/program")); err == nil {
		t.Error("no error")
	}
}

func TestOutput(t *testing.T) {
	const script = "echo figures; echo complaint >&2; exit $1"
	for _, code := range []string{"0", "3"} {
		command := func() *exec.Cmd { return exec.Command("/bin/sh", "-c", script, "sh", code) }
		out, err := Output(command())
		both, errBoth := CombinedOutput(command())
		if string(out) != "figures\n" || string(both) != "figures\ncomplaint\n" {
			t.Errorf("exit %s: %q, %q", code, out, both)
		}
		if (err != nil) != (code == "3") || (errBoth != nil) != (code == "3") {
			t.Errorf("exit %s: %v, %v", code, err, errBoth)
		}
	}
	if _, err := Output(exec.Command("no-such-program")); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("a program that is not there: %v", err)
	}
}
