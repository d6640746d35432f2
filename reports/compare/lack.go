package compare

import (
	"slices"
)

// lack is a benchmark that a build has no sample of, where others have.
type lack struct {
	Environment
	benchmark, build string
	so               string // what follows
}

// warnOfLacks says what builds lack: one by one, or in a line where a build has
// no sample at all.
func (c *Comparison) warnOfLacks(all []*series) {
	type part struct {
		Environment
		build string
	}
	has := map[part]bool{}
	for _, s := range all {
		for build := range s.builds {
			has[part{s.Environment, build}] = true
		}
	}
	missing := map[part][]string{}
	for _, l := range c.lacks {
		if k := (part{l.Environment, l.build}); !slices.Contains(missing[k], l.benchmark) {
			missing[k] = append(missing[k], l.benchmark)
		}
	}
	said := map[part]bool{}
	for _, l := range c.lacks {
		k := part{l.Environment, l.build}
		n := len(missing[k])
		switch {
		case has[k] || n == 1:
			c.warn(NoSample, "%s in %s: %s has no sample of it%s", l.benchmark, l.Environment, l.build, l.so)
		case !said[k]:
			said[k] = true
			c.warn(NoSample, "%d benchmarks in %s: %s has no sample of any%s", n, l.Environment, l.build, l.so)
		}
	}
}

// Missing is a benchmark that a build has no sample of, where what it is
// compared with has one, or the other way round.
type Missing struct {
	Environment
	Benchmark, Build string
}

// Missing lists what could not be compared, in the order of the samples.
func (c *Comparison) Missing() []Missing {
	var all []Missing
	for _, l := range c.lacks {
		if m := (Missing{l.Environment, l.benchmark, l.build}); !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	return all
}

// WarningsBeside are the warnings of the comparison as a whole that are about
// nothing Missing.
func (c *Comparison) WarningsBeside() []Warning {
	return slices.DeleteFunc(slices.Clone(c.Warnings), func(w Warning) bool { return w.Code == NoSample })
}
