package table

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
	"xsmbench/reports/internal/number"
)

// BesideCells are a build's figures of a benchmark in the units.
func BesideCells(c *compare.Comparison, e compare.Environment, benchmark, build string, units []string) []string {
	cells := make([]string, len(units))
	for i, unit := range units {
		if f, ok := c.Figure(e, benchmark, build, unit); ok {
			cells[i] = figure(f)
		}
	}
	return cells
}

// Parts are a build's XSM instructions and hooks in one cell, "190/1"; "" if
// there is neither.
func Parts(c *compare.Comparison, e compare.Environment, benchmark, build string) string {
	var parts []string
	found := false
	for _, unit := range compare.Beside("xen-instr/op") {
		part := "–"
		if f, ok := c.Figure(e, benchmark, build, unit); ok {
			found = true
			part = number.Rounded(f.Value)
		}
		parts = append(parts, part)
	}
	if !found {
		return ""
	}
	return strings.Join(parts, "/")
}

// figure is a figure without its unit; counts stay whole numbers.
func figure(f compare.Figure) string {
	if compare.IsCost(f.Unit) {
		return Value(f.Value, f.Unit)
	}
	if compare.IsCount(f.Unit) || f.Value == math.Trunc(f.Value) {
		return Value(f.Value, "")
	}
	return fmt.Sprintf("%.4g", f.Value)
}

// Difference is what a build executes more than the base, in instructions and
// as a share: "+188 (+10.6%)".
func Difference(r compare.Row) string {
	d := r.Difference()
	if math.IsNaN(d) {
		return "–"
	}
	text := Count(d)
	if !math.IsNaN(r.Ratio) {
		text += " (" + share(r) + ")"
	}
	return text
}

// share is the overhead; a place after the point is enough from 10% on.
func share(r compare.Row) string {
	if r.Exact && math.Abs(r.Overhead()) >= 0.0995 {
		return number.SignedPercent(r.Overhead(), 1)
	}
	return Overhead(r)
}

