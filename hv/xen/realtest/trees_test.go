//go:build realxen

package realtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv/xen/toolstack"
	"xsmbench/internal/require"
	"xsmbench/results"
)

// Variables of "make test-trees": a clone of Xen's repository, which of its
// branches are tested (all that are supported if empty), where runs are kept, and
// which benchmarks run.
const (
	treesRepository = "XENREPO"
	treesBranches   = "XENTREES"
	treesRuns       = "XENRUNS"
	treesBench      = "XENBENCH"
)

// oldestTree is the first 4.x that is tested: earlier ones do not compile with
// Debian 12's gcc.
const oldestTree = 15

// startDelays is how many resumes with a delay of their own domU's agent has to
// survive.
const startDelays = 24

// TestTrees measures every stable branch and master of a repository: three builds
// in both domains, FLASK enforcing, and no warning that this program does not
// explain. The table of what dummy and FLASK cost goes to the standard output.
func TestTrees(t *testing.T) {
	repo := require.Given(t, treesRepository, "a clone of Xen's repository with its stable branches")
	if missing := toolstack.Missing(t.Context()); missing != nil {
		t.Fatalf("trees are measured with their own tools: install the packages %s", strings.Join(missing, " "))
	}
	kept := os.Getenv(treesRuns)
	if kept == "" {
		kept = t.TempDir()
	}
	table := tableHead()
	for _, branch := range branchesOf(t, repo) {
		t.Run(filepath.Base(branch), func(t *testing.T) {
			dir := filepath.Join(kept, filepath.Base(branch))
			measureTree(t, repo, branch, dir)
			checkTree(t, dir)
			table += tableRow(t, filepath.Base(branch), dir)
			surviveDelays(t, repo, branch, dir+"-delays")
		})
	}
	fmt.Print("\n" + table + "\n")
}

var stableBranch = regexp.MustCompile(`^stable-4\.(\d+)$`)

// branchesOf lists the branches to test, the oldest first.
func branchesOf(t *testing.T, repo string) []string {
	t.Helper()
	out, err := exec.Command("git", "-C", repo, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes/origin").Output()
	if err != nil {
		t.Fatalf("list the branches of %s: %v", repo, err)
	}
	byName, order := map[string]string{}, map[string]int{}
	for _, ref := range strings.Fields(string(out)) {
		name := strings.TrimPrefix(ref, "origin/")
		n := 1 << 20 // master is the last
		if m := stableBranch.FindStringSubmatch(name); m != nil {
			n, _ = strconv.Atoi(m[1])
		} else if name != "master" {
			continue
		}
		if n >= oldestTree {
			byName[name], order[name] = ref, n
		}
	}
	var names []string
	for name := range byName {
		if only := os.Getenv(treesBranches); only == "" || slices.Contains(strings.Split(only, ","), name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return order[a] - order[b] })
	if len(names) == 0 {
		t.Fatalf("%s has none of the branches looked for", repo)
	}
	for i, name := range names {
		names[i] = byName[name]
	}
	return names
}

// runTree runs builds of a branch, and goes on where an earlier run stopped.
func runTree(t *testing.T, repo, branch, dir string, kinds []string, args ...string) {
	t.Helper()
	var builds []string
	for _, k := range kinds {
		builds = append(builds, k+"="+k+"@"+branch)
	}
	args = append([]string{"run", "--target", "xen", "--source", repo, "--builds", strings.Join(builds, ","), "--replace", "-o", dir}, args...)
	cmd := exec.Command(program, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("xsmbench %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
}

func measureTree(t *testing.T, repo, branch, dir string) {
	t.Helper()
	args := []string{}
	if b := os.Getenv(treesBench); b != "" {
		args = append(args, "--bench", b)
	}
	runTree(t, repo, branch, dir, []string{"native", "dummy", "flask"}, args...)
}

// checkTree looks for what a run must have.
func checkTree(t *testing.T, dir string) {
	t.Helper()
	c, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Problems {
		t.Errorf("%s: %s", p.File, p.Text)
	}
	measured := map[string]int{}
	unexplained := map[string]bool{}
	for _, s := range c.Samples {
		measured[s.Build+" in "+s.Domain]++
		for _, w := range s.Warnings {
			if !strings.HasPrefix(w, bench.NotExact) && !strings.HasPrefix(w, bench.WindowsLeftOut) {
				unexplained[s.Build+": "+s.Benchmark+" in "+s.Domain+": "+w] = true
			}
		}
	}
	for w := range unexplained {
		t.Error(w)
	}
	for _, build := range []string{"native", "dummy", "flask"} {
		for _, domain := range []string{"dom0", "domU"} {
			if measured[build+" in "+domain] == 0 {
				t.Errorf("nothing was measured of %s in %s", build, domain)
			}
		}
	}
}

// surviveDelays resumes with many delays, under FLASK.
func surviveDelays(t *testing.T, repo, branch, dir string) {
	t.Helper()
	runTree(t, repo, branch, dir, []string{"flask"}, "--bench", `lat_syscall/op=null$`, "--rounds", strconv.Itoa(startDelays))
}

// shown are the operations of the table.
var shown = []struct{ benchmark, domain string }{
	{"Lmbench/lat_syscall/op=null", "domU"}, {"Kbench/vm/op=anon_touch", "domU"}, {"Lmbench/lat_proc/op=fork", "dom0"},
	{"Kbench/hypercall/op=evtchn_status", "dom0"}, {"Kbench/hypercall/op=evtchn_status", "domU"}, {"Kbench/hypercall/op=domctl_getdomaininfo", "dom0"},
}

func tableHead() string {
	head, rule := "| tree |", "|---|"
	for _, s := range shown {
		head += fmt.Sprintf(" `%s`, %s: native, dummy, FLASK |", s.benchmark[strings.LastIndexByte(s.benchmark, '=')+1:], s.domain)
		rule += "---|"
	}
	return head + "\n" + rule + "\n"
}

// tableRow is what an operation executes in Xen natively, and how many
// instructions more dummy and FLASK do.
func tableRow(t *testing.T, name, dir string) string {
	t.Helper()
	c := compareRun(t, dir)
	line := "| " + name + " |"
	for _, s := range shown {
		dummy, ok := c.rows[key("dummy", s.domain, s.benchmark)]
		flask, both := c.rows[key("flask", s.domain, s.benchmark)]
		if !ok || !both || dummy.Base == nil || dummy.Value == nil || flask.Value == nil {
			line += " not measured |"
			continue
		}
		line += fmt.Sprintf(" %.0f, %+.0f, %+.0f |", *dummy.Base, *dummy.Value-*dummy.Base, *flask.Value-*dummy.Base)
	}
	return line + "\n"
}
