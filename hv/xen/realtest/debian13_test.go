//go:build realxen

package realtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"xsmbench/internal/require"
)

// debian13 is the directory of the second machine that .ci/debian13 made, and
// the path of that script.
func debian13(t *testing.T) (root, script string) {
	t.Helper()
	root = os.Getenv("XSMBENCH_DEBIAN13")
	if root == "" {
		require.Missing(t, "XSMBENCH_DEBIAN13, a directory with Debian 13 (.ci/debian13 make DIR, as root)")
	}
	script, err := filepath.Abs("../../../.ci/debian13")
	if err != nil {
		t.Fatal(err)
	}
	return root, script
}

// TestDebian13 is a run on a Debian 13 machine: the program is built there,
// doctor is content, gcc 14 compiles Xen 4.17 of Debian 12's source package, and
// the domains have Linux 6.12. Counts depend on the compiler and on the guests'
// kernel; which hooks a hypercall crosses does not.
func TestDebian13(t *testing.T) {
	root, script := debian13(t)
	want := compareRun(t, threeBuilds(t))
	t.Parallel()
	there := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(script, append([]string{"enter", root, "env", "XDG_CACHE_HOME=/var/cache", "XDG_DATA_HOME=/var/lib"}, args...)...)
		cmd.Dir = "../../.."
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	dir := t.TempDir() // which both machines have
	program, run := filepath.Join(dir, "xsmbench"), filepath.Join(dir, "run")
	there("go", "build", "-o", program, "./cmd/xsmbench")
	from := []string{"--target", "xen", "--source-release", "bookworm"}
	there(append([]string{program, "doctor"}, from...)...)
	said := there(append(append([]string{program, "run"}, from...), "--builds", "flask", "--rounds", "1", "--bench", suite, "-o", run)...)
	for _, warning := range regexp.MustCompile(`(?m)^warning.*`).FindAllString(said, -1) {
		if !strings.HasPrefix(warning, "warning: there is only one build, ") {
			t.Errorf("the run warns: %s\n%s", warning, said)
		}
	}
	config := images(t, run)["flask"].Config
	if !strings.Contains(config, "source=4.17.") || !strings.Contains(config, "GCC_VERSION=14") {
		t.Errorf("built from %.200s", config)
	}
	checkEnforcing(t, "flask", consoles(t, run)["flask"])
	checkHooks(t, want, compareRun(t, run))
}

// checkHooks compares what hypercalls cross with another run's.
func checkHooks(t *testing.T, want, got comparison) {
	t.Helper()
	compared := 0
	for _, domain := range []string{"dom0", "domU"} {
		for _, op := range []string{"xen_version", "evtchn_status", "evtchn_send_peer", "evtchn_alloc_close", "grant_map_unmap"} {
			name := key("flask", domain, "Kbench/hypercall/op="+op, "hooks/op")
			w, known := want.figures[name]
			g, ok := got.figures[name]
			if known != ok || w != g {
				t.Errorf("%s: %v hooks (%v), want %v (%v)", name, g, ok, w, known)
			}
			if ok {
				compared++
			}
		}
	}
	if compared < 8 {
		t.Errorf("only %d hypercalls could be compared", compared)
	}
}

// TestDebian13QEMU counts the same images by Debian 13's QEMU: whatever is exact
// is the same, to the instruction.
func TestDebian13QEMU(t *testing.T) {
	root, script := debian13(t)
	bin := t.TempDir()
	if out, err := exec.Command(script, "qemu", root, bin).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := compareRun(t, threeBuilds(t))
	t.Parallel()
	got := compareRun(t, measureWith(t, bin+":"+os.Getenv("PATH"), "--builds", "native,flask", "--aa=false", "--rounds", "1", "--suite", "default", "--bench", "."))
	sameCounts(t, want, got, 15)
}
