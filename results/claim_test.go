package results

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestClaim(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "a", "b")
	c, err := ClaimDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ClaimDir(dir); !isLocked(err) {
		t.Errorf("a second claim: %v", err)
	}
	if _, err := Create(dir, testRun()); !isLocked(err) {
		t.Errorf("a run beside the claim: %v", err)
	}
	if err := c.Release(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(top); err != nil || len(left) > 0 {
		t.Errorf("the claim left %v, %v", left, err)
	}

	// What others have in the directory stays.
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	note := filepath.Join(dir, "note")
	if err := os.WriteFile(note, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if c, err = ClaimDir(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Resume(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("resume what is not there: %v", err)
	}
	d, err := c.Create(testRun())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Release(); err != nil { // is the run's, and stays
		t.Error(err)
	}
	if _, err := ClaimDir(dir); !isLocked(err) {
		t.Errorf("a claim beside the run: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if c, err = ClaimDir(dir); err != nil {
		t.Fatalf("when the run is closed: %v", err)
	}
	if _, err := c.Create(testRun()); !errors.Is(err, ErrExists) {
		t.Errorf("a second run: %v", err)
	}
	if err := c.Release(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{note, filepath.Join(dir, "run.json")} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

// A lock whose file was removed while it was taken locks nothing: it is taken
// anew.
func TestLockRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), lockFile)
	l, err := acquireFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !l.isAt(path) {
		t.Error("the lock is not where it was made")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if l.isAt(path) {
		t.Error("a removed lock still holds")
	}
	other, err := acquire(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if l.isAt(path) || !other.isAt(path) {
		t.Error("the lock is the removed one")
	}
	l.release()
	other.release()
}

// Clear removes a run and its report, and nothing else.
func TestClear(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	d, err := Create(dir, testRun())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"report/page.html", "notes/mine"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	c, err := ClaimDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Clear(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "report")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the report is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "notes", "mine")); err != nil {
		t.Errorf("what is not the run's: %v", err)
	}
	if d, err = c.Create(testRun()); err != nil {
		t.Fatalf("a run in the cleared directory: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// Clear leaves a directory alone that holds no run.
func TestClearNoRun(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "results", "mine")
	if err := os.MkdirAll(mine, 0o777); err != nil {
		t.Fatal(err)
	}
	c, err := ClaimDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	if err := c.Clear(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
}
