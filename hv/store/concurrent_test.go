package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// slow is a Make that says when it begins and waits.
type slow struct{ begun, goOn chan struct{} }

func newSlow() *slow { return &slow{make(chan struct{}), make(chan struct{})} }

func (m *slow) make(ctx context.Context, dir string) error {
	close(m.begun)
	select {
	case <-m.goOn:
		return writes(whole)(ctx, dir)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// result is a Get's in a goroutine.
type result struct {
	e   *Entry
	err error
}

func getLater(ctx context.Context, s *Store, r Recipe) <-chan result {
	c := make(chan result, 1)
	go func() {
		e, err := s.Get(ctx, things, KeyOf("x"), r)
		c <- result{e, err}
	}()
	return c
}

// A maker that is cancelled does not fail those who wait for it; a waiter that
// is cancelled returns at once.
func TestCancelled(t *testing.T) {
	s := openTest(t, t.TempDir())
	m := newSlow()
	makerCtx, stopMaker := context.WithCancel(t.Context())
	maker := getLater(makerCtx, s, Recipe{What: "a thing", Make: m.make})
	<-m.begun
	waits := make(chan string, 2)
	waiterCtx, stopWaiter := context.WithCancelCause(t.Context())
	waiter := getLater(waiterCtx, s, Recipe{What: "a thing", Make: never(t), Progress: func(w string) { waits <- w }})
	if w, want := <-waits, "waiting for a thing, which this process makes"; w != want {
		t.Errorf("word %q, want %q", w, want)
	}
	patient := getLater(t.Context(), s, Recipe{What: "a thing", Make: writes(whole), Progress: func(w string) { waits <- w }})
	<-waits
	enough := errors.New("enough")
	stopWaiter(enough)
	if r := <-waiter; r.err != enough {
		t.Errorf("the waiter: %v", r.err)
	}
	stopMaker()
	if r := <-maker; !errors.Is(r.err, context.Canceled) {
		t.Errorf("the maker: %v", r.err)
	}
	r := <-patient
	if r.err != nil || !r.e.Made {
		t.Fatalf("the other: %v", r.err)
	}
	r.e.Release()
	empty(t, s.tmp())
	if _, err := s.Get(makerCtx, things, KeyOf("y"), Recipe{What: "a thing", Make: never(t)}); !errors.Is(err, context.Canceled) {
		t.Errorf("Get after the end: %v", err)
	}
}

// fill makes an entry of some bytes and leaves it.
func fill(t *testing.T, s *Store, name string, size int) {
	t.Helper()
	get(t, s, small, KeyOf(name), Recipe{What: name, Make: writes(map[string]string{"f": strings.Repeat("x", size)})}).Release()
}

// listed names what the store has of a kind.
func listed(t *testing.T, s *Store) string {
	t.Helper()
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range list {
		names = append(names, i.What)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestBound(t *testing.T) {
	s := openTest(t, t.TempDir()) // the bound is 250 bytes
	fill(t, s, "a", 100)
	fill(t, s, "b", 100)
	fill(t, s, "a", 100) // used again
	fill(t, s, "c", 100)
	if got := listed(t, s); got != "a c" {
		t.Fatalf("after c: %s", got)
	}
	held, err := s.Lookup(small, KeyOf("a"))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, "d", 200)
	if got := listed(t, s); got != "a d" {
		t.Fatalf("after d, with a in use: %s", got)
	}
	fill(t, s, "e", 1000)
	if got := listed(t, s); got != "a e" {
		t.Fatalf("after e, which is above the bound by itself: %s", got)
	}
	held.Release()
	w, err := s.Workspace(t.Context(), small, KeyOf("w"), "w", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.Path("f"), make([]byte, 200), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(true); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, s); got != "w" {
		t.Fatalf("after the workspace: %s", got)
	}
	fill(t, s, "f", 100)
	if got := listed(t, s); got != "f" {
		t.Fatalf("after f: %s", got)
	}
}

func TestListPruneClear(t *testing.T) {
	s := openTest(t, t.TempDir())
	for _, name := range []string{"a", "b"} {
		get(t, s, things, KeyOf(name), Recipe{What: name, Make: writes(whole)}).Release()
	}
	fill(t, s, "c", 10)
	e := get(t, s, things, KeyOf("b"), Recipe{})
	if err := e.Reject("bad"); err != nil {
		t.Fatal(err)
	}
	for intact, name := range map[bool]string{true: "v", false: "w"} {
		w, err := s.Workspace(t.Context(), things, KeyOf(name), name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(w.Path("f"), make([]byte, 7), 0o644); err != nil {
			t.Fatal(err)
		}
		if list, err := s.List(); err != nil || countInUse(list) != 2 {
			t.Errorf("in use: %+v, %v", list, err)
		}
		if err := w.Close(intact); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.List()
	if err != nil || len(list) != 5 {
		t.Fatalf("List: %+v, %v", list, err)
	}
	want := map[string]Info{
		"a": {Kind: "things", Size: 18},
		"b": {Kind: "things", Size: 18, InUse: true, Damage: "bad"},
		"c": {Kind: "small", Size: 10},
		"v": {Kind: "things", Size: 7, Workspace: true},
		"w": {Kind: "things", Size: 7, Workspace: true, Damage: "its last holder did not finish"},
	}
	for _, i := range list {
		w := want[i.What]
		w.Key, w.What, w.Made, w.Used = KeyOf(i.What), i.What, i.Made, i.Used
		if i != w || i.Made.IsZero() || i.Used.IsZero() {
			t.Errorf("%s: %+v, want %+v", i.What, i, w)
		}
	}
	if r, err := s.Prune(); err != nil || r != (Removed{InUse: 1}) || listed(t, s) != "a b c v w" {
		t.Errorf("Prune: %+v, %v; left %s", r, err, listed(t, s))
	}
	if r, err := s.Clear("small"); err != nil || r != (Removed{Entries: 1, Bytes: 10}) || listed(t, s) != "a b v w" {
		t.Errorf("Clear of a kind: %+v, %v; left %s", r, err, listed(t, s))
	}
	if r, err := s.Clear(); err != nil || r != (Removed{Entries: 3, Bytes: 32, InUse: 1}) || listed(t, s) != "b" {
		t.Errorf("Clear: %+v, %v; left %s", r, err, listed(t, s))
	}
}

func countInUse(list []Info) (n int) {
	for _, i := range list {
		if i.InUse {
			n++
		}
	}
	return n
}

// An entry that is forgotten, not released, stays in use, and so does a
// temporary folder.
func TestForgotten(t *testing.T) {
	s := openTest(t, t.TempDir())
	func() {
		if _, err := s.Get(t.Context(), things, KeyOf("x"), Recipe{What: "a thing", Make: writes(whole)}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Scratch("a machine"); err != nil {
			t.Fatal(err)
		}
	}()
	for range 3 {
		runtime.GC()
	}
	if r, err := s.Clear(); err != nil || r.InUse != 1 || r.Entries != 0 {
		t.Errorf("Clear: %+v, %v", r, err)
	}
	if found, err := os.ReadDir(s.tmp()); err != nil || len(found) != 2 {
		t.Errorf("temporary: %v, %v", found, err)
	}
}

// What another process removed meanwhile counts as gone, and no lock is left.
func TestRemovedMeanwhile(t *testing.T) {
	s := openTest(t, t.TempDir())
	var r Removed
	for _, workspace := range []bool{false, true} {
		dir := filepath.Join(s.entries(), "things")
		if workspace {
			dir = filepath.Join(s.workspaces(), "things")
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if !s.remove(item{Info{Workspace: workspace}, filepath.Join(dir, string(KeyOf("x")))}, &r) {
			t.Error("what is not there is not gone")
		}
		empty(t, dir)
	}
	if r != (Removed{}) {
		t.Errorf("counted: %+v", r)
	}
}

func TestDefault(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if s, err := Default(); err != nil || s.ReadOnly() || s.Dir() != os.Getenv("XDG_CACHE_HOME")+"/xsmbench" {
		t.Errorf("Default: %v, %v", s, err)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if _, err := Default(); err == nil || !strings.Contains(err.Error(), "set HOME or XDG_CACHE_HOME") {
		t.Errorf("Default without a home: %v", err)
	}
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil {
		t.Error("a file is opened as a store")
	}
}
