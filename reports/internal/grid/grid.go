// Package grid aligns columns of text by what a reader sees of them.
package grid

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// Rule is a cell that draws a line between columns.
const Rule = "│"

// Grid is lines of cells.
type Grid struct {
	Right []bool // columns that are set flush right
	Tight bool   // a single space beside rules
	Most  int    // columns that a note may take; 0 for any number
	lines []line
}

// line is cells, or a note that spans the columns.
type line struct {
	cells []string
	note  string
	// paint is what to write before a cell, by its column; after it colours
	// end.
	paint map[int]string
}

// New makes a grid of so many columns.
func New(columns int) *Grid { return &Grid{Right: make([]bool, columns)} }

// Add adds a line of cells.
func (g *Grid) Add(cells ...string) { g.lines = append(g.lines, line{cells: cells}) }

// Paint colours a cell of the last line, with a sequence of SGR; "" is none.
func (g *Grid) Paint(column int, sgr string) {
	if sgr == "" || len(g.lines) == 0 {
		return
	}
	l := &g.lines[len(g.lines)-1]
	if l.paint == nil {
		l.paint = map[int]string{}
	}
	l.paint[column] = sgr
}

// Note adds a line that spans the columns.
func (g *Grid) Note(text string) { g.lines = append(g.lines, line{note: text}) }

// Width is how many columns of a terminal a text takes.
func Width(text string) int { return widths.StringWidth(text) }

// widths takes signs that may be wide in East Asia, as ±, for narrow: so does
// every terminal that is not set up otherwise.
var widths = func() *runewidth.Condition {
	c := runewidth.NewCondition()
	c.EastAsianWidth = false
	return c
}()

// Write writes the lines, without blanks at their ends.
func (g *Grid) Write(w io.Writer) {
	columns := g.columns()
	for _, l := range g.lines {
		if l.cells == nil && g.Most > 0 {
			indent := len(l.note) - len(strings.TrimLeft(l.note, " "))
			for _, line := range Wrap(l.note, g.Most, indent+2) {
				fmt.Fprintln(w, line)
			}
			continue
		}
		fmt.Fprintln(w, g.text(l, columns, true))
	}
}

// Wrap breaks a text into lines of so many columns, the ones after the first
// indented. A word that is longer stays whole.
func Wrap(text string, width, indent int) []string {
	if Width(text) <= width {
		return []string{text}
	}
	var lines []string
	line := ""
	for i, word := range strings.Split(text, " ") {
		switch {
		case i == 0:
			line = word
		case Width(line)+1+Width(word) > width && strings.TrimSpace(line) != "":
			lines = append(lines, line)
			line = strings.Repeat(" ", indent) + word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// Column is the width of a column.
func (g *Grid) Column(i int) int { return g.columns()[i] }

// Width is that of the longest line of cells.
func (g *Grid) Width() int {
	columns, most := g.columns(), 0
	for _, l := range g.lines {
		if l.cells != nil {
			most = max(most, Width(g.text(l, columns, false)))
		}
	}
	return most
}

// columns are the widths of the columns.
func (g *Grid) columns() []int {
	columns := make([]int, len(g.Right))
	for _, l := range g.lines {
		for i, c := range l.cells {
			columns[i] = max(columns[i], Width(c))
		}
	}
	return columns
}

func (g *Grid) text(l line, columns []int, painted bool) string {
	var b strings.Builder
	b.WriteString(l.note)
	for i, c := range l.cells {
		pad := strings.Repeat(" ", columns[i]-Width(c))
		if sgr := l.paint[i]; painted && sgr != "" {
			c = "\x1b[" + sgr + "m" + c + "\x1b[0m"
		}
		if g.Right[i] {
			c = pad + c
		} else {
			c += pad
		}
		b.WriteString(c + " ")
		if !g.Tight || !l.rule(i) && !l.rule(i+1) {
			b.WriteByte(' ')
		}
	}
	return strings.TrimRight(b.String(), " ")
}

func (l line) rule(i int) bool { return i < len(l.cells) && l.cells[i] == Rule }
