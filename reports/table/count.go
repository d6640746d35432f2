package table

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"xsmbench/reports/compare"
)

// besideHeads are the heads of columns of figures beside a row, by unit.
var besideHeads = map[string]string{"xsm-instr/op": "of it XSM", "hooks/op": "hooks"}

// BesideHeads are the heads of the columns for figures in the units.
func BesideHeads(units []string) []string {
	heads := make([]string, len(units))
	for i, unit := range units {
		heads[i] = unit
		if head, ok := besideHeads[unit]; ok {
			heads[i] = head
		}
	}
	return heads
}

// BesideCells are a build's figures of a benchmark in the units.
func BesideCells(c *compare.Comparison, s compare.Section, benchmark, build string, units []string) []string {
	cells := make([]string, len(units))
	for i, unit := range units {
		if f, ok := c.Figure(s.Environment, benchmark, build, unit); ok {
			cells[i] = figure(f)
		}
	}
	return cells
}

// figure is a figure without its unit; counts stay whole numbers.
func figure(f compare.Figure) string {
	if compare.IsCount(f.Unit) {
		return Value(f.Value, f.Unit)
	}
	return fmt.Sprintf("%.4g", f.Value)
}

// Difference is what a build executes more than the base, in instructions and
// as a share: "+188 instr (+10.55%)".
func Difference(r compare.Row) string {
	d := r.Difference()
	if math.IsNaN(d) {
		return "–"
	}
	text := count(d) + " instr"
	if !math.IsNaN(r.Ratio) {
		text += " (" + Overhead(r) + ")"
	}
	return text
}

// count is a difference of counts with its sign; that of means has a place
// after the point.
func count(d float64) string {
	text := strconv.FormatFloat(math.Abs(math.Round(10*d)/10), 'f', -1, 64)
	switch {
	case text == "0":
		return text
	case d < 0:
		return "−" + text
	}
	return "+" + text
}

// NotRemarks are a row's warnings but for those that its samples came with,
// which stand next to it.
func NotRemarks(r *compare.Row) []string {
	return slices.DeleteFunc(slices.Clone(r.Warnings), func(w string) bool {
		return slices.Contains(r.Remarks, w) || slices.Contains(r.BaseRemarks, w)
	})
}

