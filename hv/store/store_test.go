package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	things = Register(Kind{Name: "things", Doc: "entries of tests"})
	small  = Register(Kind{Name: "small", Doc: "entries of tests, few", Bound: 250})
)

func openTest(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.patience < 400*time.Millisecond || s.patience > time.Second {
		t.Errorf("a word after %v", s.patience)
	}
	s.patience = soon
	return s
}

// soon is the patience in tests.
const soon = 5 * time.Millisecond

// writes is a recipe's Make that writes files; a name may have a folder.
func writes(files map[string]string) func(context.Context, string) error {
	return func(_ context.Context, dir string) error {
		for name, text := range files {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				return err
			}
		}
		return nil
	}
}

// never is a Make that must not run.
func never(t *testing.T) func(context.Context, string) error {
	return func(context.Context, string) error {
		t.Error("it is made again")
		return nil
	}
}

func get(t *testing.T, s *Store, k Kind, key Key, r Recipe) *Entry {
	t.Helper()
	e, err := s.Get(t.Context(), k, key, r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Release)
	return e
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// words collects what is said to the user.
type words struct {
	mu   sync.Mutex
	said []string
}

func (w *words) add(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, s)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.said, "\n")
}

func TestGet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b", strings.Repeat("long", 40))
	key := KeyOf("get")
	s := openTest(t, dir)
	if _, err := s.Lookup(things, key); !errors.Is(err, ErrAbsent) {
		t.Fatalf("Lookup before: %v", err)
	}
	e := get(t, s, things, key, Recipe{What: "a thing", Make: func(ctx context.Context, dir string) error {
		if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
			return err
		}
		if err := os.Mkdir(filepath.Join(dir, "empty folder"), 0o700); err != nil {
			return err
		}
		return writes(map[string]string{"file": "text", "x y/z": ""})(ctx, dir)
	}})
	if !e.Made || e.What != "a thing" {
		t.Errorf("made %v, what %q", e.Made, e.What)
	}
	e.Release()
	e.Release()
	for _, s := range []*Store{s, openTest(t, dir)} {
		e := get(t, s, things, key, Recipe{What: "a thing", Make: never(t)})
		if e.Made || read(t, e.Path("file")) != "text" {
			t.Errorf("made %v, file %q", e.Made, read(t, e.Path("file")))
		}
		if to, err := os.Readlink(e.Path("link")); err != nil || to != "nowhere" {
			t.Errorf("link: %q, %v", to, err)
		}
		if e, err := s.Lookup(things, key); err != nil || e.Dir == "" {
			t.Errorf("Lookup after: %v", err)
		} else {
			e.Release()
		}
	}
	empty(t, s.tmp())
}

// empty checks that a folder has nothing in it.
func empty(t *testing.T, dir string) {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Errorf("left in %s: %s", filepath.Base(dir), f.Name())
	}
}

func TestOneOfManyMakes(t *testing.T) {
	dir := t.TempDir()
	var made atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		s := openTest(t, dir)
		for range 4 {
			group.Go(func() {
				e, err := s.Get(t.Context(), things, KeyOf("many"), Recipe{What: "a thing", Make: func(ctx context.Context, dir string) error {
					made.Add(1)
					return writes(map[string]string{"file": "text"})(ctx, dir)
				}})
				if err != nil {
					t.Error(err)
					return
				}
				defer e.Release()
				if text, err := os.ReadFile(e.Path("file")); string(text) != "text" {
					t.Errorf("file: %q, %v", text, err)
				}
			})
		}
	}
	group.Wait()
	if made.Load() != 1 {
		t.Errorf("made %d times", made.Load())
	}
}

func TestFailedMake(t *testing.T) {
	s := openTest(t, t.TempDir())
	broken := errors.New("broken")
	_, err := s.Get(t.Context(), things, KeyOf("f"), Recipe{What: "a thing", Make: func(context.Context, string) error { return broken }})
	if err != broken {
		t.Errorf("err = %v, not Make's own", err)
	}
	empty(t, s.tmp())
	if e := get(t, s, things, KeyOf("f"), Recipe{What: "a thing", Make: writes(nil)}); !e.Made {
		t.Error("not made after a failure")
	}
}

func TestWrongNames(t *testing.T) {
	s := openTest(t, t.TempDir())
	for name, err := range map[string]error{
		"kind":      ignore(s.Get(t.Context(), Kind{Name: "other"}, KeyOf(), Recipe{})),
		"key":       ignore(s.Get(t.Context(), things, "../x", Recipe{})),
		"lookup":    ignore(s.Lookup(things, "")),
		"workspace": ignore(s.Workspace(t.Context(), things, "x", "a tree", nil)),
	} {
		if err == nil || errors.Is(err, ErrAbsent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"things", "", "a/b", "A", ".."} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Register(%q) does not panic", name)
				}
			}()
			Register(Kind{Name: name})
		}()
	}
	if KeyOf("a", "bc") == KeyOf("ab", "c") || KeyOf("a") != KeyOf([]string{"a"}...) {
		t.Error("KeyOf joins its parts")
	}
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	if got := strings.Join(names, " "); got != "greetings homely small things" {
		t.Errorf("Kinds: %s", got)
	}
}

func ignore[T any](_ T, err error) error { return err }

func TestWorkspace(t *testing.T) {
	s := openTest(t, t.TempDir())
	use := func(intact bool, change func(*Workspace)) {
		t.Helper()
		w, err := s.Workspace(t.Context(), things, KeyOf("w"), "a tree", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(w)
		if err := errors.Join(w.Close(intact), w.Close(false)); err != nil {
			t.Fatal(err)
		}
	}
	want := func(intact bool, file string) func(*Workspace) {
		return func(w *Workspace) {
			t.Helper()
			text, _ := os.ReadFile(w.Path("file"))
			if w.Intact != intact || string(text) != file {
				t.Errorf("intact %v, file %q; want %v, %q", w.Intact, text, intact, file)
			}
			if err := os.WriteFile(w.Path("file"), []byte(string(text)+"x"), 0o644); err != nil {
				t.Error(err)
			}
		}
	}
	use(true, want(false, ""))
	use(false, want(true, "x"))
	use(true, want(false, "xx"))
	use(true, want(true, "xxx"))
}
