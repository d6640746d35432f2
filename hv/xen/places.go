package xen

import (
	"context"
	"slices"
	"sync"
)

// places are for so many QEMUs at a time. Whoever waits for a snapshot gets one
// before those who resume: while it boots they can go on, but what is measured
// last waits for it.
type places struct {
	all int

	mu    sync.Mutex
	taken int
	queue [2][]chan struct{} // those who wait: for snapshots, and to resume
}

// Ranks in the queue.
const (
	toSnapshot = iota
	toResume
)

func newPlaces(n int) *places { return &places{all: n} }

// take waits for a place until ctx is done. release gives it back.
func (p *places) take(ctx context.Context, rank int) (release func(), err error) {
	if turn := p.enter(rank); turn != nil {
		select {
		case <-turn:
		case <-ctx.Done():
			p.leave(rank, turn)
			return nil, context.Cause(ctx)
		}
	}
	return p.give, nil
}

// enter takes a free place, or queues.
func (p *places) enter(rank int) (turn chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken < p.all {
		p.taken++
		return nil
	}
	turn = make(chan struct{})
	p.queue[rank] = append(p.queue[rank], turn)
	return turn
}

// leave gives the wait up, and the place that may have come meanwhile.
func (p *places) leave(rank int, turn chan struct{}) {
	p.mu.Lock()
	i := slices.Index(p.queue[rank], turn)
	if i >= 0 {
		p.queue[rank] = slices.Delete(p.queue[rank], i, i+1)
	}
	p.mu.Unlock()
	if i < 0 {
		p.give()
	}
}

// give hands a place on to the first in the queue.
func (p *places) give() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for rank, waiting := range p.queue {
		if len(waiting) > 0 {
			p.queue[rank] = waiting[1:]
			close(waiting[0])
			return
		}
	}
	p.taken--
}
