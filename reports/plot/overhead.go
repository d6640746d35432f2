package plot

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/table"
)

const (
	axisRoom   = 12 // for the labels above the lines
	chartWidth = 620
	countWidth = 720 // with figures beside the marks
)

// far is the largest percentage that an axis reaches.
const far = 1e6

// overhead is a forest plot: a line for each benchmark, a mark with its
// interval for each build, and the margin as a band.
func overhead(p panel, all []panel, c *compare.Comparison) *Chart {
	lo, hi := overheadRange(p, c.Margin)
	pl := newPlot(p.labels(), fmt.Sprintf("overhead against %s", p.base))
	pl.X.Min, pl.X.Max = lo, hi
	pl.Add(&forest{p, lo, hi})
	ch := &Chart{
		Name: p.name("overhead", all), p: pl,
		Title: fmt.Sprintf("Overhead against %s in %s", p.base, p.Domain),
		notes: []string{p.where(),
			fmt.Sprintf("Marks: mean of paired differences, with its %s interval. Right is slower. Band: the margin. Arrow: beyond the axis.", c.LevelText())},
		Width: chartWidth, top: axisRoom,
	}
	if p.lacksIntervals() {
		ch.notes[1] += " Hollow: no interval."
	}
	if p.counted() {
		ch.Title = fmt.Sprintf("More instructions than %s, in %s", p.base, p.Domain)
		ch.notes = []string{p.where(), countNote(p, c), "Figures: instructions. Band: the margin. Arrow: beyond the axis."}
		if p.noHook > 0 {
			ch.notes[2] += " Grey, below the line: negative controls, which enter no hook."
		}
		pl.X.Label.Text = fmt.Sprintf("share of what %s executes", p.base)
		ch.Width = countWidth
	}
	for i, b := range p.builds {
		ch.keys = append(ch.keys, key{p.title(b), look(i)})
	}
	rowHeight := vg.Length(max(12, 7*len(p.builds)))
	ch.Height = ch.head() + ch.top + rowHeight*vg.Length(len(p.lines)) + 50
	ch.Text = fmt.Sprintf("%s: %s. Forest plot of %s and the builds %v; the tables give its figures.", ch.Title, p.where(), number.Count(len(p.lines), "benchmark"), p.builds)
	return ch
}

// countNote says what the marks of counts are: no more than there are.
func countNote(p panel, c *compare.Comparison) string {
	if p.exact() {
		return "Marks: the difference; every boot gave the same count. Right is more. The largest first."
	}
	text := fmt.Sprintf("Marks: the difference; filled and without a line, every boot gave the same count. Line: the %s interval. Right is more.", c.LevelText())
	if p.lacksIntervals() {
		text += " Hollow: no interval."
	}
	return text
}

// overheadRange is the axis of a panel.
func overheadRange(p panel, margin float64) (lo, hi float64) {
	a := AxisOf(p.lines, margin)
	if p.counted() {
		a.Hi += 0.1 * (a.Hi - a.Lo) // room for figures
	}
	return a.Lo, a.Hi
}

// forest draws the marks of a panel.
type forest struct {
	panel
	lo, hi float64
}

// Plot implements plot.Plotter.
func (f *forest) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for l := range f.lines {
		f.band(c, x, y, l)
	}
	grid(c, p, x)
	topAxis(c, p, x)
	c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.8}, x(0), c.Min.Y, x(0), c.Max.Y)
	for l := range f.lines {
		for b := range f.builds {
			r, g := f.row(l, b), look(b)
			if r == nil {
				continue
			}
			if f.control(l) {
				g.Color = pale
			}
			at := y(-float64(l) - place(b, len(f.builds)))
			switch {
			case f.counted():
				f.markCount(c, x, at, *r, g)
			case !math.IsNaN(r.Ratio):
				f.mark(c, x, at, *r, g)
			}
		}
	}
	f.divide(c, y)
}

