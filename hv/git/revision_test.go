package git

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// branched has a merge: v1, then two commits, of which one is on a branch that is
// merged, as v2.
func branched(t *testing.T) string {
	t.Helper()
	need(t)
	dir := t.TempDir()
	commit := func(name, subject string) {
		t.Helper()
		write(t, dir, name, subject, 0o644)
		run(t, dir, "add", ".")
		run(t, dir, "commit", "-q", "-m", subject)
	}
	run(t, dir, "init", "-q", "-b", "main")
	commit("a", "begin")
	run(t, dir, "tag", "v1")
	run(t, dir, "checkout", "-q", "-b", "topic")
	commit("xen/topic", "on a branch\x1f and odd")
	run(t, dir, "checkout", "-q", "main")
	commit("a", "on the main line")
	run(t, dir, "merge", "-q", "--no-ff", "-m", "merge topic", "topic")
	run(t, dir, "tag", "v2")
	return dir
}

func TestList(t *testing.T) {
	dir := branched(t)
	from, err := Commit(t.Context(), dir, "v1")
	if err != nil {
		t.Fatal(err)
	}
	to, err := Commit(t.Context(), dir, "v2")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		s    Selection
		want string
	}{
		{"all", Selection{From: from, To: to}, "on the main line, merge topic"},
		{"merges", Selection{From: from, To: to, Merges: true}, "merge topic"},
		{"a path", Selection{From: from, To: to, Touching: []string{"a"}}, "on the main line"},
		{"none", Selection{From: to, To: to}, ""},
	} {
		list, err := List(t.Context(), filepath.Join(dir, "xen"), c.s)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var subjects []string
		for _, r := range list {
			subjects = append(subjects, r.Subject)
			if r.Author != "a" || len(r.Commit) != 40 || len(r.Date) != len("2026-01-02") || !strings.HasPrefix(r.Name, "v") {
				t.Errorf("%s: %+v", c.name, r)
			}
		}
		if got := strings.Join(subjects, ", "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestShow(t *testing.T) {
	dir := branched(t)
	r, err := Show(t.Context(), dir, "topic")
	if err != nil || r.Subject != "on a branch\x1f and odd" || !strings.HasPrefix(r.Name, "v1-1-g") || !strings.HasPrefix(r.Commit, r.Name[len("v1-1-g"):]) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := Show(t.Context(), dir, "v3"); text(err) != `the repository has no revision "v3"` {
		t.Errorf("error %v", err)
	}
}

func TestIgnored(t *testing.T) {
	dir := repository(t)
	write(t, dir, ".gitignore", "*.o\n", 0o644)
	paths := []string{filepath.Join(dir, "a.o"), filepath.Join(dir, "a.c"), filepath.Join(dir, "gone/b.o")}
	got, err := Ignored(t.Context(), dir, paths)
	if d := cmp.Diff(map[string]bool{paths[0]: true, paths[2]: true}, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if got, err := Ignored(t.Context(), dir, paths[1:2]); err != nil || got != nil {
		t.Errorf("none is ignored: %v, %v", got, err)
	}
	outside := t.TempDir()
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(outside))
	if _, err := Ignored(t.Context(), outside, paths); err == nil {
		t.Error("no error outside of a repository")
	}
}

// TestBisection goes through a repository whose checkout, refs and bisection stay
// as they are.
func TestBisection(t *testing.T) {
	need(t)
	dir := t.TempDir()
	run(t, dir, "init", "-q")
	var commits []string
	for _, text := range strings.Fields("0 1 2 3 4 5 6 7") {
		write(t, dir, "file", text, 0o644)
		run(t, dir, "add", ".")
		run(t, dir, "commit", "-q", "-m", text)
		commit, err := Commit(t.Context(), dir, "HEAD")
		if err != nil {
			t.Fatal(err)
		}
		commits = append(commits, commit)
	}
	before := files(t, dir)
	for _, c := range []struct {
		name    string
		verdict func(i int) Verdict
		first   int
		suspect int
	}{
		{"the fifth", func(i int) Verdict { return map[bool]Verdict{true: Bad, false: Good}[i >= 5] }, 5, 0},
		{"nobody knows", func(int) Verdict { return Skip }, -1, 7},
	} {
		b, said, err := Bisect(t.Context(), dir, t.TempDir(), commits[0], commits[7])
		if err != nil || !strings.HasPrefix(said, "Bisecting: ") {
			t.Fatalf("%s: %v: %s", c.name, err, said)
		}
		for !b.Ended {
			next, err := b.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i, commit := range commits {
				if commit == next {
					if _, err := b.Tell(t.Context(), c.verdict(i), commit); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if c.first >= 0 && b.First != commits[c.first] || c.first < 0 && b.First != "" || len(b.Suspects) != c.suspect {
			t.Errorf("%s: %+v", c.name, b)
		}
		if log, err := b.Log(t.Context()); err != nil || !strings.Contains(log, "git bisect start '--no-checkout'") {
			t.Errorf("%s: %v: %s", c.name, err, log)
		}
	}
	if d := cmp.Diff(before, files(t, dir)); d != "" {
		t.Errorf("the repository (-before +after):\n%s", d)
	}
	if _, _, err := Bisect(t.Context(), dir, t.TempDir(), commits[7], commits[0]); err != nil {
		t.Logf("good after bad: %v", err)
	} else {
		t.Error("good after bad: no error")
	}
}

// TestBisectShallow: a repository without its beginnings has what it has.
func TestBisectShallow(t *testing.T) {
	dir := repository(t)
	shallow := filepath.Join(t.TempDir(), "clone")
	run(t, dir, "commit", "-q", "--allow-empty", "-m", "three")
	run(t, dir, "clone", "-q", "--depth", "2", "file://"+dir, shallow)
	if _, err := os.Stat(filepath.Join(shallow, ".git", "shallow")); err != nil {
		t.Fatal(err)
	}
	good, err := Commit(t.Context(), shallow, "HEAD^")
	if err != nil {
		t.Fatal(err)
	}
	bad, err := Commit(t.Context(), shallow, "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	b, said, err := Bisect(t.Context(), shallow, t.TempDir(), good, bad)
	if err != nil || b.First != bad {
		t.Errorf("%+v, %v: %s", b, err, said)
	}
}

func FuzzParseLog(f *testing.F) {
	f.Add("abc\x1fsubject\x1fauthor\x1f2026-01-02")
	f.Add("\x1f\n")
	f.Fuzz(func(t *testing.T, out string) {
		list, err := parseLog(out)
		if err == nil && len(list) != 1+strings.Count(out, "\n") {
			t.Errorf("%d revisions of %q", len(list), out)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	sha := strings.Repeat("0123456789", 4)
	f.Add(sha + " is the first bad commit\ncommit " + sha)
	f.Add("There are only 'skip'ped commits left to test.\nThe first bad commit could be any of:\n" + sha + "\nWe cannot bisect more!")
	f.Fuzz(func(t *testing.T, said string) {
		first, suspects := answer(said)
		if first != "" && (suspects != nil || !strings.Contains(said, first)) {
			t.Errorf("%q: first %s, suspects %v", said, first, suspects)
		}
	})
}
