package bench

import "math"

// Calibration is what timing needs to know of a clock and a processor; it is
// determined once per boot, as lmbench's script exports ENOUGH, TIMING_O and
// LOOP_O to its programs.
type Calibration struct {
	EnoughUS int64   `json:"enough_us"` // shortest window that the clock resolves
	ClockNS  float64 `json:"clock_ns"`  // cost of reading the clock
	LoopNS   float64 `json:"loop_ns"`   // cost of an iteration of an empty loop
	ProbeNS  float64 `json:"probe_ns"`  // time of the speed probe on an undisturbed processor
	// Patience is how long a benchmark may wait for an undisturbed processor,
	// in multiples of the time that its windows ask for.
	Patience float64 `json:"patience"`
}

// windowChoices are the windows that the resolution test tries, in
// microseconds, and longestWindow is what remains if none passes.
var windowChoices = [...]int64{5000, 10000, 50000, 100000}

const longestWindow = 1_000_000

// stretches are the factors by which the resolution test lengthens work; the
// time must grow with it to within resolution.
var stretches = [...]float64{1.015, 1.02, 1.035}

const (
	resolution   = 0.0025
	sizeBand     = 0.02 // how near find_N comes to the window
	sizeTries    = 10
	sizeStart    = 10000
	shortestSize = 1000. // µs; below it a size is multiplied by 10
	sizeRuns     = defaultRepetitions - 1
	// mostClockUS is the longest window for which reading the clock is
	// worth subtracting.
	mostClockUS = 50000
	loopTries   = 3
	// mostLoopUS bounds the windows of empty loops: what long operations ask for
	// says nothing of these, and would make calibration take minutes.
	mostLoopUS = 50000
)

// Calibrate determines what timing with a clock needs. Options.EnoughUS, if
// given, stands in place of the resolution test.
func Calibrate(c Clock, o Options) Calibration {
	w := newPointerChase()
	cal := calibrator{clock: c, units: w.tens, one: w.ones, two: w.twos}.calibrate(o)
	cal.ProbeNS, cal.Patience = float64(probeTime(c)), mostPatience
	return cal
}

// calibrator holds the work that calibration times: units of ten dependent
// loads, and loops of one and of two.
type calibrator struct {
	clock           Clock
	units, one, two func(n int64)
}

func (c calibrator) calibrate(o Options) Calibration {
	var cal Calibration
	if cal.EnoughUS = o.EnoughUS; cal.EnoughUS <= 0 {
		cal.EnoughUS = c.enough()
	}
	if cal.EnoughUS <= mostClockUS {
		cal.ClockNS = c.clockOverhead(cal.EnoughUS)
	}
	cal.LoopNS = c.loopOverhead(min(cal.EnoughUS, mostLoopUS))
	return cal
}

// enough is compute_enough: the first of the choices that passes.
func (c calibrator) enough() int64 {
	n := int64(sizeStart)
	us := c.leastTime(n)
	for _, choice := range windowChoices {
		var ok bool
		if n, us, ok = c.size(n, us, float64(choice)); ok && c.resolves(n) {
			return choice
		}
	}
	return longestWindow
}

// size is find_N: how many units of work take a window, starting from n units
// that take us microseconds.
func (c calibrator) size(n int64, us, enough float64) (int64, float64, bool) {
	for range sizeTries {
		if math.Abs(us-enough) < sizeBand*enough {
			return n, us, true
		}
		switch {
		case us < shortestSize && n > mostIterations:
			return n, us, false
		case us < shortestSize:
			n *= 10
		default:
			n = int64(float64(n)/us*enough) + 1
		}
		us = c.leastTime(n)
	}
	return n, us, false
}

// resolves is test_time: whether a little more work takes that little more
// time.
func (c calibrator) resolves(n int64) bool {
	base := c.leastTime(n)
	for _, stretch := range stretches {
		want := base * stretch
		got := c.leastTime(int64(float64(n) * stretch))
		if want <= 0 || math.Abs(want-got)/want > resolution {
			return false
		}
	}
	return true
}

// leastTime is time_N: the shortest time of ten runs of n units, in
// microseconds.
func (c calibrator) leastTime(n int64) float64 {
	least := math.Inf(1)
	for range sizeRuns {
		start := c.clock.Now()
		c.units(n)
		least = min(least, float64(c.clock.Now()-start)/1e3)
	}
	return least
}

// clockOverhead is t_overhead in nanoseconds, the least of eleven windows.
// lmbench rounds it down to microseconds; here the fraction is kept.
func (c calibrator) clockOverhead(enough int64) float64 {
	return c.leastPerOp(enough, func(n int64) {
		for ; n > 0; n-- {
			c.clock.Now()
		}
	})
}

// loopOverhead is l_overhead in nanoseconds: twice a loop of one dependent
// load less a loop of two leaves the loop itself. A disturbance of either loop
// would shift every sample of the boot, so that, other than in lmbench, it is
// the least of a few tries; one that finds nothing to subtract ends them.
func (c calibrator) loopOverhead(enough int64) float64 {
	least := math.Inf(1)
	for range loopTries {
		one := c.leastPerOp(enough, c.one)
		two := c.leastPerOp(enough, c.two)
		least = min(least, max(0, 2*one-two))
		if least <= resolution*one {
			break
		}
	}
	return least
}

// leastPerOp times eleven windows of work and returns the least time of an
// iteration in nanoseconds, 0 if the clock does not resolve it.
func (c calibrator) leastPerOp(enough int64, work func(n int64)) float64 {
	t := timer{clock: c.clock, enough: float64(enough), repetitions: defaultRepetitions}
	windows, err := t.sample(Interval{Loop: func(n int64) error { work(n); return nil }})
	if err != nil || len(windows) == 0 {
		return 0
	}
	return fastest(windows).perOp() * 1e3
}

// pointerChase is work that a processor cannot shorten: every load gives the
// address of the next.
type pointerChase struct{ at *link }

type link struct{ next *link }

func newPointerChase() *pointerChase {
	ring := make([]link, 64)
	for i := range ring {
		ring[i].next = &ring[(i+1)%len(ring)]
	}
	return &pointerChase{at: &ring[0]}
}

func (w *pointerChase) ones(n int64) {
	p := w.at
	for ; n > 0; n-- {
		p = p.next
	}
	w.at = p
}

func (w *pointerChase) twos(n int64) {
	p := w.at
	for ; n > 0; n-- {
		p = p.next.next
	}
	w.at = p
}

func (w *pointerChase) tens(n int64) {
	p := w.at
	for ; n > 0; n-- {
		p = p.next.next.next.next.next.next.next.next.next.next
	}
	w.at = p
}
