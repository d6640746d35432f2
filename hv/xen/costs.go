package xen

import (
	"slices"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
)

// perJob is what a macro benchmark takes of a boot beside what others take: a build of
// the tree to warm up and two that count, in both domains.
const perJob = 12 * time.Second

// The same of what makes and ends domains, and of what moves data by devices.
const (
	perDomains   = 15 * time.Second
	perTransfers = 2 * time.Second
)

// Costs are those of README.md's table of times, on a slow machine of two processors:
// three builds in 5 minutes, and a round of four boots of 115 samples in 24 seconds. A
// boot that is not counted starts Xen and Linux anew.
func (*Target) Costs(_ hv.Build, spec hv.BootSpec) hv.Costs {
	c := hv.Costs{Build: 90 * time.Second, Ready: 10 * time.Second, Boot: time.Second, Sample: 45 * time.Millisecond}
	for _, name := range spec.Plan.Benchmarks {
		switch b, _ := bench.Find(name); {
		case b.Job == nil:
		case slices.Contains(b.Needs, bench.Compiling):
			c.Boot += perJob
		case slices.Contains(b.Needs, bench.Domains):
			c.Boot += perDomains
		default:
			c.Boot += perTransfers
		}
	}
	if !counts(spec.Accel) {
		c.Ready, c.Boot, c.Sample = 0, 30*time.Second, 100*time.Millisecond
	}
	return c
}
