package table

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
)

// BesideTable shows what a run has several of side by side. It has a line for each
// benchmark, domain, unit and build, with two columns for each of them after those four:
// what the base has, and what the build costs more.
type BesideTable struct {
	Title string
	Head  []string
	Lines [][]string
}

// axis is what a run may have several of. Each is compared with the base of its own.
type axis struct {
	title string
	of    func(*compare.Environment) *string
	name  func(c *compare.Comparison, value string) string
}

var axes = []axis{
	{"architectures side by side: each build against the base of its own architecture",
		func(e *compare.Environment) *string { return &e.Arch },
		func(_ *compare.Comparison, arch string) string { return arch }},
	{"kinds of domUs side by side: each build against the base with domUs of the same kind",
		func(e *compare.Environment) *string { return &e.DomU },
		func(c *compare.Comparison, kind string) string { return cmp.Or(kind, c.UsualDomU, "the usual") }},
}

// besideKey is what the columns of a line have in common.
type besideKey struct {
	compare.Environment    // without what the columns tell
	benchmark, unit, build string
}

// named is how many columns say what a line is of.
const named = 4

// Beside arranges rows of several architectures, and of several kinds of domUs; there is
// no table of what there is but one of.
func Beside(c *compare.Comparison, rows []compare.Row) []BesideTable {
	var all []BesideTable
	for _, a := range axes {
		if values := a.values(rows); len(values) > 1 {
			all = append(all, a.table(c, rows, values))
		}
	}
	return all
}

// values are those of rows, in the order of their appearance.
func (a axis) values(rows []compare.Row) []string {
	var all []string
	for _, r := range rows {
		if v := *a.of(&r.Environment); !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

func (a axis) table(c *compare.Comparison, rows []compare.Row, values []string) BesideTable {
	t := BesideTable{Title: a.title, Head: []string{"benchmark", "domain", "unit", "build"}}
	for _, v := range values {
		name := a.name(c, v)
		t.Head = append(t.Head, c.Base+" "+name, "change "+name)
	}
	at := map[besideKey]int{}
	for _, r := range rows {
		k := besideKey{r.Environment, r.Benchmark, r.Unit, r.Build}
		column := named + 2*slices.Index(values, *a.of(&k.Environment))
		*a.of(&k.Environment) = ""
		line, ok := at[k]
		if !ok {
			line = len(t.Lines)
			at[k] = line
			t.Lines = append(t.Lines, append([]string{r.Benchmark, r.Domain, r.Unit, r.Build}, make([]string, len(t.Head)-named)...))
		}
		t.Lines[line][column] = Value(r.BaseValue, r.Unit)
		t.Lines[line][column+1] = besideCell(r)
	}
	return t
}

// besideCell is what a build costs, in as few words as there are.
func besideCell(r compare.Row) string {
	if compare.IsCount(r.Unit) {
		return Difference(r)
	}
	return Overhead(r) + " " + VerdictText(r)
}

func (t BesideTable) grid() *grid.Grid {
	g := grid.New(len(t.Head))
	g.Add(t.Head...)
	for _, line := range t.Lines {
		g.Add(line...)
	}
	for i := named; i < len(t.Head); i++ {
		g.Right[i] = true
	}
	return g
}

// Heading is the title as it begins a line.
func (t BesideTable) Heading() string { return strings.ToUpper(t.Title[:1]) + t.Title[1:] }

func writeBeside(w *bufio.Writer, c *compare.Comparison, rows []compare.Row, style Style) {
	for _, t := range Beside(c, rows) {
		style.prose(w, t.Title, 2)
		t.grid().Write(w)
		fmt.Fprintln(w)
	}
}

func markdownBeside(w io.Writer, c *compare.Comparison, rows []compare.Row) {
	for _, t := range Beside(c, rows) {
		fmt.Fprintf(w, "### %s\n\n", grid.Escape(t.Title))
		t.grid().Markdown(w, "")
		fmt.Fprintln(w)
	}
}
