package experiment

import "time"

// Progress is how far a run is.
type Progress struct {
	Boots, BootsDone     int // of this process
	Samples, SamplesDone int
	Elapsed              time.Duration
	Left                 time.Duration // estimated; 0 while nothing is known
}

// clock estimates the time left from the boots so far, and within a boot from
// its samples.
type clock struct {
	begun, booted time.Time
	boots, done   int
	perBoot       int // samples expected of a boot
	atOnce        int // boots that share the machine
	inBoot        int
	launched      time.Time // when the current boot began, maybe ahead of its turn
	running       bool
	counted       int // boots that took time, failed ones included
	busy          time.Duration
}

func newClock(boots, perBoot, atOnce int) *clock {
	return &clock{begun: time.Now(), boots: boots, perBoot: perBoot, atOnce: atOnce}
}

// start begins a boot's turn.
func (c *clock) start() { c.booted, c.inBoot, c.running = time.Now(), 0, true }

// turn is what a boot took of the run's time, since its launch or altogether: its turn,
// or its share of the machine if it had begun ahead of its turn.
func (c *clock) turn(took time.Duration) time.Duration {
	return max(time.Since(c.booted), took/time.Duration(c.atOnce))
}

func (c *clock) sample() { c.inBoot++ }

// stop ends a boot's turn, whether it succeeded or not, and says how long it was.
func (c *clock) stop(took time.Duration) time.Duration {
	turn := c.turn(took)
	c.busy += turn
	c.done++
	c.counted++
	c.running = false
	return turn
}

// skip leaves a boot out.
func (c *clock) skip() { c.done++ }

func (c *clock) now() Progress {
	p := Progress{
		Boots: c.boots, BootsDone: c.done,
		Samples: c.boots * c.perBoot, SamplesDone: c.done * c.perBoot,
		Elapsed: time.Since(c.begun),
	}
	work, busy := float64(c.counted), c.busy
	part := 0.0
	if c.running && c.perBoot > 0 {
		n := min(c.inBoot, c.perBoot)
		part = float64(n) / float64(c.perBoot)
		p.SamplesDone += n
		if n > 0 {
			work += part
			busy += c.turn(time.Since(c.launched))
		}
	}
	if work > 0 {
		p.Left = time.Duration(float64(busy) / work * (float64(c.boots-c.done) - part))
	}
	return p
}
