package source

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

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
