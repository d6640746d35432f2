package experiment

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/hvtest"
	"xsmbench/results"
)

// attendant keeps what it is told.
type attendant struct {
	log
	told []string
}

func (a *attendant) Building(string)             { a.tell("builds") }
func (a *attendant) Begins(string, results.Spec) { a.tell("begins") }
func (a *attendant) Looked(results.Budget)       { a.tell("looked") }
func (a *attendant) Ends()                       { a.tell("ends") }
func (a *attendant) Booting(s Slot, p Progress)  { a.tell("boots"); a.log.Booting(s, p) }
func (a *attendant) String() string              { return strings.Join(a.told, " ") }
func (a *attendant) tell(what string) {
	if len(a.told) == 0 || a.told[len(a.told)-1] != what {
		a.told = append(a.told, what)
	}
}

// begun is a session in a directory of its own.
func begun(t *testing.T, change func(*Question)) *Session {
	t.Helper()
	q := asking("fake", change)
	q.Output = filepath.Join(t.TempDir(), "run")
	q.Benchmarks, q.Tool, q.Command = "^Rounds/", "v1", []string{"xsmbench", "run"}
	s, err := Begin(q)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSession(t *testing.T) {
	s := begun(t, func(q *Question) { q.Rounds = new(2) })
	var a attendant
	out, err := s.Run(t.Context(), &a, nil)
	if err != nil || !out.Complete() || out.Boots != 8 {
		t.Errorf("outcome %+v, %v", out, err)
	}
	if got := a.String(); got != "builds begins boots ends" {
		t.Errorf("told: %s", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	run, err := results.ReadRun(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	if run.Tool != "v1" || !slices.Equal(run.Command, []string{"xsmbench", "run"}) || run.Host.CPUs < 1 || len(run.Images) != 8 {
		t.Errorf("recorded: tool %q, command %q, host %+v, %d images", run.Tool, run.Command, run.Host, len(run.Images))
	}
	var holds *HoldsRunError
	if _, err := Begin(asking("fake", func(q *Question) { q.Output = s.Path() })); !errors.As(err, &holds) || holds.Path != s.Path() {
		t.Errorf("error %v", err)
	}
}

// talking is a target whose boots have something to say.
type talking struct{ hv.Target }

func (t talking) Boot(ctx context.Context, img *hv.Image, spec hv.BootSpec) (hv.Machine, error) {
	spec.Say("what was not there is made")
	return t.Target.Boot(ctx, img, spec)
}

// TestSessionTellsOfBoots: what a boot has to make is told as builds are.
func TestSessionTellsOfBoots(t *testing.T) {
	s := begun(t, func(q *Question) { q.Rounds, q.Layouts, q.Controls = new(1), 1, WithoutControls })
	s.target = talking{s.target}
	defer s.Close()
	var a attendant
	if out, err := s.Run(t.Context(), &a, nil); err != nil || out.Boots != 3 {
		t.Errorf("outcome %+v, %v", out, err)
	}
	if got := a.String(); got != "builds begins boots builds boots builds boots builds ends" {
		t.Errorf("told: %s", got)
	}
}

// TestSessionResumes: a session goes on where another one stopped, with more
// rounds, and not with other images.
func TestSessionResumes(t *testing.T) {
	s := begun(t, func(q *Question) { q.Rounds, q.Layouts = new(2), 1 })
	ctx, cancel := context.WithCancel(t.Context())
	out, err := s.Run(ctx, &stopping{after: 3, cancel: cancel}, nil)
	if err == nil || out.Done >= out.Boots || out.Boots != 8 {
		t.Errorf("outcome %+v, %v", out, err)
	}
	if _, err := Resume(Continuation{Path: s.Path()}); err == nil {
		t.Error("a run under way is resumed")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	r, err := Resume(Continuation{Path: s.Path(), Rounds: new(3)})
	if err != nil {
		t.Fatal(err)
	}
	out, err = r.Run(t.Context(), &attendant{}, nil)
	if err != nil || !out.Complete() || out.Boots != 12 || r.Spec().Rounds != 3 {
		t.Errorf("outcome %+v of %d rounds, %v", out, r.Spec().Rounds, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	target, _ := hv.Lookup("fake")
	fake := target.(*hvtest.Target)
	fake.Version = "another"
	defer func() { fake.Version = "" }()
	if r, err = Resume(Continuation{Path: s.Path()}); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var changed *ChangedError
	if out, err := r.Run(t.Context(), &attendant{}, nil); !errors.As(err, &changed) || out.Boots != 0 {
		t.Errorf("outcome %+v, %v", out, err)
	}
}

// stopping cancels a run after some boots.
type stopping struct {
	attendant
	after  int
	cancel func()
}

func (s *stopping) Ended(slot Slot, n int, d time.Duration, p Progress) {
	if s.after--; s.after == 0 {
		s.cancel()
	}
}

// TestSessionLooks: with a budget a session goes by its judge, who is shown the
// run's directory.
func TestSessionLooks(t *testing.T) {
	s := begun(t, func(q *Question) { q.Budget = &Budget{time.Hour, 9} })
	defer s.Close()
	var a attendant
	looks := 0
	out, err := s.Run(t.Context(), &a, func(path string) (int, int, error) {
		if path != s.Path() {
			t.Errorf("judge of %s, not of %s", path, s.Path())
		}
		looks++
		return 5, max(0, 2-looks), nil
	})
	if err != nil || !out.Complete() || looks != 2 {
		t.Errorf("outcome %+v after %d looks, %v", out, looks, err)
	}
	if b := s.Spec().Budget; len(b.Taken) != 2 || s.Spec().Rounds != 6 {
		t.Errorf("%d rounds, looks %+v", s.Spec().Rounds, b.Taken)
	}
	if got := a.String(); !strings.HasPrefix(got, "builds begins boots looked boots looked ends") {
		t.Errorf("told: %s", got)
	}
}

// injectable is a fake target that takes work.
type injectable struct {
	hvtest.Counting
	given []hv.Work
}

func (*injectable) Name() string { return "injectable" }

func (*injectable) Injection() hv.Injection {
	return hv.Injection{Hook: "evtchn_send", Benchmark: "Rounds/two", Accel: "tcg", Instructions: []int{1, 8}, Delays: []int{3}, Long: 50}
}

func (t *injectable) Inject(_ context.Context, w hv.Work, dir string, progress func(string)) (hv.Build, error) {
	t.given = append(t.given, w)
	progress("a tree")
	return hv.Build{Name: "x", Kind: "flask", Source: dir}, nil
}

func TestSelftestRuns(t *testing.T) {
	bench.Register(bench.Benchmark{Suite: "Kbench", Name: "hypercall/op=xen_version", Doc: "d", Source: "s", Unit: "ns/op",
		Setup: func(bench.Domain) (bench.Loop, func(), error) { return nil, nil, errors.New("not run") }})
	target := &injectable{}
	hv.Register(target)
	s := Selftest{Target: "injectable", Trees: t.TempDir(), Runs: t.TempDir(), TimedRounds: 3}
	counted, err := s.Count(t.Context(), &attendant{})
	if err != nil {
		t.Fatal(err)
	}
	timed, err := s.Time(t.Context(), &attendant{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		InjectedRun
		base, builds string
		rounds       int
	}{{counted, "count0", "count0 count1 count8", 2}, {timed, "delay0", "delay0 delay3 delay50 delay0-again", 3}} {
		run, err := results.ReadRun(c.Path)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(names(run.Spec.Builds), " "); got != c.builds || c.Base != c.base || run.Spec.Rounds != c.rounds {
			t.Errorf("builds %s, base %s, %d rounds; want %+v", got, c.Base, run.Spec.Rounds, c)
		}
		if got := run.Spec.Benchmarks; !slices.Equal(got, []string{"Kbench/hypercall/op=xen_version", "Rounds/two"}) {
			t.Errorf("benchmarks %v", got)
		}
		if b := run.Spec.Builds[1]; b.Source != filepath.Join(s.Trees, b.Name) || b.KindOf() != "flask" {
			t.Errorf("build %+v", b)
		}
	}
	want := []hv.Work{{}, {Amount: 1}, {Amount: 8}, {Delay: true}, {Delay: true, Amount: 3}, {Delay: true, Amount: 50}}
	if !slices.Equal(target.given, want) || timed.Builds[1].Work != want[5] {
		t.Errorf("work %+v; builds %+v", target.given, timed.Builds)
	}
	s.TimedRounds = 1
	if _, err := s.Injection(); err == nil || err.Error() != "Rounds 1: must be from 2 to 1000" {
		t.Errorf("error %v", err)
	}
	s.Target = "fake"
	if _, err := s.Injection(); err == nil || err.Error() != "selftest: target fake cannot be given work in a hook" {
		t.Errorf("error %v", err)
	}
}
