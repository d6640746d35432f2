package series

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/experiment"
	"xsmbench/experiment/merge"
	"xsmbench/hv"
	"xsmbench/hv/git"
	"xsmbench/results"
)

// TestShards: shards have all revisions, each once, in order, and none has two more
// than another.
func TestShards(t *testing.T) {
	var all []git.Revision
	for i := range 23 {
		all = append(all, git.Revision{Commit: fmt.Sprint(i)})
	}
	for n := range len(all) + 1 {
		for of := 1; of <= 30; of++ {
			var got []git.Revision
			most, least := 0, n
			for i := range of {
				s := &Shard{i + 1, of}
				part := s.part(all[:n])
				for k := range part {
					if o := owner(len(got)+k, of, n); *o != *s {
						t.Errorf("revision %d of %d is said to be of %s, and is of %s", len(got)+k, n, o, s)
					}
				}
				got = append(got, part...)
				most, least = max(most, len(part)), min(least, len(part))
			}
			if !slices.Equal(got, all[:n]) || most > least+1 {
				t.Errorf("%d revisions in %d shards: %d to %d each, %v", n, of, least, most, got)
			}
		}
	}
}

// TestMergeShards: whatever the number of machines, what is merged is what one machine
// has, but for the history's IDs.
func TestMergeShards(t *testing.T) {
	q := asked(t, repo(t, steps...))
	q.Range = "t0..t6"
	if _, err := Measure(t.Context(), q, nil, &log{}); err != nil {
		t.Fatal(err)
	}
	whole := bookOf(t, q.Dir)
	for _, of := range []int{2, 3, 9} {
		var dirs []string
		for i := range of {
			part := q
			part.Share = &experiment.Share{Index: i + 1, Of: of}
			part.Dir = filepath.Join(t.TempDir(), "part")
			if _, err := Measure(t.Context(), part, nil, &log{}); err != nil {
				t.Fatal(err)
			}
			dirs = append(dirs, part.Dir)
		}
		slices.Reverse(dirs)
		out := filepath.Join(t.TempDir(), "all")
		m, err := Merge(t.Context(), MergeRequest{Dirs: dirs, Output: out})
		if err != nil || len(m.Missing) > 0 || len(m.Absent) > 0 {
			t.Fatalf("%d shards: %+v, %v", of, m, err)
		}
		if d := cmp.Diff(whole, bookOf(t, out)); d != "" {
			t.Errorf("%d shards (-one machine +merged):\n%s", of, d)
		}
		// It goes on, and adds to a history what that lacks.
		again, kept := q, store(t, t.TempDir())
		again.Dir = out
		var l log
		s, err := Measure(t.Context(), again, kept, &l)
		if err != nil || len(s.Entries) != 7 || l.boots != 0 {
			t.Errorf("%d shards: %v, %d boots ended", of, err, l.boots)
		}
		if runs, err := kept.Runs(); err != nil || len(runs) != 3 || runs[2].Label != "t5" {
			t.Errorf("%d shards: %d runs in the history, %v", of, len(runs), err)
		}
	}
}

