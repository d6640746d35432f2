package plot

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"xsmbench/reports/compare"
)

// Size is how large the largest difference of a line is, to either side: lines
// stand in its order. What the base has nothing of is larger than all.
func Size(l compare.Line) float64 {
	size := 0.
	for _, r := range l.Rows {
		switch {
		case r == nil:
		case !math.IsNaN(r.Ratio):
			size = max(size, math.Abs(math.Log(r.Ratio)))
		case r.Difference() > 0:
			size = math.Inf(1)
		}
	}
	return size
}

// Axis is a range of overheads, in per cent.
type Axis struct{ Lo, Hi float64 }

// Tick is a labelled place of an axis.
type Tick struct {
	Value float64
	Label string
}

// AxisOf covers what most lines show; a few far beyond, and intervals that say
// little, do not press the others together.
func AxisOf(lines []compare.Line, margin float64) Axis {
	var middles, halves []float64
	for _, l := range lines {
		for _, r := range l.Rows {
			if r == nil || math.IsNaN(r.Ratio) {
				continue
			}
			middles = append(middles, min(far, 100*r.Overhead()))
			if half := 50 * (r.Hi - r.Lo); !math.IsNaN(half) {
				halves = append(halves, min(far, half))
			}
		}
	}
	slices.Sort(middles)
	slices.Sort(halves)
	at := func(v []float64, q float64) float64 {
		if len(v) == 0 {
			return 0
		}
		return v[int(q*float64(len(v)-1))]
	}
	spread := max(1.2*(at(middles, 0.95)-at(middles, 0.05)), 400*margin)
	half := at(halves, 0.75)
	lo := max(at(middles, 0), at(middles, 0.05)-spread) - half
	hi := min(at(middles, 1), at(middles, 0.95)+spread) + half
	pad := max(0.04*(hi-lo), 0.1)
	return Axis{min(lo-pad, -150*margin), max(hi+pad, 150*margin)}
}

// Place is where an overhead lies, 0 at the axis's low end and 1 at its high
// one. What lies beyond is at the end.
func (a Axis) Place(v float64) float64 {
	return min(1, max(0, (v-a.Lo)/(a.Hi-a.Lo)))
}

// Ticks are at round figures.
func (a Axis) Ticks() []Tick {
	var all []Tick
	for _, t := range (percentTicks{}).Ticks(a.Lo, a.Hi) {
		if t.Label != "" {
			all = append(all, Tick{t.Value, t.Label})
		}
	}
	return all
}

// topAxis writes the labels of the axis above the lines, too: a chart of many
// lines is longer than a window.
func topAxis(c draw.Canvas, p *plot.Plot, x func(float64) vg.Length) {
	style := center(textStyle(8, ink, false))
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if t.Label != "" {
			c.FillText(style, vg.Point{X: x(t.Value), Y: c.Max.Y + 3}, t.Label)
		}
	}
}

// hollow is a glyph of the same shape without its filling.
func hollow(g draw.GlyphStyle) draw.GlyphStyle {
	switch g.Shape.(type) {
	case draw.CircleGlyph:
		g.Shape = draw.RingGlyph{}
	case draw.BoxGlyph:
		g.Shape = draw.SquareGlyph{}
	case draw.PyramidGlyph:
		g.Shape = draw.TriangleGlyph{}
	}
	return g
}
