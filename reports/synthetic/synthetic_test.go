package synthetic

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReproducible checks that the invented runs are the same each time: golden
// files are made from them, and the documentation shows what is in them.
func TestReproducible(t *testing.T) {
	for _, f := range []struct {
		name  string
		write func(dir string) error
		files int // at least
	}{
		{"run", func(dir string) error { return Write(dir, 8) }, 4},
		{"counted", func(dir string) error { return WriteCounted(dir, 2) }, 4},
		{"nightly", WriteNightly, 40},
	} {
		t.Run(f.name, func(t *testing.T) {
			first, second := written(t, f.write), written(t, f.write)
			if len(first) < f.files {
				t.Errorf("%d files: %v", len(first), slices.Sorted(maps.Keys(first)))
			}
			if diff := cmp.Diff(first, second); diff != "" {
				t.Errorf("written twice (-first +second):\n%s", diff)
			}
		})
	}
}

// written are the files that a generator writes, by name.
func written(t *testing.T, write func(dir string) error) map[string]string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "lock" {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
