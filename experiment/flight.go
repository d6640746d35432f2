package experiment

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
)

// flight is a boot under way: an image that starts, measures and stops. It may
// be ahead of its turn. What it gives is held back until then, so that boots
// are recorded in their order and one at a time.
type flight struct {
	cancel context.CancelFunc
	begun  time.Time
	done   chan struct{} // closed at the end
	err    error         // of the boot, once done is closed
	took   time.Duration // likewise

	console holding

	mu   sync.Mutex
	held []bench.Measurement
	sink func(bench.Measurement) error // nil before its turn
}

// start is how a run boots, apart from its images.
type start struct {
	spec     results.Spec
	timeout  time.Duration
	progress func(string)
}

// launch starts a boot.
func (s start) launch(ctx context.Context, t hv.Target, img *hv.Image, seed int64) *flight {
	f := &flight{begun: time.Now(), done: make(chan struct{})}
	all := variants(s.spec)
	for i := range all {
		v := &all[i].BootSpec
		v.Seed, v.Timeout, v.Progress, v.Console = seed, s.timeout, s.progress, &f.console
	}
	ctx, f.cancel = context.WithCancel(ctx)
	go func() {
		defer close(f.done)
		defer f.cancel()
		f.err = f.measure(ctx, t, img, all)
		f.took = time.Since(f.begun)
	}()
	return f
}

func (f *flight) measure(ctx context.Context, t hv.Target, img *hv.Image, all []variant) error {
	for _, v := range all {
		if err := v.measure(ctx, t, img, f.emit); err != nil {
			return err
		}
	}
	return nil
}

// emit passes a measurement on, or holds it.
func (f *flight) emit(m bench.Measurement) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sink == nil {
		f.held = append(f.held, m)
		return nil
	}
	return f.sink(m)
}

// land takes the boot's turn: sink and console receive what it gave and what it
// still gives, until its end. It returns the boot's error, or sink's.
func (f *flight) land(sink func(bench.Measurement) error, console io.Writer) error {
	err := f.console.release(console)
	if err == nil {
		err = f.release(sink)
	}
	if err != nil {
		f.abort()
		return err
	}
	<-f.done
	return f.err
}

func (f *flight) release(sink func(bench.Measurement) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.held {
		if err := sink(m); err != nil {
			return err
		}
	}
	f.held, f.sink = nil, sink
	return nil
}

// abort ends the boot and waits until it has stopped.
func (f *flight) abort() {
	f.cancel()
	<-f.done
}

// complete waits for the boot's end, and tells whether it ended well.
func (f *flight) complete() bool {
	<-f.done
	return f.err == nil
}

// holding is a writer that keeps what it gets until it is told where it goes.
type holding struct {
	mu   sync.Mutex
	held bytes.Buffer
	w    io.Writer
}

// Write keeps text, or passes it on.
func (h *holding) Write(text []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.w == nil {
		return h.held.Write(text)
	}
	return h.w.Write(text)
}

func (h *holding) release(w io.Writer) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.w = w
	if _, err := h.held.WriteTo(w); err != nil {
		return fmt.Errorf("record console: %w", err)
	}
	return nil
}