func bookOf(t *testing.T, dir string) book {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, ledgerFile))
	if err != nil {
		t.Fatal(err)
	}
	b, err := parseBook(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Runs that were deleted, and are in no history, are measured again.
func TestRunsGone(t *testing.T) {
	q := asked(t, repo(t, "", "flask count evtchn_send 7\n"))
	q.Range = "t0..t1"
	s, err := Measure(t.Context(), q, nil, &log{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(q.Dir, s.Entries[1].Run)); err != nil {
		t.Fatal(err)
	}
	var l log
	kept := store(t, t.TempDir())
	if s, err = Measure(t.Context(), q, kept, &l); err != nil || l.boots != 4 || !s.Entries[1].HasFigures() {
		t.Errorf("%d boots ended, %v", l.boots, err)
	}
	if runs, err := kept.Runs(); err != nil || len(runs) != 2 {
		t.Errorf("%d runs in the history, %v", len(runs), err)
	}
}

// partOf makes a shard's folder with a revision.
func partOf(t *testing.T, change func(*book, *Entry, *results.Run)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "part")
	r := git.Revision{Commit: "c0ffee", Name: "v1"}
	e := Entry{Revision: r, State: Measured, Images: map[string]string{"flask": "aaaa"}, Of: r.Commit, Run: "v1-gc0ffee"}
	b := book{Schema: ledgerSchema, Question: "q", Shard: &Shard{1, 2}, Revisions: []git.Revision{r, {Commit: "beef", Name: "v2"}}}
	build := hv.Build{Name: "flask", Arch: "amd64", Rev: r.Commit}
	run := results.Run{Tool: "test", Spec: results.Spec{Target: "counting", Builds: []hv.Build{build}, Domains: []string{"dom0"}, Rounds: 2},
		Images: []hv.Image{{Build: build, Hash: "aaaa"}}, Settings: []hv.Setting{{Item: hv.SettingEmulator, Text: "QEMU 7"}}}
	change(&b, &e, &run)
	b.Entries = map[string]Entry{e.Commit: e}
	d, err := results.Create(filepath.Join(dir, e.Run), run)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(b)
	if err := errors.Join(err, d.Close(), os.WriteFile(filepath.Join(dir, ledgerFile), text, 0o666)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestMergeRefuses: what differs is named, and nothing is made.
func TestMergeRefuses(t *testing.T) {
	same := func(*book, *Entry, *results.Run) {}
	other := func(e *Entry) { e.Commit, e.Of, e.Name, e.Run = "beef", "beef", "v2", "v2-gbeef" }
	for _, c := range []struct {
		name, want string
		change     func(*book, *Entry, *results.Run)
	}{
		{"image", "the image of flask in v1: it has bbbb, and", func(_ *book, e *Entry, _ *results.Run) { e.Images = map[string]string{"flask": "bbbb"} }},
		{"build", "the builds of v1: it has flask, mine, and", func(_ *book, e *Entry, _ *results.Run) {
			e.Images = map[string]string{"flask": "aaaa", "mine": ""}
		}},
		{"emulator", "the emulator of flask: it has QEMU 8, and", func(_ *book, e *Entry, run *results.Run) {
			other(e)
			run.Settings[0].Text = "QEMU 8"
		}},
		{"program", "the version of xsmbench: it has newer, and", func(_ *book, e *Entry, run *results.Run) {
			other(e)
			run.Tool = "newer"
		}},
		{"rounds", "rounds: it has 3, and", func(b *book, e *Entry, run *results.Run) {
			other(e)
			b.Question, run.Spec.Rounds = "other", 3
		}},
		{"question", "it was measured with other builds, benchmarks or settings than", func(b *book, e *Entry, _ *results.Run) {
			other(e)
			b.Question = "other"
		}},
		{"revisions", "the revisions: it has 1, from v1 to v1, and", func(b *book, _ *Entry, _ *results.Run) { b.Revisions = b.Revisions[:1] }},
	} {
		out := filepath.Join(t.TempDir(), "out")
		_, err := Merge(t.Context(), MergeRequest{Dirs: []string{partOf(t, same), partOf(t, c.change)}, Output: out})
		var differs *merge.DiffersError
		if err == nil || !strings.Contains(err.Error(), c.want) || c.name != "question" && !errors.As(err, &differs) {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := os.Lstat(out); err == nil {
			t.Errorf("%s: something was made", c.name)
		}
	}
	// The same twice counts once, and what nobody has is named.
	out := filepath.Join(t.TempDir(), "out")
	m, err := Merge(t.Context(), MergeRequest{Dirs: []string{partOf(t, same), partOf(t, same)}, Output: out})
	if err != nil || len(m.Missing) != 1 || m.Missing[0].Name != "v2" || m.Missing[0].Shard != "2/2" || !slices.Equal(m.Absent, []string{"2/2"}) {
		t.Errorf("%+v, %v", m, err)
	}
	if b := bookOf(t, out); len(b.Entries) != 1 {
		t.Errorf("entries: %+v", b.Entries)
	}
}

// TestDamagedLedger: a run is a folder below the series', since it may be removed with it.
func TestDamagedLedger(t *testing.T) {
	for run, ok := range map[string]bool{"0001": true, "a/b": true, "": true, ".": false, "a/..": false, "../other": false, "/etc": false} {
		text, err := json.Marshal(book{Schema: ledgerSchema, Entries: map[string]Entry{"c0": {Revision: git.Revision{Commit: "c0"}, Run: run}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseBook(text); (err == nil) != ok {
			t.Errorf("run %q: %v", run, err)
		}
	}
}
