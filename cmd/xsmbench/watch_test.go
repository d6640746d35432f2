package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"xsmbench/cmd/xsmbench/internal/cli"
	"xsmbench/hv/hvtest"
	"xsmbench/internal/require"
)

// heard is what a program prints, of which a test waits for words.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
	read int // so much was waited for
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(b)
}

// until waits for a word after the last one, and returns what stands between.
func (h *heard) until(t *testing.T, word string) string {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		h.mu.Lock()
		rest := h.text.String()[h.read:]
		before, _, found := strings.Cut(rest, word)
		if found {
			h.read += len(before) + len(word)
		}
		h.mu.Unlock()
		if found {
			return before
		}
	}
	t.Fatalf("never said %q:\n%s", word, h.text.String())
	return ""
}

// TestWatch edits a tree: each edit is measured, what does not build is reported,
// what changes no image is not measured, and Ctrl-C ends the watch.
func TestWatch(t *testing.T) {
	require.Program(t, "git", "git")
	dir := t.TempDir()
	source := filepath.Join(dir, "repo", hvtest.SourceFile)
	edit := func(text string) {
		t.Helper()
		if err := os.WriteFile(source, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Dir(source), 0o777); err != nil {
		t.Fatal(err)
	}
	edit("")
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "begin"}} {
		if out, err := exec.Command("git", append([]string{"-C", filepath.Dir(source)}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	cmd := program(t, "{}", "watch", "--target", "counting", "--source", "repo", "--builds", "before=flask@HEAD,after=flask@.", "--bench", "op=evtchn_send$", "-o", "repo/out")
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, "XSMBENCH_COUNTING=1")
	var said heard
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	const watching = "(Ctrl-C ends)\n"
	if text := said.until(t, watching); strings.Contains(text, "142") || !strings.Contains(text, "run: repo/out/0001\n") {
		t.Errorf("nothing was changed:\n%s", text)
	}
	for _, c := range []struct{ source, want string }{
		{"flask count evtchn_send 142\n", "+142"},
		{"flask build hooks.c:3: error: ';' expected\n", "hooks.c:3: error: ';' expected"},
		{"flask count evtchn_send -14\n", "−14"},
		{"flask count evtchn_send -14\nnative count evtchn_send 1\n", "no image changed"},
	} {
		edit(c.source)
		if text := said.until(t, watching); !strings.Contains(text, "changed: source.txt\n") || !strings.Contains(text, c.want) {
			t.Errorf("%q: does not say %q:\n%s", c.source, c.want, text)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != cli.ExitInterrupted {
		t.Errorf("exit code %d:\n%s", code, said.text.String())
	}
	for _, run := range []string{"0001", "0002", "0004"} {
		if _, err := os.Stat(filepath.Join(dir, "repo", "out", run, "run.json")); err != nil {
			t.Error(err)
		}
	}
}

// TestWatchRefuses: what cannot change, or cannot be measured at all.
func TestWatchRefuses(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--target counting", "watch: no build is made from a directory that can change"},
		{"--target counting --source . --budget 1m", "--budget: watch measures again and again"},
		{"--target counting --source . --builds before=flask@nosuch,after=flask@.", `the repository has no revision "nosuch"`},
	} {
		cmd := program(t, "{}", append([]string{"watch", "-o", filepath.Join(t.TempDir(), "out")}, strings.Fields(c.args)...)...)
		cmd.Env = append(cmd.Env, "XSMBENCH_COUNTING=1")
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != cli.ExitFailed || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v\n%s", c.args, err, out)
		}
	}
}
