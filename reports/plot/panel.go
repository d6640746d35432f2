package plot

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"xsmbench/reports/compare"
)

// panel is what a chart shows: the lines of a domain whose units can share an
// axis of per cent.
type panel struct {
	compare.Environment
	unit   string // "time", or the unit
	base   string
	builds []string
	lines  []compare.Line
	n      int // the largest number of boots
	// controls are the builds whose image is the base's.
	controls []string
	// noHook is how many lines at the end are negative controls, of a panel
	// that counts.
	noHook int
}

// counted reports whether the panel's unit counts instructions.
func (p panel) counted() bool { return compare.IsCount(p.unit) }

// exact reports whether all its rows are.
func (p panel) exact() bool {
	for _, l := range p.lines {
		for _, r := range l.Rows {
			if r != nil && !r.Exact {
				return false
			}
		}
	}
	return true
}

// lacksIntervals reports whether a row is neither exact nor has an interval.
func (p panel) lacksIntervals() bool {
	for _, l := range p.lines {
		for _, r := range l.Rows {
			if r != nil && !r.Exact && !math.IsNaN(r.Ratio) && math.IsNaN(r.Lo) {
				return true
			}
		}
	}
	return false
}

// largestFirst sorts the lines by the size of their differences.
func (p *panel) largestFirst() {
	slices.SortStableFunc(p.lines, func(a, b compare.Line) int { return cmp.Compare(Size(b), Size(a)) })
}

// controlsLast moves the negative controls of a panel that counts to its end.
func (p *panel) controlsLast() {
	if !p.counted() {
		return
	}
	slices.SortStableFunc(p.lines, func(a, b compare.Line) int {
		switch {
		case NoHook(a) == NoHook(b):
			return 0
		case NoHook(b):
			return -1
		}
		return 1
	})
	for _, l := range p.lines {
		if NoHook(l) {
			p.noHook++
		}
	}
}

// control reports whether a line is one of those.
func (p panel) control(line int) bool { return line >= len(p.lines)-p.noHook }

// divide sets the negative controls apart from the other lines.
func (p panel) divide(c draw.Canvas, y func(float64) vg.Length) {
	if p.noHook == 0 || p.noHook == len(p.lines) {
		return
	}
	at := y(-float64(len(p.lines)-p.noHook) + 0.5)
	c.StrokeLine2(draw.LineStyle{Color: grey, Width: 0.8}, c.Min.X, at, c.Max.X, at)
}

// inexact is the panel with those lines only whose boots differ.
func (p panel) inexact() panel {
	p.lines = slices.DeleteFunc(slices.Clone(p.lines), func(l compare.Line) bool {
		return !slices.ContainsFunc(l.Rows, func(r *compare.Row) bool { return r != nil && !r.Exact })
	})
	p.noHook = 0
	return p
}

// panels splits the comparison by environment and kind of unit; builds of
// controls come last.
func panels(c *compare.Comparison) []panel {
	rows := slices.Concat(c.Rows, c.Controls)
	var all []panel
	for _, s := range compare.Sections(rows) {
		unit := s.Unit
		if unit == "ns/op" || compare.IsRate(unit) {
			unit = "time"
		}
		i := slices.IndexFunc(all, func(p panel) bool { return p.Environment == s.Environment && p.unit == unit })
		if i < 0 {
			i = len(all)
			all = append(all, panel{Environment: s.Environment, unit: unit, base: c.Base})
		}
		all[i].add(s)
	}
	for i := range all {
		all[i].largestFirst()
		all[i].controlsLast()
		for _, r := range c.Controls {
			if r.Environment == all[i].Environment && !slices.Contains(all[i].controls, r.Build) {
				all[i].controls = append(all[i].controls, r.Build)
			}
		}
	}
	return all
}

// title is a build's name in a legend.
func (p panel) title(build string) string {
	if slices.Contains(p.controls, build) {
		return build + " (control of " + p.base + ")"
	}
	return build
}

// add takes a section's lines, with its builds in the panel's order.
func (p *panel) add(s compare.Section) {
	for _, b := range s.Builds {
		if !slices.Contains(p.builds, b) {
			p.builds = append(p.builds, b)
		}
	}
	for _, l := range s.Lines {
		line := compare.Line{Benchmark: l.Benchmark, BaseValue: l.BaseValue, Rows: make([]*compare.Row, len(p.builds))}
		for _, r := range l.Rows {
			if r != nil {
				line.Rows[slices.Index(p.builds, r.Build)] = r
				p.n = max(p.n, r.N)
			}
		}
		p.lines = append(p.lines, line)
	}
}

// row is a line's row of a build, nil if there is none.
func (p panel) row(line, build int) *compare.Row {
	if rows := p.lines[line].Rows; build < len(rows) {
		return rows[build]
	}
	return nil
}

func (p panel) labels() []string {
	var all []string
	for _, l := range p.lines {
		all = append(all, l.Benchmark)
	}
	return all
}

// name is what the panel's files are called, after the kind of chart.
func (p panel) name(kind string, all []panel) string {
	words := []string{kind, p.Domain}
	if p.unit != "time" {
		words = append(words, p.unit)
	}
	for _, o := range all {
		if e := o.Environment; e.Domain == p.Domain && e != p.Environment {
			words = append(words, p.Target, p.Arch, p.Accel, p.Workload, p.DomU)
			if p.Idle > 0 {
				words = append(words, fmt.Sprint(p.Idle))
			}
			break
		}
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_-.", r):
			return r
		}
		return '-'
	}, strings.Join(words, "-"))
}

func (p panel) unitText() string {
	if p.unit == "time" {
		return "wall time"
	}
	if p.counted() {
		return p.unit + " (instructions executed for one operation)"
	}
	return p.unit
}

func (p panel) where() string {
	return fmt.Sprintf("%s, %s, up to %d boots of each build", p.Environment, p.unitText(), p.n)
}

// Charts draws all charts of a comparison.
func Charts(c *compare.Comparison) []*Chart {
	var charts []*Chart
	all := panels(c)
	for _, p := range all {
		charts = append(charts, overhead(p, all, c))
		if b := p; b.counted() {
			// Boots that gave the same count are no picture.
			if b = p.inexact(); len(b.lines) > 0 {
				charts = append(charts, boxes(b, all, c))
			}
		} else {
			charts = append(charts, boxes(p, all, c))
		}
		charts = append(charts, heat(p, all, c))
	}
	return charts
}

// NoHook reports whether a line is a negative control in every build that has
// it.
func NoHook(l compare.Line) bool {
	known := false
	for _, r := range l.Rows {
		if r != nil {
			if !r.NoHook {
				return false
			}
			known = true
		}
	}
	return known
}
