package git

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository has two commits, of which the first is tagged.
func repository(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("this machine has no git")
	}
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.org"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("sub/file", "one", 0o644)
	write("sub/run.sh", "exit", 0o755)
	if err := os.Symlink("file", filepath.Join(dir, "sub", "link")); err != nil {
		t.Fatal(err)
	}
	run("init", "-q")
	run("add", ".")
	run("commit", "-qm", "one")
	run("tag", "-am", "an annotated one", "v1")
	write("sub/file", "two", 0o644)
	run("commit", "-qam", "two")
	return dir
}

func TestCommit(t *testing.T) {
	dir := repository(t)
	head, err := Commit(t.Context(), dir, "HEAD")
	if err != nil || len(head) != 40 {
		t.Fatalf("%q, %v", head, err)
	}
	if again, err := Commit(t.Context(), dir, head[:12]); err != nil || again != head {
		t.Errorf("a short name: %q, %v", again, err)
	}
	if old, err := Commit(t.Context(), dir, "v1"); err != nil || old == head {
		t.Errorf("the tag: %q, %v", old, err)
	}
	for _, rev := range []string{"nosuch", "--help", "HEAD:sub"} {
		if _, err := Commit(t.Context(), dir, rev); err == nil || !strings.Contains(err.Error(), "no revision \""+rev+"\"") {
			t.Errorf("%s: error %v", rev, err)
		}
	}
	if _, err := Commit(t.Context(), t.TempDir(), "HEAD"); err == nil || !strings.Contains(err.Error(), "not a git repository") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Commit(ctx, dir, "HEAD"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Commit(t.Context(), dir, "HEAD"); !errors.Is(err, ErrNoGit) {
		t.Errorf("error %v", err)
	}
	if err := Export(t.Context(), dir, head, t.TempDir()); !errors.Is(err, ErrNoGit) {
		t.Errorf("error %v", err)
	}
}

func TestExport(t *testing.T) {
	dir := repository(t)
	for from, below := range map[string]string{dir: "sub", filepath.Join(dir, "sub"): "."} {
		to := t.TempDir()
		if err := Export(t.Context(), from, "v1", to); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(filepath.Join(to, below, "link")); err != nil || string(text) != "one" {
			t.Errorf("through the link: %q, %v", text, err)
		}
		if info, err := os.Stat(filepath.Join(to, below, "run.sh")); err != nil || info.Mode()&0o100 == 0 {
			t.Errorf("the script: %v, %v", info, err)
		}
		if err := Export(t.Context(), from, "v1", to); err == nil || !strings.Contains(err.Error(), "unpack commit v1: ") {
			t.Errorf("over what is there: error %v", err)
		}
	}
	if err := Export(t.Context(), dir, "nosuch", t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "git archive: not a ") {
		t.Errorf("error %v", err)
	}
}

// What an archive names outside of its folder is not written.
func TestUntarOutside(t *testing.T) {
	tests := map[string][]tar.Header{
		"above":        {{Typeflag: tar.TypeReg, Name: "../evil"}},
		"through link": {{Typeflag: tar.TypeSymlink, Name: "up", Linkname: ".."}, {Typeflag: tar.TypeReg, Name: "up/evil"}},
		"folder above": {{Typeflag: tar.TypeDir, Name: "../evil"}},
	}
	for name, headers := range tests {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			w := tar.NewWriter(&text)
			for _, h := range headers {
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
			if err := untar(&text, dir); err == nil {
				t.Error("no error")
			}
			if _, err := os.Lstat(filepath.Join(top, "evil")); err == nil {
				t.Error("it was written")
			}
		})
	}
	if err := untar(strings.NewReader("no archive, but longer than nothing"), t.TempDir()); err == nil {
		t.Error("no error")
	}
	if err := untar(nil, filepath.Join(t.TempDir(), "nosuch")); err == nil {
		t.Error("no error")
	}
}
