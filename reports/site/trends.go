package site

import (
	"fmt"
	"slices"

	"xsmbench/reports/internal/number"
	"xsmbench/reports/table"
	"xsmbench/reports/trend"
)

// page is the page of a line's trends.
func (l *line) page() string { return trendFolder + "/" + l.Slug + "/index.html" }

// benchmarkPage is that of a benchmark.
func (l *line) benchmarkPage(name string) string {
	return trendFolder + "/" + l.Slug + "/" + fileName(answerName(name), name) + ".html"
}

// trendsView is what the page of a line shows.
type trendsView struct {
	Summary string // of the changes
	Changes []changeView
	Tables  []levelTable
	Notes   []string
	Before  link // of the last run and the one before; empty if there is one run
}

// levelTable has the last level of each benchmark in one place and unit.
type levelTable struct {
	Title  string
	Builds []string
	Lines  []levelLine
}

type levelLine struct {
	Benchmark, To string
	Cells         []levelCell
}

type levelCell struct {
	Value   string // "" if the build has no such series
	Changes int
	Last    string // size of the last change
	Class   string
}

func (t *site) writeLine(l *line) error {
	v := trendsView{Tables: l.tables(), Notes: l.notes()}
	for _, m := range l.latest() {
		v.Changes = append(v.Changes, l.changeView(m))
	}
	switch n := len(v.Changes); {
	case n > 0:
		v.Summary = fmt.Sprintf("%s of level, the newest first.", number.Count(n, "change"))
	case len(l.runs) == 1:
		v.Summary = "One run shows no change."
	default:
		v.Summary = "The level of no figure changed."
	}
	if before := l.last().before(); before != nil {
		v.Before = link{"Compare the last run with the one before", comparison(before, l.last())}
	}
	f := frame{Title: "Trends: " + l.Name(), Subject: l.subject(), Here: "trends", Body: v}
	if err := t.put(l.page(), "line", f); err != nil {
		return err
	}
	return t.writeBenchmarks(l)
}

// notes say what a change is.
func (l *line) notes() []string {
	notes := []string{
		fmt.Sprintf("A change is one of level. That of an exact count is any difference. All others were found by t and a permutation test, and are larger than what runs of one image differ in; the probability that any of them is false is at most %s.", number.Share(l.costs.Alpha, 6)),
	}
	if n := l.costs.Hidden(); n > 0 {
		notes = append(notes, fmt.Sprintf("%s not shown since smaller than what runs of one image differ in.", number.Count(n, "change")))
	}
	return append(notes, profileNote)
}

// profileNote says why there is nothing of single hooks.
const profileNote = "A history keeps figures and no profiles, so nothing here is of a single hook. What each hook costs is in the run directory: xsmbench hooks DIR."

func (l *line) subject() string {
	n := len(l.runs)
	if n == 1 {
		return "1 run, " + l.last().when()
	}
	return fmt.Sprintf("%d runs, from %s to %s", n, l.runs[0].day(), l.last().day())
}

// tables are of the newest levels: for each place and unit, the builds side by
// side.
func (l *line) tables() []levelTable {
	var all []levelTable
	order := l.costs.BuildOrder()
	for _, of := range groupsOf(l.costs.Series) {
		t := levelTable{Title: of.title()}
		for _, s := range of.series {
			if !slices.Contains(t.Builds, s.Build) {
				t.Builds = append(t.Builds, s.Build)
			}
		}
		slices.SortFunc(t.Builds, order.Compare)
		lines := map[string]int{}
		for _, s := range of.series {
			i, ok := lines[s.Benchmark]
			if !ok {
				i = len(t.Lines)
				lines[s.Benchmark] = i
				t.Lines = append(t.Lines, levelLine{s.Benchmark, l.benchmarkPage(s.Benchmark), make([]levelCell, len(t.Builds))})
			}
			t.Lines[i].Cells[slices.Index(t.Builds, s.Build)] = cellOf(s)
		}
		all = append(all, t)
	}
	return all
}

func cellOf(s *trend.Series) levelCell {
	levels := s.Levels()
	c := levelCell{Value: table.LevelValue(s, levels[len(levels)-1].Value), Changes: len(s.Changes)}
	if n := len(s.Changes); n > 0 {
		last := s.Changes[n-1]
		c.Last, c.Class = table.ChangeText(last), classOf(s.Verdict(last))
	}
	return c
}

// group is the series of one place and unit.
type group struct {
	host, where, domain, unit string
	series                    []*trend.Series
}

func (g group) title() string {
	text := g.domain + ", " + g.unit + " (" + g.where
	if g.host != trend.AnyHost {
		text += ", machine " + g.host
	}
	return text + ")"
}

func groupsOf(all []*trend.Series) []group {
	var groups []group
	at := map[string]int{}
	for _, s := range all {
		g := group{host: s.Host, where: whereOf(s.Environment), domain: s.Domain, unit: s.Unit}
		k := hash(g.host, g.where, g.domain, g.unit)
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k] = i
			groups = append(groups, g)
		}
		groups[i].series = append(groups[i].series, s)
	}
	return groups
}

// benchmarkView is what the page of a benchmark shows.
type benchmarkView struct {
	Line    link
	Charts  []chartView
	Parts   []chartView // of the hooks' share
	Note    string
	Steps   bool
	History string
}

func (t *site) writeBenchmarks(l *line) error {
	costs, parts := byBenchmark(l.costs.Series), byBenchmark(l.parts.Series)
	for _, name := range benchmarksOf(l.costs.Series, l.parts.Series) {
		v := benchmarkView{Line: link{l.Name(), l.page()}, Note: profileNote}
		for _, s := range costs[name] {
			v.Charts = append(v.Charts, l.chart(l.costs, s))
		}
		for _, s := range parts[name] {
			v.Parts = append(v.Parts, l.chart(l.parts, s))
		}
		f := frame{Title: name, Subject: l.Name() + ", " + l.subject(), Here: "trends", Body: v}
		if err := t.put(l.benchmarkPage(name), "benchmark", f); err != nil {
			return err
		}
	}
	return nil
}

func byBenchmark(all []*trend.Series) map[string][]*trend.Series {
	of := map[string][]*trend.Series{}
	for _, s := range all {
		of[s.Benchmark] = append(of[s.Benchmark], s)
	}
	return of
}

// benchmarksOf are the names of lists of series, each once.
func benchmarksOf(lists ...[]*trend.Series) []string {
	var names []string
	seen := map[string]bool{}
	for _, list := range lists {
		for _, s := range list {
			if !seen[s.Benchmark] {
				seen[s.Benchmark] = true
				names = append(names, s.Benchmark)
			}
		}
	}
	return names
}
