package site

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"xsmbench/reports/answer"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/table"
	"xsmbench/reports/trend"
)

// chartView is a figure over the runs. Its lines are a picture that is stretched to
// the window; its letters are text of the page, and keep their size. Places are in
// per cent.
type chartView struct {
	ID, Title, Unit, Note string
	Text                  string // for those who do not see it
	Top, Bottom           string // values at the ends of the axis
	Last                  string // the last level
	LastAt                float64
	Bands                 []bandView
	Line, Dots            template.HTMLAttr
	Levels, Images        template.HTMLAttr
	Dense                 bool
	Marks                 []markView
	Ticks                 []tickView
	Steps                 []stepView // the newest first
	Older                 []stepView // those that are folded
}

type bandView struct{ X, Y, Width, Height float64 }

// markView is a change in the picture.
type markView struct {
	At     float64
	Number int    // "" has no room
	Label  string // the commit; "" has no room
	Before bool   // the label stands on the left
}

type tickView struct {
	At   float64
	Text string
	End  string
}

// stepView is a change below the picture.
type stepView struct {
	Number int
	changeView
	Chance string
}

// The picture's own measures; it is stretched.
const (
	chartWidth  = 1000.
	chartHeight = 100.
	chartPad    = 8.
)

// dense is how many points stand so close that they are drawn smaller.
const dense = 150

// mostSteps is how many changes are listed below a picture before the list is
// folded.
const mostSteps = 8

func chartID(s *trend.Series) string {
	return "c-" + hash(s.Host, s.Environment.String(), s.Build, s.Unit)
}

// answerName is a benchmark's name in a sentence.
func answerName(benchmark string) string { return answer.Short(benchmark) }

// drawing is a chart while it is made.
type drawing struct {
	*trend.Series
	t      *trend.Trends
	l      *line
	levels []trend.Level
	lo, hi float64
}

func (l *line) chart(t *trend.Trends, s *trend.Series) chartView {
	d := &drawing{Series: s, t: t, l: l, levels: s.Levels()}
	d.scale()
	v := chartView{
		ID: chartID(s), Title: s.Build + " in " + l.domainOf(s), Unit: s.Unit, Note: d.note(), Dense: len(s.Points) > dense,
		Top: table.LevelValue(s, d.hi), Bottom: table.LevelValue(s, d.lo), Ticks: d.ticks(),
		Line: d.path(), Dots: d.dots(), Levels: d.levelPath(), Images: d.imagePath(),
	}
	last := d.levels[len(d.levels)-1]
	v.Last, v.LastAt = table.LevelValue(s, last.Value), round(d.y(last.Value))
	for _, level := range d.levels {
		if half := d.half(level); half > 0 {
			x, top := d.edge(level.From), d.y(level.Value+half)
			v.Bands = append(v.Bands, bandView{round(x), round(top), round(d.edge(level.To) - x), round(d.y(level.Value-half) - top)})
		}
	}
	v.Marks = d.marks()
	for i := len(s.Changes) - 1; i >= 0; i-- {
		step := d.step(i)
		if len(v.Steps) < mostSteps {
			v.Steps = append(v.Steps, step)
		} else {
			v.Older = append(v.Older, step)
		}
	}
	v.Text = fmt.Sprintf("%s, %s: %s, %s; the last level is %s", v.Title, s.Unit, number.Count(len(s.Points), "run"), number.Count(len(s.Changes), "change"), v.Last)
	return v
}

// note says what the points are of.
func (d *drawing) note() string {
	words := []string{number.Count(len(d.Points), "run")}
	if d.Host != trend.AnyHost {
		words = append(words, "machine "+d.Host)
	}
	switch limit := table.LimitText(d.Series); {
	case d.Exact:
		words = append(words, "exact: every difference is a change")
	case math.IsNaN(d.Limit):
		words = append(words, "noise unknown")
	default:
		words = append(words, "changes below "+strings.TrimRight(limit, "*†")+" are not shown")
	}
	return strings.Join(words, ", ")
}

// scale covers the points and the bands of the levels.
func (d *drawing) scale() {
	d.lo, d.hi = math.Inf(1), math.Inf(-1)
	for _, p := range d.Points {
		d.lo, d.hi = min(d.lo, p.Value), max(d.hi, p.Value)
	}
	for _, l := range d.levels {
		half := d.half(l)
		d.lo, d.hi = min(d.lo, l.Value-half), max(d.hi, l.Value+half)
	}
	if d.hi-d.lo <= 1e-12*math.Abs(d.hi) {
		pad := max(math.Abs(d.hi)*0.01, 1e-9)
		if compare.IsTally(d.Unit) {
			pad = max(1, math.Round(pad))
		}
		d.lo, d.hi = d.lo-pad, d.hi+pad
	}
}

// half is the half-width of a level's band: two runs of one image differ by the
// limit, one from the level by the square root of two less.
func (d *drawing) half(l trend.Level) float64 {
	if math.IsNaN(d.Limit) || d.Exact {
		return 0
	}
	return math.Abs(l.Value) * min(d.Limit, 1) / math.Sqrt2
}

