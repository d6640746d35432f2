package table

import (
	"bufio"
	"fmt"
	"io"
	"slices"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
)

// ArchesTitle stands above the table of Arches.
const ArchesTitle = "architectures side by side: each build against the base of its own architecture"

// ArchTable has a line for each benchmark, domain, unit and build, with two
// columns for each architecture after those four: what the base has, and what the
// build costs more.
type ArchTable struct {
	Head  []string
	Lines [][]string
}

// archKey is what the architectures of a line have in common.
type archKey struct {
	compare.Environment    // without the architecture
	benchmark, unit, build string
}

// named is how many columns say what a line is of.
const named = 4

// Arches arranges rows of several architectures; there is no line if they are
// of one.
func Arches(c *compare.Comparison, rows []compare.Row) ArchTable {
	arches := archesOf(rows)
	if len(arches) < 2 {
		return ArchTable{}
	}
	t := ArchTable{Head: []string{"benchmark", "domain", "unit", "build"}}
	for _, arch := range arches {
		t.Head = append(t.Head, c.Base+" "+arch, "change "+arch)
	}
	at := map[archKey]int{}
	for i := range rows {
		r := &rows[i]
		k := archKey{r.Environment, r.Benchmark, r.Unit, r.Build}
		k.Arch = ""
		line, ok := at[k]
		if !ok {
			line = len(t.Lines)
			at[k] = line
			t.Lines = append(t.Lines, append([]string{r.Benchmark, r.Domain, r.Unit, r.Build}, make([]string, len(t.Head)-named)...))
		}
		column := named + 2*slices.Index(arches, r.Arch)
		t.Lines[line][column] = Value(r.BaseValue, r.Unit)
		t.Lines[line][column+1] = archCell(*r)
	}
	return t
}

// archesOf are the architectures of rows, in the order of their appearance.
func archesOf(rows []compare.Row) []string {
	var all []string
	for _, r := range rows {
		if !slices.Contains(all, r.Arch) {
			all = append(all, r.Arch)
		}
	}
	return all
}

// archCell is what a build costs, in as few words as there are.
func archCell(r compare.Row) string {
	if compare.IsCount(r.Unit) {
		return Difference(r)
	}
	return Overhead(r) + " " + VerdictText(r)
}

func (t ArchTable) grid() *grid.Grid {
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

func writeArches(w *bufio.Writer, c *compare.Comparison, rows []compare.Row, style Style) {
	if t := Arches(c, rows); len(t.Lines) > 0 {
		style.prose(w, ArchesTitle, 2)
		t.grid().Write(w)
		fmt.Fprintln(w)
	}
}

func markdownArches(w io.Writer, c *compare.Comparison, rows []compare.Row) {
	if t := Arches(c, rows); len(t.Lines) > 0 {
		fmt.Fprintf(w, "### %s\n\n", grid.Escape(ArchesTitle))
		t.grid().Markdown(w, "")
		fmt.Fprintln(w)
	}
}
