package series

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	_ "xsmbench/bench/kbench"
	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/hv/git"
	"xsmbench/hv/hvtest"
	"xsmbench/internal/require"
	"xsmbench/results"
	"xsmbench/results/history"
)

func TestMain(m *testing.M) {
	hv.Register(&hvtest.Counting{})
	os.Exit(m.Run())
}

// repo makes a repository with a commit for each text of the source, tagged with
// its number from 0.
func repo(t *testing.T, sources ...string) string {
	t.Helper()
	require.Program(t, "git", "git")
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		config := []string{"-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgSign=false"}
		if _, err := git.Output(t.Context(), dir, append(config, args...)...); err != nil {
			t.Fatal(err)
		}
	}
	run("init", "-q")
	for i, text := range sources {
		if err := os.WriteFile(filepath.Join(dir, hvtest.SourceFile), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		run("add", ".")
		run("commit", "-q", "--allow-empty", "-m", fmt.Sprintf("step %d", i))
		run("tag", fmt.Sprint("t", i))
	}
	return dir
}

// asked is a question of two builds and one operation.
func asked(t *testing.T, repo string) Question {
	return Question{
		Each: experiment.Question{
			Inputs:     experiment.Inputs{Target: "counting", Source: repo, Builds: []hv.Build{{Name: "native"}, {Name: "flask"}}},
			Benchmarks: "op=(evtchn_send|xen_version)$", Domains: []string{"dom0"}, Controls: experiment.WithoutControls,
		},
		Dir: filepath.Join(t.TempDir(), "series"),
	}
}

// log keeps what it is told.
type log struct {
	turns, said []string
	boots       int
	stop        func(boots int)
}

func (*log) Building(string)                                                  {}
func (*log) Begins(string, results.Spec)                                      {}
func (*log) Looked(results.Budget)                                            {}
func (*log) Ends()                                                            {}
func (*log) Booting(experiment.Slot, experiment.Progress)                     {}
func (*log) Measured(experiment.Slot, bench.Measurement, experiment.Progress) {}
func (*log) Failed(experiment.Slot, error, experiment.Progress)               {}
func (*log) GaveUp(string, int)                                               {}
func (l *log) Turn(r git.Revision, p Progress)                                { l.turns = append(l.turns, r.Name) }
func (l *log) Settled(Entry, time.Duration, Progress)                         {}
func (l *log) Read(r Reading)                                                 { l.said = append(l.said, fmt.Sprint(r.Name, " ", r.Value)) }
func (l *log) Git(said string)                                                { l.said = append(l.said, said) }
func (l *log) Ended(experiment.Slot, int, time.Duration, experiment.Progress) {
	if l.boots++; l.stop != nil {
		l.stop(l.boots)
	}
}

// told are a series' entries in short.
func told(s *Series) []string {
	var all []string
	for _, e := range s.Entries {
		text := e.Name + " " + string(e.State)
		if e.HasFigures() && e.Of != e.Commit {
			i := slices.IndexFunc(s.Entries, func(o Entry) bool { return o.Commit == e.Of })
			text += " as " + s.Entries[i].Name
		}
		if e.Reason != "" {
			text += ": " + e.Reason
		}
		all = append(all, text)
	}
	return all
}

