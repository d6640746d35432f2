package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"xsmbench/cmd/xsmbench/internal/cli"
	"xsmbench/internal/require"
)

// TestSeriesInterrupt sends a signal to a series: it shows what it has, exits with
// 130, and the same command measures the rest.
func TestSeriesInterrupt(t *testing.T) {
	require.Program(t, "git", "git")
	dir := t.TempDir()
	for _, args := range [][]string{
		{"init", "-q"}, {"commit", "-q", "--allow-empty", "-m", "one"}, {"tag", "v1"}, {"commit", "-q", "--allow-empty", "-m", "two"}, {"tag", "v2"},
	} {
		args = append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.org"}, args...)
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	args := []string{"series", "--target", "fake", "--source", ".", "--revs", "v1..v2", "--builds", "native", "--bench", "lat_syscall", "--rounds", "3",
		"--store", filepath.Join(dir, "runs.db"), "-o", filepath.Join(dir, "out")}
	cmd := program(t, `{"Pace": 20000000}`, args...)
	cmd.Dir = dir
	var said heard
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	said.until(t, "[1/3] round 1, native:")
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != cli.ExitInterrupted {
		t.Errorf("exit code %d:\n%s", code, said.text.String())
	}
	said.until(t, "2 still to come")
	said.until(t, "interrupted: 0 of 2 revisions are done, in "+filepath.Join(dir, "out")+"; the same command continues\n")
	cmd = program(t, "{}", args...)
	cmd.Dir = dir
	said = heard{}
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Errorf("%v\n%s", err, said.text.String())
	}
	said.until(t, "[1/2] round 2, native:") // of what is left
	said.until(t, "2 revisions: 1 measured, 1 same image\n")
}
