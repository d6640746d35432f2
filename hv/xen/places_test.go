package xen

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// waitFor queues for a place; it returns when it is in the queue.
func waitFor(t *testing.T, ctx context.Context, p *places, rank int, got chan<- int) <-chan error {
	t.Helper()
	length := func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.queue[rank])
	}
	before, failed := length(), make(chan error, 1)
	go func() {
		release, err := p.take(ctx, rank)
		if err == nil {
			got <- rank
			release()
		}
		failed <- err
	}()
	for length() == before {
	}
	return failed
}

// TestPlaces: a snapshot goes before resumes that came earlier.
func TestPlaces(t *testing.T) {
	p := newPlaces(1)
	release, err := p.take(t.Context(), toResume)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan int, 3)
	waits := []<-chan error{
		waitFor(t, t.Context(), p, toResume, got), waitFor(t, t.Context(), p, toResume, got), waitFor(t, t.Context(), p, toSnapshot, got),
	}
	release()
	for _, w := range waits {
		if err := <-w; err != nil {
			t.Error(err)
		}
	}
	if order := []int{<-got, <-got, <-got}; !slices.Equal(order, []int{toSnapshot, toResume, toResume}) {
		t.Errorf("places went to %v", order)
	}
	if p.taken != 0 {
		t.Errorf("%d places are taken", p.taken)
	}
}

// TestPlaceNotWanted: who gives up does not keep a place, whether it has come
// or not.
func TestPlaceNotWanted(t *testing.T) {
	p := newPlaces(1)
	release, err := p.take(t.Context(), toResume)
	if err != nil {
		t.Fatal(err)
	}
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	wait := waitFor(t, ctx, p, toResume, nil)
	cancel(stopped)
	if err := <-wait; err != stopped {
		t.Errorf("error %v", err)
	}
	turn := p.enter(toResume)
	release() // to that turn, which is given up at the same moment
	p.leave(toResume, turn)
	if p.taken != 0 {
		t.Errorf("%d places are taken", p.taken)
	}
}
