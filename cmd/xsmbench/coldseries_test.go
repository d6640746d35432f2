package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/xen/faketools"
	"xsmbench/internal/require"
)

// breaksAt is a step of the fake make that refuses what says "broken".
const breaksAt = `
if grep -q broken common/a.c; then echo "common/a.c:1: error: broken" >&2; exit 2; fi
`

// TestColdSeries goes through a repository of Xen on a cold machine: what is new is
// built and booted once, the rest is not, and a second time nothing is.
func TestColdSeries(t *testing.T) {
	needDebian(t)
	require.Program(t, "git", "git")
	m := newColdMachine(t)
	for _, name := range []string{"git", "grep"} {
		if !m.apt.Real(name) {
			t.Fatalf("no %s", name)
		}
	}
	m.apt.Write("compile", breaksAt)
	begin := []string{"xen/common/a.c", "int a;\n"}
	for name, text := range anyXen {
		begin = append(begin, name, text)
	}
	m.commits("begin", begin...)
	m.commits("more", "xen/common/a.c", "int a, b;\n")
	m.commits("what no build reads", "docs/more", "text\n")
	m.commits("broken", "xen/common/a.c", "broken\n")
	m.commits("as at first", "xen/common/a.c", "int a;\n")
	for i, made := range []int{3, 0} {
		before := m.apt.Count("made", "compile")
		cmd := m.command("series", "--target", "xen", "--source", "repo", "--revs", "HEAD~4..HEAD", "--builds", "flask", "--domains", "dom0",
			"--bench", "op=evtchn_send$", "--store", "runs.db", "-o", "out", "--format", "json")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("series: %v\n%s", err, out)
		}
		var told struct {
			Revisions []struct{ Subject, State, Reason string }
			Steps     []any
		}
		if err := json.Unmarshal(out, &told); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range told.Revisions {
			got = append(got, r.Subject+": "+r.State)
		}
		want := []string{"begin: measured", "more: measured", "what no build reads: same image", "broken: not built", "as at first: same image"}
		if d := cmp.Diff(want, got); d != "" || len(told.Steps) > 0 {
			t.Errorf("time %d: steps %v, revisions (-want +got):\n%s", i+1, told.Steps, d)
		}
		if n := m.apt.Count("made", "compile") - before; n != made {
			t.Errorf("time %d: compiled %d times, want %d", i+1, n, made)
		}
	}
	if n := m.made()["snapshots"]; n != 2 {
		t.Errorf("%d boots to a snapshot, want one for each image", n)
	}
}

// commits commits files, by name and text, to the repository "repo".
func (m *coldMachine) commits(subject string, files ...string) {
	m.t.Helper()
	repo := filepath.Join(m.dir, "repo")
	if _, err := os.Stat(repo); err != nil {
		m.git("init", "-q", repo)
	}
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(repo, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			m.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o666); err != nil {
			m.t.Fatal(err)
		}
	}
	m.git("-C", repo, "add", ".")
	m.git("-C", repo, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", subject)
}

func (m *coldMachine) git(args ...string) {
	m.t.Helper()
	path, _ := faketools.Find("git")
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		m.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}
