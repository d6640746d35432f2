package table

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
)

// MailWidth is the longest line of a mail, in characters: quoted a few times,
// it still fits into 80.
const MailWidth = 72

// Mail writes the comparison as the body of a mail to a list: plain ASCII, no
// line longer than MailWidth but for names and commands that are. All rows
// stand in it, two builds beside each other.
func Mail(w io.Writer, c *compare.Comparison, a about.About) error {
	m := &mail{}
	if a.Incomplete != "" {
		m.paragraph(a.Incomplete)
		m.line("")
	}
	for _, line := range Summary(c) {
		m.paragraph(line)
	}
	m.line("")
	rows, controls, left := c.Shown()
	if left > 0 {
		m.paragraph(leftOut(left))
	}
	for _, s := range compare.Sections(rows) {
		m.section(c, s, "")
	}
	for _, s := range compare.Sections(controls) {
		m.section(c, s, "Control, one image measured twice: ")
	}
	m.legend(c)
	m.origin(a)
	for _, text := range warnings(c, a) {
		m.item("! ", text)
	}
	_, err := w.Write(m.b.Bytes())
	return err
}

// mail is a body being written.
type mail struct{ b bytes.Buffer }

func (m *mail) line(text string) {
	m.b.WriteString(strings.TrimRight(ascii(text), " ") + "\n")
}

// paragraph wraps a text.
func (m *mail) paragraph(text string) { m.item("", text) }

// item wraps a text behind a head, with the lines below indented.
func (m *mail) item(head, text string) {
	indent := strings.Repeat(" ", len(head))
	line := head
	for _, word := range strings.Fields(ascii(text)) {
		if line != head && line != indent && len(line)+len(word)+1 > MailWidth {
			m.line(line)
			line = indent
		}
		if line != head && line != indent {
			line += " "
		}
		line += word
	}
	m.line(line)
}

// section writes the tables of a section, two builds in each.
func (m *mail) section(c *compare.Comparison, s compare.Section, prefix string) {
	for first := 0; first < len(s.Builds); first += 2 {
		m.table(c, s, prefix, first, min(first+2, len(s.Builds)))
	}
}

// mailCells is the most that base and builds take of a line; the names get the
// rest.
const mailCells = 50

func (m *mail) table(c *compare.Comparison, s compare.Section, prefix string, first, end int) {
	title := prefix + s.Title()
	if n, same := commonN(s); same {
		title += fmt.Sprintf(", n=%d", n)
	}
	m.paragraph(title)
	lines := mailLines(c, s, first, end)
	widths := make([]int, 1+end-first)
	for _, cells := range lines {
		for i, cell := range cells {
			widths[i] = max(widths[i], 1+utf8.RuneCountInString(cell))
		}
	}
	name := MailWidth
	for _, w := range widths {
		name -= w
	}
	name = max(name, MailWidth-mailCells)
	m.row("", lines[0], name, widths)
	family := ""
	for i, l := range s.Lines {
		of, below := parted(l.Benchmark)
		if of != family {
			m.line(of + "/")
			family = of
		}
		m.row(" "+below, lines[i+1], name, widths)
	}
	m.line("")
}

// mailLines are the cells of the head and of each line.
func mailLines(c *compare.Comparison, s compare.Section, first, end int) [][]string {
	all := [][]string{append([]string{c.Base}, s.Builds[first:end]...)}
	for _, l := range s.Lines {
		cells := []string{mailValue(l.BaseValue, s.Unit)}
		for _, r := range l.Rows[first:end] {
			cells = append(cells, ascii(mailCell(r)))
		}
		all = append(all, cells)
	}
	return all
}

// row puts a name that is too long onto a line of its own.
func (m *mail) row(name string, cells []string, width int, widths []int) {
	if utf8.RuneCountInString(name) > width {
		m.line(name)
		name = ""
	}
	line := column(name, width)
	for i, cell := range cells {
		line += right(cell, widths[i])
	}
	m.line(line)
}

