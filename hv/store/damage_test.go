package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// forget makes the process verify all entries again, as a new one does.
func forget() { verified.Clear() }

var whole = map[string]string{"a": "text of a", "d/b": "text of b"}

func TestDamage(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(place string) error
		word string
	}{
		"no manifest":     {func(p string) error { return os.Remove(filepath.Join(p, "manifest")) }, "it has no manifest"},
		"empty manifest":  {func(p string) error { return os.Truncate(filepath.Join(p, "manifest"), 0) }, "manifest: EOF"},
		"short manifest":  {func(p string) error { return cutTail(filepath.Join(p, "manifest"), 9) }, "manifest: unexpected EOF"},
		"other version":   {func(p string) error { return os.WriteFile(filepath.Join(p, "manifest"), []byte("{}"), 0o644) }, "manifest: its version is 0, not 1"},
		"nothing":         {func(p string) error { return errors.Join(os.RemoveAll(p), os.Mkdir(p, 0o755)) }, "it has no manifest"},
		"a file":          {func(p string) error { return errors.Join(os.RemoveAll(p), os.WriteFile(p, nil, 0o644)) }, "not a directory"},
		"no files":        {func(p string) error { return os.RemoveAll(filepath.Join(p, "files")) }, "no such file"},
		"missing file":    {func(p string) error { return os.Remove(filepath.Join(p, "files", "d", "b")) }, "d/b: it is missing"},
		"extra file":      {func(p string) error { return os.WriteFile(filepath.Join(p, "files", "c"), nil, 0o644) }, "c: it was not there"},
		"short file":      {func(p string) error { return cutTail(filepath.Join(p, "files", "a"), 1) }, "a: it has 8 bytes, not 9"},
		"changed file":    {func(p string) error { return os.WriteFile(filepath.Join(p, "files", "a"), []byte("Text of a"), 0o644) }, "a: its content has changed"},
		"changed mode":    {func(p string) error { return os.Chmod(filepath.Join(p, "files", "a"), 0o755) }, "a: its mode is -rwxr-xr-x, not -rw-r--r--"},
		"changed link":    {relink, "l: it leads to b, not a"},
		"another's place": {exchangeEntries, "it is the entry of things"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openTest(t, dir)
			r := Recipe{What: "a thing", Make: func(ctx context.Context, dir string) error {
				return errors.Join(writes(whole)(ctx, dir), os.Symlink("a", filepath.Join(dir, "l")))
			}}
			get(t, s, things, KeyOf("other"), r).Release()
			get(t, s, things, KeyOf("x"), r).Release()
			forget()
			if err := c.harm(s.entry(things, KeyOf("x"))); err != nil {
				t.Fatal(err)
			}
			s = openTest(t, dir)
			_, err := s.Lookup(things, KeyOf("x"))
			var damage *DamageError
			if !errors.Is(err, ErrAbsent) || !errors.As(err, &damage) || !strings.Contains(err.Error(), c.word) {
				t.Errorf("Lookup: %v", err)
			}
			var said words
			r.Progress = said.add
			e := get(t, s, things, KeyOf("x"), r)
			if !e.Made || read(t, e.Path("d", "b")) != "text of b" {
				t.Errorf("made: %v", e.Made)
			}
			if w := said.String(); !strings.HasPrefix(w, "a thing is damaged (") || !strings.Contains(w, c.word) || !strings.HasSuffix(w, "): making it again") {
				t.Errorf("said %q", w)
			}
			empty(t, s.tmp())
			if old := replaced(t, s); len(old) != 0 {
				t.Errorf("kept: %v", old)
			}
		})
	}
}

func cutTail(path string, n int64) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.Truncate(path, info.Size()-n)
}

func relink(place string) error {
	l := filepath.Join(place, "files", "l")
	return errors.Join(os.Remove(l), os.Symlink("b", l))
}

func exchangeEntries(place string) error {
	other := filepath.Join(filepath.Dir(place), string(KeyOf("other")))
	return errors.Join(os.RemoveAll(place), os.Rename(other, place))
}

