package experiment

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/hvtest"
	"xsmbench/results"
)

func TestLooks(t *testing.T) {
	for _, c := range []struct {
		first, most int
		want        []int
	}{
		{4, 100, []int{4, 6, 9, 13, 20, 30, 45, 68, 100}},
		{4, 4, []int{4}},
		{4, 3, []int{3}},
		{4, 7, []int{4, 6, 7}},
		{2, 6, []int{2, 3, 4, 6}},
	} {
		if diff := cmp.Diff(c.want, Looks(c.first, c.most)); diff != "" {
			t.Errorf("from %d to %d (-want +got):\n%s", c.first, c.most, diff)
		}
	}
}

// budgeted is a spec with a budget and looks after 2, 3, 4 and 6 rounds.
func budgeted(time time.Duration) results.Spec {
	s := spec()
	s.Budget = &results.Budget{Time: time, Looks: Looks(2, 6)}
	s.Rounds, s.Layouts = 2, 6
	return s
}

// sequence makes or resumes a run with a budget, whose rows are all decided
// after so many rounds.
func sequence(t *testing.T, target *hvtest.Target, path string, s results.Spec, decided int) *Sequence {
	t.Helper()
	r, _ := begin(t, target, path, s)
	q := &Sequence{Runner: *r}
	q.More = func(ctx context.Context, s results.Spec) (Images, error) {
		return Build(ctx, target, s, func(string) {})
	}
	q.Judge = func() (int, int, error) {
		if q.rounds >= decided {
			return 7, 0, nil
		}
		return 7, 7 - q.rounds, nil
	}
	return q
}

// looks are those taken: rounds and open rows.
func looks(r results.Run) (all [][2]int) {
	for _, l := range r.Spec.Budget.Taken {
		all = append(all, [2]int{l.Rounds, l.Open})
	}
	return all
}