func store(t *testing.T, dir string) *history.Store {
	t.Helper()
	s, err := history.Create(filepath.Join(dir, "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

var steps = []string{
	"",
	"native count evtchn_send -142\nflask count evtchn_send -142\n",
	"native count evtchn_send -142\nflask count evtchn_send -142\ndummy count evtchn_send 15\n",
	"flask build xen/common/a.c:3: error: ';' expected\n",
	"native boot Panic on CPU 0\n",
	"flask count evtchn_send 7\n",
	"",
}

// TestMeasure: what is new is measured, and the rest said; a second time nothing
// is measured, nor where only the history knows.
func TestMeasure(t *testing.T) {
	q := asked(t, repo(t, steps...))
	q.Range = "t0..t6"
	home := t.TempDir()
	kept := store(t, home)
	want := []string{
		"t0 measured", "t1 measured", "t2 same image as t1",
		"t3 not built: flask: xen/common/a.c:3: error: ';' expected", "t4 not booted: native: boot: Panic on CPU 0",
		"t5 measured", "t6 same image as t0",
	}
	for _, c := range []struct {
		name  string
		boots int
		dir   string
		want  []string
	}{
		{"first", 3*2*2 + 2, q.Dir, want}, // of what does not boot, flask does
		{"again", 0, q.Dir, want},
		{"elsewhere, by the history", 2, q.Dir + "2", want},
	} {
		var l log
		q.Dir = c.dir
		s, err := Measure(t.Context(), q, kept, &l)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if d := cmp.Diff(c.want, told(s)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if l.boots != c.boots {
			t.Errorf("%s: %d boots ended, want %d", c.name, l.boots, c.boots)
		}
	}
	runs, err := kept.Runs()
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, r := range runs {
		labels = append(labels, r.Label)
	}
	if d := cmp.Diff([]string{"t0", "t1", "t5"}, labels); d != "" {
		t.Errorf("runs in the history (-want +got):\n%s", d)
	}
}

// TestInterrupted: a series that was interrupted goes on where it was.
func TestInterrupted(t *testing.T) {
	q := asked(t, repo(t, steps...))
	q.Range = "t0..t1"
	kept := store(t, t.TempDir())
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	first := log{stop: func(boots int) {
		if boots == 5 {
			cancel(cause)
		}
	}}
	s, err := Measure(ctx, q, kept, &first)
	if !errors.Is(err, cause) || len(s.Entries) != 1 {
		t.Fatalf("interrupted: %v, %+v", err, s)
	}
	var rest log
	if s, err = Measure(t.Context(), q, kept, &rest); err != nil || first.boots+rest.boots != 8 {
		t.Errorf("%v; %d boots, then %d, of 8", err, first.boots, rest.boots)
	}
	if d := cmp.Diff([]string{"t0 measured", "t1 measured"}, told(s)); d != "" {
		t.Error(d)
	}
}

// TestPlan: which revisions are chosen.
func TestPlan(t *testing.T) {
	dir := repo(t, steps...)
	for _, c := range []struct {
		name string
		q    Question
		want string
		err  string
	}{
		{"all", Question{Range: "t0..t3"}, "t0 t1 t2 t3", ""},
		{"every second", Question{Range: "t0..t5", Every: 2}, "t0 t2 t4 t5", ""},
		{"touching", Question{Range: "t0..t6", Touching: []string{"source.txt"}}, "t0 t1 t2 t3 t4 t5 t6", ""},
		{"touching nothing", Question{Range: "t0..t6", Touching: []string{"xen"}}, "", "range t0..t6: no such revision in it"},
		{"merges, of which there are none", Question{Range: "t0..t6", Merges: true}, "", "range t0..t6: no such revision in it"},
		{"no range", Question{Range: "t3"}, "", `range "t3": name two revisions, as A..B`},
		{"three dots", Question{Range: "t0...t3"}, "", "name two revisions"},
		{"no revision", Question{Range: "t0..t9"}, "", `the repository has no revision "t9"`},
		{"every -1", Question{Range: "t0..t3", Every: -1}, "", "must be above 0"},
	} {
		c.q.Each.Source = dir
		plan, err := c.q.Plan(t.Context())
		var got []string
		for _, r := range plan.Chosen {
			got = append(got, r.Name)
		}
		if strings.Join(got, " ") != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}

// TestOtherQuestion: a folder is of one question.
func TestOtherQuestion(t *testing.T) {
	q := asked(t, repo(t, steps...))
	q.Range = "t0..t1"
	if _, err := Measure(t.Context(), q, nil, &log{}); err != nil {
		t.Fatal(err)
	}
	q.Each.Benchmarks = "op=evtchn_send$"
	var other *OtherError
	if _, err := Measure(t.Context(), q, nil, &log{}); !errors.As(err, &other) {
		t.Errorf("another benchmark: %v", err)
	}
	q.Each.Builds = []hv.Build{{Name: "old", Kind: "flask", Rev: "t0"}}
	if _, err := Measure(t.Context(), q, nil, &log{}); err == nil || !strings.Contains(err.Error(), "build old: it names a revision") {
		t.Errorf("a build of a revision: %v", err)
	}
}

// TestMachine: what is not the source's fault ends a series, and is tried again.
func TestMachine(t *testing.T) {
	q := asked(t, repo(t, "", "a", "b", "c"))
	q.Range = "t0..t3"
	q.Each.Builds = []hv.Build{{Name: "native"}}
	broken := &full{}
	hv.Register(broken)
	q.Each.Target = "full"
	var end *MachineError
	if s, err := Measure(t.Context(), q, nil, &log{}); !errors.As(err, &end) || len(s.Entries) != patience {
		t.Fatalf("%v, %+v", err, s)
	}
	broken.mended = true
	if s, err := Measure(t.Context(), q, nil, &log{}); err != nil || !s.Entries[0].HasFigures() {
		t.Errorf("mended: %v, %+v", err, s)
	}
}

// loggedError is a build's that has a log.
type loggedError string

func (e loggedError) Error() string   { return "build flask: broken (whole log: " + string(e) + ")" }
func (e loggedError) LogFile() string { return string(e) }

// The log of a revision that does not build stays with the series.
func TestLogKept(t *testing.T) {
	m := &measurer{dir: t.TempDir()}
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte("all of it"), 0o666); err != nil {
		t.Fatal(err)
	}
	r := git.Revision{Commit: "0123456789abcdef", Name: "v1-0-g0123456789ab"}
	kept := filepath.Join(m.dir, "v1-0-g0123456789ab.log")
	if why := m.whyNotBuilt(r, fmt.Errorf("%w", loggedError(log))); why != "flask: broken (whole log: "+kept+")" {
		t.Errorf("reason %q", why)
	}
	if text, err := os.ReadFile(kept); err != nil || string(text) != "all of it" {
		t.Errorf("log %q, %v", text, err)
	}
	if why := m.whyNotBuilt(r, loggedError("gone")); why != "flask: broken (whole log: gone)" {
		t.Errorf("reason without a log: %q", why)
	}
}

// full is a target on a machine whose disk is full.
type full struct {
	hvtest.Counting
	mended bool
}

func (*full) Name() string { return "full" }

func (f *full) Build(ctx context.Context, b hv.Build, progress func(string)) (*hv.Image, error) {
	if !f.mended {
		return nil, errors.New("no space left on device")
	}
	return f.Counting.Build(ctx, b, progress)
}

// hunt asks for what evtchn_send takes in flask.
func hunt(t *testing.T, repo, good, bad string) Hunt {
	q := asked(t, repo)
	q.Each.Builds = []hv.Build{{Name: "flask"}}
	q.Each.Benchmarks = "op=evtchn_send$"
	return Hunt{Each: q.Each, Good: good, Bad: bad, Dir: q.Dir}
}

func TestBisect(t *testing.T) {
	lock := "flask count evtchn_send -142\n"
	var sources []string
	for i := range 12 {
		text := fmt.Sprintf("dummy count x %d\n", i)
		switch {
		case i == 5:
			text += "flask build broken\n"
		case i == 6:
			text += lock + "flask boot broken\n"
		case i >= 8:
			text += lock
		}
		sources = append(sources, text)
	}
	h := hunt(t, repo(t, sources...), "t0", "t11")
	var l log
	f, err := Bisect(t.Context(), h, &l)
	if err != nil {
		t.Fatal(err)
	}
	if f.First.Name != "t8" || f.Before.Name != "t7" || f.First.Value-f.Before.Value != -142 {
		t.Errorf("found %+v", f)
	}
	seen := map[string]int{}
	for _, name := range l.turns {
		seen[name]++
	}
	// How many steps there are depends on the commits' hashes: next to what is skipped,
	// git chooses by them.
	steps := len(regexp.MustCompile(`(?m)^git bisect (good|bad|skip) `).FindAllString(f.Log, -1))
	if n := slices.Max(slices.Collect(maps.Values(seen))); n > 1 || steps == 0 || len(seen) > 2+steps {
		t.Errorf("measured %v in %d steps:\n%s", l.turns, steps, f.Log)
	}
	text, err := os.ReadFile(filepath.Join(h.Dir, LogFile))
	if err != nil || !strings.Contains(string(text), "# first bad commit: ["+f.First.Commit+"] step 8") {
		t.Errorf("log: %v\n%s", err, text)
	}
	if all := strings.Join(l.said, "\n"); !strings.Contains(all, "left to test after this") || !strings.Contains(all, f.First.Commit+" is the first bad commit") {
		t.Errorf("git said:\n%s", all)
	}
	// The repository is as it was.
	for _, args := range [][]string{{"bisect", "log"}, {"show-ref", "refs/bisect/bad"}} {
		if out, err := git.Output(t.Context(), h.Each.Source, args...); err == nil {
			t.Errorf("git %v in the user's repository: %s", args, out)
		}
	}
	l = log{}
	if again, err := Bisect(t.Context(), h, &l); err != nil || again.First.Commit != f.First.Commit || l.boots != 0 {
		t.Errorf("again: %+v, %v, %d boots", again, err, l.boots)
	}
}

// TestBisectSuspects: revisions that cannot be measured stand before the answer.
func TestBisectSuspects(t *testing.T) {
	h := hunt(t, repo(t, "", "flask build broken\n", "flask boot broken\n", "flask count evtchn_send 3\n"), "t0", "t3")
	f, err := Bisect(t.Context(), h, &log{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range f.Suspects {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	if f.First.Commit != "" || len(f.Skipped) != 2 || cmp.Diff([]string{"t1", "t2", "t3"}, names) != "" {
		t.Errorf("found %+v", f)
	}
}

func TestBisectRefuses(t *testing.T) {
	dir := repo(t, "", "native count evtchn_send 3\n", "flask build broken\n", "flask count evtchn_send 3\n")
	var equal *EqualError
	if _, err := Bisect(t.Context(), hunt(t, dir, "t0", "t1"), &log{}); !errors.As(err, &equal) || equal.Good.Value != equal.Bad.Value || equal.Good.Name != "t0" {
		t.Errorf("no difference: %v", err)
	}
	if _, err := Bisect(t.Context(), hunt(t, dir, "t0", "t2"), &log{}); err == nil || !strings.Contains(err.Error(), "t2 was not built: flask: broken") {
		t.Errorf("an end that does not build: %v", err)
	}
	h := hunt(t, dir, "t0", "t3")
	h.Each.Domains = nil
	if _, err := Bisect(t.Context(), h, &log{}); err == nil || !strings.Contains(err.Error(), "it needs one of each") {
		t.Errorf("two domains: %v", err)
	}
	h = hunt(t, dir, "t0", "t3")
	h.Each.Accel, h.Unit = "kvm", "ns/op"
	var inexact *InexactError
	if _, err := Bisect(t.Context(), h, &log{}); !errors.As(err, &inexact) {
		t.Errorf("times: %v", err)
	}
}

func FuzzBook(f *testing.F) {
	f.Add([]byte(`{"schema":1,"question":"ab","entries":{"c":{"commit":"c","name":"n","state":"measured","of":"c","run":"r"}}}`))
	f.Add([]byte(`{"schema":1,"entries":{"c":{"commit":"c","run":"../x"}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := parseBook(text)
		if err != nil {
			return
		}
		for commit, e := range b.Entries {
			if commit != e.Commit || strings.HasPrefix(e.Run, "/") || strings.HasPrefix(e.Run, "../") {
				t.Errorf("took %+v for the entry of %s", e, commit)
			}
		}
	})
}
