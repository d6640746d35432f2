package plot

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/table"
	"xsmbench/reports/trend"
)

const (
	trendWidth  = 760
	stripHeight = 56
	mostStrips  = 16 // of one chart
)

// Trends draws a history: a chart for each host, environment and unit, with a
// strip for each series.
func Trends(t *trend.Trends) []*Chart {
	type key struct {
		host string
		compare.Environment
		unit string
	}
	groups := map[key][]*trend.Series{}
	var order []key
	for _, s := range t.Series {
		k := key{s.Host, s.Environment, s.Scale()}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], s)
	}
	var charts []*Chart
	for _, k := range order {
		ch := trendChart(t, groups[k])
		ch.Name = fileName("trend", k.Domain, k.unit)
		ambiguous := func(o key) bool { return o != k && o.Domain == k.Domain && o.unit == k.unit }
		if slices.ContainsFunc(order, ambiguous) {
			ch.Name = fileName("trend", k.host, k.Environment.String(), k.unit)
		}
		charts = append(charts, ch)
	}
	return charts
}

// fileName joins words to what a file can be called.
func fileName(words ...string) string {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	return strings.NewReplacer("/", "-", " ", "-").Replace(strings.Join(words, "-"))
}

// strips is the plot of a trend chart.
type strips struct {
	t      *trend.Trends
	series []*trend.Series
	builds []string
	// runs are the indices of the runs that any series has, in order: the
	// places of the x axis.
	runs []int
}

func trendChart(t *trend.Trends, all []*trend.Series) *Chart {
	s := &strips{t: t, series: mostTelling(all)}
	s.collect()
	pl := newPlot(s.labels(), "runs, in the order in which they started")
	pl.X.Tick.Marker = plot.ConstantTicks(s.ticks())
	room := 0.09 * float64(len(s.runs)) // for the figures beside the last run
	pl.X.Min, pl.X.Max = -0.6, float64(len(s.runs))-0.4+max(room, 0.4)
	pl.Add(s)
	first := all[0]
	ch := &Chart{
		p: pl, Width: trendWidth,
		Title: fmt.Sprintf("%s in %s, %s", first.Scale(), number.Count(len(s.runs), "run"), first.Environment),
		notes: []string{
			fmt.Sprintf("Host %s. A point: the mean of a run's boots. Line: the level. Dashed: a change of level, with its size. Each strip has its own scale.", first.Host),
			"Band: what runs of one image differ in (limit). Tick at a strip's foot: another image than the run before.",
		},
	}
	if left := len(all) - len(s.series); left > 0 {
		ch.notes = append(ch.notes, fmt.Sprintf("%d more series are not drawn; those with changes come first.", left))
	}
	for i, b := range s.builds {
		ch.keys = append(ch.keys, key{b, look(i)})
	}
	ch.Height = ch.head() + stripHeight*vg.Length(len(s.series)) + 50
	changes := 0
	for _, x := range s.series {
		changes += len(x.Changes)
	}
	ch.Text = fmt.Sprintf("%s: %d series with %d changes of level; the tables give them.", ch.Title, len(s.series), changes)
	return ch
}

// mostTelling keeps what a chart has room for: first series with changes, then
// others, in their order.
func mostTelling(all []*trend.Series) []*trend.Series {
	if len(all) <= mostStrips {
		return all
	}
	kept := map[*trend.Series]bool{}
	for _, changed := range []bool{true, false} {
		for _, s := range all {
			if (len(s.Changes) > 0) == changed && len(kept) < mostStrips {
				kept[s] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(s *trend.Series) bool { return !kept[s] })
}

func (s *strips) collect() {
	for _, x := range s.series {
		if !slices.Contains(s.builds, x.Build) {
			s.builds = append(s.builds, x.Build)
		}
		for _, p := range x.Points {
			if !slices.Contains(s.runs, p.Run) {
				s.runs = append(s.runs, p.Run)
			}
		}
	}
	slices.SortFunc(s.builds, s.t.BuildOrder().Compare)
	slices.Sort(s.runs)
}

func (s *strips) labels() []string {
	var all []string
	for _, x := range s.series {
		all = append(all, x.Benchmark+", "+x.Build)
	}
	return all
}

// ticks name as many runs as there is room for, by label or by day.
func (s *strips) ticks() []plot.Tick {
	names := make([]string, len(s.runs))
	longest := 1
	for i, run := range s.runs {
		r := s.t.Runs[run]
		names[i] = r.Label
		if names[i] == "" {
			names[i] = r.Run.Started.UTC().Format("01-02")
		}
		if runes := []rune(names[i]); len(runes) > 12 {
			names[i] = string(runes[:11]) + "…"
		}
		longest = max(longest, len([]rune(names[i])))
	}
	room := 90 / (longest + 2) // characters of the axis, with two between
	step := max(1, (len(names)+room-1)/max(1, room))
	var ticks []plot.Tick
	for i, name := range names {
		if i%step != 0 {
			name = ""
		}
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: name})
	}
	return ticks
}

