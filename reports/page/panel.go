package page

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/hooks"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/table"
)

// panelView is what a page tells of one benchmark in one domain.
type panelView struct {
	ID, Row, Title  string
	Unit            string
	Samples         []samplesView
	Verdicts        []string
	Remarks         []string
	History         []sparkView
	Path, PathBuild string
	Policy          []string // what of it depends on the policy, by build
	Hooks           *hookTable
	Beside          []string // figures without a verdict
	Flame           *flameView
}

type samplesView struct {
	Build, Center string
	Look          int
	Dots          []float64 // per cent of the strip
	Values        string
}

type sparkView struct {
	Build, Text, Points string
}

type hookTable struct {
	Title string
	Head  []plainCell
	Lines []plainLine
}

func (p *part) panel(line int) panelView {
	l := p.lines[line]
	id := p.names.id(p.Environment, l.Benchmark, p.Unit)
	v := panelView{ID: "b-" + id, Row: id, Title: l.Benchmark + ", " + p.Comparison.Where(p.Environment) + ", " + p.Unit, Unit: p.Unit}
	v.Samples = p.samples(l)
	for _, r := range l.Rows {
		if r != nil {
			v.Verdicts = append(v.Verdicts, p.verdict(*r))
		}
	}
	if p.Counted() {
		v.Remarks = p.remarks(l)
	}
	v.History = p.history(l.Benchmark)
	v.Beside = p.beside(l.Benchmark)
	p.profiled(&v, l.Benchmark)
	return v
}

// verdict is a row in a sentence.
func (p *part) verdict(r compare.Row) string {
	text := fmt.Sprintf("%s: %s against %s, %s, %s; n=%d, margin ±%s", r.Build, table.Overhead(r), r.Base, table.Interval(r), table.VerdictText(r), r.N, number.Share(r.Margin, 2))
	if compare.IsCount(r.Unit) {
		text = fmt.Sprintf("%s: %s, %s, %s; n=%d, margin ±%s", r.Build, table.Difference(r), table.Interval(r), table.VerdictText(r), r.N, number.Share(r.Margin, 2))
	}
	if !r.Exact && !math.IsNaN(r.P) {
		text += fmt.Sprintf("; p %s, after Holm %s, TOST %s", table.P(r.P), table.P(r.PHolm), table.P(r.PEquivalent))
	}
	if texts := compare.Texts(r.Warnings); len(texts) > 0 {
		text += ". " + strings.Join(texts, "; ")
	}
	return text + "."
}

// mostValues bounds the values that stand in full beside their dots.
const mostValues = 24

