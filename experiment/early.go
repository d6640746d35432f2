package experiment

import (
	"context"
	"sync"
	"time"

	"xsmbench/hv"
	"xsmbench/results"
)

// early are boots of a new run that begin while others of its images are still
// being built: a build keeps one processor busy for much of its time, and what
// was built before can measure on the rest. Nothing of them is recorded before
// all images are there.
type early struct {
	ctx    context.Context
	target hv.Target
	start  start
	slots  []Slot

	mu      sync.Mutex
	over    bool
	flights map[results.Key]*flight
}

// newEarly readies early boots; nil if the run can have none. Where boots would
// disturb each other, builds disturb them as well. A run with a budget asks
// before each round.
func newEarly(ctx context.Context, t hv.Target, spec results.Spec, slots []Slot, timeout time.Duration, progress func(string)) *early {
	if spec.Budget != nil || atOnce(t, bootSpec(spec)) == 1 {
		return nil
	}
	return &early{ctx: ctx, target: t, start: start{spec, timeout, progress}, slots: slots, flights: map[results.Key]*flight{}}
}

// begin boots an image as often as the run does, one boot after the other,
// until take.
func (e *early) begin(img *hv.Image) {
	if e == nil {
		return
	}
	go func() {
		for _, s := range e.slots {
			if keyOf(s.Build) != keyOf(img.Build) {
				continue
			}
			if f := e.launch(s, img); f == nil || !f.complete() {
				return
			}
		}
	}()
}

func (e *early) launch(s Slot, img *hv.Image) *flight {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return nil
	}
	f := e.start.launch(e.ctx, e.target, img, seed(s))
	e.flights[results.KeyOf(s.Round, s.Build)] = f
	return f
}

// take is what has begun; no more begins after it.
func (e *early) take() map[results.Key]*flight {
	if e == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	return e.flights
}

// abort ends what has begun, for a run that is not going to be.
func (e *early) abort() {
	abort(e.take())
}

// abort ends boots, and waits until all have stopped.
func abort[K comparable](flights map[K]*flight) {
	for _, f := range flights {
		f.cancel()
	}
	for _, f := range flights {
		f.abort()
	}
}