// Plot implements plot.Plotter.
func (s *strips) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i, series := range s.series {
		v := strip{strips: s, series: series, c: c, x: x, look: look(slices.Index(s.builds, series.Build))}
		v.bottom, v.top = y(-float64(i)-0.5), y(-float64(i)+0.5)
		v.draw()
	}
}

// strip draws one series.
type strip struct {
	*strips
	series      *trend.Series
	c           draw.Canvas
	x           func(float64) vg.Length
	look        draw.GlyphStyle
	bottom, top vg.Length
	lo, hi      float64
}

func (v *strip) draw() {
	levels := v.series.Levels()
	v.scale(levels)
	for _, l := range levels {
		v.band(l)
	}
	for _, l := range levels {
		from, to := v.at(l.From)-0.4, v.at(l.To-1)+0.4
		v.c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.9}, v.x(from), v.y(l.Value), v.x(to), v.y(l.Value))
	}
	g := v.look
	g.Radius = min(g.Radius, 2.4)
	for i, p := range v.series.Points {
		v.c.DrawGlyph(g, vg.Point{X: v.x(v.at(i)), Y: v.y(p.Value)})
		if i > 0 && p.Images != v.series.Points[i-1].Images {
			v.c.StrokeLine2(draw.LineStyle{Color: grey, Width: 0.8}, v.x(v.at(i)), v.bottom+0.5, v.x(v.at(i)), v.bottom+4)
		}
	}
	v.changes()
	last := levels[len(levels)-1]
	v.c.FillText(textStyle(7, ink, false), vg.Point{X: v.x(v.at(last.To-1)+0.4) + 4, Y: v.y(last.Value) - 2.4}, table.LevelValue(v.series, last.Value))
}

// at is a point's place on the x axis.
func (v *strip) at(point int) float64 {
	return float64(slices.Index(v.runs, v.series.Points[point].Run))
}

// scale covers the points, and no less than the limit around the levels.
func (v *strip) scale(levels []trend.Level) {
	v.lo, v.hi = math.Inf(1), math.Inf(-1)
	for _, p := range v.series.Points {
		v.lo, v.hi = min(v.lo, p.Value), max(v.hi, p.Value)
	}
	for _, l := range levels {
		half := v.half(l)
		v.lo, v.hi = min(v.lo, l.Value-half), max(v.hi, l.Value+half)
	}
	if v.hi-v.lo <= 1e-12*math.Abs(v.hi) {
		pad := max(math.Abs(v.hi)*0.01, 1e-9)
		v.lo, v.hi = v.lo-pad, v.hi+pad
	}
}

// half is the half-width of a level's band: two runs differ by the limit, one
// from the level by the square root of two less.
func (v *strip) half(l trend.Level) float64 {
	if math.IsNaN(v.series.Limit) {
		return 0
	}
	return math.Abs(l.Value) * min(v.series.Limit, 1) / math.Sqrt2
}

func (v *strip) y(value float64) vg.Length {
	const foot, head = 8, 8
	share := (value - v.lo) / (v.hi - v.lo)
	return v.bottom + foot + vg.Length(share)*(v.top-v.bottom-foot-head)
}

func (v *strip) band(l trend.Level) {
	half := v.half(l)
	if half == 0 {
		return
	}
	fill(v.c, band, v.x(v.at(l.From)-0.4), v.x(v.at(l.To-1)+0.4), v.y(l.Value-half), v.y(l.Value+half))
}

// changes draws each change with its size, on the side of the line where its
// levels leave room.
func (v *strip) changes() {
	style := textStyle(7, ink, true)
	free := map[bool]vg.Length{} // where the last figure above, or below, ends
	for _, ch := range v.series.Changes {
		at := v.x((v.at(ch.Before) + v.at(ch.After)) / 2)
		v.c.StrokeLine2(draw.LineStyle{Color: color.Black, Width: 0.8, Dashes: []vg.Length{3, 2}}, at, v.bottom+1, at, v.top-1)
		figure := v.size(ch)
		rises := ch.To > ch.From
		width := style.Width(figure)
		left, base := at-3-width, v.top-8 // a rise leaves room above its old level
		if !rises {
			base = v.bottom + 3
		}
		if left < v.c.Min.X || left < free[rises] {
			// No room on the left: on the other side, below the new level.
			left, base = at+3, v.bottom+3
			if !rises {
				base = v.top - 8
			}
		}
		v.c.FillText(style, vg.Point{X: left, Y: base}, figure)
		free[rises] = max(free[rises], left+width)
	}
}

func (v *strip) size(c trend.Change) string {
	if v.series.Over == "" && compare.IsTally(v.series.Unit) {
		return table.Count(c.To - c.From)
	}
	return table.ChangeText(c)
}
