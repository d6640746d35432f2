package plot

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/stats"
)

// boxes shows every boot of every build against the base's centre: a box over
// the middle half, a line at the median, and each boot as a point.
func boxes(p panel, all []panel, c *compare.Comparison) *Chart {
	b := boxPlot{panel: p}
	b.collect()
	pl := newPlot(p.labels(), fmt.Sprintf("cost against the mean of %s", p.base))
	b.lo, b.hi = b.span(c.Margin)
	pl.X.Min, pl.X.Max = b.lo, b.hi
	pl.Add(&b)
	ch := &Chart{
		Name: p.name("boots", all), p: pl,
		Title: fmt.Sprintf("Every boot in %s", p.Domain),
		notes: []string{p.where(),
			"Points: one boot each, none left out. Box: the middle half; line: the median. Points on the edge lie beyond it."},
		Width: chartWidth, top: axisRoom,
	}
	for i, name := range b.names {
		ch.keys = append(ch.keys, key{p.title(name), b.look(i)})
	}
	ch.Height = ch.head() + ch.top + vg.Length(max(14, 8*len(b.names)))*vg.Length(len(p.lines)) + 50
	ch.Text = fmt.Sprintf("%s: %s. Box plots of %s and the builds %v.", ch.Title, p.where(), number.Count(len(p.lines), "benchmark"), b.names)
	return ch
}

// boxPlot holds, for each line and build, the boots' costs in percent.
type boxPlot struct {
	panel
	names  []string      // the base first
	costs  [][][]float64 // [line][name]
	lo, hi float64
}

// look keeps each build's colour the same in all charts; the base is grey.
func (b *boxPlot) look(name int) draw.GlyphStyle {
	if name == 0 {
		return draw.GlyphStyle{Color: grey, Radius: 2.6, Shape: draw.RingGlyph{}}
	}
	return look(name - 1)
}

func (b *boxPlot) collect() {
	b.names = append([]string{b.base}, b.builds...)
	b.costs = make([][][]float64, len(b.lines))
	for l := range b.lines {
		b.costs[l] = make([][]float64, len(b.names))
		for i := range b.builds {
			if r := b.row(l, i); r != nil {
				b.costs[l][0] = percents(r, r.BaseSamples)
				b.costs[l][i+1] = percents(r, r.Samples)
			}
		}
	}
}

func percents(r *compare.Row, samples []float64) []float64 {
	var all []float64
	for _, v := range samples {
		ratio := v / r.BaseValue
		if r.HigherBetter {
			ratio = 1 / ratio
		}
		if !math.IsNaN(ratio) {
			all = append(all, max(-far, min(far, 100*(ratio-1))))
		}
	}
	slices.Sort(all)
	return all
}

func (b *boxPlot) span(margin float64) (lo, hi float64) {
	var all []float64
	for _, line := range b.costs {
		for _, v := range line {
			all = append(all, v...)
		}
	}
	least := 200 * margin
	if len(all) == 0 {
		return -least, least
	}
	low, high := stats.Percentile(all, 2), stats.Percentile(all, 98)
	spread := max(high-low, least)
	lo, hi = max(slices.Min(all), low-spread), min(slices.Max(all), high+spread)
	pad := max(0.04*(hi-lo), 0.1)
	return min(lo-pad, -least), max(hi+pad, least)
}

// Plot implements plot.Plotter.
func (b *boxPlot) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	grid(c, p, x)
	topAxis(c, p, x)
	c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.8}, x(0), c.Min.Y, x(0), c.Max.Y)
	for l := range b.lines {
		for i := range b.names {
			middle := -float64(l) - place(i, len(b.names))
			half := 0.3 / float64(len(b.names))
			b.box(c, x, y(middle), y(middle+half)-y(middle), b.costs[l][i], b.look(i))
		}
	}
}

func (b *boxPlot) box(c draw.Canvas, x func(float64) vg.Length, y, half vg.Length, v []float64, g draw.GlyphStyle) {
	if len(v) == 0 {
		return
	}
	at := func(f float64) vg.Length { return x(min(b.hi, max(b.lo, f))) }
	line := draw.LineStyle{Color: g.Color, Width: 0.8}
	q := func(p float64) vg.Length { return at(stats.Percentile(v, p)) }
	if len(v) >= 4 {
		l, r := q(25), q(75)
		c.StrokeLines(line, []vg.Point{{X: l, Y: y - half}, {X: r, Y: y - half}, {X: r, Y: y + half}, {X: l, Y: y + half}, {X: l, Y: y - half}})
	}
	line.Width = 1.6
	m := q(50)
	c.StrokeLine2(line, m, y-half, m, y+half)
	dot := draw.GlyphStyle{Color: g.Color, Radius: 1.1, Shape: draw.CircleGlyph{}}
	for _, f := range v {
		c.DrawGlyph(dot, vg.Point{X: at(f), Y: y})
	}
}
