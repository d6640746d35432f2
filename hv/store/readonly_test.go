package store

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// readOnlyChild reads somebody else's store.
func readOnlyChild(s *Store, in *bufio.Scanner) {
	e, err := s.Get(context.Background(), things, KeyOf("there"), Recipe{What: "a thing"})
	if err != nil {
		say("failed %v", err)
		return
	}
	text, err := os.ReadFile(e.Path("file"))
	say("got %v %s %v", e.Made, text, err)
	in.Scan()
	_, err = s.Get(context.Background(), things, KeyOf("absent"), Recipe{What: "another thing"})
	var readOnly *ReadOnlyError
	say("absent %v %v: %v", errors.As(err, &readOnly), errors.Is(err, ErrAbsent), err)
	_, err = s.Workspace(context.Background(), things, KeyOf("w"), "a tree", nil)
	say("workspace %v", errors.As(err, &readOnly))
	_, err = s.Clear()
	say("clear %v", err)
	list, err := s.List()
	say("list %d %v", len(list), err)
	dir, release, err := s.Scratch("a machine")
	release()
	_, gone := os.Stat(dir)
	say("scratch %v %v", err, errors.Is(gone, os.ErrNotExist))
	say("reject %v", e.Reject("it does not do"))
	_, err = s.Get(context.Background(), things, KeyOf("there"), Recipe{What: "a thing"})
	say("rejected %v", errors.As(err, &readOnly) && strings.Contains(err.Error(), "it does not do"))
}

// asOther runs the child as a user who cannot write the store.
func asOther(cmd *exec.Cmd) {
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
}

func TestReadOnly(t *testing.T) {
	dir := otherDir(t)
	s := openTest(t, dir)
	get(t, s, things, KeyOf("there"), Recipe{What: "a thing", Make: writes(map[string]string{"file": "text"})}).Release()
	if os.Getuid() != 0 {
		lockOut(t, s)
	}
	c := startChild(t, "read-only", dir, asOther)
	c.hears("got false text <nil>")
	if os.Getuid() == 0 {
		if r, err := s.Clear(); err != nil || r.InUse != 1 {
			t.Errorf("Clear of what another user uses: %+v, %v", r, err)
		}
	}
	c.tell("go on")
	if word := c.hears("absent true true: make another thing: "); !strings.Contains(word, "XDG_CACHE_HOME") {
		t.Errorf("word: %s", word)
	}
	c.hears("workspace true")
	c.hears("clear clear store: ")
	c.hears("list 1 <nil>")
	c.hears("scratch <nil> true")
	c.hears("reject <nil>")
	c.hears("rejected true")
}

// A store from which the locks' files were removed, or never copied, is
// readable, too; one that is not there is empty.
func TestReadOnlyWithoutLocks(t *testing.T) {
	dir := otherDir(t)
	s := openTest(t, dir)
	get(t, s, things, KeyOf("there"), Recipe{What: "a thing", Make: writes(map[string]string{"file": "text"})}).Release()
	locks, err := filepath.Glob(filepath.Join(s.entries(), "things", "*.*"))
	if err != nil || len(locks) != 2 {
		t.Fatalf("locks: %v, %v", locks, err)
	}
	for _, l := range locks {
		if err := os.Remove(l); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() != 0 {
		lockOut(t, s)
	}
	startChild(t, "read-only", dir, asOther).hears("got false text <nil>")
	absent := otherDir(t)
	if os.Getuid() != 0 {
		if err := os.Chmod(absent, 0o500); err != nil {
			t.Fatal(err)
		}
	}
	startChild(t, "read-only", filepath.Join(absent, "store"), asOther).hears("failed make a thing: the store")
}

// otherDir is a folder that another user can reach.
func otherDir(t *testing.T) string {
	dir := t.TempDir()
	for d := dir; d != filepath.Dir(os.TempDir()) && d != os.TempDir() && len(d) > 1; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// lockOut takes the right to write from the store's folders.
func lockOut(t *testing.T, s *Store) {
	var dirs []string
	for _, d := range []string{s.dir, s.entries(), s.workspaces(), s.tmp(), filepath.Join(s.entries(), "things")} {
		dirs = append(dirs, d)
		if err := os.Chmod(d, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	entries, _ := filepath.Glob(filepath.Join(s.entries(), "things", "*"))
	for _, e := range entries {
		if info, err := os.Stat(e); err == nil && info.IsDir() {
			dirs = append(dirs, e)
			_ = os.Chmod(e, 0o555)
		}
	}
	t.Cleanup(func() {
		for _, d := range dirs {
			_ = os.Chmod(d, 0o755)
		}
	})
}
