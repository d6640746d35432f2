package plot

import (
	"fmt"
	"slices"
	"strings"

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
		return build + " (control: the image of " + p.base + ")"
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
	return strings.NewReplacer("/", "-", " ", "-").Replace(strings.Join(words, "-"))
}

func (p panel) unitText() string {
	if p.unit == "time" {
		return "wall time"
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
		charts = append(charts, overhead(p, all, c), boxes(p, all, c), heat(p, all, c))
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
