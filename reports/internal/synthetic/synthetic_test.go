package synthetic

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/run again")

// fixture is what the tests of reports read.
const fixture = "../../testdata/run"

// TestFixture checks that the fixture is what the generator makes.
func TestFixture(t *testing.T) {
	dir := fixture
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	} else {
		dir = filepath.Join(t.TempDir(), "run")
	}
	if err := Write(dir, 8); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(dir, "lock"))
	os.Remove(filepath.Join(dir, "console"))
	for _, pattern := range []string{"run.json", "results/*.txt"} {
		made, _ := filepath.Glob(filepath.Join(dir, pattern))
		if len(made) == 0 {
			t.Fatalf("no %s", pattern)
		}
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
}
