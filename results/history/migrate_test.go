package history

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

// oldStore is a store that the last program before SQLite made: makeRun's runs
// of the days 2, 1 and 3. testdata/bolt.txt is what that program read in it.
func oldStore(t testing.TB) (text []byte, want string) {
	t.Helper()
	f, err := os.Open("testdata/bolt.db.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	packed, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = io.ReadAll(packed); err != nil {
		t.Fatal(err)
	}
	read, err := os.ReadFile("testdata/bolt.txt")
	if err != nil {
		t.Fatal(err)
	}
	return text, string(read)
}

func writeStore(t testing.TB, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history.db")
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// Reading an old store leaves it as it is, and nothing behind.
func TestReadOld(t *testing.T) {
	text, want := oldStore(t)
	path := writeStore(t, text)
	t.Setenv("TMPDIR", t.TempDir())
	got, err := readAll(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(text) {
		t.Errorf("the old store was changed, %v", err)
	}
	for _, dir := range []string{filepath.Dir(path), os.TempDir()} {
		if files, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(files) > 1 || len(files) == 1 && files[0] != path {
			t.Errorf("%v, %v", files, err)
		}
	}
}

// Writing to an old store converts it; the old file is kept.
func TestMigrate(t *testing.T) {
	text, want := oldStore(t)
	path := writeStore(t, text)
	s, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if s.Kept() != path+".bbolt" {
		t.Errorf("kept as %q", s.Kept())
	}
	if a := add(t, s, makeRun(t, 3, "aaaa", 3), ""); a.Outcome != Same || len(a.Repeats) != 1 {
		t.Errorf("a run that it had: %s, repeats %d", a.Outcome, len(a.Repeats))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if kept, err := os.ReadFile(path + ".bbolt"); err != nil || string(kept) != string(text) {
		t.Errorf("what was kept is not the old store, %v", err)
	}
	if files, err := filepath.Glob(path + "*"); err != nil || len(files) != 2 {
		t.Errorf("%v, %v", files, err)
	}
	if s, err = Create(path); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Kept() != "" {
		t.Errorf("converted again, %s", s.Kept())
	}
}

// What is left by a process that died while it converted does not matter.
func TestMigrateAgain(t *testing.T) {
	text, want := oldStore(t)
	path := writeStore(t, text)
	if err := os.Link(path, path+".bbolt"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".converting", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path+".converting", "new"), []byte("half"), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(path); err != nil || got != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
}

// A file that is in the way of what is to be kept is not written over.
func TestMigrateInTheWay(t *testing.T) {
	text, _ := oldStore(t)
	path := writeStore(t, text)
	if err := os.WriteFile(path+".bbolt", []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("error %v", err)
	}
	for name, want := range map[string]string{path: string(text), path + ".bbolt": "mine"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s was changed, %v", name, err)
		}
	}
}

// Several who find an old store at once: it is converted once, and what they
// add is all there.
func TestMigrateTogether(t *testing.T) {
	text, _ := oldStore(t)
	path := writeStore(t, text)
	var group errgroup.Group
	for day := 10; day < 14; day++ {
		dir := makeRun(t, day, "cccc", 1)
		group.Go(func() error {
			s, err := Create(path)
			if err != nil {
				return err
			}
			_, err = s.Add(dir, "")
			return errors.Join(err, s.Close())
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if runs, err := s.Runs(); err != nil || len(runs) != 3+4 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
}

// A damaged old store is refused by its own name, and left as it is.
func TestMigrateDamaged(t *testing.T) {
	whole, _ := oldStore(t)
	// The value of a run: the JSON in it is compressed, and summed up.
	value := strings.Index(string(whole), "\x1f\x8b")
	flipped := []byte(string(whole))
	flipped[value+40] ^= 1
	for name, text := range map[string][]byte{
		"cut off": whole[:5*4096], "a value": flipped, "no metas": append(make([]byte, 2*4096), whole[2*4096:]...),
	} {
		path := writeStore(t, text)
		for _, open := range []func(string) (*Store, error){Open, Create} {
			_, err := open(path)
			var damaged *DamagedError
			if !errors.As(err, &damaged) || damaged.Path != path || !strings.Contains(err.Error(), fmt.Sprintf("history %s is damaged", path)) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if files, err := filepath.Glob(path + "*"); err != nil || len(files) != 1 {
			t.Errorf("%s: %v, %v", name, files, err)
		}
	}
}
