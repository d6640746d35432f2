// Package grid aligns columns of text by what a reader sees of them.
package grid

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Rule is a cell that draws a line between columns.
const Rule = "│"

// Grid is lines of cells.
type Grid struct {
	Right []bool // columns that are set flush right
	Tight bool   // a single space beside rules
	lines []line
}

// line is cells, or a note that spans the columns.
type line struct {
	cells []string
	note  string
}

// New makes a grid of so many columns.
func New(columns int) *Grid { return &Grid{Right: make([]bool, columns)} }

// Add adds a line of cells.
func (g *Grid) Add(cells ...string) { g.lines = append(g.lines, line{cells: cells}) }

// Note adds a line that spans the columns.
func (g *Grid) Note(text string) { g.lines = append(g.lines, line{note: text}) }

// Write writes the lines, without blanks at their ends.
func (g *Grid) Write(w io.Writer) {
	widths := make([]int, len(g.Right))
	for _, l := range g.lines {
		for i, c := range l.cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for _, l := range g.lines {
		var b strings.Builder
		b.WriteString(l.note)
		for i, c := range l.cells {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
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
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

func (l line) rule(i int) bool { return i < len(l.cells) && l.cells[i] == Rule }
