package host

import (
	"time"

	"xsmbench/hv"
)

// timedWindows are how many windows a timed sample has, if nobody asks for others, and
// searched is by how much finding their length makes that longer.
const (
	timedWindows = 11
	searched     = 3
)

// Costs are those of a machine of two processors that has compiled no model before. A
// timed sample takes as long as its windows, and the search for how long those are; a
// counted one is executed in QEMU's user mode.
func (t *Target) Costs(_ hv.Build, spec hv.BootSpec) hv.Costs {
	c := hv.Costs{Build: 20 * time.Second, Relink: 3 * time.Second, Boot: 200 * time.Millisecond, Sample: 100 * time.Millisecond}
	if o := spec.Plan.Options; o.Windows == 0 {
		windows := timedWindows
		if o.Repetitions > 0 {
			windows = o.Repetitions
		}
		c.Sample = time.Duration(windows*searched) * time.Duration(max(1000, o.EnoughUS)) * time.Microsecond
		if o.Quick {
			c.Sample /= 4
		}
	}
	return c
}
