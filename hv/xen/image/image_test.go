package image

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cavaliergopher/cpio"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

func TestInitramfs(t *testing.T) {
	build := func(names ...string) []byte {
		var fs Initramfs
		for _, n := range names {
			fs.File(n, []byte("data of "+strings.TrimPrefix(n, "/")), 0o755)
		}
		fs.Dir("/proc")
		fs.Symlink("lib64", "usr/lib64")
		b, err := fs.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	a, b := build("init", "usr/bin/x"), build("/usr/bin/x", "/init")
	if !bytes.Equal(a, b) {
		t.Error("the order in which files were added changes the archive")
	}
	r := cpio.NewReader(bytes.NewReader(a))
	var got []string
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Join([]string{h.Mode.String(), h.Name, string(body) + h.Linkname}, "|"))
		if !h.ModTime.IsZero() && h.ModTime.Unix() != 0 {
			t.Errorf("%s has a time: %v", h.Name, h.ModTime)
		}
	}
	want := []string{
		"0100755|init|data of init", "0120777|lib64|usr/lib64", "040755|proc|",
		"040755|usr|", "040755|usr/bin|", "0100755|usr/bin/x|data of usr/bin/x",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// bzImage makes a kernel image around a payload; corrupt may damage it.
func bzImage(payload []byte, corrupt func([]byte)) []byte {
	const setup = 1
	image := make([]byte, (setup+1)*sector, (setup+1)*sector+len(payload)+8)
	image[offSetupSects] = setup
	copy(image[offMagic:], "HdrS")
	binary.LittleEndian.PutUint16(image[offVersion:], 0x20f)
	binary.LittleEndian.PutUint32(image[offPayload:], 4)
	binary.LittleEndian.PutUint32(image[offPayloadLength:], uint32(len(payload)+4))
	image = append(image, "pad!"...)
	image = append(image, payload...)
	image = append(image, "size"...)
	if corrupt != nil {
		corrupt(image)
	}
	return image
}

func gzipped(t *testing.T, plain []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func zstandard(t *testing.T, plain []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(plain, nil)
}

func TestVmlinux(t *testing.T) {
	plain := []byte("\x7fELF a kernel")
	tests := []struct {
		name  string
		image []byte
		err   string
	}{
		{"plain", bzImage(plain, nil), ""},
		{"gzip", bzImage(gzipped(t, plain), nil), ""},
		{"gzip, with something after it", bzImage(append(gzipped(t, plain), "rest"...), nil), ""},
		{"zstd", bzImage(zstandard(t, plain), nil), ""},
		{"half of zstd", bzImage(zstandard(t, plain)[:9], nil), "zstd"},
		{"no header", []byte("MZ"), "not a Linux bzImage"},
		{"old protocol", bzImage(plain, func(b []byte) { b[offVersion] = 7; b[offVersion+1] = 2 }), "not a Linux bzImage"},
		{"payload outside", bzImage(plain, func(b []byte) { b[offPayloadLength+2] = 9 }), "lies outside the file"},
		{"unknown compression", bzImage([]byte("\x00\x01\x02\x03\x04\x05\x06"), nil), "no known compression"},
		{"damaged", bzImage([]byte("\x1f\x8bnot gzip at all"), nil), "gzip"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "vmlinuz")
			if err := os.WriteFile(path, tt.image, 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := Vmlinux(context.Background(), path)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func FuzzPayload(f *testing.F) {
	f.Add(bzImage([]byte("\x7fELF"), nil))
	f.Add([]byte("MZ"))
	f.Fuzz(func(t *testing.T, image []byte) {
		p, err := payloadOf(image)
		if err != nil && !errors.Is(err, ErrNotKernel) {
			t.Errorf("error %v is not ErrNotKernel", err)
		}
		if err == nil && len(p) > len(image) {
			t.Errorf("payload of %d bytes in a file of %d", len(p), len(image))
		}
	})
}

func TestParseDepends(t *testing.T) {
	tests := []struct {
		modinfo string
		want    []string
	}{
		{"license=GPL\x00depends=a,b-c\x00retpoline=Y\x00", []string{"a", "b-c"}},
		{"depends=\x00", nil},
		{"license=GPL\x00", nil},
	}
	for _, tt := range tests {
		if d := cmp.Diff(tt.want, parseDepends([]byte(tt.modinfo))); d != "" {
			t.Errorf("%q: %s", tt.modinfo, d)
		}
	}
}

// The libraries of this test's own shell program: those of a machine that is
// its own root.
func TestLibraries(t *testing.T) {
	const program = "bin/sh"
	libs, err := Root("/").Libraries(program)
	if err != nil {
		t.Skip("this machine keeps its libraries elsewhere:", err)
	}
	if len(libs) < 2 || !strings.Contains(strings.Join(libs, " "), "libc.so") {
		t.Errorf("libraries of %s: %v", program, libs)
	}
}

func TestMissingModule(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "lib", "modules", "6"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Root(root).Modules(t.Context(), "xen-evtchn"); err == nil || !strings.Contains(err.Error(), "xen_evtchn") {
		t.Errorf("error %v, want one that names the module", err)
	}
}

// Programs find /lib64 and what lies there, whether a package has it there or
// below usr, and behind links.
func TestCopyFile(t *testing.T) {
	root := t.TempDir()
	for name, target := range map[string]string{
		"usr/lib64/ld.so.2": "../lib/x86_64-linux-gnu/ld.so.2", "etc/lib": "/usr/lib/nowhere", "a": "b", "b": "a",
	} {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(target, path)); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(root, "usr/lib/x86_64-linux-gnu/ld.so.2")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte("linker"), 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, err string }{
		{"lib64/ld.so.2", ""}, {"usr/lib64/ld.so.2", ""}, {"lib/x86_64-linux-gnu/ld.so.2", ""},
		{"etc/lib", "no such file"}, {"a", "too many symbolic links"}, {"lib64/other", "no such file"},
	} {
		to := filepath.Join(t.TempDir(), "new", "copy")
		err := Root(root).CopyFile(tt.name, to)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want %q", tt.name, err, tt.err)
			}
			continue
		}
		if data, e := os.ReadFile(to); err != nil || e != nil || string(data) != "linker" {
			t.Errorf("%s: %q, %v, %v", tt.name, data, err, e)
		}
	}
	if path, err := Root(root).Library("ld.so.2"); err != nil || path != "lib/x86_64-linux-gnu/ld.so.2" {
		t.Errorf("library at %s, %v", path, err)
	}
}
