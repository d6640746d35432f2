package store

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// packed is the archive of an entry that a recipe makes.
func packed(t testing.TB, s *Store, key Key, make func(ctx context.Context, dir string) error) []byte {
	t.Helper()
	e, err := s.Get(t.Context(), things, key, Recipe{What: "a thing", Make: make})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release()
	var archive bytes.Buffer
	if err := pack(t.Context(), filepath.Dir(e.Dir), &archive); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

// into is a folder to unpack into.
func into(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, filesName), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func unpackTest(t testing.TB, archive []byte, key Key) (string, error) {
	t.Helper()
	dir := into(t)
	return dir, unpack(t.Context(), bytes.NewReader(archive), dir, things, key)
}

// variety makes an entry with all that an entry can have.
func variety(ctx context.Context, dir string) error {
	long := strings.Repeat("long name/", 20)
	err := writes(map[string]string{"file": "text", "x y/z": "", "ü/π": "ω", "program": "#!/bin/sh\n", "shut/in": "in", long + "end": "e"})(ctx, dir)
	return errors.Join(err,
		os.Symlink("/etc/nowhere", filepath.Join(dir, "absolute")),
		os.Symlink("../../..", filepath.Join(dir, "x y", "up")),
		os.Mkdir(filepath.Join(dir, "empty folder"), 0o700),
		os.Chmod(filepath.Join(dir, "program"), 0o755),
		os.Chtimes(filepath.Join(dir, "file"), time.Unix(1e9, 123456789), time.Unix(1e9, 123456789)),
		os.Chmod(filepath.Join(dir, "shut"), 0o500),
		os.Chmod(filepath.Join(dir, "empty folder"), 0o750|fs.ModeSetgid))
}

func TestArchive(t *testing.T) {
	key := KeyOf("variety")
	s := openTest(t, t.TempDir())
	archive := packed(t, s, key, variety)
	dir, err := unpackTest(t, archive, key)
	if err != nil {
		t.Fatal(err)
	}
	forget()
	if damage := compare(dir); damage != nil {
		t.Errorf("what was unpacked: %v", damage)
	}
	want, err := scan(filepath.Join(s.entry(things, key), filesName))
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if want[i].Mode.IsDir() {
			want[i].Mode &^= fs.ModeSetgid
		}
	}
	have, err := scan(filepath.Join(dir, filesName))
	if err != nil {
		t.Fatal(err)
	}
	if name, reason := compareLists(want, have); reason != "" {
		t.Errorf("%s: %s", name, reason)
	}
	info, err := os.Stat(filepath.Join(dir, filesName, "file"))
	if err != nil || info.ModTime().UnixNano() != 1e18+123456789 {
		t.Errorf("time of a file: %v, %v", info.ModTime(), err)
	}
	// An entry that came from elsewhere goes on as it is.
	var again bytes.Buffer
	if err := pack(t.Context(), dir, &again); err != nil {
		t.Fatal(err)
	}
	if _, err := unpackTest(t, again.Bytes(), key); err != nil {
		t.Errorf("packed again: %v", err)
	}
}

// An archive that is cut, or in which a bit changed, is never taken for whole.
func TestArchiveDamage(t *testing.T) {
	key := KeyOf("whole")
	archive := packed(t, openTest(t, t.TempDir()), key, writes(whole))
	for n := range archive {
		if _, err := unpackTest(t, archive[:n], key); err == nil {
			t.Errorf("cut to %d of %d bytes: taken", n, len(archive))
		}
		changed := bytes.Clone(archive)
		changed[n] ^= 1 << (n % 8)
		if dir, err := unpackTest(t, changed, key); err == nil {
			forget()
			if compare(dir) != nil || read(t, filepath.Join(dir, filesName, "d", "b")) != "text of b" {
				t.Errorf("byte %d of %d changed: another entry was taken", n, len(archive))
			}
		}
	}
}

// A mode of a file that gives rights is not passed on.
func TestArchiveRefusesModes(t *testing.T) {
	s := openTest(t, t.TempDir())
	e := get(t, s, things, KeyOf("rights"), Recipe{What: "a thing", Make: func(ctx context.Context, dir string) error {
		return errors.Join(writes(map[string]string{"p": ""})(ctx, dir), os.Chmod(filepath.Join(dir, "p"), 0o755|fs.ModeSetuid))
	}})
	if err := pack(t.Context(), filepath.Dir(e.Dir), io.Discard); err == nil || !strings.Contains(err.Error(), "is not for other machines") {
		t.Errorf("a program that gives rights: %v", err)
	}
}

