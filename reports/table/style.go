package table

import (
	"io"
	"strings"
	"unicode"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
)

// Style is what a terminal offers. The zero value is that of a pipe: lines of any
// length, and no colour.
type Style struct {
	Width  int // columns; 0 for any number
	Colour bool
}

// sgr is what colours a verdict.
func (s Style) sgr(v compare.Verdict) string {
	if !s.Colour {
		return ""
	}
	return map[compare.Verdict]string{compare.Slower: "31", compare.Faster: "32", compare.Inconclusive: "33"}[v]
}

// fits reports whether a table has room.
func (s Style) fits(g *grid.Grid) bool { return s.Width <= 0 || g.Width() <= s.Width }

// prose writes a paragraph, wrapped at the width, with the lines after the first
// indented.
func (s Style) prose(w io.StringWriter, text string, indent int) {
	if s.Width <= 0 {
		w.WriteString(text + "\n")
		return
	}
	for _, line := range grid.Wrap(text, s.Width, indent) {
		w.WriteString(line + "\n")
	}
}

// harmless passes text on without what would steer a terminal, but for the
// colours of this package.
type harmless struct{ w io.Writer }

func (h harmless) Write(text []byte) (int, error) {
	clean := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\x1b' || !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r) {
			return r
		}
		return '�'
	}, string(text))
	var b strings.Builder
	for i, part := range strings.Split(clean, "\x1b") {
		if i > 0 && isColour(part) {
			b.WriteByte('\x1b')
		} else if i > 0 {
			b.WriteRune('�')
		}
		b.WriteString(part)
	}
	if _, err := io.WriteString(h.w, b.String()); err != nil {
		return 0, err
	}
	return len(text), nil
}

// HarmlessWriter passes text on without what would steer a terminal: names come
// from whoever made a run.
func HarmlessWriter(w io.Writer) io.Writer { return harmless{w} }

// Harmless is a text without what would steer a terminal.
func Harmless(text string) string {
	var b strings.Builder
	harmless{&b}.Write([]byte(text))
	return b.String()
}

// isColour reports whether a text goes on from an escape as a colour does.
func isColour(text string) bool {
	end := strings.IndexByte(text, 'm')
	return end > 0 && text[0] == '[' && strings.Trim(text[1:end], "0123456789;") == ""
}
