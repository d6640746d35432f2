package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"xsmbench/reports/answer"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/plot"
	"xsmbench/reports/profile"
	"xsmbench/reports/table"
)

// part is a section of the comparison with what the page tells of it. Its
// lines are in the order of their size.
type part struct {
	*Report
	compare.Section
	lines    []compare.Line
	names    namer
	controls bool // it is of rows of controls
}

func (r *Report) part(s compare.Section, names namer, controls bool) *part {
	p := &part{Report: r, Section: s, names: names, lines: slices.Clone(s.Lines), controls: controls}
	slices.SortStableFunc(p.lines, func(a, b compare.Line) int { return cmp.Compare(plot.Size(b), plot.Size(a)) })
	return p
}

// all are the builds in whose order a row lists its verdicts.
func (p *part) all() []string {
	if p.controls {
		return p.Builds
	}
	return p.Comparison.Builds
}

type tableView struct {
	Title     string
	Base      string
	All       []string // builds of the comparison
	Builds    []string
	Intervals bool // its means have them
	Lines     []lineView
	Means     []table.MeanLine
	Notes     []string
}

type lineView struct {
	ID, Link string
	Parts    []string // of its name, between which a line may break
	Base     string
	BaseKey  float64
	Control  bool   // no build crosses a hook
	Way      string // the hooks of one operation
	Remarks  []string
	Kind     string
	Verdicts string // of each build
	Search   string // what it is found by besides its name
	Cells    []cellView
}

type cellView struct {
	Measured                                bool
	Difference, Overhead, Interval, Verdict string
	Key                                     float64 // by which it is sorted
	Class, Sign                             string
	Hint                                    string // the margin in force, and what else there is
	Marks                                   string
}

func (p *part) table() tableView {
	c := p.Comparison
	t := tableView{Title: p.Section.Title(), Base: c.Base, All: p.all(), Builds: p.Builds, Intervals: !p.Counted()}
	if p.Counted() {
		t.Title = table.CountTitle(p.Section, "")
	}
	var notes table.Footnotes
	for _, l := range p.lines {
		t.Lines = append(t.Lines, p.line(l, &notes))
	}
	t.Notes = notes.Lines()
	t.Means = table.MeansOf(c, p.Section)
	return t
}

// pageWay bounds the hooks below a benchmark's name; its panel has them all.
const pageWay = 70

func (p *part) line(l compare.Line, notes *table.Footnotes) lineView {
	id := p.names.id(p.Environment, l.Benchmark, p.Unit)
	if p.controls {
		id = "control-" + id
	}
	line := lineView{
		ID: id, Link: "b-" + id, Parts: strings.SplitAfter(l.Benchmark, "/"), Base: table.Value(l.BaseValue, p.Unit), BaseKey: l.BaseValue,
		Control: plot.NoHook(l), Kind: string(answer.KindOf(p.Unit)), Search: p.found(l),
	}
	if p.controls {
		line.Link = "r-" + id
	}
	verdicts := make([]string, len(p.all()))
	for i, r := range l.Rows {
		cell := p.cell(l, r, p.Builds[i], notes)
		line.Cells = append(line.Cells, cell)
		if at := slices.Index(p.all(), p.Builds[i]); cell.Measured && at >= 0 {
			verdicts[at] = cell.Class
		}
	}
	line.Verdicts = strings.Join(orDash(verdicts), " ")
	if p.Counted() {
		line.Way, line.Remarks = table.Way(l, pageWay), p.remarks(l)
	}
	return line
}

// orDash marks what is not measured.
func orDash(words []string) []string {
	for i, w := range words {
		if w == "" {
			words[i] = "-"
		}
	}
	return words
}

// found is what a line is found by besides its benchmark: where it is, and the
// hooks that it crosses.
func (p *part) found(l compare.Line) string {
	words := []string{p.Domain, p.Unit}
	add := func(w string) {
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	for _, r := range l.Rows {
		if r != nil {
			for _, h := range r.Hooks {
				add(h.Hook)
			}
		}
	}
	if b := p.profile(l.Benchmark); b != nil {
		for _, build := range p.Hooks.Builds {
			if cost := b.Costs[build]; cost != nil {
				for _, h := range cost.Hooks {
					add(h.Name)
				}
			}
		}
	}
	return strings.Join(words, " ")
}

// profile is a benchmark's in this section, nil without one.
func (p *part) profile(benchmark string) *profile.Benchmark {
	if p.Hooks == nil {
		return nil
	}
	i := slices.IndexFunc(p.Hooks.Benchmarks, func(b *profile.Benchmark) bool {
		return b.Name == benchmark && b.Where == profile.Where{Arch: p.Arch, DomU: p.DomU, Domain: p.Domain}
	})
	if i < 0 {
		return nil
	}
	return p.Hooks.Benchmarks[i]
}

// remarks are what stands below a benchmark: what its samples came with.
func (p *part) remarks(l compare.Line) []string {
	var all []string
	for _, r := range table.Remarks(p.Comparison, l) {
		all = append(all, r.String())
	}
	return all
}

func (p *part) cell(l compare.Line, r *compare.Row, build string, notes *table.Footnotes) cellView {
	if r == nil {
		beside := table.BesideCells(p.Comparison, p.Environment, l.Benchmark, build, p.Comparison.Beside(p.Section))
		return cellView{Verdict: table.Lacking(beside)}
	}
	cell := cellView{
		Measured: true, Overhead: table.Overhead(*r), Verdict: table.VerdictText(*r), Class: string(r.Verdict), Sign: r.Verdict.Sign(), Key: key(*r),
		Hint: fmt.Sprintf("n=%d, margin ±%s, %s in this build", r.N, number.Share(r.Margin, 2), table.Value(r.Value, r.Unit)),
	}
	if !compare.IsCount(r.Unit) {
		cell.Interval, cell.Marks = table.Interval(*r), notes.Marks(r.Warnings)
		return cell
	}
	cell.Difference, cell.Overhead = table.Count(r.Difference()), number.SignedPercent(r.Overhead(), places(*r))
	if math.IsNaN(r.Ratio) {
		cell.Overhead = ""
	}
	if !r.Exact {
		cell.Difference, cell.Interval = "~ "+cell.Difference, table.Interval(*r)
	}
	cell.Marks = notes.Marks(table.NotRemarks(r))
	return cell
}

// places of a count's share: a place after the point is enough from 10% on.
func places(r compare.Row) int {
	if math.Abs(r.Overhead()) >= 0.0995 {
		return 1
	}
	return 2
}

// key is a row's size for sorting: its overhead, and more than any if the base
// has nothing of it.
func key(r compare.Row) float64 {
	switch {
	case !math.IsNaN(r.Ratio):
		return r.Overhead()
	case r.Difference() > 0:
		return math.MaxFloat32
	}
	return 0
}
