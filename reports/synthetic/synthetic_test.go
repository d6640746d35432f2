package synthetic

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/run again")

// fixtures are what the tests of reports read.
var fixtures = []struct {
	dir   string
	write func(dir string) error
}{
	{"../testdata/run", func(dir string) error { return Write(dir, 8) }},
	{"../testdata/counted", func(dir string) error { return WriteCounted(dir, 2) }},
}

// TestFixtures checks that the fixtures are what the generators make.
func TestFixtures(t *testing.T) {
	for _, f := range fixtures {
		t.Run(filepath.Base(f.dir), func(t *testing.T) { testFixture(t, f.dir, f.write) })
	}
}

func testFixture(t *testing.T, fixture string, write func(dir string) error) {
	dir := fixture
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	} else {
		dir = filepath.Join(t.TempDir(), "run")
	}
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lock", "console"} {
		os.Remove(filepath.Join(dir, name))
	}
	files := 0
	for _, pattern := range []string{"run.json", "results/*.txt"} {
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
				t.Errorf("%s differs from the generator's: run go test ./reports/synthetic -update", name)
			}
		}
	}
	if files < 2 {
		t.Fatalf("%d files were made", files)
	}
}
