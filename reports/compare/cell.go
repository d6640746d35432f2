package compare

import (
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/results"
)

// Cell is what has samples of its own, and may become a row: a build in an
// environment, a benchmark and a unit.
type Cell struct {
	Environment
	Build, Benchmark, Unit string
}

// Cells lists what a set has samples of, in the order of the samples.
func (s *Set) Cells() []Cell {
	var all []Cell
	for _, p := range s.parts {
		for _, at := range p.places {
			for _, w := range at.order {
				all = append(all, Cell{at.Environment, at.build, w.benchmark, w.unit})
			}
		}
	}
	return all
}

// CellsOf lists what the set has samples of that are from one run: of several
// runs, each has a plan of its own.
func (s *Set) CellsOf(run string) []Cell {
	var all []Cell
	for _, p := range s.parts {
		for _, at := range p.places {
			for _, w := range at.order {
				if at.series[w].isOf(run) {
					all = append(all, Cell{at.Environment, at.build, w.benchmark, w.unit})
				}
			}
		}
	}
	return all
}

func (b *sampled) isOf(run string) bool {
	for i := range b.values {
		if b.start(i).run == run {
			return true
		}
	}
	return false
}

// Plan is what a run was to measure.
type Plan struct {
	Dir string // as samples name their run
	results.Spec
}

// ProblemsOf are those of a run directory's files.
func (in *Input) ProblemsOf(dir string) []results.Problem {
	var all []results.Problem
	for _, p := range in.Problems {
		if strings.HasPrefix(p.File, dir+string(filepath.Separator)) {
			all = append(all, p)
		}
	}
	return all
}

// CellOf is what a row is about.
func CellOf(r Row) Cell { return Cell{r.Environment, r.Build, r.Benchmark, r.Unit} }

// Measured lists what the run has samples of.
func (c *Comparison) Measured() []Cell {
	if c.measured != nil {
		return c.measured
	}
	var all []Cell
	for _, r := range slices.Concat(c.Rows, c.Controls) {
		all = append(all, CellOf(r))
		if base := CellOf(r); r.Base == c.Base {
			base.Build = r.Base
			all = append(all, base)
		}
	}
	return distinct(all)
}

// Earlier lists what the earlier run has samples of, under the builds' own
// names; nil if there is none.
func (c *Comparison) Earlier() []Cell {
	if c.measured != nil {
		return c.had
	}
	var all []Cell
	for _, r := range slices.Concat(c.Rows, c.Controls) {
		if r.Base == Earlier(r.Build) {
			all = append(all, CellOf(r))
		}
	}
	return distinct(all)
}

// account keeps what the runs have samples of, in the order of the comparison.
func (c *Comparison) account(all []*series) {
	c.measured = []Cell{}
	for _, s := range all {
		for _, build := range sortedBuilds(s) {
			name, before := strings.CutSuffix(build, earlier)
			cell := Cell{s.Environment, name, s.benchmark, s.unit}
			if before {
				c.had = append(c.had, cell)
			} else {
				c.measured = append(c.measured, cell)
			}
		}
	}
}

func distinct(all []Cell) []Cell {
	seen := map[Cell]bool{}
	return slices.DeleteFunc(all, func(c Cell) bool {
		was := seen[c]
		seen[c] = true
		return was
	})
}
