package answer

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"xsmbench/reports/compare"
)

// Colours of a terminal, by what they say.
const (
	red    = "\x1b[31;1m"
	green  = "\x1b[32;1m"
	yellow = "\x1b[33;1m"
	plain  = "\x1b[0m"
)

// barWidth is that of the longest bar, in characters.
const barWidth = 20

// Text writes the answer for a terminal: a line for what was measured, then for
// each build its bar, its sentence, and the operations that follow the first.
func Text(w io.Writer, a *Answer, coloured bool) error {
	if len(a.Builds) == 0 {
		return nil
	}
	b := bufio.NewWriter(w)
	if title := a.Title(); title != "" {
		fmt.Fprintln(b, title)
	}
	for _, build := range a.Builds {
		colour, end := "", ""
		if coloured {
			colour, end = colourOf(build), plain
		}
		bar := ""
		if n := a.barOf(build, barWidth); n > 0 {
			bar = strings.Repeat("█", n) + " "
		}
		sentence := printable(build.Sentence())
		name := printable(build.Name)
		fmt.Fprintf(b, "%s%s%s%s%s\n", colour, bar, name, end, strings.TrimPrefix(sentence, name))
		for i, c := range build.Most {
			if i > 0 {
				fmt.Fprintf(b, "  then %s\n", printable(c.line()))
			}
		}
		if text := build.Provoked(); text != "" {
			fmt.Fprintf(b, "  %s\n", printable(text))
		}
		if build.Changed != nil {
			for _, line := range build.Changed.Lines() {
				fmt.Fprintf(b, "  %s\n", printable(line))
			}
		}
	}
	return b.Flush()
}

func colourOf(b Build) string {
	switch {
	case b.Verdicts[compare.Slower] > 0:
		return red
	case b.Verdicts[compare.Inconclusive] > 0:
		return yellow
	}
	return green
}

// barOf is the length of a build's bar: of so many units, those that its mean
// has of the largest.
func (a *Answer) barOf(b Build, units int) int {
	return int(a.Share(b)*float64(units) + 0.5)
}

// Share is a build's mean as a share of the largest of its kind, 0 if it is no
// cost.
func (a *Answer) Share(b Build) float64 {
	largest := 0.
	for _, o := range a.Builds {
		if m, ok := o.Mean(); ok && o.Kind == b.Kind {
			largest = max(largest, m)
		}
	}
	m, ok := b.Mean()
	if !ok || m <= 0 {
		return 0
	}
	return m / largest
}

// line is a cost after the first.
func (c Cost) line() string {
	text := fmt.Sprintf("%s%s %s", c.Name(), c.at(), c.Figure())
	if cause := c.Cause.String(); cause != "" {
		text += " (" + cause + ")"
	}
	return text
}

// printable keeps names from moving a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