// parted splits a benchmark's name before its last parts: a heading and what
// stands below it.
func parted(benchmark string) (of, name string) {
	if i := strings.Index(benchmark, "/op="); i > 0 {
		return benchmark[:i], benchmark[i+1:]
	}
	of, name, _ = strings.Cut(benchmark, "/")
	return of, name
}

// mailCell is a difference with its verdict: "+188 +10.6% >" for exact counts,
// "+1.4 [-11,15] ?", in per cent, for samples.
func mailCell(r *compare.Row) string {
	if r == nil {
		return "-  "
	}
	text := "-"
	switch {
	case r.Exact && math.IsNaN(r.Ratio):
		text = Count(r.Difference())
	case math.IsNaN(r.Ratio):
	case r.Exact:
		text = Count(r.Difference()) + " " + share(*r)
	case math.IsNaN(r.Lo):
		text = number.Signed(r.Overhead(), decimals(*r)) + " [?]"
	default:
		text = mailInterval(*r)
	}
	return text + " " + mailMarks[r.Verdict]
}

// mailInterval keeps a place after the point as long as there is room.
func mailInterval(r compare.Row) string {
	d := min(decimals(r), 1)
	if math.Max(math.Abs(r.Lo-1), math.Abs(r.Hi-1)) >= 0.995 {
		d = 0
	}
	bound := func(v float64) string { return strings.TrimPrefix(number.Signed(v-1, d), "+") }
	return number.Signed(r.Overhead(), d) + " [" + bound(r.Lo) + "," + bound(r.Hi) + "]"
}

var mailMarks = map[compare.Verdict]string{
	compare.Slower: ">", compare.Faster: "<", compare.Equivalent: "=", compare.Inconclusive: "?",
}

// mailValue is a base's value: "152.3us", "2460.3" for a mean of counts.
func mailValue(v float64, unit string) string {
	if compare.IsCount(unit) {
		return number.Brief(v)
	}
	return Value(v, unit)
}

// legend explains cells and marks.
func (m *mail) legend(c *compare.Comparison) {
	all := slices.Concat(c.Rows, c.Controls)
	if slices.ContainsFunc(all, func(r compare.Row) bool { return r.Exact }) {
		m.paragraph(fmt.Sprintf("+8 +0.72%%: how many more instructions Xen executes for one operation than with %s, also in per cent. Every boot of both builds gave the same count.", c.Base))
	}
	if slices.ContainsFunc(all, func(r compare.Row) bool { return !r.Exact }) {
		m.paragraph(fmt.Sprintf("+1.4 [-0.3,3.1]: overhead against %s in per cent, with its %s interval ([?] if there is none); positive is slower, for rates too. A sample is one boot; boots of one round are paired.", c.Base, c.LevelText()))
	}
	if c.Looks > 1 {
		m.paragraph(looksNote(c))
	}
	m.paragraph(fmt.Sprintf("= equivalent, within +/-%s%s; > slower, < faster (after Holm's correction for %s); ? inconclusive: neither is shown; there may be a difference.",
		number.Share(c.Margin, 6), margins(c)+floors(c), number.Count(c.Questions, "test")))
	m.line("")
}

// origin says what was measured on what.
func (m *mail) origin(a about.About) {
	for _, f := range a.Facts {
		m.item(f.Label+": ", f.Text)
	}
	for _, b := range a.Builds {
		m.item(b.Name+": ", b.Describe())
	}
	for _, n := range a.Notes {
		m.item("note: ", n)
	}
}

// ascii writes the signs that are none of ASCII in its letters; what is left
// over becomes a question mark.
func ascii(text string) string {
	text = strings.NewReplacer("−", "-", "±", "+/-", "µ", "u", "μ", "u", "≈", "=", "–", "-", "“", `"`, "”", `"`, "’", "'", "…", "...", "→", "->").Replace(text)
	return strings.Map(func(r rune) rune {
		if r > 126 || r < ' ' && r != '\n' {
			return '?'
		}
		return r
	}, text)
}
