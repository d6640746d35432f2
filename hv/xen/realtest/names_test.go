//go:build realxen

package realtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"xsmbench/hv"
	"xsmbench/hv/count/code"
	"xsmbench/hv/xen/symbols"
	"xsmbench/internal/require"
)

// TestNames builds the stable branches from 4.15 on, and master, of the
// repository of Xen that XENREPO names (XENREVS, if given, are the revisions
// instead), and looks at what counting finds in each: nothing is booted.
func TestNames(t *testing.T) {
	repo := require.Given(t, treesRepository, "a clone of Xen's repository with its stable branches")
	target, err := hv.Lookup("xen")
	if err != nil {
		t.Fatal(err)
	}
	for _, rev := range namedRevisions(t, repo) {
		maps := map[string]*code.Map{}
		for _, kind := range []string{"native", "dummy", "flask"} {
			img, err := target.Build(t.Context(), hv.Build{Name: kind, Arch: "amd64", Source: repo, Rev: rev}, func(s string) { t.Log(s) })
			if err != nil {
				t.Errorf("%s, %s: %v", rev, kind, err)
				continue
			}
			if maps[kind], err = symbols.Read(filepath.Join(filepath.Dir(img.Path), "xen-syms")); err != nil {
				t.Errorf("%s, %s: %v", rev, kind, err)
			}
		}
		lookAt(t, rev, maps)
	}
}

// lookAt checks what the maps of a release's builds have.
func lookAt(t *testing.T, rev string, maps map[string]*code.Map) {
	t.Helper()
	for kind, m := range maps {
		if m == nil {
			continue
		}
		t.Logf("%s, %s: %d handlers, %d hooks told, %d with sites; jumped to: %v; absent: %v",
			rev, kind, len(m.Handlers), len(m.Known), len(sitesOf(m)), m.Jumped, m.Absent)
		if len(m.Unknown) > 0 {
			t.Errorf("%s, %s: guests may enter it at %v, which is not known", rev, kind, m.Unknown)
		}
		for _, handler := range []string{"do_event_channel_op", "do_mmu_update", "do_domctl", "do_IRQ", "do_softirq", "do_general_protection"} {
			if !slices.Contains(m.Handlers, handler) {
				t.Errorf("%s, %s: no handler %s", rev, kind, handler)
			}
		}
		faults := slices.DeleteFunc(slices.Clone(m.Handlers), func(h string) bool { return h != "do_page_fault" && h != "handle_PF_IDT" })
		if len(faults) != 1 {
			t.Errorf("%s, %s: page faults are handled by %v", rev, kind, faults)
		}
		// Native has checks in place, the others call each hook that has a site.
		switch sites := sitesOf(m); {
		case kind == "native" && (len(m.Known) > 0 || len(sites) < 30):
			t.Errorf("%s, native: %d hooks told, %d with sites", rev, len(m.Known), len(sites))
		case kind != "native" && (len(m.Known) < 70 || len(sites) < 70):
			t.Errorf("%s, %s: %d hooks told, %d with sites", rev, kind, len(m.Known), len(sites))
		case kind != "native":
			for _, hook := range sites {
				if !calls(m, hook) && !slices.Contains(m.Jumped, hook) {
					t.Errorf("%s, %s: hook %s has a site and is not called", rev, kind, hook)
				}
			}
		}
	}
	if d, f := maps["dummy"], maps["flask"]; d != nil && f != nil && !slices.Equal(d.Known, f.Known) {
		t.Errorf("%s: dummy and flask have different hooks", rev)
	}
}

// sitesOf are the hooks that have a site.
func sitesOf(m *code.Map) []string {
	var hooks []string
	for _, r := range m.Ranges {
		if h := m.Cells[r.Cell].Hook; h != "" {
			hooks = append(hooks, h)
		}
	}
	slices.Sort(hooks)
	return slices.Compact(hooks)
}

// calls reports whether a hook is called anywhere.
func calls(m *code.Map, hook string) bool {
	return slices.ContainsFunc(m.Events, func(e code.Event) bool { return e.Kind == code.Call && m.Hooks[e.ID] == hook })
}

// firstNamed is the first release, of Xen 4, whose names are known.
const firstNamed = 15

// namedRevisions are those to look at.
func namedRevisions(t *testing.T, repo string) []string {
	t.Helper()
	if revs := strings.Fields(os.Getenv("XENREVS")); len(revs) > 0 {
		return revs
	}
	out, err := exec.Command("git", "-C", repo, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes").Output()
	if err != nil {
		t.Fatalf("branches of %s: %v", repo, err)
	}
	byMinor, branch := map[int]string{}, regexp.MustCompile(`/(?:stable-4\.(\d+)|master)$`)
	for _, ref := range strings.Fields(string(out)) {
		m := branch.FindStringSubmatch(ref)
		if m == nil {
			continue
		}
		minor := 1 << 20 // master is the last
		if m[1] != "" {
			minor, _ = strconv.Atoi(m[1])
		}
		if minor >= firstNamed {
			byMinor[minor] = ref
		}
	}
	var revs []string
	for minor := range byMinor {
		revs = append(revs, fmt.Sprintf("%08d %s", minor, byMinor[minor]))
	}
	slices.Sort(revs)
	for i := range revs {
		_, revs[i], _ = strings.Cut(revs[i], " ")
	}
	if len(revs) == 0 {
		t.Fatalf("%s has neither stable branches from 4.%d on nor master", repo, firstNamed)
	}
	return revs
}
