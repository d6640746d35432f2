package git

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/internal/require"
)

// need skips where there is no git.
func need(t *testing.T) {
	t.Helper()
	require.Program(t, "git", "git")
}

func write(t *testing.T, dir, name, text string, mode fs.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	config := []string{"-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgSign=false", "-c", "tag.gpgSign=false"}
	if _, err := Output(t.Context(), dir, append(config, args...)...); err != nil {
		t.Fatalf("git %v: %v", args, err)
	}
}

// repository has two commits, v1 and v2, with files of all sorts.
func repository(t *testing.T) string {
	t.Helper()
	need(t)
	dir := t.TempDir()
	run(t, dir, "init", "-q")
	write(t, dir, "file", "one", 0o644)
	write(t, dir, "run.sh", "#!/bin/sh\n", 0o755)
	write(t, dir, "sub/deep/file", "deep", 0o644)
	if err := os.Symlink("deep/file", filepath.Join(dir, "sub/link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "add", ".")
	run(t, dir, "commit", "-q", "-m", "one")
	run(t, dir, "tag", "-a", "-m", "the first", "v1")
	write(t, dir, "file", "two", 0o644)
	run(t, dir, "commit", "-q", "-a", "-m", "two")
	run(t, dir, "tag", "v2")
	return dir
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestCommit(t *testing.T) {
	dir := repository(t)
	head, err := Output(t.Context(), dir, "rev-parse", "HEAD")
	if err != nil || len(head) != 40 {
		t.Fatalf("head %q, %v", head, err)
	}
	for _, c := range []struct {
		rev, want string
	}{
		{"HEAD", ""}, {"v2", ""}, {head[:10], ""}, {"v1", ""}, {"v2^", ""},
		{"v3", `the repository has no revision "v3"`},
		{"", `the repository has no revision ""`},
		{"--all", `the repository has no revision "--all"`},
		{"HEAD:file", `the repository has no revision "HEAD:file"`}, // a file, no commit
	} {
		commit, err := Commit(t.Context(), dir, c.rev)
		if text(err) != c.want {
			t.Errorf("%q: error %v, want %q", c.rev, err, c.want)
		}
		if first := c.rev == "v1" || c.rev == "v2^"; c.want == "" && (len(commit) != 40 || (commit == head) == first) {
			t.Errorf("%q: commit %s; the head is %s", c.rev, commit, head)
		}
	}
	// An annotated tag is not its commit.
	if a, err := Commit(t.Context(), dir, "v1"); err == nil {
		if b, err := Commit(t.Context(), filepath.Join(dir, "sub"), "v2^"); err != nil || a != b {
			t.Errorf("v1 is %s, v2^ is %s (%v)", a, b, err)
		}
	}
}

func TestOutside(t *testing.T) {
	need(t)
	dir := t.TempDir()
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(dir))
	t.Setenv("LANG", "de_DE.UTF-8")
	if _, err := Commit(t.Context(), dir, "HEAD"); !strings.HasPrefix(text(err), "git rev-parse: not a git repository") {
		t.Errorf("outside of a repository: %v", err)
	}
	if _, err := Commit(t.Context(), filepath.Join(dir, "absent"), "HEAD"); !strings.HasPrefix(text(err), "git rev-parse: cannot change to ") {
		t.Errorf("no folder: %v", err)
	}
}

func TestNoGit(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, commit := Commit(t.Context(), ".", "HEAD")
	_, output := Output(t.Context(), ".", "status")
	for _, err := range []error{commit, output, Export(t.Context(), ".", "HEAD", t.TempDir())} {
		if !errors.Is(err, ErrNoGit) {
			t.Errorf("error %v, want %v", err, ErrNoGit)
		}
	}
}

// files reads a tree: contents, where links lead, "x" after what can be
// executed.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if d.Type() == fs.ModeSymlink {
			to, err := os.Readlink(path)
			got[rel] = "-> " + to
			return err
		}
		text, err := os.ReadFile(path)
		got[rel] = string(text)
		if info, _ := d.Info(); info.Mode()&0o100 != 0 {
			got[rel] += "x"
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestExport(t *testing.T) {
	dir := repository(t)
	// What is not committed does not count.
	write(t, dir, "file", "three", 0o644)
	for _, c := range []struct {
		name, below, rev string
		want             map[string]string
	}{
		{"first", "", "v1", map[string]string{
			"file": "one", "run.sh": "#!/bin/sh\nx", "sub/deep/file": "deep", "sub/link": "-> deep/file", "dangling": "-> /nowhere",
		}},
		{"second", "", "v2", map[string]string{
			"file": "two", "run.sh": "#!/bin/sh\nx", "sub/deep/file": "deep", "sub/link": "-> deep/file", "dangling": "-> /nowhere",
		}},
		{"below", "sub", "v2", map[string]string{"deep/file": "deep", "link": "-> deep/file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			from, to := filepath.Join(dir, c.below), t.TempDir()
			commit, err := Commit(t.Context(), from, c.rev)
			if err != nil {
				t.Fatal(err)
			}
			if err := Export(t.Context(), from, commit, to); err != nil {
				t.Fatal(err)
			}
			got := files(t, to)
			for name, text := range c.want {
				if got[name] != text {
					t.Errorf("%s is %q, want %q", name, got[name], text)
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("exported %v", got)
			}
		})
	}
}

func TestExportErrors(t *testing.T) {
	dir := repository(t)
	if err := Export(t.Context(), dir, "v3", t.TempDir()); !strings.HasPrefix(text(err), "git archive: not a valid object name") {
		t.Errorf("no such commit: %v", err)
	}
	if err := Export(t.Context(), dir, "v1", filepath.Join(t.TempDir(), "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder to unpack into: %v", err)
	}
	to := t.TempDir()
	write(t, to, "file", "mine", 0o644)
	if err := Export(t.Context(), dir, "v1", to); !errors.Is(err, fs.ErrExist) || !strings.HasPrefix(text(err), "unpack commit v1: ") {
		t.Errorf("a file is there: %v", err)
	}
}

// TestCancelled: a git that hangs ends with the context, whose cause is the
// error.
func TestCancelled(t *testing.T) {
	bin, pipe := t.TempDir(), filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, bin, "git", "#!/bin/sh\necho >'"+pipe+"'\nsleep 1000 & wait\n", 0o755)
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	cause := errors.New("the cause")
	for name, call := range map[string]func(context.Context) error{
		"commit": func(ctx context.Context) error {
			_, err := Commit(ctx, ".", "HEAD")
			return err
		},
		"export": func(ctx context.Context) error { return Export(ctx, ".", "HEAD", t.TempDir()) },
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			defer cancel(cause)
			_, _ = os.ReadFile(pipe) // it has begun
		}()
		if err := call(ctx); err != cause {
			t.Errorf("%s: error %v, want the context's cause", name, err)
		}
	}
}

// TestUntar: nothing is unpacked outside of the folder.
func TestUntar(t *testing.T) {
	for _, c := range []struct {
		name    string
		entries []tar.Header
		fails   bool
	}{
		{"a file", []tar.Header{{Typeflag: tar.TypeReg, Name: "a/b", Mode: 0o644}}, false},
		{"a folder and its file", []tar.Header{{Typeflag: tar.TypeDir, Name: "a/"}, {Typeflag: tar.TypeReg, Name: "a/b", Mode: 0o644}}, false},
		{"what is no file", []tar.Header{{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}}}, false},
		{"above", []tar.Header{{Typeflag: tar.TypeReg, Name: "../b", Mode: 0o644}}, true},
		{"through a link", []tar.Header{{Typeflag: tar.TypeSymlink, Name: "a", Linkname: ".."}, {Typeflag: tar.TypeReg, Name: "a/b", Mode: 0o644}}, true},
		{"twice", []tar.Header{{Typeflag: tar.TypeReg, Name: "b", Mode: 0o644}, {Typeflag: tar.TypeReg, Name: "b", Mode: 0o644}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var archive bytes.Buffer
			w := tar.NewWriter(&archive)
			for _, h := range c.entries {
				if err := w.WriteHeader(&h); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			top := t.TempDir()
			dir := filepath.Join(top, "dir")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := untar(&archive, dir); (err != nil) != c.fails {
				t.Errorf("error %v", err)
			}
			if found, _ := os.ReadDir(top); len(found) != 1 {
				t.Errorf("beside the folder: %v", found)
			}
		})
	}
	if err := untar(strings.NewReader("rubbish that is no archive, and long enough"), t.TempDir()); err == nil {
		t.Error("rubbish was unpacked")
	}
}

// What a repository tracks and what its .gitignore files leave out, below some
// paths of a directory in it.
func TestListFiles(t *testing.T) {
	dir := repository(t)
	write(t, dir, "sub/.gitignore", "*.o\nmade/\n!kept.o\n", 0o644)
	for _, name := range []string{"sub/a b.o", "sub/kept.o", "sub/made/x", "sub/other", "a.o"} {
		write(t, dir, name, "", 0o644)
	}
	write(t, dir, ".git/info/exclude", "other\n", 0o644)
	got, err := ListFiles(t.Context(), filepath.Join(dir, "sub"), "deep", "a b.o", "kept.o", "made", "other", "absent")
	want := Files{
		Tracked: map[string]bool{"deep/file": true},
		Ignored: map[string]bool{"a b.o": true, "made/x": true},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	if _, err := ListFiles(t.Context(), t.TempDir(), "."); err == nil {
		t.Error("no repository is no error")
	}
}
