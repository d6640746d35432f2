package plot

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/table"
)

const cellWidth = 110

// heat is a map of benchmark by build: the figure is the overhead, the colour
// how much of it is certain, so that noise stays white, and a sign the verdict.
func heat(p panel, all []panel, c *compare.Comparison) *Chart {
	pl := newPlot(p.labels(), "")
	pl.X.Min, pl.X.Max = -0.5, float64(len(p.builds))-0.5
	var ticks []plot.Tick
	for i, b := range p.builds {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: b})
	}
	pl.X.Tick.Marker = plot.ConstantTicks(ticks)
	pl.X.Tick.Label = center(textStyle(9, ink, true))
	pl.X.Tick.Label.YAlign = text.YTop
	h := &heatMap{p}
	pl.Add(h)
	labels := vg.Length(0)
	for _, l := range p.labels() {
		labels = max(labels, pl.Y.Tick.Label.Width(l))
	}
	ch := &Chart{
		Name: p.name("heat", all), p: pl,
		Title: fmt.Sprintf("Overhead by benchmark and build in %s", p.Domain),
		notes: []string{p.where(),
			fmt.Sprintf("Figure: overhead against %s. Colour: how much of it the interval leaves certain; orange slower, blue faster, full at 40%%.", p.base),
			"Signs: = equivalent, ▲ slower, ▼ faster, ? inconclusive."},
	}
	if p.counted() {
		ch.Title = fmt.Sprintf("More instructions than %s, by benchmark and build in %s", p.base, p.Domain)
		ch.notes[1] = fmt.Sprintf("Figure: instructions, and their share of what %s executes. Colour: the share; orange more, blue fewer, full at 40%%.", p.base)
		if p.noHook > 0 {
			ch.notes[2] += " Below the line: negative controls, which enter no hook."
		}
	}
	ch.Width = max(chartWidth, labels+cellWidth*vg.Length(len(p.builds))+40)
	ch.Height = ch.head() + 14*vg.Length(len(p.lines)) + 40
	ch.Text = fmt.Sprintf("%s: %s. Heat map of %s and the builds %v; the tables give its figures.", ch.Title, p.where(), number.Count(len(p.lines), "benchmark"), p.builds)
	return ch
}

type heatMap struct{ panel }

// Plot implements plot.Plotter.
func (h *heatMap) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := center(textStyle(8, ink, false))
	style.YAlign = text.YCenter
	for l := range h.lines {
		for b := range h.builds {
			r := h.row(l, b)
			cx, cy := float64(b), -float64(l)
			if r == nil {
				none := style
				none.Color = pale
				c.FillText(none, vg.Point{X: x(cx), Y: y(cy) + 1.2}, "–")
				continue
			}
			fill(c, shade(certain(*r)), x(cx-0.5)+1, x(cx+0.5)-1, y(cy-0.5)+0.5, y(cy+0.5)-0.5)
			c.FillText(style, vg.Point{X: x(cx), Y: y(cy) + 1.2}, h.figure(*r)+"  "+r.Verdict.Sign())
		}
	}
	h.divide(c, y)
}

func (h *heatMap) figure(r compare.Row) string {
	switch {
	case !h.counted():
		return table.Overhead(r)
	case math.IsNaN(r.Ratio) && r.Difference() > 0:
		return table.Difference(r) + " from 0"
	}
	return table.Difference(r)
}

// certain is the overhead at the end of the interval that is nearer to 0, and
// 0 if the interval covers it.
func certain(r compare.Row) float64 {
	switch {
	case r.Exact && r.BaseValue == 0 && r.Value > 0:
		return full // from nothing
	case r.Lo > 1:
		return r.Lo - 1
	case r.Hi < 1:
		return r.Hi - 1
	}
	return 0
}

// full is the overhead that has the full colour.
const full = 0.40

// shade goes from white to blue for what is faster and to orange for what is
// slower. The root spreads small overheads; both ends stay light enough for
// black figures.
func shade(overhead float64) color.NRGBA {
	t := math.Sqrt(math.Min(1, math.Abs(overhead)/full))
	end := color.NRGBA{0x56, 0xb4, 0xe9, 0xff}
	if overhead > 0 {
		end = color.NRGBA{0xe6, 0x9f, 0x00, 0xff}
	}
	mix := func(to uint8) uint8 { return uint8(math.Round(255 + t*(float64(to)-255))) }
	return color.NRGBA{mix(end.R), mix(end.G), mix(end.B), 0xff}
}
