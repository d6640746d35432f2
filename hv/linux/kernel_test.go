package linux

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKernel(t *testing.T) {
	for _, c := range []struct{ version, compiler, build string }{
		{
			"Linux version 6.1.0-18-amd64 (kernel@example.org) (gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)",
			"gcc-12 (Debian 12.2.0-14) 12.2.0", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)",
		},
		{"Linux version 6.6.1 (a@b) (clang version 17.0.0) #2 SMP", "clang version 17.0.0", "#2 SMP"},
		{"Linux version 2.6.18 (a@b) (gcc version 4.1.1) #1 SMP Thu", "gcc version 4.1.1", "#1 SMP Thu"},
		{"Linux version 1 (a@b) (gcc (never closed", "", ""},
		{"something else", "", ""},
	} {
		k := kernel{version: c.version}
		if k.compiler() != c.compiler || k.build() != c.build {
			t.Errorf("%s: compiler %q, build %q; want %q, %q", c.version, k.compiler(), k.build(), c.compiler, c.build)
		}
	}
}

func TestReadKernel(t *testing.T) {
	proc := t.TempDir()
	for file, text := range map[string]string{"sys/kernel/osrelease": "6.1.0\n", "version": "Linux version 6.1.0\n", "cmdline": "quiet\n"} {
		path := filepath.Join(proc, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	k, err := readKernel(proc)
	if want := (kernel{"6.1.0", "Linux version 6.1.0", "quiet"}); k != want || err != nil {
		t.Errorf("read %+v, %v", k, err)
	}
	if _, err := readKernel(filepath.Join(proc, "none")); err == nil {
		t.Error("a kernel that says nothing was read")
	}
}

func TestFileSystem(t *testing.T) {
	const mounts = `/dev/sda1 / ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
/dev/sdb /home/a\040b xfs rw 0 0
tmpfs / overlay rw 0 0
broken
`
	for _, c := range []struct{ dir, want string }{
		{"/tmp", "tmpfs"}, {"/tmp/x", "tmpfs"}, {"/tmpx", "overlay"}, {"/home/a b/c", "xfs"}, {"/", "overlay"},
	} {
		if got := fileSystem(mounts, c.dir); got != c.want {
			t.Errorf("%s lies on %q, want %q", c.dir, got, c.want)
		}
	}
	if got := fileSystem("", "/"); got != "" {
		t.Errorf("without mounts: %q", got)
	}
}

// TestUsualBuilds: the build's name is one that can be given, and says which kernel it is.
func TestUsualBuilds(t *testing.T) {
	k, err := readKernel("/proc")
	if err != nil {
		t.Skip(err)
	}
	name, kind, ok := strings.Cut(New().UsualBuilds()[0], "=")
	if !ok || kind != "linux" || name == "" || notInNames.MatchString(strings.ReplaceAll(name, "-", "")) {
		t.Errorf("the kernel %s is the build %q of kind %q", k.release, name, kind)
	}
}
