package qemu

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is QEMU when it is called by QEMU's name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == Program {
		play(os.Getenv("FAKE_QEMU"))
	}
	os.Exit(m.Run())
}

// play does what a test asks the fake QEMU for, and ends.
func play(what string) {
	switch what {
	case "arguments":
		fmt.Println(strings.Join(os.Args[1:], "\n"))
	case "complain":
		fmt.Fprintf(os.Stderr, "%s: warning: host doesn't support that\n%s: -foo: invalid option\n", Program, Program)
		os.Exit(1)
	case "done":
		os.Exit(33)
	case "killed":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "hang", "hang with a child":
		// A terminal's signals must not reach it either.
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		if what != "hang" {
			startChild()
		}
		fmt.Println("hanging")
		time.Sleep(time.Hour)
	case "leave a child":
		startChild()
	}
	os.Exit(0)
}

// startChild starts a process that inherits standard output and outlives QEMU.
func startChild() {
	child := exec.Command("sleep", "60")
	child.Stdout = os.Stdout
	if err := child.Start(); err != nil {
		os.Exit(9)
	}
	os.WriteFile(os.Getenv("FAKE_CHILD"), fmt.Append(nil, child.Process.Pid), 0o644)
}

// fakeQEMU puts the fake QEMU before the real one.
func fakeQEMU(t *testing.T, what string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, Program)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("FAKE_QEMU", what)
	t.Setenv("FAKE_CHILD", filepath.Join(dir, "child"))
}

// ends waits for a process.
func ends(t *testing.T, p *Process) {
	t.Helper()
	select {
	case <-p.Ended:
	case <-time.After(10 * time.Second):
		p.Kill()
		t.Fatal("its end is not noticed")
	}
}

func TestProcess(t *testing.T) {
	tests := []struct {
		what    string
		status  int
		said    string // its end
		failure string
	}{
		{"done", 33, "", "QEMU ended with status 33"},
		{"complain", 1, "invalid option", "QEMU ended with status 1: " + Program + ": -foo: invalid option"},
		{"killed", -1, "", "QEMU was ended by killed"},
		{"arguments", 0, "file:/r/console", "QEMU ended with status 0: file:/r/console"},
		{"leave a child", 0, "", "QEMU ended with status 0"},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			fakeQEMU(t, tt.what)
			p, err := Start(machine(nil))
			if err != nil {
				t.Fatal(err)
			}
			ends(t, p)
			if p.Status() != tt.status {
				t.Errorf("status %d, want %d", p.Status(), tt.status)
			}
			if !strings.HasSuffix(p.Said(), tt.said) {
				t.Errorf("said %q", p.Said())
			}
			if err := p.Failure(); err.Error() != tt.failure {
				t.Errorf("failure %q, want %q", err, tt.failure)
			}
			p.Kill() // changes nothing
			if p.Status() != tt.status {
				t.Errorf("status %d after Kill", p.Status())
			}
			if child, err := os.ReadFile(os.Getenv("FAKE_CHILD")); err == nil && !gone(string(child)) {
				t.Errorf("its child %s lives on", child)
			}
		})
	}
}

func TestArgumentsArrive(t *testing.T) {
	fakeQEMU(t, "arguments")
	m := machine(func(m *Machine) { m.CmdLine = "a=1 'b c'"; m.FwCfg = map[string]string{"order": "x=="} })
	p, err := Start(m)
	if err != nil {
		t.Fatal(err)
	}
	ends(t, p)
	if want := strings.Join(m.Args(), "\n"); p.Said() != want {
		t.Errorf("arguments %q, want %q", p.Said(), want)
	}
}

func TestKill(t *testing.T) {
	for _, what := range []string{"hang", "hang with a child"} {
		t.Run(what, func(t *testing.T) {
			fakeQEMU(t, what)
			p, err := Start(machine(nil))
			if err != nil {
				t.Fatal(err)
			}
			child := ""
			for begun := time.Now(); what != "hang" && child == "" && time.Since(begun) < 10*time.Second; time.Sleep(5 * time.Millisecond) {
				text, _ := os.ReadFile(os.Getenv("FAKE_CHILD"))
				child = string(text)
			}
			select {
			case <-p.Ended:
				t.Fatal("it ended by itself")
			default:
			}
			p.Kill()
			p.Kill()
			if p.Status() != -1 || !strings.Contains(p.Failure().Error(), "killed") {
				t.Errorf("status %d: %v", p.Status(), p.Failure())
			}
			if child != "" && !gone(child) {
				t.Errorf("its child %s lives on", child)
			}
		})
	}
}

// gone waits until a process has ended; nobody may have reaped it yet.
func gone(pid string) bool {
	for begun := time.Now(); time.Since(begun) < 5*time.Second; time.Sleep(5 * time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if _, rest, _ := strings.Cut(string(stat), ") "); err != nil || strings.HasPrefix(rest, "Z") {
			return true
		}
	}
	return false
}

func TestNoQEMU(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Start(machine(nil)); !errors.Is(err, ErrNoQEMU) {
		t.Errorf("error %v, want %v", err, ErrNoQEMU)
	}
}
