//go:build realxen

package realtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKernbench compiles in dom0 and in domU: each process crosses hooks, FLASK costs
// some per cent of what Xen executes, and denies nothing.
func TestKernbench(t *testing.T) {
	t.Parallel()
	const benchmark = "Kbench/kernbench/load=half/source=c"
	dir := measure(t, "--aa=false", "--rounds", "1", "--quick", "--builds", "native,flask", "--bench", benchmark+"$")
	c := compareRun(t, dir)
	for _, domain := range []string{"dom0", "domU"} {
		r := c.rows[key("flask", domain, benchmark)]
		if r.Unit != "xen-instr/op" || r.Base == nil || r.Value == nil || *r.Value < 1.02**r.Base || *r.Value > 1.5**r.Base {
			t.Errorf("%s: %+v, want FLASK some per cent above native", domain, r)
		}
	}
	for build, text := range consoles(t, dir) {
		checkEnforcing(t, build, text)
		if strings.Contains(text, "skipped in ") || strings.Contains(text, "Out of memory") {
			t.Errorf("%s: something was skipped, or a compiler was killed:\n%s", build, text)
		}
	}
	const processes = 13 // of a build of the small tree
	for _, file := range []string{"native-amd64-dom0.txt", "flask-amd64-domU.txt"} {
		text, err := os.ReadFile(filepath.Join(dir, "results", file))
		if err != nil {
			t.Fatal(err)
		}
		var hooks float64
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "Benchmark"+benchmark+" ") {
				hooks = figure(t, before(line, " hooks/op"))
			}
		}
		if hooks < 100*processes {
			t.Errorf("%s: %v hooks of %d processes:\n%s", file, hooks, processes, text)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "run.json")); err != nil || !strings.Contains(string(text), "kernbench compiles with tcc_") {
		t.Errorf("run.json does not name the compiler (%v)", err)
	}
}

// before is the word before another in a line.
func before(line, word string) string {
	words := strings.Fields(strings.Split(line, word)[0])
	return words[len(words)-1]
}
