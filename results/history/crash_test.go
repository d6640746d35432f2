package history

import (
	"bufio"
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestKilled kills processes that add and remove runs without end. Whatever
// they were at, the history can be read, and what is in it is whole.
func TestKilled(t *testing.T) {
	if path := os.Getenv("HISTORY_KILLED"); path != "" {
		addForEver(t, path, strings.Split(os.Getenv("HISTORY_RUNS"), ":"))
	}
	path := filepath.Join(t.TempDir(), "history.db")
	runs := []string{makeRun(t, 1, "aaaa", 3), makeRun(t, 2, "aaaa", 3), makeRun(t, 3, "bbbb", 3)}
	for i := range 6 {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestKilled$")
		cmd.Env = append(os.Environ(), "HISTORY_KILLED="+path, "HISTORY_RUNS="+strings.Join(runs, ":"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The first is killed as soon as there is a file, the others later.
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if _, err := os.Stat(path); err == nil || time.Now().After(deadline) {
				break
			}
		}
		time.Sleep(time.Duration(i*i*4) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		if _, err := readAll(path); err != nil {
			t.Fatalf("kill %d: %v", i, err)
		}
	}
	s, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, dir := range runs {
		add(t, s, dir, "")
	}
	if all, err := s.Runs(); err != nil || len(all) != len(runs) {
		t.Errorf("%d runs, %v", len(all), err)
	}
}

// TestKilledInside kills a process in the middle of a transaction that has
// changed the file: what it changed is taken back.
func TestKilledInside(t *testing.T) {
	if path := os.Getenv("HISTORY_KILLED_INSIDE"); path != "" {
		changeAndWait(t, path)
	}
	s := create(t)
	add(t, s, makeRun(t, 1, "aaaa", 3), "v1")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want, err := readAll(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledInside$")
	cmd.Env = append(os.Environ(), "HISTORY_KILLED_INSIDE="+s.Path())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	cmd.Process.Kill()
	cmd.Wait()
	if err != nil || line != "changed\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if after, err := os.ReadFile(s.Path()); err != nil || bytes.Equal(before, after) {
		t.Fatalf("it was killed before it changed the file, %v", err)
	}
	if got, err := readAll(s.Path()); err != nil || got != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
	if _, err := os.Stat(s.Path() + "-journal"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the journal is left: %v", err)
	}
}

func changeAndWait(t *testing.T, path string) {
	s, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	err = s.update(func(tx *sql.Tx, runs []Run) error {
		// With no memory to keep changes in, they go to the file.
		if _, err := tx.Exec("PRAGMA cache_size = 1"); err != nil {
			return err
		}
		for i := range 20 {
			if _, err := insert(tx, "files", runs[0].ID, fmt.Sprint(i), make([]byte, 1<<16)); err != nil {
				return err
			}
		}
		if err := remove(tx, runs[0].ID); err != nil {
			return err
		}
		fmt.Println("changed")
		select {}
	})
	t.Fatal(err)
}

func addForEver(t *testing.T, path string, dirs []string) {
	for {
		s, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs {
			add(t, s, dir, "")
		}
		runs, err := s.Runs()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			if err := s.Remove(r); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
	}
}
