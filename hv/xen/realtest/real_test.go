//go:build realxen

package realtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"xsmbench/hv"
	_ "xsmbench/hv/xen"
)

// measured is the run that most tests look at: three builds and a control. One
// that "make bench-xen" made will do. Tests that look at nothing else make it,
// one after the other; those that take long follow, beside each other.
var measured = os.Getenv("XSMBENCH_XEN_RUN")

func threeBuilds(t *testing.T) string {
	t.Helper()
	if measured == "" {
		dir := measure(t, "--aa")
		keep, err := os.MkdirTemp("", "xsmbench-realtest-run-")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(keep, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		measured = keep
	}
	return measured
}

// TestKnownFigures compares with figures that were found by hand, for the
// source package and the kernel that they were found with.
func TestKnownFigures(t *testing.T) {
	c := compareRun(t, threeBuilds(t))
	known := []struct {
		benchmark, domain    string
		native, dummy, flask float64
	}{
		{"Lmbench/lat_syscall/op=null", "dom0", 678, 678, 678},
		{"Lmbench/lat_syscall/op=null", "domU", 678, 678, 678},
		{"Kbench/vm/op=anon_touch", "dom0", 1782, 1781, 1970},
		{"Kbench/vm/op=anon_touch", "domU", 1823, 1822, 2011},
	}
	config := images(t, threeBuilds(t))["native"].Config
	same := knownSource(config)
	if !same {
		t.Logf("another source or compiler than the figures are known for (%.60s…): only their order is checked", config)
	}
	for _, k := range known {
		for build, want := range map[string]float64{"dummy": k.dummy, "flask": k.flask} {
			r, ok := c.rows[key(build, k.domain, k.benchmark)]
			if !ok {
				t.Errorf("%s in %s: no row of %s", k.benchmark, k.domain, build)
				continue
			}
			if !r.exact {
				t.Errorf("%s in %s: %s is not exact: %s", k.benchmark, k.domain, build, strings.Join(r.warnings, "; "))
			}
			if same && (*r.Base != k.native || *r.Value != want) {
				t.Errorf("%s in %s: native %v, %s %v; want %v, %v", k.benchmark, k.domain, *r.Base, build, *r.Value, k.native, want)
			}
		}
	}
	for _, domain := range []string{"dom0", "domU"} {
		r := c.rows[key("flask", domain, "Kbench/vm/op=anon_touch")]
		if *r.Value <= *r.Base {
			t.Errorf("FLASK's check of a page fault in %s costs nothing: %v against %v", domain, *r.Value, *r.Base)
		}
	}
}

// knownSource tells the source package and the compiler that figures are known for.
func knownSource(config string) bool {
	return strings.Contains(config, "source=4.17.5+72-g01140da4e8 ") && strings.Contains(config, "GCC_VERSION=120200 ")
}

// TestControl: the same image from another boot, with another delay, executes
// the same instructions; what is not exact says why.
func TestControl(t *testing.T) {
	dir := threeBuilds(t)
	c := compareRun(t, dir)
	if len(c.controls) < 15 {
		t.Fatalf("only %d controls", len(c.controls))
	}
	exact := 0
	for name, r := range c.controls {
		if !r.exact {
			continue
		}
		exact++
		if *r.Base != *r.Value {
			t.Errorf("%s: %v and %v", name, *r.Base, *r.Value)
		}
	}
	if exact < 15 {
		t.Errorf("only %d of %d controls are exact", exact, len(c.controls))
	}
}

// TestCrossDomain: what never has a clean window is told by what XSM executed.
func TestCrossDomain(t *testing.T) {
	c := compareRun(t, threeBuilds(t))
	const name = "Kbench/hypercall/op=evtchn_roundtrip"
	for _, domain := range []string{"dom0", "domU"} {
		if c.figures[key("flask", domain, name, "hooks/op")] < 2 || c.figures[key("flask", domain, name, "xsm-instr/op")] < 100 {
			t.Errorf("%s in %s under flask: hooks %v, instructions %v", name, domain,
				c.figures[key("flask", domain, name, "hooks/op")], c.figures[key("flask", domain, name, "xsm-instr/op")])
		}
	}
	if r := c.rows[key("flask", "domU", "Kbench/hypercall/op=grant_map_unmap")]; r.Value == nil || *r.Value <= *r.Base {
		t.Errorf("FLASK's checks of a grant mapping cost nothing: %+v", r)
	}
}

// TestEnforcing: FLASK enforces, denies nothing that the benchmarks do, and
// refuses the domU what only dom0 may.
func TestEnforcing(t *testing.T) {
	dir := threeBuilds(t)
	for build, text := range consoles(t, dir) {
		checkEnforcing(t, build, text)
	}
	// What it enforces is read off the image.
	text, err := os.ReadFile(filepath.Join(dir, "run.json"))
	if own := regexp.MustCompile(`built into the image \(version (24|30) without levels, \d+ types, \d+ rules\), enforcing`); err != nil || !own.Match(text) {
		t.Errorf("run.json does not tell the policy (%v):\n%s", err, text)
	}
}

func checkEnforcing(t *testing.T, build, console string) {
	t.Helper()
	if strings.Contains(console, "denied by the policy") {
		t.Errorf("%s: unexpected denials:\n%s", build, console)
	}
	refused := `"forbidden":1}` // EPERM
	if build == "flask" {
		refused = `"module":"flask","enforcing":true,"forbidden":13}` // EACCES
	}
	if !strings.Contains(console, "domU facts: ") || !strings.Contains(console, refused) {
		t.Errorf("%s: domU was not refused (%s) on the console:\n%s", build, refused, console)
	}
}

// TestBusy runs again with all processors kept busy: not a digit changes.
func TestBusy(t *testing.T) {
	t.Parallel()
	want := lines(t, measure(t, "--aa=false", "--rounds", "1"))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for range runtime.NumCPU() {
		go func() {
			for n := 0; ctx.Err() == nil; n++ {
			}
		}()
	}
	got := lines(t, measure(t, "--aa=false", "--rounds", "1"))
	for file, text := range want {
		if got[file] != text {
			t.Errorf("%s differs on a busy machine:\n%s\n---\n%s", file, text, got[file])
		}
	}
}

// TestDeveloper is what a Xen developer does: two trees, one with more work in
// one hook, one command. The report shows that hook's operations, the added
// instructions, and nothing else.
func TestDeveloper(t *testing.T) {
	t.Parallel()
	target, err := hv.Lookup("xen")
	if err != nil {
		t.Fatal(err)
	}
	var trees []string
	for _, n := range []int{0, addedWork} {
		b, err := target.(hv.Injector).Inject(context.Background(), hv.Work{Amount: n}, filepath.Join(t.TempDir(), "changed"), func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		trees = append(trees, b.Source)
	}
	dir := measure(t, "--builds", fmt.Sprintf("before=flask@%s,after=flask@%s", trees[0], trees[1]), "--base", "before")
	c := compareRun(t, dir, "--base", "before")
	out, err := exec.Command(program, "hooks", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("hooks: %v\n%s", err, out)
	}
	hooks := string(out)
	const changed = "Kbench/hypercall/op=evtchn_status"
	const onPath = "/op=evtchn_status" // and so are the states of the AVC
	for name, r := range c.rows {
		added := *r.Value - *r.Base
		switch {
		case strings.HasSuffix(r.Benchmark, onPath) && added != addedWork:
			t.Errorf("%s: %v instructions were added, want %d", name, added, addedWork)
		case !strings.HasSuffix(r.Benchmark, onPath) && r.exact && added != 0:
			t.Errorf("%s: %v instructions were added; the change is not on its path", name, added)
		}
	}
	for _, domain := range []string{"dom0", "domU"} {
		if _, ok := c.rows[key("after", domain, changed)]; !ok {
			t.Errorf("no row of %s in %s", changed, domain)
		}
		// And the profile names the hook, and nothing else.
		line := fmt.Sprintf("after against before, amd64 %s: evtchn_status +%d a call; ", domain, addedWork)
		rest := " other hooks cost the same; no code outside of hooks changed\n"
		if _, text, ok := strings.Cut(hooks, line); !ok || !strings.Contains(strings.SplitAfter(text, "\n")[0], rest) {
			t.Errorf("%s: the profile says:\n%s", domain, hooks)
		}
	}
	out, err = exec.Command(program, "compare", dir, "--base", "before").CombinedOutput()
	if err != nil {
		t.Fatalf("compare: %v\n%s", err, out)
	}
	for _, want := range []string{"  source: 1 file changed, ", "    xen/xsm/flask/hooks.c ", "  1 changed function, all executed at least in part: flask_evtchn_status\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the comparison does not say %q:\n%s", want, out)
		}
	}
}

// TestAgainstModel holds the hooks of Xen against those of the model: each
// difference has a reason.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	model := filepath.Join(t.TempDir(), "model")
	if out, err := exec.Command(program, "run", "--accel", "icount", "--bench", suite, "-o", model).CombinedOutput(); err != nil {
		t.Fatalf("the model: %v\n%s", err, out)
	}
	out, err := exec.Command(program, "hooks", model, "--against", threeBuilds(t)).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "update_va_mapping") || strings.Contains(string(out), "for no reason") {
		t.Errorf("error %v:\n%s", err, out)
	}
}

// addedWork is how many instructions are put into a hook.
const addedWork = 16
