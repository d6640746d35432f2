package watch

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/internal/require"
)

// tree is a repository that ignores objects.
func tree(t *testing.T) string {
	t.Helper()
	require.Program(t, "git", "git")
	dir := t.TempDir()
	if out, err := exec.Command("git", "-C", dir, "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	put(t, dir, ".gitignore", "*.o\n")
	put(t, dir, "xen/common/a.c", "int a;")
	return dir
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// watched is a watch of a tree, and what it tells next, relative to the tree.
func watched(t *testing.T, dir string) func() []string {
	t.Helper()
	w, err := New(filepath.Join(dir, "runs", "mine"), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	w.quiet = 30 * time.Millisecond
	return func() []string {
		t.Helper()
		files, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i, path := range files {
			if files[i], err = filepath.Rel(dir, path); err != nil {
				t.Fatal(err)
			}
		}
		return files
	}
}

// TestNext: each change is told, in any folder, also a new one.
// What is no source of the tree comes before the change, and is not told.
func TestNext(t *testing.T) {
	dir := tree(t)
	next := watched(t, dir)
	for _, c := range []struct {
		name   string
		change func()
		want   string
	}{
		{"a file", func() { put(t, dir, "xen/common/a.c", "int b;") }, "xen/common/a.c"},
		{"an object before it", func() { put(t, dir, "xen/common/a.o", "o"); put(t, dir, "xen/common/a.c", "int c;") }, "xen/common/a.c"},
		{"git's own before it", func() { put(t, dir, ".git/index", "x"); put(t, dir, "xen/common/a.c", "int d;") }, "xen/common/a.c"},
		{"what the program writes before it", func() { put(t, dir, "runs/mine/0001/run.json", "{}"); put(t, dir, "xen/common/a.c", "int e;") }, "xen/common/a.c"},
		{"a new folder", func() { put(t, dir, "xen/arch/x86/b.c", "int b;") }, "xen/arch/x86/b.c"},
		{"a file in it", func() { put(t, dir, "xen/arch/x86/b.c", "int c;") }, "xen/arch/x86/b.c"},
		{"two files", func() { put(t, dir, "xen/common/a.c", ""); put(t, dir, "xen/arch/x86/b.c", "") }, "xen/arch/x86/b.c xen/common/a.c"},
		{"a file less", func() { os.Remove(filepath.Join(dir, "xen/common/a.c")) }, "xen/common/a.c"},
	} {
		c.change()
		// On a busy machine one change may be told as two.
		for got := map[string]bool{}; !all(got, strings.Fields(c.want)); {
			for _, name := range next() {
				got[name] = true
				if strings.HasSuffix(name, ".o") || strings.HasPrefix(name, "runs") || strings.HasPrefix(name, ".git/") {
					t.Errorf("%s: told %s", c.name, name)
				}
			}
		}
	}
}

func all(got map[string]bool, names []string) bool {
	for _, name := range names {
		if !got[name] {
			return false
		}
	}
	return true
}

// TestOnlyIgnored: a build in the tree is no change, and the watch goes on.
func TestOnlyIgnored(t *testing.T) {
	dir := tree(t)
	w, err := New(filepath.Join(dir, "runs", "mine"), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if got := w.ofSource(t.Context(), map[string]bool{filepath.Join(dir, "xen/a.o"): true}); got != nil {
		t.Errorf("told %v", got)
	}
	if got := w.ofSource(t.Context(), map[string]bool{filepath.Join(dir, "xen/a.o"): true, filepath.Join(dir, "xen/a.c"): true}); len(got) != 1 {
		t.Errorf("told %v", got)
	}
}

// TestNoGit: in a tree that is no repository everything counts.
func TestNoGit(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(dir))
	next := watched(t, dir)
	put(t, dir, "a.o", "")
	if d := cmp.Diff([]string{"a.o"}, next()); d != "" {
		t.Error(d)
	}
}

func TestEnds(t *testing.T) {
	w, err := New("runs", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the cause")
	cancel(cause)
	if _, err := w.Next(ctx); !errors.Is(err, cause) {
		t.Errorf("error %v", err)
	}
	if _, err := New("runs", filepath.Join(t.TempDir(), "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
