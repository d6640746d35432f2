package plot

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// svgCanvas remembers how wide each text is to be.
type svgCanvas struct {
	*vgsvg.Canvas
	widths []vg.Length
}

// FillString draws a text.
func (c *svgCanvas) FillString(f font.Face, at vg.Point, text string) {
	c.Canvas.FillString(f, at, text)
	c.widths = append(c.widths, f.Width(text))
}

// SVG writes the picture as SVG. Its text stays text, in Liberation Sans or
// what the reader has of the same measures; a font of others is squeezed or
// stretched to them, so that no label runs into the picture.
func (ch *Chart) SVG(w io.Writer) error {
	canvas := &svgCanvas{Canvas: vgsvg.New(ch.Width, ch.Height)}
	ch.draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return fmt.Errorf("write chart %s: %w", ch.Name, err)
	}
	if _, err := io.WriteString(w, canvas.fit(b.String())); err != nil {
		return fmt.Errorf("write chart %s: %w", ch.Name, err)
	}
	return nil
}

// fit names fonts to choose from, and gives each text its width.
func (c *svgCanvas) fit(svg string) string {
	svg = strings.ReplaceAll(svg, "font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")
	parts := strings.Split(svg, "<text ")
	var b strings.Builder
	b.WriteString(parts[0])
	for i, part := range parts[1:] {
		fmt.Fprintf(&b, `<text textLength="%.5g" lengthAdjust="spacingAndGlyphs" %s`, c.widths[i].Points(), part)
	}
	return b.String()
}
