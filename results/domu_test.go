package results

import (
	"os"
	"path/filepath"
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
