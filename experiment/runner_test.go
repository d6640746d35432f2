package experiment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/hvtest"
	"xsmbench/results"
)

func init() {
	for _, b := range []bench.Benchmark{
		{Suite: "Rounds", Name: "one"},
		{Suite: "Rounds", Name: "two", Hooks: []bench.Crossing{{Hook: "evtchn_send", PerOp: 1}}},
		{Suite: "Rounds", Name: "control", Dom0Only: true},
	} {
		b.Doc, b.Source, b.Unit = "a test's", "none", "ns/op"
		b.Setup = func(bench.Domain) (bench.Loop, func(), error) { return nil, nil, errors.New("not run") }
		bench.Register(b)
	}
}

const samplesPerBoot = 5 // 3 benchmarks in dom0, 2 in domU

func spec() results.Spec {
	s := results.Spec{Target: "fake", Rounds: 4, Layouts: 4, Domains: []string{"dom0", "domU"}, Workload: "idle"}
	for _, n := range []string{"native", "dummy", "flask"} {
		s.Builds = append(s.Builds, hv.Build{Name: n, Arch: "amd64"})
	}
	s.Benchmarks = []string{"Rounds/one", "Rounds/two", "Rounds/control"}
	return s
}

// log is an observer that keeps what it is told.
type log struct {
	failed []string
	gaveUp []string
	ended  int
	last   Progress
}

func (*log) Booting(Slot, Progress)                             {}
func (*log) Measured(Slot, bench.Measurement, Progress)         {}
func (l *log) Ended(_ Slot, _ int, _ time.Duration, p Progress) { l.ended++; l.last = p }
func (l *log) Failed(s Slot, err error, p Progress) {
	l.failed = append(l.failed, fmt.Sprintf("%s round %d: %v", s.Build.Name, s.Round, err))
	l.last = p
}
func (l *log) GaveUp(build string, _ int) { l.gaveUp = append(l.gaveUp, build) }