// Remarks are what the samples of a line came with, the base's first: a build
// and a text each.
func Remarks(c *compare.Comparison, l compare.Line) []Remark {
	var all []Remark
	add := func(build string, texts []string) {
		for _, text := range texts {
			if r := (Remark{build, text}); !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	for _, r := range l.Rows {
		if r != nil {
			add(c.Base, r.BaseRemarks)
		}
	}
	for _, r := range l.Rows {
		if r != nil {
			add(r.Build, r.Remarks)
		}
	}
	return all
}

// Remark is what a build's sample of a benchmark came with.
type Remark struct{ Build, Text string }

// String names the build.
func (r Remark) String() string { return r.Build + ": " + r.Text }

// writeCounts writes the table of a section that counts: for each build its
// count, the difference, and what the count is made of. Remarks of samples
// stand below their line.
func writeCounts(w io.Writer, c *compare.Comparison, s compare.Section, prefix string, notes *Footnotes) {
	n, same := commonN(s)
	title := prefix + s.Title()
	if same {
		title += fmt.Sprintf(", n=%d", n)
	}
	fmt.Fprintln(w, title)
	units := c.Beside(s)
	group := 5 + len(units) // columns of a build
	g := newGrid(2 + len(units) + group*len(s.Builds))
	g.add(countHead(c, s, units)...)
	for _, l := range s.Lines {
		cells := append([]string{l.Benchmark, Value(l.BaseValue, s.Unit)}, BesideCells(c, s, l.Benchmark, c.Base, units)...)
		for i, r := range l.Rows {
			cells = append(cells, countCells(c, s, l.Benchmark, s.Builds[i], r, units, same, notes)...)
		}
		g.add(cells...)
		for _, r := range Remarks(c, l) {
			g.note("    " + r.String())
		}
	}
	if cells := countMeans(c, s, units); cells != nil {
		g.add(cells...)
	}
	for i := range g.right {
		k := (i - 2 - len(units)) % group
		g.right[i] = i > 0 && (i < 2+len(units) || k != 0 && k != group-1)
	}
	g.write(w)
	fmt.Fprintln(w)
}

func countHead(c *compare.Comparison, s compare.Section, units []string) []string {
	head := append([]string{"benchmark", c.Base}, BesideHeads(units)...)
	for _, build := range s.Builds {
		head = append(head, "│", build, "difference", fmt.Sprintf("%g%% interval", 100*c.Confidence))
		head = append(head, BesideHeads(units)...)
		head = append(head, "verdict")
	}
	return head
}

func countCells(c *compare.Comparison, s compare.Section, benchmark, build string, r *compare.Row, units []string, sameN bool, notes *Footnotes) []string {
	if r == nil {
		return slices.Concat([]string{"│", "–", "", ""}, make([]string, len(units)), []string{"not measured"})
	}
	verdict := VerdictText(*r)
	if !sameN {
		verdict += fmt.Sprintf(" n=%d", r.N)
	}
	return slices.Concat(
		[]string{"│", Value(r.Value, r.Unit), Difference(*r), Interval(*r)},
		BesideCells(c, s, benchmark, build, units),
		[]string{verdict + notes.Marks(NotRemarks(r))})
}

// countMeans is the line of geometric means, nil if there is none.
func countMeans(c *compare.Comparison, s compare.Section, units []string) []string {
	means := meanCells(c, s)
	if means == nil {
		return nil
	}
	none := make([]string, len(units))
	cells := append(means[:2:2], none...)
	for i := 2; i < len(means); i += 4 {
		cells = slices.Concat(cells, []string{means[i], "", means[i+1], means[i+2]}, none, []string{means[i+3]})
	}
	return cells
}

// markdownCounts is writeCounts in Markdown; a remark stands in the cell of
// the benchmark or of the verdict that it is about.
func markdownCounts(w io.Writer, c *compare.Comparison, s compare.Section, prefix string, notes *Footnotes) {
	fmt.Fprintf(w, "### %s\n\n", escape(prefix+s.Title()))
	units := c.Beside(s)
	head := append([]string{"benchmark", c.Base}, BesideHeads(units)...)
	for _, build := range s.Builds {
		head = append(head, build, "difference", fmt.Sprintf("%g%% interval", 100*c.Confidence))
		head = append(head, BesideHeads(units)...)
		head = append(head, "verdict", "n")
	}
	markdownLine(w, head)
	numbers := strings.Repeat(" --: |", len(units))
	fmt.Fprintf(w, "| :-- | --: |%s%s\n", numbers, strings.Repeat(" --: | --: | --: |"+numbers+" :-- | --: |", len(s.Builds)))
	for _, l := range s.Lines {
		cells := append([]string{withRemarks(c, l, c.Base, l.Benchmark), Value(l.BaseValue, s.Unit)}, BesideCells(c, s, l.Benchmark, c.Base, units)...)
		for i, r := range l.Rows {
			group := countCells(c, s, l.Benchmark, s.Builds[i], r, units, true, notes)[1:]
			if r == nil {
				cells = append(append(cells, group...), "")
				continue
			}
			last := len(group) - 1
			group[last] = withRemarks(c, l, r.Build, emphasis(*r)+notes.Marks(NotRemarks(r)))
			cells = append(append(cells, group...), fmt.Sprint(r.N))
		}
		markdownLine(w, cells)
	}
	markdownCountMeans(w, c, s, units)
	fmt.Fprintln(w)
}

func markdownCountMeans(w io.Writer, c *compare.Comparison, s compare.Section, units []string) {
	means := countMeans(c, s, units)
	if means == nil {
		return
	}
	cells := means[: 2+len(units) : 2+len(units)]
	group := 5 + len(units)
	for i := 2 + len(units); i < len(means); i += group {
		cells = append(append(cells, means[i+1:i+group]...), "")
	}
	markdownLine(w, cells)
}

// withRemarks adds a build's remarks to a cell. A cell that is emphasised is
// not escaped later.
func withRemarks(c *compare.Comparison, l compare.Line, build, cell string) string {
	for _, r := range Remarks(c, l) {
		if r.Build != build {
			continue
		}
		text := r.String()
		if strings.HasPrefix(cell, "**") {
			text = escape(text)
		}
		cell += "; " + text
	}
	return cell
}
