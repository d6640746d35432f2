package page

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/plot"
	"xsmbench/reports/table"
)

// chartView is a forest plot of HTML: its names wrap and its letters keep their
// size in a window of any width. Places are per cent of the axis.
type chartView struct {
	Title, Text string
	Axis        string
	Keys        []keyView
	Notes       []string
	Grid        []tickView
	Builds      int
	Lines       []chartLine
}

type keyView struct {
	Name string
	Look int
}

type tickView struct {
	At    float64
	Label string
	End   string // of the axis that is near, so that the label stays inside
	Zero  bool
}

type chartLine struct {
	Parts               []string
	BandLeft, BandWidth float64
	Marks               []markView
}

type markView struct {
	Look      int
	Top       float64 // per cent of the line's height
	At        float64
	CI        bool
	Lo, Width float64
	Hollow    bool
	Arrow     string // "left" or "right": the mark lies beyond the axis
	Figure    string
	FigureAt  float64
	Side      string // on which the figure stands
}

// looks is how many marks of their own shape there are.
const looks = 5

// chart draws the rows that cross a hook, or of which that is not known.
func (p *part) chart() chartView {
	c := p.Comparison
	v := chartView{Title: fmt.Sprintf("Overhead against %s in %s", c.Base, p.Domain), Axis: "overhead"}
	if p.Counted() {
		v.Title, v.Axis = fmt.Sprintf("More instructions than %s, in %s", c.Base, p.Domain), "share of "+c.Base+"’s"
	}
	lines := slices.DeleteFunc(slices.Clone(p.lines), plot.NoHook)
	drawn := lines
	if len(drawn) == 0 {
		drawn = p.lines
	}
	axis := plot.AxisOf(usual(drawn), c.Margin)
	v.Builds = len(p.Builds)
	for i, b := range p.Builds {
		v.Keys = append(v.Keys, keyView{b, i % looks})
	}
	for _, t := range axis.Ticks() {
		tick := tickView{At: round(100 * axis.Place(t.Value)), Label: t.Label, Zero: t.Value == 0}
		switch {
		case tick.At > 90:
			tick.End = "end"
		case tick.At < 5:
			tick.End = "begin"
		}
		v.Grid = append(v.Grid, tick)
	}
	used := map[string]bool{}
	for _, l := range drawn {
		v.Lines = append(v.Lines, chartLineOf(l, axis, used))
	}
	v.Notes = notesOf(used, c.LevelText(), p.Counted())
	if n := len(p.lines) - len(drawn); n > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("Not drawn: %s that cross no hook.", number.Count(n, "row")))
	}
	v.Text = fmt.Sprintf("%s: %s, the largest difference first, and the builds %s; the tables give its figures.", v.Title, number.Count(len(drawn), "benchmark"), strings.Join(p.Builds, ", "))
	return v
}

// usual are the lines that the axis is for: a state that was brought about on
// purpose may lie far beyond.
func usual(lines []compare.Line) []compare.Line {
	kept := slices.DeleteFunc(slices.Clone(lines), func(l compare.Line) bool { return compare.IsVariant(l.Benchmark) })
	if len(kept) == 0 {
		return lines
	}
	return kept
}

// notesOf explains the marks that are there, and no others.
func notesOf(used map[string]bool, level string, counted bool) []string {
	notes := []string{"Right is slower."}
	if counted {
		notes[0] = "Right is more."
	}
	for _, k := range []struct{ mark, text string }{
		{"exact", "No line: exact, every boot gave the same count."},
		{"interval", "Line: the " + level + " interval."},
		{"hollow", "Hollow: no interval."},
		{"arrow", "Arrow: beyond the axis."},
	} {
		if used[k.mark] {
			notes = append(notes, k.text)
		}
	}
	return append(notes, "Green band: the margin.")
}

func chartLineOf(l compare.Line, axis plot.Axis, used map[string]bool) chartLine {
	line := chartLine{Parts: strings.SplitAfter(l.Benchmark, "/")}
	for i, r := range l.Rows {
		if r == nil {
			continue
		}
		if line.BandWidth == 0 {
			from, to := axis.Place(-100*r.Margin/(1+r.Margin)), axis.Place(100*r.Margin)
			line.BandLeft, line.BandWidth = round(100*from), round(100*(to-from))
		}
		if m, ok := markOf(*r, axis, used); ok {
			m.Look, m.Top = i%looks, round(100*(float64(i)+0.5)/float64(len(l.Rows)))
			line.Marks = append(line.Marks, m)
		}
	}
	return line
}

func markOf(r compare.Row, axis plot.Axis, used map[string]bool) (markView, bool) {
	over := 100 * key(r)
	if math.IsNaN(over) {
		return markView{}, false
	}
	m := markView{At: round(100 * axis.Place(over)), Side: "after", Figure: table.Overhead(r)}
	if compare.IsCount(r.Unit) {
		m.Figure = table.Count(r.Difference())
	}
	if !r.Exact {
		used["interval"] = used["interval"] || !math.IsNaN(r.Lo)
		m.Hollow = math.IsNaN(r.Lo)
		used["hollow"] = used["hollow"] || m.Hollow
	} else {
		used["exact"] = true
	}
	switch {
	case over > axis.Hi:
		m.Arrow, m.Figure, used["arrow"] = "right", m.Figure+beyond(r), true
	case over < axis.Lo:
		m.Arrow, used["arrow"] = "left", true
	}
	if !r.Exact && !m.Hollow {
		lo, hi := axis.Place(100*(r.Lo-1)), axis.Place(100*(r.Hi-1))
		m.CI, m.Lo, m.Width = true, round(100*lo), round(100*(hi-lo))
	}
	m.aside()
	return m, true
}

// aside puts the figure where no interval runs through it: behind its end, before
// its beginning, or onto it if there is room at neither.
func (m *markView) aside() {
	m.FigureAt = m.At
	switch end := m.Lo + m.Width; {
	case !m.CI && m.At > 70:
		m.Side = "before"
	case !m.CI:
	case end <= 85:
		m.FigureAt = end
	case m.Lo >= 15:
		m.FigureAt, m.Side = m.Lo, "before"
	case m.At > 70:
		m.Side = "before onto"
	default:
		m.Side = "after onto"
	}
}

// beyond is the share of a count whose mark does not show it.
func beyond(r compare.Row) string {
	switch {
	case !compare.IsCount(r.Unit):
		return ""
	case math.IsNaN(r.Ratio):
		return " from 0"
	}
	return " (" + number.SignedPercent(r.Overhead(), 0) + ")"
}
