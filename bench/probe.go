package bench

import "time"

// A processor that shares its core with another hardware thread runs code that
// keeps many execution units busy at some 60 % of its speed while that thread
// works: for seconds at a time, on a machine where nothing else is to be seen.
// lmbench knows no such processors. The probe below is fixed work of that
// kind. It is timed before and after every window, and a window whose
// processor was slow is timed again. The decision looks at the probe alone,
// never at the operation, so it cannot favour a result; what was timed again
// is counted in the measurement, and a benchmark has a limit of patience, after
// which windows are kept as they are and the measurement says so. Where patience
// was in vain, the next benchmark has half of it: on a processor that is never at
// its full speed, waiting would only make a boot longer.
const (
	// slowFrom is how much longer than its best a probe may take.
	slowFrom = 1.15
	// pause is what is waited before a slow processor is tried again.
	pause = 10 * time.Millisecond
	// mostPatience bounds the time that one process spends on waiting, as a
	// multiple of the time that its windows ask for. leastPatience keeps a
	// boot trying, so that it finds out when waiting helps again.
	mostPatience  = 5.0
	leastPatience = mostPatience / 64
)

// probe watches the processor's speed. A nil probe finds nothing slow.
type probe struct {
	clock Clock
	work  func()
	best  time.Duration // the least that was ever seen
	left  time.Duration // patience
}

// newProbe makes a probe for a process whose kept windows take asked together.
func newProbe(c Clock, cal Calibration, asked time.Duration) *probe {
	if cal.ProbeNS <= 0 {
		return nil
	}
	left := time.Duration(cal.Patience * float64(asked))
	return &probe{clock: c, work: new(probeWork).run, best: time.Duration(cal.ProbeNS), left: left}
}

// After is what the boot's next benchmark is measured with, given what m found
// of the processor.
func (c Calibration) After(m Measurement) Calibration {
	if m.ProbeNS <= 0 {
		return c
	}
	c.ProbeNS = min(c.ProbeNS, m.ProbeNS)
	if m.Disturbed > 0 {
		c.Patience = max(c.Patience/2, leastPatience)
	} else {
		c.Patience = min(c.Patience*2, mostPatience)
	}
	return c
}

// slow times the probe's work. A probe that is itself disturbed for a moment
// is given a second try.
func (p *probe) slow() bool {
	if p == nil {
		return false
	}
	for range 2 {
		if d := p.time(); float64(d) <= slowFrom*float64(p.best) {
			return false
		}
	}
	return true
}

// time times the work once and remembers the least.
func (p *probe) time() time.Duration {
	start := p.clock.Now()
	p.work()
	d := p.clock.Now() - start
	if d > 0 && (d < p.best || p.best == 0) {
		p.best = d
	}
	return d
}

// wait spends some of the patience on letting the processor recover; it is
// false if there is none left.
func (p *probe) wait(spent time.Duration) bool {
	if p == nil || p.left <= 0 {
		return false
	}
	start := p.clock.Now()
	for p.clock.Now()-start < pause && p.slow() {
	}
	p.left -= spent + p.clock.Now() - start
	return true
}

const (
	probeRounds = 4000 // make the probe some 10 µs long
	probeSearch = 100 * time.Millisecond
	probeTries  = 20000 // bound the search on a clock that stands still
)

// probeWork is what the probe executes: its table fits the first cache.
type probeWork [512]uint64

// run keeps several execution units busy: four independent shift registers
// that load from and store to the table.
func (t *probeWork) run() {
	a, b, c, d := uint64(1), uint64(2), uint64(3), uint64(4)
	for range probeRounds {
		a ^= a << 13
		b ^= b << 13
		c ^= c << 13
		d ^= d << 13
		a ^= a >> 7
		b ^= b >> 7
		c ^= c >> 7
		d ^= d >> 7
		a += t[b&511]
		c += t[d&511]
		t[a&511] = c
	}
}

// probeTime is the least time of the probe's work in probeSearch of trying.
// Later measurements lower it if they find the processor faster.
func probeTime(c Clock) time.Duration {
	p := probe{clock: c, work: new(probeWork).run}
	begin := c.Now()
	for i := 0; i < probeTries && c.Now()-begin < probeSearch; i++ {
		p.time()
	}
	return p.best
}
