package synthetic

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the history of docs/testdata again")

// TestNightly checks that the invented history that the documentation reads is
// what the generator makes.
func TestNightly(t *testing.T) {
	const fixture = "../../../docs/testdata/nightly"
	dir := fixture
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	} else {
		dir = filepath.Join(t.TempDir(), "run")
	}
	if err := WriteNightly(dir); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"lock", "console", "*/lock", "*/console"} {
		made, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, path := range made {
			os.Remove(path)
		}
	}
	files := 0
	for _, pattern := range []string{"run.json", "results/*.txt", "*/run.json", "*/results/*.txt"} {
		made, _ := filepath.Glob(filepath.Join(dir, pattern))
		files += len(made)
		for _, path := range made {
			name, _ := filepath.Rel(dir, path)
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join(fixture, name))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("%s differs from the generator's: run go test ./reports/internal/synthetic -update", name)
			}
		}
	}
	if files < 2 {
		t.Fatalf("%d files were made", files)
	}
}