// markCount marks a count's difference, with its figure beside it. A base of 0
// has no share: what is more lies beyond the axis.
func (f *forest) markCount(c draw.Canvas, x func(float64) vg.Length, y vg.Length, r compare.Row, g draw.GlyphStyle) {
	d := r.Difference()
	switch {
	case math.IsNaN(d):
		return
	case math.IsNaN(r.Ratio) && d == 0:
		c.DrawGlyph(g, vg.Point{X: x(0), Y: y})
		return
	case math.IsNaN(r.Ratio):
		arrow(c, g, x(f.hi), y, -1, table.Count(d)+" from 0")
		return
	}
	v := 100 * r.Overhead()
	switch {
	case v > f.hi:
		arrow(c, g, x(f.hi), y, -1, table.Difference(r))
		return
	case v < f.lo:
		arrow(c, g, x(f.lo), y, 1, table.Difference(r))
		return
	}
	if !r.Exact && math.IsNaN(r.Lo) {
		g = hollow(g)
	}
	if r.Exact {
		c.DrawGlyph(g, vg.Point{X: x(v), Y: y})
	} else {
		f.mark(c, x, y, r, g)
	}
	if d == 0 {
		return
	}
	style, figure := textStyle(6.5, g.Color, false), table.Count(d)
	at := vg.Point{X: x(v) + 5, Y: y - 2.2}
	if !math.IsNaN(r.Hi) {
		at.X = max(at.X, x(min(f.hi, 100*(r.Hi-1)))+3)
	}
	if at.X+style.Width(figure) > c.Max.X {
		at.X = x(v) - 5 - style.Width(figure)
	}
	c.FillText(style, at, figure)
}

// place spreads the builds of a line over its height.
func place(build, builds int) float64 {
	return (float64(build) - float64(builds-1)/2) * 0.8 / float64(builds)
}

// band fills the line's margin, and draws its ends for prints in which the
// filling is too light.
func (f *forest) band(c draw.Canvas, x, y func(float64) vg.Length, line int) {
	for b := range f.builds {
		r := f.row(line, b)
		if r == nil {
			continue
		}
		from, to := max(f.lo, -100*r.Margin/(1+r.Margin)), min(f.hi, 100*r.Margin)
		low, high := y(-float64(line)-0.5), y(-float64(line)+0.5)
		fill(c, band, x(from), x(to), low, high)
		for _, end := range []float64{from, to} {
			if end > f.lo && end < f.hi {
				c.StrokeLine2(draw.LineStyle{Color: bandEnd, Width: 0.6}, x(end), low, x(end), high)
			}
		}
		return
	}
}

func grid(c draw.Canvas, p *plot.Plot, x func(float64) vg.Length) {
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if t.Label != "" {
			c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.5}, x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
		}
	}
}

func (f *forest) mark(c draw.Canvas, x func(float64) vg.Length, y vg.Length, r compare.Row, g draw.GlyphStyle) {
	line := draw.LineStyle{Color: g.Color, Width: 1.1}
	inside := func(ratio float64) float64 { return min(f.hi, max(f.lo, 100*(ratio-1))) }
	if !math.IsNaN(r.Lo) && !math.IsNaN(r.Hi) {
		c.StrokeLine2(line, x(inside(r.Lo)), y, x(inside(r.Hi)), y)
		for _, end := range []float64{r.Lo, r.Hi} {
			if v := 100 * (end - 1); v > f.lo && v < f.hi {
				c.StrokeLine2(line, x(v), y-2, x(v), y+2)
			}
		}
	}
	switch v := 100 * r.Overhead(); {
	case v > f.hi:
		arrow(c, g, x(f.hi), y, -1, number.SignedPercent(v/100, 0))
	case v < f.lo:
		arrow(c, g, x(f.lo), y, 1, number.SignedPercent(v/100, 0))
	default:
		if !r.Exact && math.IsNaN(r.Lo) {
			g = hollow(g)
		}
		c.DrawGlyph(g, vg.Point{X: x(v), Y: y})
	}
}

// arrow points out of the axes, with the figure beside it.
func arrow(c draw.Canvas, g draw.GlyphStyle, x, y vg.Length, inward vg.Length, figure string) {
	c.FillPolygon(g.Color, []vg.Point{{X: x, Y: y}, {X: x + 6*inward, Y: y + 3}, {X: x + 6*inward, Y: y - 3}})
	style := textStyle(6.5, g.Color, false)
	at := vg.Point{X: x + 9*inward, Y: y - 2.2}
	if inward < 0 {
		at.X -= style.Width(figure)
	}
	c.FillText(style, at, figure)
}
