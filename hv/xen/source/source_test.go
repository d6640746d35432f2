package source

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"xsmbench/hv/git"
	"xsmbench/internal/require"

	"github.com/google/go-cmp/cmp"
)

// tree makes the skeleton of a source tree.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["xen/Makefile"] = "all:\n"
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpenNotXen(t *testing.T) {
	if _, err := Open(context.Background(), t.TempDir()); !errors.Is(err, ErrNotXen) {
		t.Errorf("error %v, want %v", err, ErrNotXen)
	}
}

// A tree that was built in place is the same source as before the build, and
// a change of a source or of the policy is another one.
func TestHash(t *testing.T) {
	base := map[string]string{"xen/common/a.c": "int a;", "xen/arch/x86/boot/build32.lds": "x", "tools/flask/policy/x.te": "allow"}
	with := func(name, text string) map[string]string {
		m := map[string]string{name: text}
		for k, v := range base {
			if k != name {
				m[k] = v
			}
		}
		return m
	}
	tests := []struct {
		name  string
		files map[string]string
		same  bool
	}{
		{"again", with("docs/x", "text"), true},
		{"object", with("xen/common/a.o", "object"), true},
		{"dependency file", with("xen/common/.a.o.d", "a.c"), true},
		{"configuration", with("xen/.config", "CONFIG_A=y"), true},
		{"image", with("xen/xen-syms", "elf"), true},
		{"changed source", with("xen/common/a.c", "int b;"), false},
		{"new source", with("xen/common/b.c", ""), false},
		{"linker script", with("xen/arch/x86/boot/build32.lds", "y"), false},
		{"policy", with("tools/flask/policy/x.te", "deny"), false},
	}
	want, err := Open(context.Background(), tree(t, with("docs/y", "")))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Open(context.Background(), tree(t, tt.files))
			if err != nil {
				t.Fatal(err)
			}
			if same := got.Hash == want.Hash; same != tt.same {
				t.Errorf("same hash: %v, want %v", same, tt.same)
			}
		})
	}
}

// sourceOf lists the files of a tree that count.
func sourceOf(t *testing.T, dir string) []string {
	t.Helper()
	tr, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := tr.Files(func(rel string, _ fs.FileInfo) error { got = append(got, rel); return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

// builtInPlace are files of Xen 4.17, and what a build has left between them.
var builtInPlace = map[string]string{
	"xen/common/a.c": "source", "xen/common/a.o": "object", "xen/common/.a.o.cmd": "how",
	"xen/include/compat/xen.h": "made", "xen/include/compat/.xen.h.cmd": "how",
	"xen/include/xen/lib/x86/cpuid-autogen.h": "made, without a command file", "xen/arch/x86/include/asm/asm-offsets.h": "so, too",
	"xen/common/config.gz": "so, too, and on no list",
	"xen/arch/x86/mine.h":  "the user's, not tracked", "xen/common/kept.c": "tracked", "xen/common/.kept.c.cmd": "of when it was generated",
	"tools/flask/policy/policy.conf": "made", "tools/flask/policy/dom0.te": "source",
}

// A tree in which a user has built has the same source as before.
func TestBuiltInPlace(t *testing.T) {
	got := sourceOf(t, tree(t, maps.Clone(builtInPlace)))
	want := []string{"xen/Makefile", "xen/arch/x86/mine.h", "xen/common/a.c", "xen/common/config.gz", "tools/flask/policy/dom0.te", "tools/flask/policy/policy.conf"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("no checkout (-want +got):\n%s", d)
	}
}

// In a checkout, git knows more of them, and what is tracked is source.
func TestBuiltInCheckout(t *testing.T) {
	require.Program(t, "git", "git")
	files := maps.Clone(builtInPlace)
	files[".gitignore"] = "*.o\nxen/common/config.gz\nxen/include/compat/*\ntools/flask/policy/policy.conf\n"
	files["xen/.gitignore"] = "kept.c\n"
	dir := tree(t, files)
	for _, args := range [][]string{
		{"init", "-q"}, {"add", ".gitignore", "xen/Makefile", "xen/common/a.c", "tools/flask/policy/dom0.te"}, {"add", "-f", "xen/common/kept.c", "xen/.gitignore"},
	} {
		if _, err := git.Output(t.Context(), dir, args...); err != nil {
			t.Fatal(err)
		}
	}
	// What the user alone does not want to see in git's lists is source.
	if err := os.WriteFile(filepath.Join(dir, ".git/info/exclude"), []byte("mine.h\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	want := []string{"xen/.gitignore", "xen/Makefile", "xen/arch/x86/mine.h", "xen/common/a.c", "xen/common/kept.c", "tools/flask/policy/dom0.te"}
	if d := cmp.Diff(want, sourceOf(t, dir)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A tree may lie in a repository that wants to know nothing of it.
func TestIgnoredTree(t *testing.T) {
	require.Program(t, "git", "git")
	home := t.TempDir()
	if _, err := git.Output(t.Context(), home, "init", "-q"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".gitignore"), []byte("*\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(home, "xen-4.17")
	if err := os.Rename(tree(t, map[string]string{"xen/common/a.c": ""}), dir); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"xen/Makefile", "xen/common/a.c"}, sourceOf(t, dir)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// What is neither a file nor a link does not count: to read a pipe is to wait
// for ever.
func TestFiles(t *testing.T) {
	dir := tree(t, map[string]string{"xen/b.c": "", "xen/b.o": "", "tools/libs/x.c": "", "Config.mk": "", "xen/.git/index": ""})
	if err := os.Symlink("b.c", filepath.Join(dir, "xen", "c.c")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "xen", "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	tr, err := Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := tr.Files(func(rel string, _ fs.FileInfo) error { got = append(got, rel); return nil }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"xen/Makefile", "xen/b.c", "xen/c.c", "Config.mk"}, got); d != "" {
		t.Error(d)
	}
}
