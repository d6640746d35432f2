package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"xsmbench/cmd/xsmbench/internal/cli"
	"xsmbench/hv"
	"xsmbench/hv/hvtest"
	"xsmbench/hv/xen/faketools/fakeqemu"
)

// TestMain makes this binary the program under test when it is called by the
// program's name. The environment variable XSMBENCH_FAKE, JSON of a
// hvtest.Target, adds the fake target; XSMBENCH_COUNTING, likewise or any text, the one
// that counts. By QEMU's name it is a fake of that.
func TestMain(m *testing.M) {
	if fakeqemu.Called() {
		fakeqemu.Main()
	}
	testscript.Main(m, map[string]func(){"xsmbench": func() {
		limitFiles()
		if text := os.Getenv("XSMBENCH_FAKE"); text != "" {
			var fake hvtest.Target
			if err := json.Unmarshal([]byte(text), &fake); err != nil {
				fmt.Fprintln(os.Stderr, "XSMBENCH_FAKE:", err)
				os.Exit(99)
			}
			hv.Register(&fake)
		}
		if text := os.Getenv("XSMBENCH_COUNTING"); text != "" {
			var counting hvtest.Counting
			if err := json.Unmarshal([]byte(text), &counting); strings.HasPrefix(text, "{") && err != nil {
				fmt.Fprintln(os.Stderr, "XSMBENCH_COUNTING:", err)
				os.Exit(99)
			}
			hv.Register(&counting)
		}
		os.Exit(cli.Run(os.Args[1:], os.Stdout, os.Stderr))
	}, "generate": generateMain, "generate-history": generateHistoryMain})
}

func TestScript(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			// The go command's caches are the caller's; what xsmbench
			// keeps is the script's own.
			for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
				out, err := exec.Command("go", "env", name).Output()
				if err != nil {
					return err
				}
				env.Setenv(name, strings.TrimSpace(string(out)))
			}
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("XSMBENCH_MACHINE_LOCK", filepath.Join(env.WorkDir, ".lock")) // scripts run side by side
			env.Setenv("XSMBENCH", root)
			// Where the program is, for scripts that take PATH away.
			bin, _, _ := strings.Cut(env.Getenv("PATH"), string(filepath.ListSeparator))
			env.Setenv("PROGRAM", filepath.Join(bin, "xsmbench"))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Getuid() == 0, nil
			case "model":
				_, err := os.Stat(filepath.Join(root, "cmd", "xsmmodel"))
				return err == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"fails": fails,
		},
	})
}

// exits runs a program and checks its exit code: exits CODE PROGRAM ARG...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// fails runs a program that must refuse its input: exit code 3, and one line
// on standard error.
func fails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: fails PROGRAM ARG...")
	}
	exits(ts, false, append([]string{strconv.Itoa(cli.ExitFailed)}, args...))
	text := ts.ReadFile("stderr")
	if strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "xsmbench: ") {
		ts.Fatalf("standard error is not one line of xsmbench's:\n%s", text)
	}
}

// TestInterrupt sends signals to a run: it exits with 130, keeps what it
// measured, and can be resumed.
func TestInterrupt(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			run := program(t, `{"Pace": 2000000}`, "run", "--target", "fake", "--rounds", "3", "--aa=false", "--bench", "lat_syscall", "-o", dir)
			var stderr strings.Builder
			run.Stderr = &stderr
			if err := run.Start(); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(20 * time.Second); ended(dir) < 2; time.Sleep(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					run.Process.Kill()
					t.Fatalf("no boot ended; standard error: %s", stderr.String())
				}
			}
			if err := run.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			run.Wait()
			if code := run.ProcessState.ExitCode(); code != cli.ExitInterrupted {
				t.Errorf("exit code %d, want %d; standard error: %s", code, cli.ExitInterrupted, stderr.String())
			}
			if want := "to continue: xsmbench run --resume " + dir; !strings.Contains(stderr.String(), want) {
				t.Errorf("standard error does not say %q:\n%s", want, stderr.String())
			}
			if n := ended(dir); n < 2 || n >= 18 {
				t.Errorf("%d boots' files ended, want some of 18", n)
			}
			out, err := program(t, `{}`, "run", "--resume", dir).CombinedOutput()
			if err != nil || ended(dir) != 18 {
				t.Errorf("resume: %v, %d of 18 ended\n%s", err, ended(dir), out)
			}
		})
	}
}

func program(t *testing.T, fake string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Args = append([]string{"xsmbench"}, args...)
	cmd.Env = append(os.Environ(), "XSMBENCH_FAKE="+fake)
	return cmd
}

// ended counts end lines in a run's files: one per boot and domain.
func ended(dir string) int {
	files, _ := filepath.Glob(filepath.Join(dir, "results", "*.txt"))
	n := 0
	for _, f := range files {
		text, _ := os.ReadFile(f)
		n += strings.Count(string(text), "\n# end: ")
	}
	return n
}
