package table

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
	"xsmbench/reports/internal/number"
)

// FigureTable has a line for each benchmark, domain and unit, with a column
// for each build after those three.
type FigureTable struct {
	Head  []string
	Lines [][]string
}

// Figures arranges the comparison's figures, but for those that stand next to
// rows or among the uncounted.
func Figures(c *compare.Comparison) FigureTable {
	return figuresOf(c, func(compare.Figure) bool { return true })
}

// briefFigures are Figures without what the guest executed: it is different
// for each row and says nothing of the hooks.
func briefFigures(c *compare.Comparison) (t FigureTable, left bool) {
	t = figuresOf(c, func(f compare.Figure) bool {
		left = left || compare.Total(f.Unit)
		return !compare.Total(f.Unit)
	})
	return t, left
}

const leftFigures = "guest-instr/op (instructions of the guest) and instr/op (guest and Xen together) are in CSV, in JSON and on the page."

func figuresOf(c *compare.Comparison, in func(compare.Figure) bool) FigureTable {
	builds := append([]string{c.Base}, c.Builds...)
	t := FigureTable{Head: append([]string{"benchmark", "domain", "unit"}, builds...)}
	if len(builds) == 1 {
		t.Head = append(t.Head, "spread", "n")
	}
	uncounted := c.Uncounted()
	at := map[string]int{}
	for _, f := range c.Apart() {
		listed := slices.ContainsFunc(uncounted, func(u compare.Uncounted) bool {
			return u.Environment == f.Environment && u.Benchmark == f.Benchmark && slices.Contains(u.Units, f.Unit)
		})
		if listed || !in(f) {
			continue
		}
		k := f.Environment.String() + " " + f.Benchmark + " " + f.Unit
		i, ok := at[k]
		if !ok {
			i = len(t.Lines)
			at[k] = i
			t.Lines = append(t.Lines, append([]string{f.Benchmark, c.Where(f.Environment), f.Unit}, make([]string, len(builds))...))
		}
		if j := slices.Index(builds, f.Build); j >= 0 {
			t.Lines[i][3+j] = figure(f)
			if len(builds) == 1 {
				t.Lines[i] = append(t.Lines[i], spread(f), fmt.Sprint(f.N))
			}
		}
	}
	return t
}

// spread is how much a figure's samples vary, as a standard deviation.
func spread(f compare.Figure) string {
	switch {
	case f.Same:
		return "none"
	case math.IsNaN(f.Spread):
		return number.Unknown
	}
	return "±" + number.Percent(f.Spread, 2)
}

// grid has the figures flush right.
func (t FigureTable) grid() *grid.Grid {
	g := grid.New(len(t.Head))
	g.Add(t.Head...)
	for _, line := range t.Lines {
		g.Add(line...)
	}
	for i := 3; i < len(t.Head); i++ {
		g.Right[i] = true
	}
	return g
}

// writeFigures lists what describes benchmarks and has no verdict.
func writeFigures(w *bufio.Writer, c *compare.Comparison, style Style) {
	writeUncounted(w, c, style)
	t, left := briefFigures(c)
	if len(t.Lines) > 0 {
		fmt.Fprintln(w, "figures without verdict (means)")
		t.grid().Write(w)
		fmt.Fprintln(w)
	}
	if left {
		style.prose(w, leftFigures, 2)
		fmt.Fprintln(w)
	}
}

func markdownFigures(w io.Writer, c *compare.Comparison) {
	markdownUncounted(w, c)
	t, left := briefFigures(c)
	if len(t.Lines) > 0 {
		fmt.Fprint(w, "### Figures without verdict (means)\n\n")
		t.grid().Markdown(w, "")
		fmt.Fprintln(w)
	}
	if left {
		fmt.Fprintf(w, "%s\n\n", grid.Escape(leftFigures))
	}
}

// UncountedTitle stands above the table of what no row tells.
const UncountedTitle = "no undisturbed count of Xen's instructions in some build: XSM/hooks alone (means, no verdict)"

// UncountedTable has a line for each benchmark and domain, with a column for
// each build after those two.
type UncountedTable struct {
	Head  []string
	Lines []UncountedLine
}

// UncountedLine is cells, and why there is no count.
type UncountedLine struct {
	Cells   []string
	Remarks []string
}

// Uncounted arranges what has no count in some build.
func Uncounted(c *compare.Comparison) UncountedTable {
	builds := append([]string{c.Base}, c.Builds...)
	t := UncountedTable{Head: append([]string{"benchmark", "domain"}, builds...)}
	for _, u := range c.Uncounted() {
		line := UncountedLine{Cells: []string{u.Benchmark, c.Where(u.Environment)}}
		for _, build := range builds {
			cell := Parts(c, u.Environment, u.Benchmark, build)
			if cell == "" {
				cell = "not measured"
			}
			line.Cells = append(line.Cells, cell)
		}
		line.Remarks = reasons(c, u)
		t.Lines = append(t.Lines, line)
	}
	return t
}

// reasons are the remarks of the builds without a count, each once.
func reasons(c *compare.Comparison, u compare.Uncounted) []string {
	var texts []string
	builds := map[string][]string{}
	for _, build := range u.Builds {
		for _, unit := range u.Units {
			f, _ := c.Figure(u.Environment, u.Benchmark, build, unit)
			for _, text := range f.Remarks {
				if !slices.Contains(texts, text) {
					texts = append(texts, text)
				}
				if !slices.Contains(builds[text], build) {
					builds[text] = append(builds[text], build)
				}
			}
		}
	}
	for i, text := range texts {
		texts[i] = strings.Join(builds[text], ", ") + ": " + text
	}
	return texts
}

// grid has why there is no count as notes below a line.
func (t UncountedTable) grid() *grid.Grid {
	g := grid.New(len(t.Head))
	g.Add(t.Head...)
	for _, line := range t.Lines {
		g.Add(line.Cells...)
		for _, r := range line.Remarks {
			g.Note("    " + r)
		}
	}
	for i := 2; i < len(t.Head); i++ {
		g.Right[i] = true
	}
	return g
}

func writeUncounted(w *bufio.Writer, c *compare.Comparison, style Style) {
	if t := Uncounted(c); len(t.Lines) > 0 {
		style.prose(w, UncountedTitle, 2)
		g := t.grid()
		g.Most = style.Width
		g.Write(w)
		fmt.Fprintln(w)
	}
}

func markdownUncounted(w io.Writer, c *compare.Comparison) {
	if t := Uncounted(c); len(t.Lines) > 0 {
		fmt.Fprintf(w, "### %s\n\n", grid.Escape(UncountedTitle))
		t.grid().Markdown(w, "reason")
		fmt.Fprintln(w)
	}
}
