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
	// Ended tells that a boot is recorded, and how long it was under way.
	// Boots may overlap: together they are then longer than the run.
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
	// Progress receives lines about what a boot makes first; nil for nobody.
	Progress func(string)
	// MayBegin, if not nil, is asked before the first boot of each round. If
	// it says no, Run ends there.
	MayBegin func(round int) bool

	early map[results.Key]*flight // boots that have begun before Run
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
	p := &pass{Runner: r, spec: spec, failures: map[string]int{}, flights: map[int]*flight{}}
	defer func() { abort(p.flights) }()
	slots := Slots(r.Dir.Run())
	p.out.Boots = len(slots)
	for _, s := range slots {
		if r.Dir.Done()[results.KeyOf(s.Round, s.Build)] {
			p.out.Done++
		} else {
			p.todo = append(p.todo, s)
		}
	}
	p.takeEarly()
	p.clock = newClock(len(p.todo), Expected(spec), atOnce(r.Target, bootSpec(spec)))
	err := p.run(ctx)
	return p.out, err
}

// takeEarly gives the boots that have begun their turns.
func (p *pass) takeEarly() {
	for i, s := range p.todo {
		if f := p.early[results.KeyOf(s.Round, s.Build)]; f != nil {
			p.flights[i] = f
		}
	}
	p.early = nil
}

// pass is one go at what is left of a run.
type pass struct {
	*Runner
	spec     results.Spec
	todo     []Slot
	clock    *clock
	failures map[string]int  // of a build, in a row
	flights  map[int]*flight // under way, by index in todo
	out      Outcome
}

func (p *pass) run(ctx context.Context) error {
	for i, s := range p.todo {
		if ctx.Err() != nil {
			return p.interrupted(ctx, i)
		}
		if begins := i == 0 || p.todo[i-1].Round != s.Round; begins && p.MayBegin != nil && !p.MayBegin(s.Round) {
			return nil
		}
		if p.givenUp(s) {
			p.skip(i)
			continue
		}
		err := p.land(ctx, i)
		var store *storeError
		switch {
		case err == nil:
			p.failures[s.Name()] = 0
		case errors.As(err, &store):
			return store.err
		case ctx.Err() != nil:
			return p.interrupted(ctx, i+1)
		default:
			p.failed(s, err)
		}
	}
	return nil
}

func (p *pass) givenUp(s Slot) bool { return p.failures[s.Name()] >= patience }

// skip leaves a boot out, and ends it if it is under way.
func (p *pass) skip(i int) {
	p.clock.skip()
	if f := p.flights[i]; f != nil {
		f.abort()
		delete(p.flights, i)
	}
}

func (p *pass) failed(s Slot, err error) {
	p.out.Failures++
	p.failures[s.Name()]++
	p.Observer.Failed(s, err, p.clock.now())
	if p.givenUp(s) {
		p.Observer.GaveUp(s.Name(), patience)
	}
}

// launch starts the boot whose turn it is and, where boots do not disturb each
// other, those after it. What must be asked for is not begun.
func (p *pass) launch(ctx context.Context, turn int) {
	start := start{p.spec, p.Timeout, p.Progress}
	for i := turn; i < min(turn+atOnce(p.Target, bootSpec(p.spec)), len(p.todo)); i++ {
		s := p.todo[i]
		if mayNot := p.MayBegin != nil && s.Round != p.todo[turn].Round; i > turn && (mayNot || ctx.Err() != nil) {
			return
		}
		if img := p.Images.Of(s.Build); img != nil && p.flights[i] == nil && !p.givenUp(s) {
			p.flights[i] = start.launch(ctx, p.Target, img, seed(s))
		}
	}
}

// atOnce is how many boots may be under way.
func atOnce(t hv.Target, spec hv.BootSpec) int {
	if o, ok := t.(hv.Overlapper); ok {
		return max(1, o.AtOnce(spec))
	}
	return 1
}

// land records a boot, when it is its turn.
func (p *pass) land(ctx context.Context, i int) error {
	b := boot{Runner: p.Runner, spec: p.spec, slot: p.todo[i], clock: p.clock}
	err := b.run(ctx, func() *flight {
		p.launch(ctx, i)
		f := p.flights[i]
		delete(p.flights, i)
		return f
	})
	if err != nil {
		return err
	}
	p.out.Done++
	p.out.Missing += b.missing
	return nil
}

// interrupted records what has been measured ahead of its turn. It returns why
// ctx is done, or why that could not be recorded.
func (p *pass) interrupted(ctx context.Context, from int) error {
	for i := from; i < len(p.todo); i++ {
		f := p.flights[i]
		if f == nil || !f.complete() {
			continue
		}
		var store *storeError
		if err := p.land(ctx, i); errors.As(err, &store) {
			return store.err
		}
	}
	return context.Cause(ctx)
}

// Expected is how many samples a boot of a spec gives if all goes well.
func Expected(spec results.Spec) int {
	n := 0 // with domUs of one kind
	for _, d := range spec.Domains {
		for _, name := range spec.Benchmarks {
			if spec.Measures(d, name) {
				n++
			}
		}
	}
	return n * len(spec.SampleDomUs())
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
func (b *boot) run(ctx context.Context, launch func() *flight) error {
	img := b.Images.Of(b.slot.Build)
	if img == nil {
		return fmt.Errorf("boot %s: no image for layout %d", b.slot.Build.Name, b.slot.Layout)
	}
	record := results.Boot{
		Boot: max(b.slot.Place, b.Dir.LastBoot()+1), Round: b.slot.Round, Order: b.slot.Order,
		Layout: b.slot.Layout, Image: img.Hash, Seed: seed(b.slot),
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
	f := launch()
	b.clock.launched = f.begun
	err = b.check(f.land(b.add, console))
	turn := b.clock.stop(f.took)
	if err != nil {
		return b.fail(ctx, err)
	}
	if err := b.writer.End(); err != nil {
		return &storeError{err}
	}
	took := tookOf(b.slot.Build, results.Booting)
	took.Time, took.Turn, took.Round, took.Samples = f.took, turn, b.slot.Round, b.samples
	if err := b.Dir.RecordTime(took); err != nil {
		return &storeError{err}
	}
	b.Observer.Ended(b.slot, b.samples, f.took, b.clock.now())
	return nil
}

// seed is a boot's: other delays in every round.
func seed(s Slot) int64 { return int64(s.Round) }

// bootSpec is what all boots of a run have in common; of several kinds of domUs it has
// the first.
func bootSpec(s results.Spec) hv.BootSpec {
	return hv.BootSpec{
		Plan:  bench.Plan{Domains: s.Domains, Benchmarks: s.Benchmarks, Options: s.Options, Workload: s.Workload},
		Accel: s.Accel, DomU: s.DomU, Idle: s.Idle, CPUs: s.CPUs,
	}
}

// check refuses a boot that ended well and gave nothing.
func (b *boot) check(err error) error {
	if err == nil && b.samples == 0 {
		return &hv.BootError{Kind: hv.GuestFailed, Image: b.Images.Of(b.slot.Build), Err: fmt.Errorf("no benchmark gave a sample: %s", b.reason)}
	}
	return err
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