// member is one of a forged archive's.
type member struct {
	tar.Header
	text string
}

func forged(t testing.TB, members ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for _, m := range members {
		m.Size = int64(len(m.text))
		if m.Typeflag == 0 {
			m.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(&m.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func named(name, text string) member { return member{tar.Header{Name: name, Mode: 0o644}, text} }

// regular is a line of a manifest about a file.
func regular(path, text string) file {
	sum := sha256.Sum256([]byte(text))
	return file{Path: path, Mode: 0o644, Size: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}
}

// about is the manifest of some lines, after a change.
func manifestOf(t testing.TB, change func(*header), files ...file) member {
	t.Helper()
	head := header{Version: version, Kind: "things", Key: KeyOf("forged"), What: "a thing", Files: len(files)}
	for _, f := range files {
		head.Size += f.Size
	}
	if change != nil {
		change(&head)
	}
	var text bytes.Buffer
	if err := formatManifest(&text, head, files); err != nil {
		t.Fatal(err)
	}
	return named("manifest", text.String())
}

// Nobody who can write the shared store writes beside an entry, or takes more
// room than the manifest says.
func TestForgedArchives(t *testing.T) {
	link := func(target string) member {
		return member{tar.Header{Name: "files/l", Typeflag: tar.TypeSymlink, Linkname: target}, ""}
	}
	linkLine := file{Path: "l", Mode: fs.ModeSymlink | 0o777, Target: "/etc"}
	for name, c := range map[string]struct {
		members []member
		word    string
	}{
		"no manifest":       {[]member{named("files/a", "x")}, "does not begin with a manifest"},
		"a link for one":    {[]member{{tar.Header{Name: "manifest", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, ""}}, "does not begin with a manifest"},
		"no text":           {[]member{named("manifest", "hello")}, "read its manifest"},
		"nothing":           {nil, "it is no archive"},
		"another version":   {[]member{manifestOf(t, func(h *header) { h.Version = 7 })}, "its version is 7"},
		"another key":       {[]member{manifestOf(t, func(h *header) { h.Key = KeyOf("x") })}, "it is the entry of things"},
		"another kind":      {[]member{manifestOf(t, func(h *header) { h.Kind = "small" })}, "it is the entry of small"},
		"too many lines":    {[]member{manifestOf(t, func(h *header) { h.Files = 1 << 30 })}, "it has 1073741824 lines"},
		"less than none":    {[]member{manifestOf(t, func(h *header) { h.Files = -1 })}, "it has -1 lines"},
		"a line short":      {[]member{manifestOf(t, func(h *header) { h.Files = 2 }, regular("a", "x")), named("files/a", "x")}, "unexpected EOF"},
		"another size":      {[]member{manifestOf(t, func(h *header) { h.Size = 9 }, regular("a", "x"))}, "have 1 bytes, not 9"},
		"upwards":           {[]member{manifestOf(t, nil, regular("../a", "x")), named("files/../a", "x")}, "not a path inside"},
		"absolute":          {[]member{manifestOf(t, nil, regular("/a", "x"))}, "not a path inside"},
		"nowhere":           {[]member{manifestOf(t, nil, regular("", "x"))}, "not a path inside"},
		"a zero byte":       {[]member{manifestOf(t, nil, regular("a\x00b", "x"))}, "not a path inside"},
		"twice":             {[]member{manifestOf(t, nil, regular("a", "x"), regular("a", "x"))}, "twice"},
		"no folder":         {[]member{manifestOf(t, nil, regular("d/a", "x"))}, "before the folder"},
		"through a link":    {[]member{manifestOf(t, nil, linkLine, regular("l/a", "x")), link("/etc"), named("files/l/a", "x")}, "before the folder"},
		"another target":    {[]member{manifestOf(t, nil, linkLine), link("/usr")}, "has \"files/l\" in its place"},
		"a link for a file": {[]member{manifestOf(t, nil, regular("l", "")), link("/etc")}, "in its place"},
		"rights":            {[]member{manifestOf(t, nil, file{Path: "a", Mode: 0o755 | fs.ModeSetuid, SHA256: regular("", "").SHA256})}, "its mode is"},
		"a device":          {[]member{manifestOf(t, nil, file{Path: "a", Mode: fs.ModeDevice | 0o644})}, "its mode is"},
		"no digest":         {[]member{manifestOf(t, nil, file{Path: "a", Mode: 0o644, Size: 1})}, "its digest is none"},
		"less than nothing": {[]member{manifestOf(t, nil, file{Path: "a", Mode: 0o644, Size: -1, SHA256: regular("", "").SHA256})}, "it has -1 bytes"},
		"a folder's bytes":  {[]member{manifestOf(t, nil, file{Path: "a", Mode: fs.ModeDir | 0o755, Size: 1})}, "it has 1 bytes"},
		"other bytes":       {[]member{manifestOf(t, nil, regular("a", "x")), named("files/a", "y")}, "not what the manifest says"},
		"more bytes":        {[]member{manifestOf(t, nil, regular("a", "x")), named("files/a", "xx")}, "in its place"},
		"missing":           {[]member{manifestOf(t, nil, regular("a", "x"))}, "unexpected EOF"},
		"another order":     {[]member{manifestOf(t, nil, regular("a", "x"), regular("b", "x")), named("files/b", "x"), named("files/a", "x")}, "in its place"},
		"one more":          {[]member{manifestOf(t, nil, regular("a", "x")), named("files/a", "x"), named("files/b", "x")}, "more than its manifest says"},
		"much more":         {[]member{manifestOf(t, nil), named("files/a", strings.Repeat("x", 1<<20))}, "more than its manifest says"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := unpackTest(t, forged(t, c.members...), KeyOf("forged"))
			if err == nil || !strings.Contains(err.Error(), c.word) {
				t.Errorf("error %v, want %q", err, c.word)
			}
			if _, err := os.Lstat(filepath.Join(dir, manifestName)); !errors.Is(err, fs.ErrNotExist) {
				t.Error("it has a manifest, as if it were complete")
			}
		})
	}
	good := forged(t, manifestOf(t, nil, linkLine, regular("m", "x")), link("/etc"), named("files/m", "x"))
	if _, err := unpackTest(t, good, KeyOf("forged")); err != nil {
		t.Errorf("one that is as it should be: %v", err)
	}
	t.Run("larger than the kind", func(t *testing.T) {
		big := regular("a", strings.Repeat("x", 300))
		m := manifestOf(t, func(h *header) { h.Kind = "small" }, big)
		err := unpack(t.Context(), bytes.NewReader(forged(t, m)), into(t), small, KeyOf("forged"))
		if err == nil || !strings.Contains(err.Error(), "the bound of small") {
			t.Error(err)
		}
	})
}

// A file that grows while it is packed makes no archive.
func TestArchiveOfChangingFile(t *testing.T) {
	s := openTest(t, t.TempDir())
	e := get(t, s, things, KeyOf("grows"), Recipe{What: "a thing", Make: writes(whole)})
	for _, text := range []string{"longer than it was", "s"} {
		if err := os.WriteFile(e.Path("a"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := pack(t.Context(), filepath.Dir(e.Dir), io.Discard); err == nil {
			t.Errorf("a file that became %q was packed", text)
		}
	}
}

// Packing and unpacking end with a context.
func TestArchiveCancelled(t *testing.T) {
	s := openTest(t, t.TempDir())
	archive := packed(t, s, KeyOf("whole"), writes(whole))
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if err := pack(ctx, s.entry(things, KeyOf("whole")), io.Discard); !errors.Is(err, stop) {
		t.Errorf("pack: %v", err)
	}
	if err := unpack(ctx, bytes.NewReader(archive), into(t), things, KeyOf("whole")); !errors.Is(err, stop) {
		t.Errorf("unpack: %v", err)
	}
}

// FuzzUnpack: whatever a shared store gives, what is taken is an entry, and nothing
// is written beside it.
func FuzzUnpack(f *testing.F) {
	s, err := Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	archive := packed(f, s, KeyOf("forged"), variety)
	for _, seed := range [][]byte{archive, forged(f, manifestOf(f, nil, regular("a", "x")), named("files/a", "x"))} {
		z, err := zstd.NewReader(bytes.NewReader(seed))
		if err != nil {
			f.Fatal(err)
		}
		plain, err := io.ReadAll(z)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(plain)
	}
	f.Fuzz(func(t *testing.T, plain []byte) { // a fuzzer does not find its way through zstd
		var archive bytes.Buffer
		z, err := zstd.NewWriter(&archive)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		around := t.TempDir()
		dir := filepath.Join(around, "entry")
		if err := os.MkdirAll(filepath.Join(dir, filesName), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unpack(t.Context(), &archive, dir, things, KeyOf("forged")); err == nil {
			forget()
			if damage := compare(dir); damage != nil {
				t.Errorf("taken, and damaged: %v", damage)
			}
		}
		if beside, err := os.ReadDir(around); err != nil || len(beside) != 1 {
			t.Errorf("beside the entry: %v, %v", beside, err)
		}
	})
}