func replaced(t *testing.T, s *Store) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(s.entries(), "*", "*"+oldInfix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// One failed load must not delete what others use: open files, the working
// directory and the path stay.
func TestDamagedInUse(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir)
	r := Recipe{What: "a thing", Make: writes(whole)}
	first := get(t, s, things, KeyOf("x"), r)
	open, err := os.Open(first.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if err := os.WriteFile(first.Path("a"), []byte("damaged a"), 0o644); err != nil {
		t.Fatal(err)
	}
	forget()
	other := openTest(t, dir)
	second := get(t, other, things, KeyOf("x"), Recipe{What: "a thing", Make: func(ctx context.Context, dir string) error {
		if got := read(t, first.Path("a")); got != "damaged a" {
			t.Errorf("while it is made again, the path leads to %q", got)
		}
		return writes(whole)(ctx, dir)
	}})
	if !second.Made || read(t, second.Path("a")) != "text of a" {
		t.Errorf("made %v, a %q", second.Made, read(t, second.Path("a")))
	}
	if names, err := open.Readdirnames(-1); err != nil || len(names) != 2 {
		t.Errorf("the old folder, open: %v, %v", names, err)
	}
	old := replaced(t, s)
	if len(old) != 1 || read(t, filepath.Join(old[0], "files", "a")) != "damaged a" {
		t.Fatalf("replaced: %v", old)
	}
	second.Release()
	if r, err := other.Prune(); err != nil || r.Entries != 0 || len(replaced(t, s)) != 1 {
		t.Errorf("Prune under the first: %+v, %v; kept %v", r, err, replaced(t, s))
	}
	first.Release()
	if _, err := other.Prune(); err != nil || len(replaced(t, s)) != 0 {
		t.Errorf("Prune: %v; kept %v", err, replaced(t, s))
	}
	if e := get(t, s, things, KeyOf("x"), Recipe{What: "a thing", Make: never(t)}); read(t, e.Path("a")) != "text of a" {
		t.Error("the new entry is gone")
	}
}

func TestReject(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir)
	r := Recipe{What: "a thing", Make: writes(whole)}
	user := get(t, s, things, KeyOf("x"), r)
	e := get(t, s, things, KeyOf("x"), r)
	if err := e.Reject("QEMU refuses it"); err != nil {
		t.Fatal(err)
	}
	if list, err := s.List(); err != nil || len(list) != 1 || list[0].Damage != "QEMU refuses it" || !list[0].InUse {
		t.Errorf("List: %+v, %v", list, err)
	}
	forget() // what this process knows, so that the mark counts
	if _, err := s.Lookup(things, KeyOf("x")); !errors.Is(err, ErrAbsent) {
		t.Errorf("Lookup: %v", err)
	}
	var said words
	r.Progress = said.add
	again := get(t, openTest(t, dir), things, KeyOf("x"), r)
	if want := "a thing is damaged (QEMU refuses it): making it again"; !again.Made || said.String() != want {
		t.Errorf("made %v, said %q", again.Made, said.String())
	}
	// A late rejection is of the old entry, not of the one at its place.
	if err := user.Reject("again"); err != nil {
		t.Fatal(err)
	}
	if e := get(t, s, things, KeyOf("x"), Recipe{What: "a thing", Make: never(t)}); e.Made {
		t.Error("made again")
	}
}

func TestVerifiedOnce(t *testing.T) {
	s := openTest(t, t.TempDir())
	get(t, s, things, KeyOf("x"), Recipe{What: "a thing", Make: writes(whole)}).Release()
	forget()
	get(t, s, things, KeyOf("x"), Recipe{What: "a thing", Make: never(t)}).Release()
	if err := os.WriteFile(filepath.Join(s.entry(things, KeyOf("x")), "files", "a"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	e := get(t, s, things, KeyOf("x"), Recipe{What: "a thing", Make: never(t)}) // not read again
	e.Release()
	forget()
	if e := get(t, s, things, KeyOf("x"), Recipe{What: "a thing", Make: writes(whole)}); !e.Made {
		t.Error("a new process does not see the damage")
	}
}

func TestUnusualFiles(t *testing.T) {
	s := openTest(t, t.TempDir())
	_, err := s.Get(t.Context(), things, KeyOf("x"), Recipe{What: "a thing", Make: func(_ context.Context, dir string) error {
		return makeFifo(filepath.Join(dir, "pipe"))
	}})
	if err == nil || !strings.HasPrefix(err.Error(), "keep a thing: ") {
		t.Errorf("err = %v", err)
	}
}

// So many files that they are synced at once, in folders that forbid their
// removal, made under a umask that forbids others to read.
func TestManyFiles(t *testing.T) {
	defer umask(umask(0o077))
	s := openTest(t, t.TempDir())
	e := get(t, s, things, KeyOf("x"), Recipe{What: "a thing", Make: func(_ context.Context, dir string) error {
		for _, name := range strings.Fields(strings.Repeat("x ", 2*manyFiles)) {
			f, err := os.CreateTemp(dir, name)
			if err != nil {
				return err
			}
			f.Close()
		}
		return os.Mkdir(filepath.Join(dir, "closed"), 0o500)
	}})
	for _, p := range []string{e.Dir, filepath.Dir(e.Dir), filepath.Dir(filepath.Dir(e.Dir))} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
	}
	for _, p := range []string{filepath.Join(filepath.Dir(e.Dir), "manifest"), filepath.Dir(e.Dir) + ".use"} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
	}
	e.Release()
	if r, err := s.Clear(); err != nil || r.Entries != 1 {
		t.Errorf("Clear: %+v, %v", r, err)
	}
}

func TestExchangeSlowly(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := writes(map[string]string{"a/x": "1", "b/x": "2"})(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := exchangeSlowly(a, b); err != nil || read(t, filepath.Join(a, "x")) != "2" || read(t, filepath.Join(b, "x")) != "1" {
		t.Errorf("exchanged: %v", err)
	}
	for _, p := range [][2]string{{a, filepath.Join(dir, "absent")}, {filepath.Join(dir, "absent"), b}} {
		if exchange(p[0], p[1]) == nil {
			t.Errorf("%v are exchanged", p)
		}
	}
}

// An entry that others reject as soon as it is there is made again, but not for
// ever.
func TestRejectedAtOnce(t *testing.T) {
	for rejections, want := range map[int]bool{1: true, attempts: false} {
		s := openTest(t, t.TempDir())
		made := 0
		e, err := s.Get(t.Context(), things, KeyOf("x"), Recipe{What: "a thing", Make: func(_ context.Context, dir string) error {
			if made++; made > rejections {
				return nil
			}
			return os.WriteFile(filepath.Join(filepath.Dir(dir), rejectedName), []byte("bad"), 0o644)
		}})
		if err == nil {
			e.Release()
		}
		if (err == nil && e.Made) != want || made != min(rejections+1, attempts) {
			t.Errorf("%d rejections: made %d times, %v", rejections, made, err)
		}
		if !want && !errors.Is(err, ErrAbsent) {
			t.Errorf("err = %v", err)
		}
	}
}
