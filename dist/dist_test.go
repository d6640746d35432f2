package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPackageVersion(t *testing.T) {
	for _, c := range []struct{ of, want string }{
		{"v1.2.3", "1.2.3"},
		{"v1.2.3-rc.1", "1.2.3~rc.1"},
		{"v1.2.3+dirty", "1.2.3+dirty"},
		{"v1.2.4-0.20260102030405-0123456789ab", "1.2.4~0.20260102030405.0123456789ab"},
		{"v0.0.0-20260102030405-0123456789ab+dirty", "0.0.0~20260102030405.0123456789ab+dirty"},
	} {
		if got := packageVersion(c.of); got != c.want {
			t.Errorf("%s: %s, want %s", c.of, got, c.want)
		}
	}
}

// TestOrder: dpkg sees the order that Go does.
func TestOrder(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("SKIPPED: it needs dpkg")
	}
	order := []string{
		"v0.0.0-20260102030405-0123456789ab", "v0.0.0-20260203040506-aaaaaaaaaaaa", "v1.0.0-rc.1", "v1.0.0-rc.2", "v1.0.0",
		"v1.0.1-0.20260304050607-0123456789ab", "v1.0.1", "v1.0.10",
	}
	for i := range len(order) - 1 {
		a, b := packageVersion(order[i]), packageVersion(order[i+1])
		if err := exec.Command("dpkg", "--compare-versions", a, "lt", b).Run(); err != nil {
			t.Errorf("%s is not before %s: %v", a, b, err)
		}
	}
}

// small is a release of two files, which lie in a folder of its own.
func small(t *testing.T, changed time.Time, fileMode os.FileMode) *contents {
	t.Helper()
	dir := t.TempDir()
	c := &contents{version: "1.2.3~rc.1", arch: "386", time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for name, mode := range map[string]os.FileMode{"bin/xsmbench": 0o755, zsh: 0o644} {
		from := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(from, []byte("content of "+name), mode); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Chmod(from, fileMode), os.Chtimes(from, changed, changed)); err != nil {
			t.Fatal(err)
		}
		c.files = append(c.files, entry{name, from, mode})
	}
	if c.files[0].name > c.files[1].name {
		c.files[0], c.files[1] = c.files[1], c.files[0]
	}
	return c
}

// TestReproducible: where files lie, when they were written and which mode they
// have there does not matter.
func TestReproducible(t *testing.T) {
	var made [2][2][]byte
	for i, changed := range []time.Time{time.Unix(1, 0), time.Now()} {
		c := small(t, changed, []os.FileMode{0o600, 0o777}[i])
		for j, write := range []func(string) error{
			func(to string) error { return c.writeDeb(to, "A <a@b.invalid>") },
			c.writeTarball,
		} {
			to := filepath.Join(t.TempDir(), "made")
			if err := write(to); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(to)
			if err != nil {
				t.Fatal(err)
			}
			made[i][j] = text
		}
	}
	for j, what := range []string{"the package", "the tarball"} {
		if !bytes.Equal(made[0][j], made[1][j]) {
			t.Errorf("%s differs from time to time", what)
		}
	}
}

func TestTarball(t *testing.T) {
	to := filepath.Join(t.TempDir(), "tarball")
	if err := small(t, time.Now(), 0o600).writeTarball(to); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, h.FileInfo().Mode().String()+" "+h.Name)
		if h.Uid != 0 || h.Gid != 0 || !h.ModTime.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
			t.Errorf("%s: %d:%d, %s", h.Name, h.Uid, h.Gid, h.ModTime)
		}
	}
	const top = "xsmbench-1.2.3~rc.1-linux-386/"
	want := "drwxr-xr-x " + top + "\ndrwxr-xr-x " + top + "bin/\ndrwxr-xr-x " + top + "share/\ndrwxr-xr-x " + top + "share/zsh/\ndrwxr-xr-x " +
		top + "share/zsh/site-functions/\n-rwxr-xr-x " + top + "bin/xsmbench\n-rw-r--r-- " + top + "share/zsh/site-functions/_xsmbench"
	if all := strings.Join(got, "\n"); all != want {
		t.Errorf("got\n%s\nwant\n%s", all, want)
	}
}

func TestDeb(t *testing.T) {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("SKIPPED: it needs dpkg-deb")
	}
	to := filepath.Join(t.TempDir(), "made.deb")
	if err := small(t, time.Now(), 0o600).writeDeb(to, "A <a@b.invalid>"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"-f", to, "Package", "Version", "Architecture", "Depends"}, []string{"Package: xsmbench", "Version: 1.2.3~rc.1", "Architecture: i386"}},
		{[]string{"-c", to}, []string{"-rwxr-xr-x root/root", "./usr/bin/xsmbench", "./usr/share/zsh/vendor-completions/_xsmbench"}},
	} {
		out, err := exec.Command("dpkg-deb", c.args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, want := range c.want {
			if !strings.Contains(string(out), want) {
				t.Errorf("%v does not say %q:\n%s", c.args, want, out)
			}
		}
		if strings.Contains(string(out), "Depends") {
			t.Errorf("the package depends on others:\n%s", out)
		}
	}
}

// TestWritten: a file that could not be written whole is not there.
func TestWritten(t *testing.T) {
	to := filepath.Join(t.TempDir(), "x")
	broken := errors.New("broken")
	if err := written(to, func(f *os.File) error { f.WriteString("half"); return broken }); err != broken {
		t.Errorf("error %v", err)
	}
	if names, _ := filepath.Glob(to + "*"); names != nil {
		t.Errorf("left: %v", names)
	}
}
