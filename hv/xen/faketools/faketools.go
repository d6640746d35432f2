// Package faketools stands in, in tests, for the programs that package xen's
// parts call: small scripts in a folder that is all of PATH. What a script does
// beyond its part is the test's: files in the folder's control directory.
package faketools

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Tools are the fakes of one test.
type Tools struct {
	t   testing.TB
	dir string
}

// basic are what the scripts themselves call.
var basic = []string{"sh", "cat", "cp", "mkdir", "mv", "rm", "tar", "sed", "sleep"}

// New makes fakes by name the only programs in PATH, but for the basic ones. A
// script finds the control directory in $control.
func New(t testing.TB, scripts map[string]string) *Tools {
	t.Helper()
	f := &Tools{t: t, dir: t.TempDir()}
	f.mkdir("bin")
	f.mkdir("control")
	for _, name := range basic {
		f.Real(name)
	}
	for name, script := range scripts {
		f.Add(name, script)
	}
	t.Setenv("PATH", f.path("bin"))
	return f
}

// Add makes a fake program.
func (f *Tools) Add(name, script string) {
	f.t.Helper()
	text := "#!/bin/sh\ncontrol='" + f.path("control") + "'\n" + script
	if err := os.WriteFile(f.path("bin", name), []byte(text), 0o755); err != nil {
		f.t.Fatal(err)
	}
}

// Real lets a program of the machine through, and says whether it is there.
func (f *Tools) Real(name string) bool {
	f.t.Helper()
	path, ok := Find(name)
	if !ok {
		return false
	}
	if err := os.Symlink(path, f.path("bin", name)); err != nil {
		f.t.Fatal(err)
	}
	return true
}

// machine is PATH before any fake.
var machine = filepath.SplitList(os.Getenv("PATH"))

// Find looks for a program of the machine.
func Find(name string) (path string, ok bool) {
	for _, dir := range machine {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, true
		}
	}
	return "", false
}

// Remove takes a program away.
func (f *Tools) Remove(name string) {
	f.t.Helper()
	if err := os.Remove(f.path("bin", name)); err != nil {
		f.t.Fatal(err)
	}
}

// Bin is the folder of the programs.
func (f *Tools) Bin() string { return f.path("bin") }

// Path is that of a file in the control directory.
func (f *Tools) Path(name string) string { return f.path("control", name) }

// Write writes a file of the control directory.
func (f *Tools) Write(name, text string) {
	f.t.Helper()
	if err := os.MkdirAll(filepath.Dir(f.Path(name)), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(f.Path(name), []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// Delete removes a file of the control directory.
func (f *Tools) Delete(name string) {
	f.t.Helper()
	if err := os.Remove(f.Path(name)); err != nil {
		f.t.Fatal(err)
	}
}

// Pipe makes a named pipe in the control directory: who opens it for reading
// and who opens it for writing wait for each other.
func (f *Tools) Pipe(name string) {
	f.t.Helper()
	if err := syscall.Mkfifo(f.Path(name), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// Hear waits for a word that a script writes to a pipe.
func (f *Tools) Hear(name string) string {
	f.t.Helper()
	text, err := os.ReadFile(f.Path(name))
	if err != nil {
		f.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// Say writes a word for the script that reads a pipe.
func (f *Tools) Say(name, word string) {
	f.t.Helper()
	pipe, err := os.OpenFile(f.Path(name), os.O_WRONLY, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	defer pipe.Close()
	if _, err := pipe.WriteString(word + "\n"); err != nil {
		f.t.Fatal(err)
	}
}

// Lines are those of a file of the control directory, none if it is absent.
func (f *Tools) Lines(name string) []string {
	f.t.Helper()
	text, err := os.ReadFile(f.Path(name))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}

// Count is how many lines of a file begin so.
func (f *Tools) Count(name, start string) int {
	f.t.Helper()
	n := 0
	for _, line := range f.Lines(name) {
		if strings.HasPrefix(line, start) {
			n++
		}
	}
	return n
}

func (f *Tools) path(elem ...string) string {
	return filepath.Join(append([]string{f.dir}, elem...)...)
}

func (f *Tools) mkdir(name string) {
	f.t.Helper()
	if err := os.Mkdir(f.path(name), 0o755); err != nil {
		f.t.Fatal(err)
	}
}
