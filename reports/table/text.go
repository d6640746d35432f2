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
	"xsmbench/reports/internal/number"
)

// Text writes the comparison as plain text.
func Text(w io.Writer, c *compare.Comparison, a about.About) error {
	return Terminal(w, c, a, Style{})
}

// Terminal writes the comparison for a terminal. A table that has no room there
// has a line for each build, below its benchmark. What could not be read is not
// in it: that is told before anything else, on standard error.
func Terminal(w io.Writer, c *compare.Comparison, a about.About, style Style) error {
	b := bufio.NewWriter(harmless{w})
	writeAbout(b, a, style)
	notes := &Footnotes{}
	rows, controls, left := c.Shown()
	for _, s := range compare.Sections(rows) {
		writeSection(b, c, s, "", notes, style)
	}
	writeBeside(b, c, rows, style)
	for _, s := range compare.Sections(controls) {
		writeSection(b, c, s, "control: ", notes, style)
	}
	writeFigures(b, c, style)
	for _, line := range notes.Lines() {
		style.prose(b, line, 2)
	}
	if len(notes.texts) > 0 {
		fmt.Fprintln(b)
	}
	if left > 0 {
		style.prose(b, leftOut(left), 0)
	}
	for _, line := range Summary(c) {
		style.prose(b, line, 2)
	}
	fmt.Fprintln(b)
	for _, line := range Legend(c) {
		style.prose(b, line, 2)
	}
	for _, text := range warnings(c, a) {
		style.prose(b, "warning: "+text, 2)
	}
	return b.Flush()
}

// leftOut says that a view shows fewer rows than there are.
func leftOut(rows int) string {
	return fmt.Sprintf("%s not shown (--changed, --limit); the text below includes them.", number.Count(rows, "row"))
}

func writeAbout(w *bufio.Writer, a about.About, style Style) {
	if a.Incomplete != "" {
		style.prose(w, a.Incomplete, 0)
		fmt.Fprintln(w)
	}
	fact := func(label, text string) { style.prose(w, fmt.Sprintf("%-12s %s", label+":", text), 13) }
	for _, f := range a.Facts {
		fact(f.Label, f.Text)
	}
	for _, b := range a.Builds {
		fact(b.Name, b.Describe())
	}
	for _, n := range a.Notes {
		fact("note", n)
	}
	fmt.Fprintln(w)
}

// writeSection writes one table.
func writeSection(w *bufio.Writer, c *compare.Comparison, s compare.Section, prefix string, notes *Footnotes, style Style) {
	title := sampleTitle(s, prefix)
	if s.Counted() {
		title = CountTitle(s, prefix)
	}
	style.prose(w, title, 2)
	wide := &Footnotes{texts: notes.texts} // whose marks count only if it fits
	g := sampleGrid(c, s, wide, VerdictText, style)
	if s.Counted() {
		g = fittingGrid(c, s, wide, style)
	}
	if style.fits(g) {
		notes.texts = wide.texts
	} else {
		g = stacked(c, s, notes, style)
	}
	g.Write(w)
	fmt.Fprintln(w)
}

// sampleTitle is the head line of a section of samples.
func sampleTitle(s compare.Section, prefix string) string {
	if n, same := commonN(s); same {
		return fmt.Sprintf("%s%s, n=%d", prefix, s.Title(), n)
	}
	return prefix + s.Title()
}

// columnsOfBuild are a rule and what a build has in a table of samples: its
// value, the change, the interval and the verdict.
const columnsOfBuild = 5

