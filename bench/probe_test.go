package bench

import (
	"testing"
	"time"
)

// machine is a processor whose speed changes with time: work of one
// microsecond takes as long as slowness says of the moment.
type machine struct {
	fakeClock
	slowness func(now time.Duration) float64
}

func (m *machine) spend(us float64) {
	m.now += time.Duration(us * 1e3 * m.slowness(m.now))
}

// timed makes a timer with a probe of 10 µs, and an operation of 1 µs.
func (m *machine) timed(repetitions int) (*timer, Interval) {
	const enough = 1000
	t := &timer{clock: m, enough: enough, repetitions: repetitions}
	t.probe = newProbe(m, Calibration{ProbeNS: 10e3, Patience: mostPatience}, time.Duration(repetitions)*enough*time.Microsecond)
	t.probe.work = func() { m.spend(10) }
	return t, Interval{Loop: func(n int64) error { m.spend(float64(n)); return nil }}
}

func TestProbe(t *testing.T) {
	between := func(from, to time.Duration) func(time.Duration) float64 {
		return func(now time.Duration) float64 {
			if from <= now && now < to {
				return 1.65
			}
			return 1
		}
	}
	const ms = time.Millisecond
	tests := []struct {
		name      string
		slowness  func(time.Duration) float64
		again     bool // some windows were timed again
		disturbed bool // some were kept although slow
	}{
		{"full speed", between(0, 0), false, false},
		{"slow for a while", between(3*ms, 60*ms), true, false},
		{"slow at the end of a window", between(6500*time.Microsecond, 9*ms), true, false},
		{"a little slower for ever", func(time.Duration) float64 { return 1.1 }, false, false},
		{"slow for ever", between(2*ms, time.Hour), true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &machine{slowness: tt.slowness}
			timer, op := m.timed(11)
			windows, err := timer.sample(op)
			if err != nil {
				t.Fatal(err)
			}
			if len(windows) != 11 {
				t.Errorf("%d windows", len(windows))
			}
			if (timer.again > 0) != tt.again || (timer.disturbed > 0) != tt.disturbed {
				t.Errorf("%d timed again, %d disturbed", timer.again, timer.disturbed)
			}
			for i, w := range windows {
				if !tt.disturbed && w.perOp() > 1.2 {
					t.Errorf("window %d: %.3g µs per operation", i, w.perOp())
				}
			}
			if limit := 20 * 11 * ms; m.now > limit {
				t.Errorf("took %v, want less than %v", m.now, limit)
			}
		})
	}
}

// A probe that a process finds to be faster than the calibration is the new
// measure of full speed.
func TestProbeLearns(t *testing.T) {
	m := &machine{slowness: func(time.Duration) float64 { return 1 }}
	timer, _ := m.timed(1)
	timer.probe.best = 20 * time.Microsecond
	if timer.probe.slow() || timer.probe.best != 10*time.Microsecond {
		t.Errorf("best %v after a probe of 10 µs", timer.probe.best)
	}
}

// Waiting in vain costs a boot less and less, and as soon as waiting helps the
// next benchmarks may wait again.
func TestPatience(t *testing.T) {
	slow, fast := Measurement{ProbeNS: 10, Disturbed: 1}, Measurement{ProbeNS: 9}
	c := Calibration{ProbeNS: 10, Patience: mostPatience}
	waited := 0.0
	for range 100 {
		waited += c.Patience
		c = c.After(slow)
	}
	if limit := 2*mostPatience + 100*leastPatience; waited > limit || c.Patience != leastPatience {
		t.Errorf("100 benchmarks waited %.3g times what they ask for, with %.3g left; want at most %.3g and %.3g", waited, c.Patience, limit, leastPatience)
	}
	for range 6 {
		c = c.After(fast)
	}
	if c.Patience != mostPatience || c.ProbeNS != 9 {
		t.Errorf("after six undisturbed benchmarks: %+v", c)
	}
	if unprobed := (Calibration{Patience: 1}); unprobed.After(Measurement{Disturbed: 1}) != unprobed {
		t.Error("a measurement without a probe changed the patience")
	}
}

func TestProbeTime(t *testing.T) {
	clock := wallClock{time.Now()}
	if d := probeTime(clock); d <= 0 || d > time.Second {
		t.Errorf("the probe takes %v", d)
	}
	still := &fakeClock{}
	if d := probeTime(still); d != 0 {
		t.Errorf("on a clock that stands still the probe takes %v", d)
	}
	if p := newProbe(still, Calibration{}, time.Second); p.slow() || p.wait(0) {
		t.Error("no probe found something slow")
	}
}

type wallClock struct{ start time.Time }

func (c wallClock) Now() time.Duration { return time.Since(c.start) }
