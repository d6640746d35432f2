package results

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// createOther makes a run whose domUs are not the target's usual ones.
func createOther(t *testing.T) *Dir {
	t.Helper()
	run := testRun()
	run.Spec.DomU, run.Spec.OtherDomU, run.Spec.Idle = "pvh", true, 3
	d, err := Create(filepath.Join(t.TempDir(), "run"), run)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// Samples name their domUs if these are not the usual ones.
func TestDomUs(t *testing.T) {
	usual, other := create(t), createOther(t)
	usual.run.Spec.DomU = "pv"
	for _, tt := range []struct {
		dir  *Dir
		domU string
		idle int
	}{{usual, "", 0}, {other, "pvh", 3}} {
		boot(t, tt.dir, 1, 1, "native", 1000)
		samples, problems, err := ReadFiles(tt.dir.Path())
		if err != nil || len(problems) > 0 || len(samples) == 0 {
			t.Fatalf("%d samples, %v, %v", len(samples), problems, err)
		}
		for _, s := range samples {
			if s.DomU != tt.domU || s.Idle != tt.idle {
				t.Errorf("domU %q with %d idle, want %q with %d", s.DomU, s.Idle, tt.domU, tt.idle)
			}
		}
	}
}

// A run with several kinds has files of each; those of the first have the names that
// they have in a run of one.
func TestKindsOfDomUs(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first string
		other bool
		more  []string
		files []string
		kinds map[string]int // samples, by the kind that they name
	}{
		{"the usual one and another", "pv", false, []string{"pvh"},
			[]string{"native-amd64-dom0-pvh.txt", "native-amd64-dom0.txt", "native-amd64-domU-pvh.txt", "native-amd64-domU.txt"},
			map[string]int{"": 2, "pvh": 2}},
		{"two others", "pvh", true, []string{"hvm"},
			[]string{"native-amd64-dom0-hvm.txt", "native-amd64-dom0.txt", "native-amd64-domU-hvm.txt", "native-amd64-domU.txt"},
			map[string]int{"pvh": 2, "hvm": 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := testRun()
			run.Spec.DomU, run.Spec.OtherDomU, run.Spec.MoreDomUs = tt.first, tt.other, tt.more
			d, err := Create(filepath.Join(t.TempDir(), "run"), run)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			boot(t, d, 1, 1, "native", 1000)
			entries, err := os.ReadDir(filepath.Join(d.Path(), samplesDir))
			if err != nil {
				t.Fatal(err)
			}
			var files []string
			for _, e := range entries {
				files = append(files, e.Name())
			}
			samples, problems, err := ReadFiles(d.Path())
			if err != nil || len(problems) > 0 {
				t.Fatal(problems, err)
			}
			kinds := map[string]int{}
			for _, s := range samples {
				kinds[s.DomU]++
			}
			if !slices.Equal(files, tt.files) || !maps.Equal(kinds, tt.kinds) {
				t.Errorf("%v\n%v", files, kinds)
			}
			blocks, err := Blocks(d.Path())
			if err != nil || len(blocks) != 4 || blocks[0].Total != 4 {
				t.Errorf("%+v, %v", blocks, err)
			}
			w := begin(t, d, 2, 2, "native")
			m := measurement("domU", 1)
			m.DomU = "odd"
			if err := w.Add(m); err == nil || !strings.Contains(err.Error(), `kind "odd", which the run does not measure`) {
				t.Error(err)
			}
		})
	}
}

func TestDamagedIdle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(path, []byte("build: native\nidle: many\nBenchmarkA/b 1 5 ns/op\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	samples, problems, err := ReadFiles(path)
	if err != nil || len(samples) > 0 || len(problems) != 1 || !strings.Contains(problems[0].Text, `"many" is not a number of domUs`) {
		t.Errorf("%v, %v, %v", samples, problems, err)
	}
}
