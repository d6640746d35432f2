package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xsmbench/cmd/xsmbench/internal/cli"
)

// TestTwoRuns: while a run has a directory, no other run begins there or
// resumes it, but what is measured can be read; when it has ended, however it
// did, the directory is free.
func TestTwoRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	args := []string{"run", "--target", "fake", "--rounds", "3", "--bench", "lat_syscall", "-o", dir}
	first := program(t, `{"Pace": 20000000}`, args...)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	defer first.Wait()
	defer first.Process.Kill()
	for deadline := time.Now().Add(20 * time.Second); ended(dir) < 3; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no boot ended")
		}
	}
	want := fmt.Sprintf("process %d is writing a run in %s: wait until it has ended, or name another directory", first.Process.Pid, dir)
	for _, second := range [][]string{args, {"run", "--resume", dir}} {
		cmd := program(t, "{}", second...)
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != cli.ExitFailed || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v, want %q:\n%s", second, err, want, out)
		}
	}
	if out, err := program(t, "{}", "compare", dir).CombinedOutput(); err != nil {
		t.Errorf("compare beside the run: %v\n%s", err, out)
	}
	first.Process.Kill()
	first.Wait()
	lock, err := os.ReadFile(filepath.Join(dir, "lock"))
	if err != nil || strings.TrimSpace(string(lock)) != fmt.Sprint(first.Process.Pid) {
		t.Errorf("the killed run's lock: %q, %v", lock, err)
	}
	if out, err := program(t, "{}", "run", "--resume", dir).CombinedOutput(); err != nil {
		t.Errorf("resume when the first has been killed: %v\n%s", err, out)
	}
}