func (d *drawing) y(v float64) float64 {
	return chartHeight - chartPad - (chartHeight-2*chartPad)*(v-d.lo)/(d.hi-d.lo)
}

// x is the middle of a run's place.
func (d *drawing) x(run int) float64 {
	return chartWidth * (float64(run) + 0.5) / float64(len(d.t.Runs))
}

// edge is where the place of a point begins: half-way from the point before it.
func (d *drawing) edge(point int) float64 {
	switch {
	case point == 0:
		return max(0, d.x(d.Points[0].Run)-chartWidth/float64(2*len(d.t.Runs)))
	case point == len(d.Points):
		return min(chartWidth, d.x(d.Points[point-1].Run)+chartWidth/float64(2*len(d.t.Runs)))
	}
	return (d.x(d.Points[point-1].Run) + d.x(d.Points[point].Run)) / 2
}

// attr is a path's data. It has figures and letters of paths only.
func attr(b *strings.Builder) template.HTMLAttr { return template.HTMLAttr(`d="` + b.String() + `"`) }

func move(b *strings.Builder, letter byte, x, y float64) {
	b.WriteByte(letter)
	b.WriteString(strconv.FormatFloat(round(x), 'f', -1, 64))
	b.WriteByte(' ')
	b.WriteString(strconv.FormatFloat(round(y), 'f', -1, 64))
}

func (d *drawing) path() template.HTMLAttr {
	var b strings.Builder
	for i, p := range d.Points {
		letter := byte('L')
		if i == 0 {
			letter = 'M'
		}
		move(&b, letter, d.x(p.Run), d.y(p.Value))
	}
	return attr(&b)
}

// dots are lines without length, whose ends are round.
func (d *drawing) dots() template.HTMLAttr {
	var b strings.Builder
	for _, p := range d.Points {
		move(&b, 'M', d.x(p.Run), d.y(p.Value))
		b.WriteString("h0")
	}
	return attr(&b)
}

func (d *drawing) levelPath() template.HTMLAttr {
	var b strings.Builder
	for _, l := range d.levels {
		y := d.y(l.Value)
		move(&b, 'M', d.edge(l.From), y)
		move(&b, 'L', d.edge(l.To), y)
	}
	return attr(&b)
}

// imagePath has a tick where a run measured another image than the run before.
func (d *drawing) imagePath() template.HTMLAttr {
	var b strings.Builder
	for i, p := range d.Points {
		if i > 0 && p.Images != d.Points[i-1].Images {
			move(&b, 'M', d.x(p.Run), chartHeight)
			b.WriteString("v-4")
		}
	}
	return attr(&b)
}

// Rooms of marks, as shares of the picture's width in per cent.
const (
	roomOfNumber = 2.5
	roomOfLabel  = 14
)

// marks are where the level changed, with the commit where there is room.
func (d *drawing) marks() []markView {
	var all []markView
	free, last := 0., -roomOfNumber
	for i, c := range d.Changes {
		after := d.Points[c.After]
		m := markView{At: round(100 * d.edge(c.After) / chartWidth)}
		if m.At-last >= roomOfNumber {
			m.Number, last = i+1, m.At
		}
		next := 100.
		if i+1 < len(d.Changes) {
			next = 100 * d.edge(d.Changes[i+1].After) / chartWidth
		}
		if m.Number > 0 && m.At >= free {
			label := d.l.runOf(d.t, after).revisionOf(d.Series)
			switch {
			case next-m.At >= roomOfLabel && m.At+roomOfLabel <= 100:
				m.Label, free = label, m.At+roomOfLabel
			case m.At-free >= roomOfLabel:
				m.Label, m.Before = label, true
			}
		}
		all = append(all, m)
	}
	return all
}

func (d *drawing) step(i int) stepView {
	c := d.Changes[i]
	s := stepView{Number: i + 1, changeView: d.l.changeOf(d.t, trend.Moved{Series: d.Series, Change: c}), Chance: "exact"}
	if !c.Exact {
		s.Chance = "p " + table.P(c.P)
	}
	return s
}

// ticks are the days of a few runs, or their labels if the line has none of its
// own.
func (d *drawing) ticks() []tickView {
	n := len(d.t.Runs)
	most := min(n, 5)
	var all []tickView
	for i := range most {
		at := 0
		if most > 1 {
			at = i * (n - 1) / (most - 1)
		}
		tick := tickView{At: round(100 * d.x(at) / chartWidth), Text: d.t.Runs[at].Run.Started.UTC().Format("2006-01-02")}
		switch {
		case tick.At > 90:
			tick.End = "end"
		case tick.At < 10:
			tick.End = "begin"
		}
		all = append(all, tick)
	}
	return slices.CompactFunc(all, func(a, b tickView) bool { return a.Text == b.Text })
}

// round keeps a place after the point: what is not seen need not be written.
func round(f float64) float64 { return math.Round(10*f) / 10 }
