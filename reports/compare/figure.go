package compare

import (
	"math"
	"slices"

	"xsmbench/reports/stats"
)

// Figure is the centre of a value that describes a benchmark in a build.
type Figure struct {
	Environment
	Benchmark, Unit, Build string
	Value                  float64
	// Spread is the standard deviation of the samples as a share of Value, NaN
	// if there are too few.
	Spread  float64
	N       int
	Same    bool     // several boots gave this value, and none another
	Remarks []string // what the samples came with
}

// Disclaimed reports whether samples came with the word that they are not exact.
func (f Figure) Disclaimed() bool { return disclaimed(f.Remarks) }

func figures(s *series, base string) []Figure {
	var all []Figure
	add := func(build string) {
		if b := s.builds[build]; b != nil {
			n, value := len(b.values), newSide(b.values).centre(true)
			spread := math.NaN()
			if n > 1 && value != 0 {
				spread = stats.StdDev(b.values) / math.Abs(value)
			}
			all = append(all, Figure{
				Environment: s.Environment, Benchmark: s.benchmark, Unit: s.unit, Build: build,
				Value: value, Spread: spread, N: n, Same: n > 1 && constant(b.values), Remarks: b.warnings,
			})
		}
	}
	add(base)
	for _, build := range sortedBuilds(s) {
		if build != base {
			add(build)
		}
	}
	return all
}

// Figure finds what a build's figure of a benchmark is in a unit.
func (c *Comparison) Figure(e Environment, benchmark, build, unit string) (Figure, bool) {
	i := slices.IndexFunc(c.Figures, func(f Figure) bool {
		return f.Environment == e && f.Benchmark == benchmark && f.Build == build && f.Unit == unit
	})
	if i < 0 {
		return Figure{}, false
	}
	return c.Figures[i], true
}

// InHooks tells what hooks execute of a counted row's operation, in the base and
// in the build, if every boot of each gave one and the same figure. What the
// rest of the operation executes may depend on more than the code: this does not.
func (c *Comparison) InHooks(r Row) (base, build float64, ok bool) {
	if !IsCount(r.Unit) {
		return 0, 0, false
	}
	before, ok := c.Figure(r.Environment, r.Benchmark, r.Base, xsmInstructions)
	after, too := c.Figure(r.Environment, r.Benchmark, r.Build, xsmInstructions)
	return before.Value, after.Value, ok && too && before.Same && after.Same
}

// Beside lists the units of the figures that there are next to a section's
// rows.
func (c *Comparison) Beside(s Section) []string {
	var units []string
	for _, unit := range Beside(s.Unit) {
		if slices.ContainsFunc(c.Figures, func(f Figure) bool { return f.Environment == s.Environment && f.Unit == unit }) {
			units = append(units, unit)
		}
	}
	return units
}

// Apart lists the figures that stand next to no row.
func (c *Comparison) Apart() []Figure {
	type place struct {
		Environment
		benchmark, unit string
	}
	beside := map[place]bool{}
	for _, rows := range [][]Row{c.Rows, c.Controls} {
		for _, r := range rows {
			for _, unit := range Beside(r.Unit) {
				beside[place{r.Environment, r.Benchmark, unit}] = true
			}
		}
	}
	var apart []Figure
	for _, f := range c.Figures {
		if !beside[place{f.Environment, f.Benchmark, f.Unit}] {
			apart = append(apart, f)
		}
	}
	return apart
}

// Total reports whether a unit is that of a figure that tells what the guest
// executed, or guest and hypervisor together: there is one for each row, and
// it says nothing of the hooks.
func Total(unit string) bool { return unit == guestInstructions || unit == allInstructions }

// Uncounted is a benchmark whose cost no row tells in some builds, though what
// is beside a row's is known: no window of it was left undisturbed.
type Uncounted struct {
	Environment
	Benchmark string
	Builds    []string // without a count
	Units     []string // of the figures that there are
}

// Uncounted lists them in the order of the figures. Environments in which
// nothing was counted have none.
func (c *Comparison) Uncounted() []Uncounted {
	var all []Uncounted
	for _, f := range c.Figures {
		if !slices.Contains(Beside(xenInstructions), f.Unit) || !c.counting(f.Environment) || c.counted[counted{f.Environment, f.Benchmark, f.Build}] {
			continue
		}
		i := slices.IndexFunc(all, func(u Uncounted) bool { return u.Environment == f.Environment && u.Benchmark == f.Benchmark })
		if i < 0 {
			i = len(all)
			all = append(all, Uncounted{Environment: f.Environment, Benchmark: f.Benchmark})
		}
		if !slices.Contains(all[i].Builds, f.Build) {
			all[i].Builds = append(all[i].Builds, f.Build)
		}
		if !slices.Contains(all[i].Units, f.Unit) {
			all[i].Units = append(all[i].Units, f.Unit)
		}
	}
	return all
}

// counting reports whether anything was counted in an environment.
func (c *Comparison) counting(e Environment) bool {
	for k := range c.counted {
		if k.Environment == e {
			return true
		}
	}
	return false
}
