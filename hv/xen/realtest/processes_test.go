//go:build realxen

package realtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLibraryProcesses measures processes that are linked with the C library in both
// domains. They cost Xen more than small ones; fork and exec are nearly always exact, and the shell,
// which outlasts a timer tick, is a mean of windows that nearly agree.
func TestLibraryProcesses(t *testing.T) {
	t.Parallel()
	const small, library = "Lmbench/lat_proc/op=fork", "/process=dynamic"
	dir := measure(t, "--aa=false", "--builds", "native,dummy,flask", "--bench", `lat_proc/op=(fork|(fork|exec|sh)/process=dynamic)$`)
	c := compareRun(t, dir)
	var inexact []string
	for _, domain := range []string{"dom0", "domU"} {
		for _, build := range []string{"dummy", "flask"} {
			before := c.rows[key(build, domain, small)]
			for _, op := range []string{"fork", "exec", "sh"} {
				r := c.rows[key(build, domain, "Lmbench/lat_proc/op="+op+library)]
				if r.Unit != "xen-instr/op" || r.Base == nil || r.Value == nil || before.Base == nil || before.Value == nil {
					t.Fatalf("%s in %s: %s: %+v beside %+v", build, domain, op, r, before)
				}
				if *r.Base < 1.5**before.Base || *r.Value < 1.5**before.Value {
					t.Errorf("%s in %s: %s costs %v and %v, what came before %v and %v", build, domain, op, *r.Base, *r.Value, *before.Base, *before.Value)
				}
				if op != "sh" && !r.exact {
					inexact = append(inexact, fmt.Sprintf("%s in %s: %s: %q", build, domain, op, r.warnings))
				}
				if build == "flask" && *r.Value < 1.02**r.Base {
					t.Errorf("%s in %s: FLASK adds nothing to %s: %v, %v", build, domain, op, *r.Base, *r.Value)
				}
				before = r
			}
		}
	}
	// An exec takes most of the time from tick to tick: another kernel thread may come.
	const mayBe = 2
	t.Logf("not exact: %q", inexact)
	if len(inexact) > mayBe {
		t.Errorf("of 8 rows these are not exact, %d may be: %s", mayBe, strings.Join(inexact, "; "))
	}
	for build, text := range consoles(t, dir) {
		checkEnforcing(t, build, text)
		if strings.Contains(text, "skipped in ") {
			t.Errorf("%s: something was skipped:\n%s", build, text)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "run.json")); err != nil || !strings.Contains(string(text), "the shell that is linked with the C library is dash_") {
		t.Errorf("run.json does not name the shell (%v)", err)
	}
}