func (p *part) samples(l compare.Line) []samplesView {
	type series struct {
		build  string
		values []float64
		look   int
	}
	var all []series
	for i, r := range l.Rows {
		if r == nil {
			continue
		}
		if len(all) == 0 {
			all = append(all, series{r.Base, r.BaseSamples, looks})
		}
		all = append(all, series{r.Build, r.Samples, i % looks})
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range all {
		if len(s.values) > 0 {
			lo, hi = min(lo, slices.Min(s.values)), max(hi, slices.Max(s.values))
		}
	}
	var views []samplesView
	for _, s := range all {
		v := samplesView{Build: s.build, Look: s.look, Values: valuesText(s.values, p.Unit)}
		v.Center = fmt.Sprintf("n=%d", len(s.values))
		for _, x := range s.values {
			at := 50.
			if hi > lo {
				at = round(2 + 96*(x-lo)/(hi-lo))
			}
			if !slices.Contains(v.Dots, at) {
				v.Dots = append(v.Dots, at)
			}
		}
		views = append(views, v)
	}
	return views
}

func valuesText(values []float64, unit string) string {
	if len(values) > 1 && slices.Min(values) == slices.Max(values) {
		return fmt.Sprintf("%s in every boot", table.Value(values[0], unit))
	}
	var words []string
	for _, v := range values[:min(len(values), mostValues)] {
		words = append(words, table.Value(v, unit))
	}
	text := strings.Join(words, ", ")
	if rest := len(values) - mostValues; rest > 0 {
		text += fmt.Sprintf(" and %d more, from %s to %s", rest, table.Value(slices.Min(values), unit), table.Value(slices.Max(values), unit))
	}
	return text
}

// beside are the figures of a benchmark that say no cost.
func (p *part) beside(benchmark string) []string {
	c := p.Comparison
	var units []string
	for _, f := range c.Figures {
		if f.Environment == p.Environment && f.Benchmark == benchmark && !slices.Contains(units, f.Unit) {
			units = append(units, f.Unit)
		}
	}
	var lines []string
	for _, unit := range units {
		var parts []string
		for _, build := range append([]string{c.Base}, c.Builds...) {
			if f, ok := c.Figure(p.Environment, benchmark, build, unit); ok {
				parts = append(parts, build+" "+number.Rounded(f.Value))
			}
		}
		lines = append(lines, unit+": "+strings.Join(parts, ", "))
	}
	return lines
}

// profiled adds what the profiles tell: of the last build that has one.
func (p *part) profiled(v *panelView, benchmark string) {
	b := p.profile(benchmark)
	if b == nil {
		return
	}
	for _, build := range slices.Backward(p.Hooks.Builds) {
		cost := b.Costs[build]
		if cost == nil {
			continue
		}
		v.Path, v.PathBuild = hooks.Path(cost), build
		if f, ok := hooks.FlameOf(b, build); ok {
			v.Flame = flameOf(f)
		}
		break
	}
	for _, build := range p.Hooks.Builds {
		v.Policy = append(v.Policy, hooks.PolicyLines(p.Hooks, b, build, p.Comparison.Base)...)
	}
	t := &hookTable{Title: "Hooks: calls by one operation, and the instructions of all of them", Head: []plainCell{{Text: "hook"}}}
	var names []string
	for _, build := range p.Hooks.Builds {
		t.Head = append(t.Head, plainCell{Text: build, Num: true})
		if cost := b.Costs[build]; cost != nil {
			for _, h := range cost.Hooks {
				if !slices.Contains(names, h.Name) {
					names = append(names, h.Name)
				}
			}
		}
	}
	for _, name := range names {
		line := plainLine{Cells: []plainCell{{Text: name}}}
		for _, build := range p.Hooks.Builds {
			text := number.Unknown
			if h, ok := b.Costs[build].Hook(name); ok {
				text = fmt.Sprintf("%s × %s", number.Rounded(h.Calls), number.Rounded(h.PerCall()))
			}
			line.Cells = append(line.Cells, plainCell{Text: text, Num: true})
		}
		t.Lines = append(t.Lines, line)
	}
	if len(t.Lines) > 0 {
		t.Title = "Hooks: calls by one operation × instructions of a call"
		v.Hooks = t
	}
}

// history is a benchmark's figure over the runs, for each build.
func (p *part) history(benchmark string) []sparkView {
	if p.Trends == nil {
		return nil
	}
	var all []sparkView
	for _, s := range p.Trends.Series {
		if s.Environment != p.Environment || s.Benchmark != benchmark || s.Unit != p.Unit || len(s.Points) < 2 {
			continue
		}
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, x := range s.Points {
			lo, hi = min(lo, x.Value), max(hi, x.Value)
		}
		var points []string
		for i, x := range s.Points {
			y := 20.
			if hi > lo {
				y = 36 - 32*(x.Value-lo)/(hi-lo)
			}
			points = append(points, fmt.Sprintf("%.1f,%.1f", 2+196*float64(i)/float64(len(s.Points)-1), y))
		}
		last := s.Points[len(s.Points)-1]
		all = append(all, sparkView{Build: s.Build, Points: strings.Join(points, " "),
			Text: fmt.Sprintf("%s, from %s to %s; the last %s", number.Count(len(s.Points), "run"), table.Value(lo, p.Unit), table.Value(hi, p.Unit), table.Value(last.Value, p.Unit))})
	}
	return all
}

// flameView is a flame graph as a list: a frame knows its place as shares of the
// width, which the style turns into pixels, so that it can be zoomed.
type flameView struct {
	Title  string
	Height int
	Frames []frameView
}

type frameView struct {
	Class, Name, Text string
	Left, Width       float64
	Depth             int
}

// leastFrame is the share of an operation from which on a frame is shown.
const leastFrame = 0.002

// frameHeight is that of a row of frames, in pixels.
const frameHeight = 19

func flameOf(f hooks.Flame) *flameView {
	v := &flameView{Title: f.Title()}
	depth := 0
	for _, x := range f.Frames {
		if x.Width < leastFrame {
			continue
		}
		depth = max(depth, x.Depth)
		class := ""
		switch {
		case x.InHook && x.Depth == 2:
			class = "h"
		case x.InHook:
			class = "f"
		}
		v.Frames = append(v.Frames, frameView{Class: class, Name: x.Name, Text: x.Describe(), Left: five(x.Left), Width: five(x.Width), Depth: x.Depth})
	}
	v.Height = frameHeight * (depth + 1)
	return v
}

func five(f float64) float64 { return math.Round(1e5*f) / 1e5 }
