// Package plot draws comparisons: the overhead of every benchmark with its
// interval and margin, the samples of every build, and a heat map. One chart
// shows one domain. Colours are those of Okabe and Ito, which people of all
// colour vision tell apart; shapes and figures say the same again for prints
// in black and white. The same comparison gives the same bytes.
package plot

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"xsmbench/reports/internal/number"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	gonumfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Chart is one picture.
type Chart struct {
	Name  string // for files: overhead-dom0
	Title string
	// Text says what the picture shows, for those who do not see it.
	Text          string
	Width, Height vg.Length

	notes  []string // below the title
	keys   []key
	p      *plot.Plot
	bottom vg.Length // room below the axes
	top    vg.Length // and above them
}

// key is an entry of the legend.
type key struct {
	name  string
	glyph draw.GlyphStyle
}

var (
	ink   = color.NRGBA{0x22, 0x22, 0x22, 0xff}
	grey  = color.NRGBA{0x70, 0x70, 0x70, 0xff}
	faint = color.NRGBA{0xe4, 0xe4, 0xe4, 0xff}
	band  = color.NRGBA{0xd9, 0xe8, 0xd2, 0xff}
	// bandEnd is dark enough for a print in black and white.
	bandEnd = color.NRGBA{0x7f, 0x9f, 0x73, 0xff}
	pale    = color.NRGBA{0x9a, 0x9a, 0x9a, 0xff}
	stripe  = color.NRGBA{0xf6, 0xf6, 0xf6, 0xff}
)

// looks gives each build a colour and a shape.
var looks = []draw.GlyphStyle{
	{Color: color.NRGBA{0x00, 0x72, 0xb2, 0xff}, Radius: 3, Shape: draw.CircleGlyph{}},
	{Color: color.NRGBA{0xd5, 0x5e, 0x00, 0xff}, Radius: 3, Shape: draw.BoxGlyph{}},
	{Color: color.NRGBA{0x00, 0x9e, 0x73, 0xff}, Radius: 3.4, Shape: draw.PyramidGlyph{}},
	{Color: color.NRGBA{0xcc, 0x79, 0xa7, 0xff}, Radius: 3.4, Shape: draw.CrossGlyph{}},
	{Color: ink, Radius: 3, Shape: draw.RingGlyph{}},
}

func look(i int) draw.GlyphStyle { return looks[i%len(looks)] }

func textStyle(size vg.Length, c color.Color, bold bool) text.Style {
	f := gonumfont.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = font.WeightBold
	}
	return text.Style{Color: c, Font: f, Handler: plot.DefaultTextHandler}
}

// newPlot is a plot with a line for each label, the first on top.
func newPlot(labels []string, axis string) *plot.Plot {
	p := plot.New()
	p.X.Label.Text = axis
	p.X.Label.TextStyle = center(textStyle(9, ink, false))
	p.X.Tick.Label = center(textStyle(8, ink, false))
	p.X.Tick.Label.YAlign = text.YTop
	p.X.LineStyle.Color, p.X.Tick.LineStyle.Color = grey, grey
	p.X.Tick.Marker = percentTicks{}
	var ticks []plot.Tick
	for i, l := range labels {
		ticks = append(ticks, plot.Tick{Value: -float64(i), Label: l})
	}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Label = textStyle(8, ink, false)
	p.Y.Tick.Label.XAlign, p.Y.Tick.Label.YAlign = text.XRight, text.YCenter
	p.Y.Tick.Length = 0
	p.Y.LineStyle.Color = grey
	p.Y.Min, p.Y.Max = -float64(len(labels))+0.5, 0.5
	p.Y.Padding, p.X.Padding = 0, 0
	p.BackgroundColor = color.White
	p.Add(stripes(len(labels)))
	return p
}

func center(s text.Style) text.Style {
	s.XAlign, s.YAlign = text.XCenter, text.YBottom
	return s
}

// percentTicks are signed percentages at steps of 1, 2 or 5 times a power of
// ten.
type percentTicks struct{}

// Ticks implements plot.Ticker.
func (percentTicks) Ticks(min, max float64) []plot.Tick {
	const most = 10
	var ticks []plot.Tick
	step := tickStep((max - min) / most)
	decimals := int(math.Max(0, -math.Floor(math.Log10(step)+1e-9)))
	for i := math.Ceil(min / step); i*step <= max; i++ {
		label := number.SignedPercent(i*step/100, decimals)
		if i == 0 {
			label = "0"
		}
		ticks = append(ticks, plot.Tick{Value: i * step, Label: label})
	}
	return ticks
}

// tickStep is the next round number from least.
func tickStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= least {
			return m * power
		}
	}
	return 10 * power
}

// stripes shade every other line, to lead the eye from label to mark.
type stripes int

func (n stripes) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	for i := 1; i < int(n); i += 2 {
		fill(c, stripe, c.Min.X, c.Max.X, y(-float64(i)-0.5), y(-float64(i)+0.5))
	}
}

func fill(c draw.Canvas, col color.Color, x0, x1, y0, y1 vg.Length) {
	c.FillPolygon(col, []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
}

const (
	margin     = vg.Length(10)
	titleSize  = vg.Length(12)
	noteSize   = vg.Length(8.5)
	lineHeight = vg.Length(13)
)

// head is the height of title, notes and legend.
func (ch *Chart) head() vg.Length {
	lines := len(ch.notes)
	if len(ch.keys) > 0 {
		lines++
	}
	return margin + titleSize + 6 + lineHeight*vg.Length(lines) + 6
}

func (ch *Chart) draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	x, y := c.Min.X+margin, c.Max.Y-margin-titleSize
	c.FillText(textStyle(titleSize, ink, true), vg.Point{X: x, Y: y}, ch.Title)
	y -= 5
	for _, n := range ch.notes {
		y -= lineHeight
		c.FillText(textStyle(noteSize, grey, false), vg.Point{X: x, Y: y}, n)
	}
	if len(ch.keys) > 0 {
		y -= lineHeight
		ch.legend(c, x, y)
	}
	ch.p.Draw(draw.Crop(c, margin, -margin-4, margin+ch.bottom, -ch.head()-ch.top))
}

func (ch *Chart) legend(c draw.Canvas, x, y vg.Length) {
	style := textStyle(noteSize, ink, false)
	for _, k := range ch.keys {
		c.DrawGlyphNoClip(k.glyph, vg.Point{X: x + 4, Y: y + 3})
		c.FillText(style, vg.Point{X: x + 12, Y: y}, k.name)
		x += 12 + style.Width(k.name) + 16
	}
}

// PNG writes the picture as PNG.
func (ch *Chart) PNG(w io.Writer) error {
	canvas := vgimg.NewWith(vgimg.UseWH(ch.Width, ch.Height), vgimg.UseDPI(144))
	ch.draw(draw.New(canvas))
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(w); err != nil {
		return fmt.Errorf("write chart %s: %w", ch.Name, err)
	}
	return nil
}
