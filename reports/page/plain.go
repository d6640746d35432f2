package page

import (
	"math"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/table"
)

// plainTable is a table with one row of heads; its first column names the
// rows.
type plainTable struct {
	Title string
	Fold  bool // closed until it is asked for
	Head  []plainCell
	Lines []plainLine
}

type plainLine struct {
	Search string // by which the row can be found besides its name
	Cells  []plainCell
}

type plainCell struct {
	Text    string
	Num     bool
	Hint    string
	Remarks []string
}

// newPlain makes a table of texts; number tells which columns are figures.
func newPlain(title string, head []string, lines [][]string, number func(column int) bool) plainTable {
	cells := func(texts []string) []plainCell {
		var all []plainCell
		for i, text := range texts {
			all = append(all, plainCell{Text: text, Num: number(i)})
		}
		return all
	}
	t := plainTable{Title: title, Head: cells(head)}
	for _, l := range lines {
		t.Lines = append(t.Lines, plainLine{Cells: cells(l)})
	}
	return t
}

// from tells that columns are figures from one on.
func from(first int) func(int) bool { return func(column int) bool { return column >= first } }

// uncountedTable is nil if all was counted.
func uncountedTable(c *compare.Comparison) *plainTable {
	u := table.Uncounted(c)
	if len(u.Lines) == 0 {
		return nil
	}
	t := newPlain(table.UncountedTitle, u.Head, nil, from(2))
	for _, l := range u.Lines {
		line := newPlain("", nil, [][]string{l.Cells}, from(2)).Lines[0]
		line.Cells[0].Remarks = l.Remarks
		t.Lines = append(t.Lines, line)
	}
	return &t
}

// besideTables show side by side what there are several of.
func besideTables(c *compare.Comparison) []plainTable {
	var all []plainTable
	for _, b := range table.Beside(c, c.Rows) {
		t := newPlain(b.Heading(), b.Head, b.Lines, from(4))
		for i := range t.Lines {
			t.Lines[i].Search = b.Lines[i][1]
		}
		all = append(all, t)
	}
	return all
}

// figureTable is nil if there are no figures without a verdict.
func figureTable(c *compare.Comparison) *plainTable {
	f := table.Figures(c)
	if len(f.Lines) == 0 {
		return nil
	}
	t := newPlain("Figures without verdict (means)", f.Head, f.Lines, from(3))
	t.Fold = true
	return &t
}

var testHead = []string{"benchmark", "where", "build", "overhead", "interval", "bootstrap", "HL", "p", "Holm", "margin", "TOST", "Wilcoxon", "Mann-Whitney", "verdict"}

// testTable has the tests of all rows in which something is left to chance.
func testTable(c *compare.Comparison) plainTable {
	verdict := len(testHead) - 1
	t := newPlain("Tests", testHead, nil, func(column int) bool { return column >= 3 && column < verdict })
	t.Fold = true
	for _, r := range c.Rows {
		if r.Exact {
			continue
		}
		line := newPlain("", nil, [][]string{{
			r.Benchmark, r.Domain + ", " + r.Unit, r.Build, table.Overhead(r), table.Interval(r), table.Bootstrap(r), hodgesLehmann(r),
			table.P(r.P), table.P(r.PHolm), number.Share(r.Margin, 2), table.P(r.PEquivalent), table.P(r.PSignedRank), table.P(r.PMannWhitney),
			r.Verdict.Sign() + " " + string(r.Verdict),
		}}, from(3)).Lines[0]
		line.Cells[verdict].Num = false
		line.Search = r.Domain
		t.Lines = append(t.Lines, line)
	}
	return t
}

func hodgesLehmann(r compare.Row) string {
	if math.IsNaN(r.HodgesLehmann) {
		return "–"
	}
	r.Ratio = r.HodgesLehmann
	return table.Overhead(r)
}