// sampleGrid is the table of a section of samples: a benchmark a line, a group
// of columns for each build.
func sampleGrid(c *compare.Comparison, s compare.Section, notes *Footnotes, verdict func(compare.Row) string, style Style) *grid.Grid {
	_, same := commonN(s)
	g := grid.New(2 + columnsOfBuild*len(s.Builds))
	head := []string{"benchmark", c.Base}
	for _, build := range s.Builds {
		head = append(head, grid.Rule, build, "change", c.LevelText()+" interval", "verdict")
	}
	g.Add(head...)
	for _, l := range s.Lines {
		cells := []string{l.Benchmark, Value(l.BaseValue, s.Unit)}
		for _, r := range l.Rows {
			cells = append(cells, rowCells(r, same, notes, verdict)...)
		}
		g.Add(cells...)
		for i, r := range l.Rows {
			if r != nil {
				g.Paint(1+columnsOfBuild*(i+1), style.sgr(r.Verdict))
			}
		}
	}
	for _, m := range MeansOf(c, s) {
		cells := []string{m.Label, ""}
		for _, one := range m.Means {
			cells = append(cells, grid.Rule, "", one.Overhead, one.Interval, ofRows(one))
		}
		g.Add(cells...)
	}
	for i := range g.Right {
		k := (i - 2) % columnsOfBuild
		g.Right[i] = i == 1 || i > 1 && (k == 1 || k == 2 || k == 3)
	}
	return g
}

func rowCells(r *compare.Row, sameN bool, notes *Footnotes, verdict func(compare.Row) string) []string {
	if r == nil {
		return []string{grid.Rule, "–", "", "", "not measured"}
	}
	text := verdict(*r)
	if !sameN {
		text += fmt.Sprintf(" n=%d", r.N)
	}
	return []string{grid.Rule, Value(r.Value, r.Unit), Overhead(*r), Interval(*r), text + notes.Marks(r.Warnings)}
}

// stacked is the table of a section for a narrow terminal: a benchmark's name,
// and below it a line for each build with both values.
func stacked(c *compare.Comparison, s compare.Section, notes *Footnotes, style Style) *grid.Grid {
	const verdict = 5
	g := stackedGrid(c, s, &Footnotes{texts: notes.texts}, style, 0)
	return stackedGrid(c, s, notes, style, style.Width-(g.Width()-g.Column(verdict)))
}

// stackedGrid puts what follows a verdict's first word below the line, if there
// is no room for it beside.
func stackedGrid(c *compare.Comparison, s compare.Section, notes *Footnotes, style Style, room int) *grid.Grid {
	n, same := commonN(s)
	if s.Counted() {
		n, same = UsualN(s), true
	}
	g := grid.New(6)
	g.Tight, g.Most = true, style.Width
	g.Right = []bool{false, true, true, true, false, false}
	for _, l := range s.Lines {
		g.Note(l.Benchmark)
		for _, r := range l.Rows {
			if r == nil {
				continue
			}
			word, rest, _ := strings.Cut(VerdictText(*r), ", ")
			marks := notes.Marks(NotRemarks(r))
			if !same || r.N != n {
				rest = strings.TrimPrefix(rest+fmt.Sprintf(", n=%d", r.N), ", ")
			}
			verdict := word + marks
			if whole := word + ", " + rest + marks; rest != "" && grid.Width(whole) <= room {
				verdict, rest = whole, ""
			}
			change, interval := Overhead(*r), Interval(*r)
			if s.Counted() {
				change = Difference(*r)
			}
			g.Add("  "+r.Build, Value(r.BaseValue, r.Unit), "→ "+Value(r.Value, r.Unit), change, interval, verdict)
			g.Paint(5, style.sgr(r.Verdict))
			if rest != "" {
				g.Note("      " + rest)
			}
			if parts := Parts(c, s.Environment, l.Benchmark, r.Build); parts != "" && s.Counted() {
				g.Note("      XSM/hooks " + parts + ", " + Parts(c, s.Environment, l.Benchmark, c.Base) + " in " + c.Base)
			}
		}
		if way := Way(l, anyWay); way != "" && s.Counted() {
			g.Note("      hooks: " + way)
		}
		for _, r := range Remarks(c, l) {
			g.Note("    " + r.String())
		}
	}
	for _, m := range MeansOf(c, s) {
		g.Note(strings.TrimSpace(m.Label))
		for i, one := range m.Means {
			if one.Of != "" {
				g.Add("  "+s.Builds[i], "", "", one.Overhead, one.Interval, ofRows(one))
			}
		}
	}
	return g
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
