package history

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
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