// begin makes or resumes a run of a target.
func begin(t *testing.T, target hv.Target, path string, s results.Spec) (*Runner, *log) {
	t.Helper()
	images, err := Build(context.Background(), target, s, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := results.Create(path, results.Run{Spec: s, Images: images.List(s)})
	if errors.Is(err, results.ErrExists) {
		dir, err = results.Resume(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	l := &log{}
	return &Runner{Target: target, Dir: dir, Images: images, Observer: l}, l
}

// figures are a run's ended samples without what differs between a run in one
// go and an interrupted one: the boots' numbers.
func figures(t *testing.T, path string) map[string]float64 {
	t.Helper()
	samples, _, err := results.ReadFiles(path)
	if files, _ := filepath.Glob(filepath.Join(path, "results", "*")); err != nil && len(files) > 0 {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, s := range samples {
		if s.Ended {
			got[fmt.Sprintf("%s %s %s round=%d order=%d layout=%d", s.Build, s.Domain, s.Benchmark, s.Round, s.Order, s.Layout)] = s.Values[0].Value
		}
	}
	return got
}

// overlaps are how many boots of a run are under way in a test: one after the
// other, some, all.
var overlaps = []int{1, 2, 5, 100}

func TestRunInOneGo(t *testing.T) {
	for _, n := range overlaps {
		t.Run(fmt.Sprint(n), func(t *testing.T) { testRunInOneGo(t, n) })
	}
}

func testRunInOneGo(t *testing.T, overlap int) {
	path := t.TempDir()
	r, l := begin(t, &hvtest.Target{Overlap: overlap}, path, spec())
	out, err := r.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if want := (Outcome{Boots: 12, Done: 12}); out != want {
		t.Errorf("outcome %+v, want %+v", out, want)
	}
	if l.ended != 12 || l.last.BootsDone != 12 || l.last.SamplesDone != 12*samplesPerBoot || l.last.Left != 0 {
		t.Errorf("%d boots ended, progress %+v", l.ended, l.last)
	}
	if n := len(figures(t, path)); n != 12*samplesPerBoot {
		t.Errorf("%d samples, want %d", n, 12*samplesPerBoot)
	}
	logs, _ := filepath.Glob(filepath.Join(path, "console", "*.log"))
	if len(logs) != 12 {
		t.Errorf("%d console logs, want 12", len(logs))
	}
	for _, l := range logs {
		text, err := os.ReadFile(l)
		_, build, _ := strings.Cut(strings.TrimSuffix(filepath.Base(l), ".log"), "-")
		if want := "fake machine with " + build + "\n"; err != nil || string(text) != want {
			t.Errorf("%s: %q, want %q (%v)", l, text, want, err)
		}
	}
	checkOrder(t, path)
}

// checkOrder wants a run's boots numbered as they were scheduled, and each
// build's in one piece.
func checkOrder(t *testing.T, path string) {
	t.Helper()
	samples, _, err := results.ReadFiles(path)
	if err != nil {
		t.Fatal(err)
	}
	place := map[string]int{}
	for i, s := range Schedule(spec()) {
		place[fmt.Sprintf("%s round=%d", s.Build.Name, s.Round)] = i + 1
	}
	for _, s := range samples {
		if want := place[fmt.Sprintf("%s round=%d", s.Build, s.Round)]; s.Boot.Boot != want {
			t.Errorf("%s, round %d is boot %d, want %d", s.Build, s.Round, s.Boot.Boot, want)
		}
	}
}

// TestInterruptedAnywhere stops a run after every possible measurement, and
// resumes it: the samples must be those of a run in one go.
func TestInterruptedAnywhere(t *testing.T) {
	for _, n := range overlaps {
		t.Run(fmt.Sprint(n), func(t *testing.T) { testInterruptedAnywhere(t, n) })
	}
}

func testInterruptedAnywhere(t *testing.T, overlap int) {
	s := spec()
	s.Rounds, s.Layouts = 2, 2
	whole := t.TempDir()
	r, _ := begin(t, &hvtest.Target{}, whole, s)
	if _, err := r.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := figures(t, whole)
	stopped := errors.New("stopped")
	for at := 1; at <= 6*samplesPerBoot; at++ {
		path := t.TempDir()
		ctx, cancel := context.WithCancelCause(context.Background())
		var n atomic.Int32
		target := &hvtest.Target{Overlap: overlap, Measured: func(int, int) {
			if int(n.Add(1)) == at {
				cancel(stopped)
			}
		}}
		r, _ := begin(t, target, path, s)
		out, err := r.Run(ctx)
		if at < 6*samplesPerBoot && !errors.Is(err, stopped) {
			t.Fatalf("stopped after %d: error %v", at, err)
		}
		// What ended before the signal is kept.
		ended := (at - 1) / samplesPerBoot
		if overlap > 1 {
			ended = 0 // those under way may all be in their middle
		}
		if got := len(figures(t, path)); got != out.Done*samplesPerBoot || out.Done < ended {
			t.Errorf("stopped after %d: %d samples of %d boots", at, got, out.Done)
		}
		r.Dir.Close()
		r, _ = begin(t, &hvtest.Target{}, path, s)
		if out, err := r.Run(context.Background()); err != nil || !out.Complete() {
			t.Fatalf("resume after %d: %+v, %v", at, out, err)
		}
		if diff := cmp.Diff(want, figures(t, path)); diff != "" {
			t.Errorf("stopped after %d and resumed (-want +got):\n%s", at, diff)
		}
	}
}

// TestFailures lets one boot of flask fail in every way: it costs that boot's
// place in the schedule, which a resumed run fills.
func TestFailures(t *testing.T) {
	for _, kind := range []hv.BootErrorKind{hv.BootFailed, hv.TimedOut, hv.NoProgress, hv.BadProtocol, hv.GuestFailed} {
		for _, after := range []int{0, 2, samplesPerBoot} {
			t.Run(fmt.Sprintf("%s after %d", kind, after), func(t *testing.T) {
				path := t.TempDir()
				target := &hvtest.Target{Failures: []hvtest.Failure{{Build: "flask", Boot: 2, Kind: kind, After: after}}}
				r, l := begin(t, target, path, spec())
				out, err := r.Run(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				if want := (Outcome{Boots: 12, Done: 11, Failures: 1}); out != want {
					t.Errorf("outcome %+v, want %+v", out, want)
				}
				if len(l.failed) != 1 || !strings.HasPrefix(l.failed[0], "flask round 2: boot flask: "+string(kind)) {
					t.Errorf("failed: %q", l.failed)
				}
				if n := len(figures(t, path)); n != 11*samplesPerBoot {
					t.Errorf("%d samples of ended boots, want %d", n, 11*samplesPerBoot)
				}
				r.Dir.Close()
				r, _ = begin(t, &hvtest.Target{}, path, spec())
				if out, err := r.Run(context.Background()); err != nil || out.Done != 12 {
					t.Fatalf("resume: %+v, %v", out, err)
				}
				if n := len(figures(t, path)); n != 12*samplesPerBoot {
					t.Errorf("%d samples after resuming, want %d", n, 12*samplesPerBoot)
				}
			})
		}
	}
}

// TestPatience checks that a build that never boots does not keep the others
// from being measured, nor cost a boot in every round.
func TestPatience(t *testing.T) {
	for _, n := range overlaps {
		t.Run(fmt.Sprint(n), func(t *testing.T) { testPatience(t, n) })
	}
}

func testPatience(t *testing.T, overlap int) {
	target := &hvtest.Target{Overlap: overlap, Failures: []hvtest.Failure{{Build: "dummy", Kind: hv.BootFailed}}}
	r, l := begin(t, target, t.TempDir(), spec())
	out, err := r.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if want := (Outcome{Boots: 12, Done: 8, Failures: patience}); out != want {
		t.Errorf("outcome %+v, want %+v", out, want)
	}
	if diff := cmp.Diff([]string{"dummy"}, l.gaveUp); diff != "" {
		t.Errorf("gave up (-want +got):\n%s", diff)
	}
}

// TestMeasuredAhead interrupts a run while its first boot measures and the
// second has ended: what was measured is kept.
func TestMeasuredAhead(t *testing.T) {
	path := t.TempDir()
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(context.Background())
	second := make(chan struct{})
	target := &hvtest.Target{
		Overlap: 2,
		Measured: func(boot, n int) {
			if boot == 1 && n == 1 {
				<-second
				cancel(stopped)
			}
		},
		Closed: func(boot int) {
			if boot == 2 {
				close(second)
			}
		},
	}
	r, _ := begin(t, target, path, spec())
	out, err := r.Run(ctx)
	if !errors.Is(err, stopped) || out.Done != 1 {
		t.Fatalf("outcome %+v, error %v", out, err)
	}
	if n := len(figures(t, path)); n != samplesPerBoot {
		t.Errorf("%d samples of ended boots, want %d", n, samplesPerBoot)
	}
	r.Dir.Close()
	r, _ = begin(t, &hvtest.Target{}, path, spec())
	if out, err := r.Run(context.Background()); err != nil || !out.Complete() {
		t.Fatalf("resume: %+v, %v", out, err)
	}
}

// TestAsksBeforeARound: no boot of a round is under way before it may begin.
func TestAsksBeforeARound(t *testing.T) {
	var target hvtest.Target
	var boots atomic.Int32
	target.Overlap, target.Measured = 100, func(boot, _ int) { boots.Store(max(boots.Load(), int32(boot))) }
	r, _ := begin(t, &target, t.TempDir(), spec())
	r.MayBegin = func(round int) bool {
		if n := int(boots.Load()); n > 3*(round-1) {
			t.Errorf("round %d has not begun, %d boots are under way", round, n)
		}
		return round < 3
	}
	out, err := r.Run(context.Background())
	if err != nil || out.Done != 6 {
		t.Errorf("outcome %+v, error %v", out, err)
	}
}

// TestMoreRounds adds rounds to a finished run.
func TestMoreRounds(t *testing.T) {
	path := t.TempDir()
	r, _ := begin(t, &hvtest.Target{}, path, spec())
	if _, err := r.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	before := figures(t, path)
	run := r.Dir.Run()
	run.Spec.Rounds = 6
	if err := r.Dir.UpdateRun(run); err != nil {
		t.Fatal(err)
	}
	out, err := r.Run(context.Background())
	if err != nil || out.Done != 18 {
		t.Fatalf("%+v, %v", out, err)
	}
	after := figures(t, path)
	for k, v := range before {
		if after[k] != v {
			t.Errorf("%s was %v, is %v", k, v, after[k])
		}
	}
}

func TestChangedImages(t *testing.T) {
	s := spec()
	old, err := Build(context.Background(), &hvtest.Target{}, s, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	run := results.Run{Spec: s, Images: old.List(s)}
	if err := SameImages(run, old); err != nil {
		t.Errorf("same images: %v", err)
	}
	changed, err := Build(context.Background(), &hvtest.Target{Version: "2"}, s, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	var e *ChangedError
	if err := SameImages(run, changed); !errors.As(err, &e) || len(e.Builds) != 3 {
		t.Errorf("changed images: %v", err)
	}
}

// TestStoreFails makes the results unwritable in the middle: the run stops at
// once, and what was recorded stays.
func TestStoreFails(t *testing.T) {
	path := t.TempDir()
	target := &hvtest.Target{}
	target.Measured = func(boot, n int) {
		if boot == 4 && n == samplesPerBoot {
			// The next boot finds no directory for its console.
			if err := os.RemoveAll(filepath.Join(path, "console")); err != nil {
				t.Error(err)
			}
		}
	}
	r, _ := begin(t, target, path, spec())
	out, err := r.Run(context.Background())
	if err == nil || out.Done != 4 {
		t.Errorf("outcome %+v, error %v", out, err)
	}
	if n := len(figures(t, path)); n != 4*samplesPerBoot {
		t.Errorf("%d samples, want %d", n, 4*samplesPerBoot)
	}
}

// no386 is a target whose images of 386 do not start.
type no386 struct {
	hvtest.Counting
	built atomic.Int32
}

func (*no386) Starts(b hv.Build, accel string) error {
	if b.Arch == "386" {
		return errors.New("no 32-bit programs under " + accel)
	}
	return nil
}

func (t *no386) Build(ctx context.Context, b hv.Build, progress func(string)) (*hv.Image, error) {
	t.built.Add(1)
	return t.Counting.Build(ctx, b, progress)
}

// TestCannotStart: what will not start is not built, nor is what would be
// compared with it.
func TestCannotStart(t *testing.T) {
	var target no386
	s := spec()
	s.Accel, s.Layouts = "kvm", 1
	if _, err := Ready(context.Background(), &target, s, func(string) {}); err != nil || target.built.Load() != 3 {
		t.Fatalf("%d builds, %v", target.built.Load(), err)
	}
	s.Builds[2].Arch = "386"
	_, err := Ready(context.Background(), &target, s, func(string) {})
	if want := "build flask: no 32-bit programs under kvm"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if n := target.built.Load(); n != 3 {
		t.Errorf("%d images built for it", n-3)
	}
}
