package depot

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"xsmbench/hv/store"
)

const name = "store-1/linux-amd64/things/0123.tar.zst"

func open(t testing.TB, url string) store.Depot {
	t.Helper()
	d, err := Open(url)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func put(t testing.TB, d store.Depot, name, text string) error {
	t.Helper()
	return d.Put(t.Context(), name, strings.NewReader(text), int64(len(text)))
}

// archive reads what a depot has.
func archive(t testing.TB, d store.Depot, name string) (string, error) {
	t.Helper()
	r, err := d.Get(t.Context(), name)
	if err != nil {
		return "", err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	return string(text), err
}

// serves checks what every depot does.
func serves(t *testing.T, d store.Depot) {
	t.Helper()
	if has, err := d.Has(t.Context(), name); has || err != nil {
		t.Errorf("before: %v, %v", has, err)
	}
	if _, err := archive(t, d, name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before: %v", err)
	}
	for _, text := range []string{"first", "", strings.Repeat("long ", 1<<20)} {
		if err := put(t, d, name, text); err != nil {
			t.Fatal(err)
		}
		if got, err := archive(t, d, name); got != text || err != nil {
			t.Errorf("%d bytes came back of %d: %v", len(got), len(text), err)
		}
	}
	if has, err := d.Has(t.Context(), name); !has || err != nil {
		t.Errorf("after: %v, %v", has, err)
	}
	if _, err := archive(t, d, name+"x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another: %v", err)
	}
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b%20c")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d := open(t, (&folder{dir}).String())
	serves(t, d)
	info, err := os.Stat(filepath.Join(dir, name))
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v: others cannot read it", info.Mode(), err)
	}
	if n := len(files(t, dir)); n != 1 {
		t.Errorf("%d files", n)
	}
}

// files lists the files below a folder.
func files(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A folder that is not mounted is not made: it would fill another disk.
func TestFolderAbsent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mount")
	d := open(t, "file://"+dir)
	_, err := archive(t, d, name)
	_, err2 := d.Has(t.Context(), name)
	for _, err := range []error{err, err2, put(t, d, name, "x")} {
		if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "make it, or mount it") {
			t.Error(err)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the folder was made")
	}
}

// What a process that was killed has left goes when it is old.
func TestFolderSweeps(t *testing.T) {
	dir := t.TempDir()
	d := open(t, "file://"+dir)
	at := filepath.Dir(filepath.Join(dir, name))
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	old, young := filepath.Join(at, unfinished+"1"), filepath.Join(at, unfinished+"2")
	long := time.Now().Add(-2 * abandoned)
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chtimes(old, long, long), put(t, d, name, "x")); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); len(got) != 2 || got[0] != young {
		t.Errorf("there is %v", got)
	}
}

// An archive that ends early, or whose process is interrupted, leaves nothing.
func TestFolderFails(t *testing.T) {
	dir := t.TempDir()
	d := open(t, "file://"+dir)
	if err := d.Put(t.Context(), name, strings.NewReader("short"), 9); err == nil {
		t.Error("5 bytes were taken for 9")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Put(ctx, name, strings.NewReader("text"), 4); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if got := files(t, dir); got != nil {
		t.Errorf("left: %v", got)
	}
}

// Who reads while others write has the one or the other, whole.
func TestFolderAtOnce(t *testing.T) {
	d := open(t, "file://"+t.TempDir())
	texts := []string{strings.Repeat("a", 3<<20), strings.Repeat("b", 3<<20)}
	if err := put(t, d, name, texts[0]); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			if err := put(t, d, name, texts[i%2]); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			if got, err := archive(t, d, name); err != nil || got != texts[0] && got != texts[1] {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	group.Wait()
}

func TestFolderReadOnly(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere: TestSharedReadOnly has a user who may not")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if err := put(t, open(t, "file://"+dir), name, "x"); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
}
