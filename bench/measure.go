package bench

import (
	"errors"
	"fmt"
	"time"
)

// Measure measures one benchmark in the calling process. The measurement's
// Domain is the caller's to fill in.
func Measure(d Domain, b Benchmark, o Options, cal Calibration) (Measurement, error) {
	m, err := measure(d, b, o, cal)
	if err != nil {
		return m, fmt.Errorf("measure %s: %w", b.FullName(), err)
	}
	return m, nil
}

func measure(d Domain, b Benchmark, o Options, cal Calibration) (Measurement, error) {
	m := Measurement{Benchmark: b.FullName()}
	if b.Run != nil && (o.Windows == 0 || b.Job == nil) {
		values, err := b.Run(d, o)
		m.Iterations, m.Values = 1, values
		return m, err
	}
	if b.Job != nil {
		o.Windows = min(o.Windows, b.Job.Windows)
	}
	r := run{domain: d, options: o, timer: newTimer(d.OS(), b, o, cal)}
	if o.Witness && o.Windows > 0 {
		var err error
		if r.witness, err = newWitness(d.Hypercalls()); err != nil {
			return m, err
		}
	}
	base, err := r.phase(PhaseBaseline, b.Baseline)
	if err != nil {
		return m, fmt.Errorf("baseline: %w", err)
	}
	credit, err := r.phase(PhaseCredit, b.Credit)
	if err != nil {
		return m, fmt.Errorf("credit: %w", err)
	}
	windows, err := r.operation(b)
	if err != nil {
		return m, err
	}
	if len(windows) == 0 {
		return m, fmt.Errorf("no window took any time")
	}
	subtract := base - credit
	m.fill(b, windows, subtract)
	m.Warnings = append(m.Warnings, r.nothing...)
	m.Values = append(m.Values, r.witness.values(b.Ops)...)
	if r.timer.probe != nil {
		m.ProbeNS = float64(r.timer.probe.best)
	}
	if m.Disturbed = r.timer.disturbed; m.Disturbed > 0 {
		m.Warnings = append(m.Warnings, fmt.Sprintf(Disturbed+"%d windows, others were timed again %d times", r.timer.disturbed, r.timer.again))
	}
	return m, nil
}

// newTimer applies the options: EnoughUS overrides what the clock and the
// benchmark ask for, of which otherwise the longer counts (get_enough).
func newTimer(c Clock, b Benchmark, o Options, cal Calibration) timer {
	t := timer{clock: c, repetitions: o.Repetitions, cal: cal}
	if t.repetitions <= 0 {
		t.repetitions = defaultRepetitions
	}
	t.enough = float64(max(b.Enough, cal.EnoughUS))
	if o.EnoughUS > 0 {
		t.enough = float64(o.EnoughUS)
	}
	asked := time.Duration(t.enough * 1e3 * float64(t.repetitions))
	t.probe = newProbe(c, cal, asked)
	return t
}

// run is the measuring of one benchmark.
type run struct {
	domain  Domain
	options Options
	timer   timer
	witness *witness // nil for none
	nothing []string // what there was nothing of to subtract or to add
}

type setup = func(Domain) (Loop, func(), error)

// phase measures what is subtracted or added back: microseconds per
// iteration, 0 if there is none. One that takes no longer than the empty loop does
// not differ from none.
func (r *run) phase(p Phase, s setup) (float64, error) {
	if s == nil {
		return 0, nil
	}
	loop, cleanup, err := s(r.domain)
	if err != nil {
		return 0, fmt.Errorf("set up: %w", err)
	}
	windows, err := r.windows(p, Interval{Loop: loop, Cleanup: cleanup})
	if errors.Is(err, errTooShort) {
		name := map[Phase]string{PhaseBaseline: "the baseline", PhaseCredit: "the credit"}[p]
		r.nothing = append(r.nothing, name+" takes no longer than an empty loop, and counts as 0")
		return 0, nil
	}
	return median(windows).perOp(), err
}

func (r *run) operation(b Benchmark) ([]window, error) {
	intervals := b.Intervals
	if b.Job != nil {
		intervals = func(d Domain) (Interval, error) { return b.Job.Intervals(d, r.options) }
	}
	if intervals != nil {
		op, err := intervals(r.domain)
		if err != nil {
			return nil, fmt.Errorf("set up: %w", err)
		}
		return r.windows(PhaseOperation, op)
	}
	loop, cleanup, err := b.Setup(r.domain)
	if err != nil {
		return nil, fmt.Errorf("set up: %w", err)
	}
	return r.windows(PhaseOperation, Interval{Loop: loop, Cleanup: cleanup})
}

// windows runs an operation once to warm up, then in timed or in marked
// windows, and cleans up after it.
func (r *run) windows(p Phase, op Interval) ([]window, error) {
	if op.Cleanup != nil {
		defer op.Cleanup()
	}
	if _, err := r.timer.window(op, 1); err != nil {
		return nil, err
	}
	if r.options.Windows > 0 {
		return r.marked(p, op)
	}
	return r.timer.sample(op)
}

// marked runs windows of one iteration between marks. Their times are kept as
// they are: the target that counts replaces them.
func (r *run) marked(p Phase, op Interval) ([]window, error) {
	m := markerOf(r.domain)
	if m == nil {
		return nil, fmt.Errorf("mark windows: the domain has no marker")
	}
	loop := op.Loop
	op.Loop = func(n int64) error {
		if err := r.witness.begin(); err != nil {
			return err
		}
		m.Begin(p)
		err := loop(n)
		m.End()
		return errors.Join(err, r.witness.end())
	}
	defer r.witness.keep(p)
	windows := make([]window, 0, r.options.Windows)
	for range r.options.Windows {
		w, err := r.timer.window(op, 1)
		if err != nil {
			return windows, err
		}
		windows = append(windows, w)
	}
	return windows, nil
}

// fill turns windows into the sample: their median, less what is subtracted
// (microseconds per iteration), in the benchmark's unit.
func (m *Measurement) fill(b Benchmark, windows []window, subtract float64) {
	m.Windows = make([]float64, len(windows))
	for i, w := range windows {
		m.Iterations += w.n
		m.Windows[i] = b.value(w.perOp() - subtract)
	}
	us := median(windows).perOp() - subtract
	if us <= 0 {
		m.Warnings = append(m.Warnings, fmt.Sprintf("baseline exceeds the operation by %.3g µs", -us))
		us = 0
	}
	m.Values = []Value{{Value: b.value(us), Unit: b.Unit}}
}

// value converts microseconds per iteration to the benchmark's unit.
func (b Benchmark) value(us float64) float64 {
	if b.Unit == "MB/s" {
		if us <= 0 {
			return 0
		}
		return float64(b.Bytes) / us
	}
	return us * 1e3 / float64(max(1, b.Ops))
}

// WithOS returns the domain as seen from another of its processes.
func WithOS(d Domain, os OS) Domain { return process{d, os} }

type process struct {
	Domain
	os OS
}

func (p process) OS() OS { return p.os }

// markerOf finds a domain's marker, also that of a process of the domain.
func markerOf(d Domain) Marker {
	for {
		if m, ok := d.(Marker); ok {
			return m
		}
		p, ok := d.(process)
		if !ok {
			return nil
		}
		d = p.Domain
	}
}
