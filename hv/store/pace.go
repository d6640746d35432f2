package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// pace measures how long a transfer waits for the other side, and ends one that
// stands still or is slower than it is worth.
type pace struct {
	ctx context.Context
	end context.CancelCauseFunc

	mu     sync.Mutex
	moved  int64         // bytes
	waited time.Duration // in all, but for the wait that goes on
	since  time.Time     // when that began; zero if this side is busy
}

// errSlow is the cause when a transfer is given up.
var errSlow = errors.New("too slow")

// start has a transfer begin, which waits for the other side first. stop ends it.
func (l exchangeLimits) start(ctx context.Context, silence time.Duration) (p *pace, stop func()) {
	p = &pace{since: time.Now()}
	p.ctx, p.end = context.WithCancelCause(ctx)
	go p.watch(l, silence)
	return p, func() { p.end(context.Canceled) }
}

func (p *pace) watch(l exchangeLimits, silence time.Duration) {
	tick := time.NewTicker(min(silence, l.grace) / 8)
	defer tick.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case now := <-tick.C:
			if err := p.verdict(now, l, silence); err != nil {
				p.end(err)
			}
		}
	}
}

// verdict gives a transfer up, or not. The rate is that of the waits that ended: after
// the last byte a depot may take its time to answer.
func (p *pace) verdict(now time.Time, l exchangeLimits, silence time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.since.IsZero() && now.Sub(p.since) > silence:
		return fmt.Errorf("%w: nothing came for %v", errSlow, silence)
	case p.waited > l.grace && float64(p.moved)/p.waited.Seconds() < l.rate:
		return fmt.Errorf("%w: less than %.0f KiB a second", errSlow, l.rate/1024)
	}
	return nil
}

// waits and works say which side is busy.
func (p *pace) waits() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since = time.Now()
}

func (p *pace) works(moved int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.since.IsZero() {
		p.waited += time.Since(p.since)
	}
	p.since, p.moved = time.Time{}, p.moved+int64(moved)
}

// cause prefers why a transfer was given up to how it noticed.
func (p *pace) cause(err error) error {
	if cause := context.Cause(p.ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// arrival is what is read from the other side.
type arrival struct {
	*pace
	in  io.Reader
	err error // of the transfer, not of what was transferred
}

func (a *arrival) Read(b []byte) (int, error) {
	a.waits()
	n, err := a.in.Read(b)
	a.works(n)
	if err != nil && err != io.EOF {
		if a.ctx.Err() != nil {
			err = context.Cause(a.ctx)
		}
		a.err = err
	}
	return n, err
}

// departure is what the other side reads.
type departure struct {
	*pace
	io.ReaderAt
}

func (d *departure) ReadAt(b []byte, at int64) (int, error) {
	d.works(0)
	n, err := d.ReaderAt.ReadAt(b, at)
	d.works(n)
	d.waits()
	return n, err
}
