package history

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRestore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	files := []File{{Name: "run.json", Text: []byte("{}")}, {Name: "results/a.txt", Text: []byte("a")}}
	if err := Restore(dir, files); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if got, err := os.ReadFile(filepath.Join(dir, f.Name)); err != nil || string(got) != string(f.Text) {
			t.Errorf("%s: %q, %v", f.Name, got, err)
		}
	}
	if err := Restore(dir, files); err == nil || !strings.Contains(err.Error(), "already holds a run") {
		t.Errorf("error %v", err)
	}
	outside := []File{{Name: "../outside", Text: []byte("x")}}
	if err := Restore(filepath.Join(dir, "other"), outside); err == nil || !strings.Contains(err.Error(), "is not the name of a file in it") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "outside")); err == nil {
		t.Error("a file was written outside of the directory")
	}
}
