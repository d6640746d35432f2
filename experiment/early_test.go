package experiment

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"xsmbench/hv"
	"xsmbench/hv/hvtest"
	"xsmbench/results"
)

// slow is a target that builds flask only when it is let.
type slow struct {
	*hvtest.Target
	let chan struct{}
	err error
}

func (s *slow) Build(ctx context.Context, b hv.Build, progress func(string)) (*hv.Image, error) {
	if b.Name == "flask" {
		<-s.let
		if s.err != nil {
			return nil, s.err
		}
	}
	return s.Target.Build(ctx, b, progress)
}

// twoBuilds asks for native and flask, without controls, in two rounds.
func twoBuilds(q *Question) {
	q.Builds = []hv.Build{{Name: "native", Arch: "amd64"}, {Name: "flask", Arch: "amd64"}}
	q.Rounds, q.Layouts = new(2), 1
	q.Controls = WithoutControls
}

// TestEarly: all boots of native end before flask is built, and what they gave
// is recorded in its place.
func TestEarly(t *testing.T) {
	var closed atomic.Int32
	target := &slow{Target: &hvtest.Target{Overlap: 2}, let: make(chan struct{})}
	target.Closed = func(int) {
		if closed.Add(1) == 2 {
			close(target.let)
		}
	}
	s := begun(t, twoBuilds)
	s.target = target
	var a attendant
	out, err := s.Run(t.Context(), &a, nil)
	if err != nil || !out.Complete() || out.Boots != 4 || closed.Load() != 4 {
		t.Fatalf("outcome %+v, %v; %d boots", out, err, closed.Load())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	plain := begun(t, twoBuilds)
	if _, err := plain.Run(t.Context(), &attendant{}, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := figures(t, s.Path()), figures(t, plain.Path()); len(want) == 0 || !maps.Equal(got, want) {
		t.Errorf("figures %v, want %v", got, want)
	}
}

// TestEarlyInVain: where an image cannot be built nothing is recorded, and no
// boot goes on.
func TestEarlyInVain(t *testing.T) {
	wrong := errors.New("it does not compile")
	var begins, closed atomic.Int32
	target := &slow{Target: &hvtest.Target{Overlap: 2}, let: make(chan struct{}), err: wrong}
	target.Measured = func(boot, n int) {
		if begins.Add(1) == 1 {
			close(target.let)
		}
	}
	target.Closed = func(int) { closed.Add(1) }
	s := begun(t, twoBuilds)
	s.target = target
	var a attendant
	if out, err := s.Run(t.Context(), &a, nil); !errors.Is(err, wrong) || out.Boots != 0 {
		t.Errorf("outcome %+v, %v", out, err)
	}
	if begins.Load() == 0 || closed.Load() == 0 {
		t.Errorf("%d measurements, %d boots closed", begins.Load(), closed.Load())
	}
	if _, err := results.ReadRun(s.Path()); err == nil {
		t.Error("a run was recorded")
	}
	if slices.Contains(a.told, "boots") {
		t.Errorf("told: %v", a.told)
	}
}
