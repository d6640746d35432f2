// Package table writes comparisons as text for terminals, Markdown for
// posting, CSV for spreadsheets and JSON for programs. All say the same; none
// needs colour.
package table

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
)

// Text writes the comparison for a terminal.
func Text(w io.Writer, c *compare.Comparison, a about.About) error {
	b := bufio.NewWriter(w)
	writeAbout(b, a)
	notes := &Footnotes{}
	for _, s := range compare.Sections(c.Rows) {
		writeSection(b, c, s, "", notes)
	}
	for _, s := range compare.Sections(c.Controls) {
		writeSection(b, c, s, "control: ", notes)
	}
	writeFigures(b, c)
	for _, line := range notes.Lines() {
		fmt.Fprintln(b, line)
	}
	if len(notes.texts) > 0 {
		fmt.Fprintln(b)
	}
	for _, line := range Summary(c) {
		fmt.Fprintln(b, line)
	}
	fmt.Fprintln(b)
	for _, line := range Legend(c) {
		fmt.Fprintln(b, line)
	}
	for _, text := range warnings(c, a) {
		fmt.Fprintln(b, "warning:", text)
	}
	return b.Flush()
}

func writeAbout(w io.Writer, a about.About) {
	for _, f := range a.Facts {
		fmt.Fprintf(w, "%-12s %s\n", f.Label+":", f.Text)
	}
	for _, b := range a.Builds {
		fmt.Fprintf(w, "%-12s %s\n", b.Name+":", b.Describe())
	}
	for _, n := range a.Notes {
		fmt.Fprintf(w, "%-12s %s\n", "note:", n)
	}
	fmt.Fprintln(w)
}

// writeSection writes one table.
func writeSection(w io.Writer, c *compare.Comparison, s compare.Section, prefix string, notes *Footnotes) {
	if s.Counted() {
		writeCounts(w, c, s, prefix, notes)
		return
	}
	fmt.Fprintln(w, sampleTitle(s, prefix))
	sampleGrid(c, s, notes, VerdictText).Write(w)
	fmt.Fprintln(w)
}

// sampleTitle is the head line of a section of samples.
func sampleTitle(s compare.Section, prefix string) string {
	if n, same := commonN(s); same {
		return fmt.Sprintf("%s%s, n=%d", prefix, s.Title(), n)
	}
	return prefix + s.Title()
}

// sampleGrid is the table of a section of samples: a benchmark a line, a group
// of columns for each build.
func sampleGrid(c *compare.Comparison, s compare.Section, notes *Footnotes, verdict func(compare.Row) string) *grid.Grid {
	_, same := commonN(s)
	g := grid.New(2 + 4*len(s.Builds))
	head := []string{"benchmark", c.Base}
	for _, build := range s.Builds {
		head = append(head, grid.Rule, build, c.LevelText()+" interval", "verdict")
	}
	g.Add(head...)
	for _, l := range s.Lines {
		cells := []string{l.Benchmark, Value(l.BaseValue, s.Unit)}
		for _, r := range l.Rows {
			cells = append(cells, rowCells(r, same, notes, verdict)...)
		}
		g.Add(cells...)
	}
	for _, m := range MeansOf(c, s) {
		cells := []string{m.Label, ""}
		for _, one := range m.Means {
			cells = append(cells, grid.Rule, one.Overhead, one.Interval, ofRows(one))
		}
		g.Add(cells...)
	}
	for i := range g.Right {
		g.Right[i] = i == 1 || i > 1 && ((i-2)%4 == 1 || (i-2)%4 == 2)
	}
	return g
}

func rowCells(r *compare.Row, sameN bool, notes *Footnotes, verdict func(compare.Row) string) []string {
	if r == nil {
		return []string{grid.Rule, "–", "", "not measured"}
	}
	text := verdict(*r)
	if !sameN {
		text += fmt.Sprintf(" n=%d", r.N)
	}
	return []string{grid.Rule, Overhead(*r), Interval(*r), text + notes.Marks(r.Warnings)}
}

func commonN(s compare.Section) (n int, same bool) {
	for _, l := range s.Lines {
		for _, r := range l.Rows {
			switch {
			case r == nil:
			case n == 0:
				n = r.N
			case n != r.N:
				return 0, false
			}
		}
	}
	return n, true
}

// Footnotes numbers warnings, each text once.
type Footnotes struct{ texts []string }

// Lines are the texts with their marks.
func (f *Footnotes) Lines() []string {
	var lines []string
	for i, t := range f.texts {
		lines = append(lines, superscript(i+1)+" "+t)
	}
	return lines
}

// Marks are the marks of warnings.
func (f *Footnotes) Marks(warnings []compare.Warning) string {
	var b strings.Builder
	for _, w := range compare.Texts(warnings) {
		n := 0
		for i, t := range f.texts {
			if t == w {
				n = i + 1
			}
		}
		if n == 0 {
			f.texts = append(f.texts, w)
			n = len(f.texts)
		}
		b.WriteString(" " + superscript(n))
	}
	return b.String()
}

func superscript(n int) string {
	var b strings.Builder
	for _, d := range fmt.Sprint(n) {
		b.WriteRune([]rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[d-'0'])
	}
	return b.String()
}
