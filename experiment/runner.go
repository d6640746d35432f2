package experiment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
)

// Observer is told what a run does. Its methods are called one at a time.
type Observer interface {
	Booting(s Slot, p Progress)
	Measured(s Slot, m bench.Measurement, p Progress)
	Ended(s Slot, samples int, took time.Duration, p Progress)
	Failed(s Slot, err error, p Progress)
	// GaveUp tells that a build is left out for the rest of this process.
	GaveUp(build string, failures int)
}

// Runner runs what is left of a run.
type Runner struct {
	Target   hv.Target
	Dir      *results.Dir
	Images   Images
	Observer Observer
	// Timeout is a boot's limit, 0 for the target's own.
	Timeout time.Duration
	// MayBegin, if not nil, is asked before the first boot of each round. If
	// it says no, Run ends there.
	MayBegin func(round int) bool
}

// Outcome is how far a run came.
type Outcome struct {
	Boots    int // in the schedule
	Done     int // boots of it that have ended, before or now
	Failures int // boots that failed in this process
	Missing  int // benchmarks that gave no sample in boots that ended
}

// Complete tells whether every boot of the schedule has ended.
func (o Outcome) Complete() bool { return o.Done == o.Boots }

// patience is how many boots in a row a build may fail before its others are
// left for later: a build that cannot boot must not cost the run a time-out
// per round.
const patience = 2

// storeError is a failure to write results; nothing can go on after it.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// Run boots what is not done. It returns an error if results cannot be
// written or if ctx is done; boots that fail are counted and reported.
func (r *Runner) Run(ctx context.Context) (Outcome, error) {
	spec := r.Dir.Run().Spec
	slots := Schedule(spec)
	out := Outcome{Boots: len(slots)}
	var todo []Slot
	for _, s := range slots {
		if r.Dir.Done()[results.KeyOf(s.Round, s.Build)] {
			out.Done++
		} else {
			todo = append(todo, s)
		}
	}
	clock := newClock(len(todo), Expected(spec))
	failures := map[string]int{}
	for i, s := range todo {
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		if begins := i == 0 || todo[i-1].Round != s.Round; begins && r.MayBegin != nil && !r.MayBegin(s.Round) {
			return out, nil
		}
		if failures[s.Build.Name] >= patience {
			clock.skip()
			continue
		}
		b := boot{Runner: r, spec: spec, slot: s, clock: clock}
		err := b.run(ctx)
		var store *storeError
		switch {
		case err == nil:
			failures[s.Build.Name] = 0
			out.Done++
			out.Missing += b.missing
		case errors.As(err, &store):
			return out, store.err
		case ctx.Err() != nil:
			return out, context.Cause(ctx)
		default:
			out.Failures++
			failures[s.Build.Name]++
			r.Observer.Failed(s, err, clock.now())
			if failures[s.Build.Name] == patience {
				r.Observer.GaveUp(s.Build.Name, patience)
			}
		}
	}
	return out, nil
}

// Expected is how many samples a boot of a spec gives if all goes well.
func Expected(spec results.Spec) int {
	n := 0
	for _, d := range spec.Domains {
		for _, name := range spec.Benchmarks {
			if b, ok := bench.Find(name); ok && b.Dom0Only && d != "dom0" {
				continue
			}
			n++
		}
	}
	return n
}

// boot is one start of one image.
type boot struct {
	*Runner
	spec  results.Spec
	slot  Slot
	clock *clock

	writer           *results.BootWriter
	samples, missing int
	reason           string // of the first sample that is missing
}

// run boots, measures and records. An error means that the boot did not end;
// a *storeError, that it could not be recorded.
func (b *boot) run(ctx context.Context) error {
	img := b.Images.Of(b.slot.Build)
	if img == nil {
		return fmt.Errorf("boot %s: no image for layout %d", b.slot.Build.Name, b.slot.Layout)
	}
	record := results.Boot{
		Boot: b.Dir.LastBoot() + 1, Round: b.slot.Round, Order: b.slot.Order,
		Layout: b.slot.Layout, Image: img.Hash, Seed: int64(b.slot.Round),
	}
	var err error
	if b.writer, err = b.Dir.Begin(record, b.slot.Build); err != nil {
		return &storeError{err}
	}
	console, err := os.Create(b.Dir.ConsolePath(record, b.slot.Build))
	if err != nil {
		return &storeError{fmt.Errorf("record console: %w", err)}
	}
	defer console.Close()
	b.clock.start()
	b.Observer.Booting(b.slot, b.clock.now())
	start := bootSpec(b.spec)
	start.Seed, start.Timeout, start.Console = record.Seed, b.Timeout, console
	err = b.measure(ctx, img, start)
	took := b.clock.stop()
	if err != nil {
		return b.fail(ctx, err)
	}
	if err := b.writer.End(); err != nil {
		return &storeError{err}
	}
	b.Observer.Ended(b.slot, b.samples, took, b.clock.now())
	return nil
}

// bootSpec is what all boots of a run have in common.
func bootSpec(s results.Spec) hv.BootSpec {
	return hv.BootSpec{
		Plan:  bench.Plan{Domains: s.Domains, Benchmarks: s.Benchmarks, Options: s.Options, Workload: s.Workload},
		Accel: s.Accel, DomU: s.DomU, Idle: s.Idle,
	}
}

func (b *boot) measure(ctx context.Context, img *hv.Image, spec hv.BootSpec) (err error) {
	m, err := b.Target.Boot(ctx, img, spec)
	if err != nil {
		return err
	}
	defer func() {
		if e := m.Close(); e != nil && err == nil {
			err = fmt.Errorf("stop %s: %w", img.Build.Name, e)
		}
	}()
	if err := m.Measure(ctx, b.add); err != nil {
		return err
	}
	if b.samples == 0 {
		return &hv.BootError{Kind: hv.GuestFailed, Image: img, Err: fmt.Errorf("no benchmark gave a sample: %s", b.reason)}
	}
	return nil
}

// add records one measurement.
func (b *boot) add(m bench.Measurement) error {
	if len(m.Values) == 0 {
		b.missing++
		if b.reason == "" {
			b.reason = m.Benchmark + ": " + m.Error
		}
		if m.Error != "" {
			m.Warnings = append([]string{m.Error}, m.Warnings...)
		}
	} else {
		b.samples++
	}
	if err := b.writer.Add(m); err != nil {
		return &storeError{err}
	}
	b.clock.sample()
	b.Observer.Measured(b.slot, m, b.clock.now())
	return nil
}

// fail records why the boot did not end.
func (b *boot) fail(ctx context.Context, cause error) error {
	note := cause
	var failed *hv.BootError
	switch {
	case ctx.Err() != nil:
		note = errors.New("interrupted")
	case errors.As(cause, &failed):
		note = fmt.Errorf("%s: %w", failed.Kind, failed.Err) // without the console, which has its own file
	}
	if err := b.writer.Fail(note); err != nil {
		return &storeError{err}
	}
	return cause
}