// Count is a difference of counts with its sign; that of means has a place
// after the point.
func Count(d float64) string {
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
// which stand next to it as Inexact does.
func NotRemarks(r *compare.Row) []compare.Warning {
	return slices.DeleteFunc(slices.Clone(r.Warnings), func(w compare.Warning) bool {
		return w.Code == compare.OneBoot || slices.Contains(r.Remarks, w.Text) || slices.Contains(r.BaseRemarks, w.Text)
	})
}

// Remarks are what the samples of a line came with, the base's first.
func Remarks(c *compare.Comparison, l compare.Line) []Remark {
	var all []Remark
	add := func(build string, texts []string) {
		for _, text := range texts {
			i := slices.IndexFunc(all, func(r Remark) bool { return r.Text == text })
			switch {
			case i < 0:
				all = append(all, Remark{[]string{build}, text})
			case !slices.Contains(all[i].Builds, build):
				all[i].Builds = append(all[i].Builds, build)
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

// Remark is what samples of a benchmark came with in some builds.
type Remark struct {
	Builds []string
	Text   string
}

// String names the builds.
func (r Remark) String() string { return strings.Join(r.Builds, ", ") + ": " + r.Text }

// exactness says how many of a section's rows are exact, for its title.
func exactness(s compare.Section) string {
	exact, rows := 0, 0
	for _, l := range s.Lines {
		for _, r := range l.Rows {
			if r != nil {
				rows++
				if r.Exact {
					exact++
				}
			}
		}
	}
	switch exact {
	case rows:
		return "all rows exact"
	case 0:
		return "no row exact"
	}
	return fmt.Sprintf("all rows exact but %d, marked ~", rows-exact)
}

// UsualN is the number of boots that most rows have.
func UsualN(s compare.Section) int {
	times, usual := map[int]int{}, 0
	for _, l := range s.Lines {
		for _, r := range l.Rows {
			if r != nil {
				times[r.N]++
				if n := times[r.N] - times[usual]; n > 0 || n == 0 && r.N > usual {
					usual = r.N
				}
			}
		}
	}
	return usual
}

// CountTitle is the head line of a section that counts.
func CountTitle(s compare.Section, prefix string) string {
	return fmt.Sprintf("%s%s, n=%d, %s", prefix, s.Title(), UsualN(s), exactness(s))
}

// Inexact says of a row that is not exact what its cells leave out.
func Inexact(r compare.Row, n int) string {
	text := fmt.Sprintf("~ %s, interval %s", VerdictText(r), Interval(r))
	if math.IsNaN(r.Lo) || math.IsNaN(r.Hi) {
		text = fmt.Sprintf("~ %s, no interval", VerdictText(r))
	}
	if r.N != n {
		text += fmt.Sprintf(", n=%d", r.N)
	}
	return text
}

// columnsOfCounted are a rule and what a build has in a table of counts: its
// count, the difference, what the count is made of, and the verdict.
const columnsOfCounted = 5

// countGrid is the table of a section that counts: for each build its count, the
// difference, and what the count is made of. Remarks of samples stand below
// their line. way is how much room the hooks have at its end, as Way takes it, or
// noWay.
func countGrid(c *compare.Comparison, s compare.Section, notes *Footnotes, style Style, way int) *grid.Grid {
	n, columns := UsualN(s), 3+columnsOfCounted*len(s.Builds)
	g := grid.New(columns)
	if way != noWay {
		g = grid.New(columns + 2)
	}
	g.Tight = true
	head := []string{"benchmark", c.Base, "XSM/hooks"}
	for _, build := range s.Builds {
		head = append(head, grid.Rule, build, build+"−"+c.Base, "XSM/hooks", "verdict")
	}
	if way != noWay {
		head = append(head, grid.Rule, wayTitle)
	}
	g.Add(head...)
	groups := Groups(s.Lines)
	if c.View.Sort != compare.AsMeasured {
		groups = []Group{{"", s.Lines}} // whose order is what was asked for
	}
	for _, group := range groups {
		if group.Name != "" {
			g.Note(group.Name)
		}
		for _, l := range group.Lines {
			cells := []string{"  " + strings.TrimPrefix(l.Benchmark, group.Name), number.Brief(l.BaseValue), Parts(c, s.Environment, l.Benchmark, c.Base)}
			for i, r := range l.Rows {
				cells = append(cells, grid.Rule)
				cells = append(cells, countCells(c, s, l.Benchmark, s.Builds[i], r)...)
				if r != nil {
					cells[len(cells)-1] = brevity(r.Verdict) + notes.Marks(NotRemarks(r))
				}
			}
			if way != noWay {
				cells = append(cells, grid.Rule, Way(l, way))
			}
			g.Add(cells...)
			for i, r := range l.Rows {
				if r != nil {
					g.Paint(2+columnsOfCounted*(i+1), style.sgr(r.Verdict))
				}
			}
			for _, r := range l.Rows {
				if r != nil && !r.Exact {
					g.Note("    " + r.Build + ": " + Inexact(*r, n))
				}
			}
			for _, r := range Remarks(c, l) {
				g.Note("    " + r.String())
			}
		}
	}
	for _, cells := range MeansOf(c, s) {
		line := []string{cells.Label, "", ""}
		for _, m := range cells.Means {
			line = append(line, grid.Rule, "", m.Overhead, m.Of, "")
		}
		if way != noWay {
			line = append(line, grid.Rule)
		}
		g.Add(line...)
	}
	for i := range columns {
		k := (i - 3) % columnsOfCounted
		g.Right[i] = i == 1 || i == 2 || i > 2 && (k == 1 || k == 2 || k == 3)
	}
	return g
}

// brevity is a verdict in a narrow column.
func brevity(v compare.Verdict) string {
	switch v {
	case compare.Equivalent:
		return "≈"
	case compare.Inconclusive:
		return "?"
	}
	return string(v)
}

// countCells are a build's count, difference, parts and verdict.
func countCells(c *compare.Comparison, s compare.Section, benchmark, build string, r *compare.Row) []string {
	parts := Parts(c, s.Environment, benchmark, build)
	switch {
	case r == nil:
		return []string{"–", Lacking([]string{parts}), parts, "–"}
	}
	difference := Difference(*r)
	if !r.Exact {
		difference = "~ " + difference
	}
	return []string{number.Brief(r.Value), difference, parts, VerdictText(*r)}
}

// Lacking says what a build lacks that has no row, by what it has beside.
func Lacking(beside []string) string {
	if slices.ContainsFunc(beside, func(cell string) bool { return cell != "" }) {
		return "not counted"
	}
	return "not measured"
}

// Group is benchmarks that begin alike.
type Group struct {
	Name  string // what they begin with
	Lines []compare.Line
}

// Groups puts lines together that begin with the same suite, or with the same
// two words if they are many. What begins alike moves to the first of it.
func Groups(lines []compare.Line) []Group {
	const many = 8
	times := map[string]int{}
	two := func(name string) string {
		parts := strings.SplitAfterN(name, "/", 3)
		return strings.Join(parts[:len(parts)-1], "")
	}
	for _, l := range lines {
		times[two(l.Benchmark)]++
	}
	var all []Group
	for _, l := range lines {
		name := two(l.Benchmark)
		if times[name] < many {
			suite, _, _ := strings.Cut(l.Benchmark, "/")
			name = suite + "/"
		}
		i := slices.IndexFunc(all, func(g Group) bool { return g.Name == name })
		if i < 0 {
			i = len(all)
			all = append(all, Group{Name: name})
		}
		all[i].Lines = append(all[i].Lines, l)
	}
	return all
}

// MeanLine is a line of geometric means, one for each build, empty where there
// is none.
type MeanLine struct {
	Label string
	Means []MeanCells
}

// MeanCells are a geometric mean and what it is of.
type MeanCells struct{ Overhead, Interval, Of string }

// ofRows is what a mean is of, in a column of verdicts.
func ofRows(m MeanCells) string {
	if m.Of == "" {
		return ""
	}
	return "of " + m.Of
}

// MeansOf are the lines of geometric means: of all rows, and of those that
// cross a hook if not all do.
func MeansOf(c *compare.Comparison, s compare.Section) []MeanLine {
	all := MeanLine{"geometric mean", make([]MeanCells, len(s.Builds))}
	crossing := MeanLine{"  of rows that cross a hook", make([]MeanCells, len(s.Builds))}
	some, someCross := false, false
	for i, build := range s.Builds {
		g, ok := geoMeanOf(c, s, build)
		if !ok {
			continue
		}
		some, all.Means[i] = true, meanText(g)
		if g.Crossing != nil {
			someCross, crossing.Means[i] = true, meanText(*g.Crossing)
		}
	}
	switch {
	case !some:
		return nil
	case !someCross:
		return []MeanLine{all}
	}
	return []MeanLine{all, crossing}
}

func meanText(g compare.GeoMean) MeanCells {
	m := MeanCells{Overhead(Mean(g)), Interval(Mean(g)), number.Count(g.Rows, "row")}
	if !g.Exact && compare.IsCount(g.Unit) {
		m.Overhead = "~ " + m.Overhead
	}
	return m
}

func geoMeanOf(c *compare.Comparison, s compare.Section, build string) (compare.GeoMean, bool) {
	i := slices.IndexFunc(c.GeoMeans, func(g compare.GeoMean) bool {
		return g.Build == build && g.Environment == s.Environment && g.Unit == s.Unit
	})
	if i < 0 {
		return compare.GeoMean{}, false
	}
	return c.GeoMeans[i], true
}

// markdownCounts is countGrid in Markdown; a remark stands in the cell of
// the benchmark or of the verdict that it is about.
func markdownCounts(w io.Writer, c *compare.Comparison, s compare.Section, prefix string, notes *Footnotes) {
	fmt.Fprintf(w, "### %s\n\n", grid.Escape(CountTitle(s, prefix)))
	n := UsualN(s)
	head := []string{"benchmark", c.Base, "XSM/hooks"}
	for _, build := range s.Builds {
		head = append(head, build, build+"−"+c.Base, "XSM/hooks", "verdict")
	}
	align := "| :-- | --: | --: |" + strings.Repeat(" --: | --: | --: | :-- |", len(s.Builds))
	way := hasWay(s)
	if way {
		head, align = append(head, wayTitle), align+" :-- |"
	}
	grid.MarkdownLine(w, head)
	fmt.Fprintln(w, align)
	for _, l := range s.Lines {
		cells := []string{withRemarks(c, l, c.Base, l.Benchmark), number.Brief(l.BaseValue), Parts(c, s.Environment, l.Benchmark, c.Base)}
		for i, r := range l.Rows {
			group := countCells(c, s, l.Benchmark, s.Builds[i], r)
			if r != nil {
				verdict := emphasis(*r)
				if !r.Exact {
					verdict = Inexact(*r, n)
				}
				group[3] = withRemarks(c, l, r.Build, verdict+notes.Marks(NotRemarks(r)))
			}
			cells = append(cells, group...)
		}
		if way {
			cells = append(cells, Way(l, markdownWay))
		}
		grid.MarkdownLine(w, cells)
	}
	for _, m := range MeansOf(c, s) {
		cells := []string{strings.TrimSpace(m.Label), "", ""}
		for _, one := range m.Means {
			cells = append(cells, "", one.Overhead, one.Of, "")
		}
		if way {
			cells = append(cells, "")
		}
		grid.MarkdownLine(w, cells)
	}
	fmt.Fprintln(w)
}

// withRemarks adds remarks to the cell of the first build that has them.
func withRemarks(c *compare.Comparison, l compare.Line, build, cell string) string {
	for _, r := range Remarks(c, l) {
		if r.Builds[0] != build {
			continue
		}
		cell += "; " + r.String()
	}
	return cell
}