func TestSequence(t *testing.T) {
	const never = 100
	for _, c := range []struct {
		name    string
		budget  time.Duration
		decided int
		end     Ending
		want    [][2]int
	}{
		{"at the first look", time.Hour, 1, Decided, [][2]int{{2, 0}}},
		{"between looks", time.Hour, 4, Decided, [][2]int{{2, 5}, {3, 4}, {4, 0}}},
		{"not looked at in between", time.Hour, 5, Decided, [][2]int{{2, 5}, {3, 4}, {4, 3}, {6, 0}}},
		{"never", time.Hour, never, Capped, [][2]int{{2, 5}, {3, 4}, {4, 3}, {6, 1}}},
		{"no time but for the first round", 1, never, Spent, [][2]int{{1, 6}}},
		{"decided when the time ends", 1, 1, Decided, [][2]int{{1, 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := t.TempDir()
			q := sequence(t, &hvtest.Target{}, path, budgeted(c.budget), c.decided)
			out, end, err := q.Run(context.Background())
			if err != nil || end != c.end {
				t.Fatalf("ending %d, error %v; want %d", end, err, c.end)
			}
			run, err := results.ReadRun(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, looks(run)); diff != "" {
				t.Errorf("looks (-want +got):\n%s", diff)
			}
			last := c.want[len(c.want)-1][0]
			if want := (Outcome{Boots: 3 * last, Done: 3 * last}); out != want || run.Spec.Rounds != last {
				t.Errorf("outcome %+v and %d rounds, want %+v and %d", out, run.Spec.Rounds, want, last)
			}
			if len(figures(t, path)) != 3*last*samplesPerBoot {
				t.Errorf("%d samples of %d rounds", len(figures(t, path)), last)
			}
			if diff := cmp.Diff(Looks(2, 6), run.Spec.Budget.Looks); diff != "" || run.Spec.Budget.Spent <= 0 {
				t.Errorf("plan changed (-want +got):\n%s; spent %s", diff, run.Spec.Budget.Spent)
			}
		})
	}
}

// TestSequenceMoreTime goes on where the time ended: the look that was taken
// there is not taken again.
func TestSequenceMoreTime(t *testing.T) {
	path := t.TempDir()
	q := sequence(t, &hvtest.Target{}, path, budgeted(1), 100)
	if _, end, err := q.Run(context.Background()); err != nil || end != Spent {
		t.Fatalf("ending %d, error %v", end, err)
	}
	again, end, err := q.Run(context.Background())
	if err != nil || end != Spent || again.Done != 3 {
		t.Fatalf("without more time: ending %d, %+v, error %v", end, again, err)
	}
	if err := q.save(func(s *results.Spec) { s.Budget.Time = time.Hour }); err != nil {
		t.Fatal(err)
	}
	if _, end, err = q.Run(context.Background()); err != nil || end != Capped {
		t.Fatalf("with more time: ending %d, error %v", end, err)
	}
	if diff := cmp.Diff([][2]int{{1, 6}, {3, 4}, {4, 3}, {6, 1}}, looks(q.Dir.Run())); diff != "" {
		t.Errorf("looks (-want +got):\n%s", diff)
	}
}

// TestSequenceInterrupted stops a run after every second measurement, and
// resumes it: samples and looks must be those of a run in one go.
func TestSequenceInterrupted(t *testing.T) {
	const decided = 3
	whole := t.TempDir()
	if _, _, err := sequence(t, &hvtest.Target{}, whole, budgeted(time.Hour), decided).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := figures(t, whole)
	for at := 1; at < len(want); at += 2 {
		path := t.TempDir()
		ctx, cancel := context.WithCancelCause(context.Background())
		n := 0
		target := &hvtest.Target{Measured: func(int, int) {
			if n++; n == at {
				cancel(errors.New("stopped"))
			}
		}}
		q := sequence(t, target, path, budgeted(time.Hour), decided)
		if _, _, err := q.Run(ctx); err == nil {
			t.Fatalf("stopped after %d: no error", at)
		}
		q.Dir.Close()
		q = sequence(t, &hvtest.Target{}, path, budgeted(time.Hour), decided)
		if out, end, err := q.Run(context.Background()); err != nil || end != Decided || !out.Complete() {
			t.Fatalf("resume after %d: ending %d, %+v, error %v", at, end, out, err)
		}
		if diff := cmp.Diff(want, figures(t, path)); diff != "" {
			t.Errorf("stopped after %d and resumed (-want +got):\n%s", at, diff)
		}
		if diff := cmp.Diff([][2]int{{2, 5}, {3, 0}}, looks(q.Dir.Run())); diff != "" {
			t.Errorf("stopped after %d and resumed: looks (-want +got):\n%s", at, diff)
		}
		q.Dir.Close()
	}
}

// TestSequenceFailures: a boot that fails is missing, and a resumed run of
// which all is decided measures it.
func TestSequenceFailures(t *testing.T) {
	path := t.TempDir()
	target := &hvtest.Target{Failures: []hvtest.Failure{{Build: "flask", Boot: 2, Kind: "guest"}}}
	q := sequence(t, target, path, budgeted(time.Hour), 3)
	out, end, err := q.Run(context.Background())
	if want := (Outcome{Boots: 9, Done: 9, Failures: 1}); err != nil || end != Decided || out != want {
		t.Fatalf("ending %d, %+v, error %v; the next stretch makes good for it", end, out, err)
	}

	path = t.TempDir()
	q = sequence(t, target, path, budgeted(time.Hour), 1)
	target.Failures[0].Boot = 5 // the first run had four of flask's
	if out, end, err = q.Run(context.Background()); err != nil || end != Decided || out.Done != 5 || out.Boots != 6 {
		t.Fatalf("ending %d, %+v, error %v", end, out, err)
	}
	if out, end, err = q.Run(context.Background()); err != nil || end != Decided || !out.Complete() {
		t.Fatalf("resumed: ending %d, %+v, error %v", end, out, err)
	}
	if diff := cmp.Diff([][2]int{{2, 0}}, looks(q.Dir.Run())); diff != "" {
		t.Errorf("looks (-want +got):\n%s", diff)
	}
}
