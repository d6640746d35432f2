package page

import (
	"fmt"
	"html/template"
	"math"
	"net/url"
	"slices"
	"strings"

	"xsmbench/reports/about"
	"xsmbench/reports/answer"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/table"
)

// view is what the template sees.
type view struct {
	Title       string
	Style       template.CSS
	Script      template.JS
	ScriptHash  string
	Subject     string
	Alerts      []string // what must be known before anything is read
	Answers     []answerView
	Most        *mostView // nil if nothing costs more
	Provoked    []string
	Controlled  []string // what the controls say
	What        string   // that the charts show
	Filters     []filterView
	Legend      []string
	Warnings    []compare.Warning
	Tables      []tableView
	Charts      []chartView
	Controls    []tableView
	ControlRows string
	Hooks       *hooksView
	Coverage    *plainTable // nil if the report is not of one run
	Tests       plainTable
	Figures     *plainTable
	Uncounted   *plainTable
	Beside      []plainTable // what there are several of
	Trends      *trendView   // nil without a history
	About       about.About
	Checklist   []about.Item
	Problems    []string
	Panels      []panelView
}

// answerView is what a build costs: a sentence, a bar, and its rows by verdict.
type answerView struct {
	Name, Text string
	Class      string // of the gravest verdict
	Bar        float64
	Mean       string
	Tiles      []tile
	Changed    []changeLine // what was changed, if the build is a change of the base
}

// changeLine is a line of a list; Sub is one of a list within.
type changeLine struct {
	Text string
	Sub  bool
}

// tile counts the rows of a build with a verdict, and leads to them.
type tile struct {
	Count                int
	Verdict, Sign, Label string
	Filter               string // as the address has it
	Link                 string
}

// filterView is the choice of a build's verdicts.
type filterView struct {
	Build   string
	Index   int // among the builds
	Options []option
}

type option struct{ Value, Text string }

type mostView struct {
	Base  string
	Lines []mostLine
}

type mostLine struct {
	First              bool // of its build
	Build, Name, Where string
	Link               string
	Before, More       string
	Hook, Cause        string
}

func (r *Report) view() (*view, error) {
	c, a := r.Comparison, r.Answer()
	v := &view{
		Title: r.Title, Style: template.CSS(pageStyle), Script: template.JS(pageScript), ScriptHash: scriptHash,
		Subject: a.Title(), Controlled: table.Controls(c), Legend: table.Legend(c), Warnings: c.Warnings, What: "Overhead",
		About: r.About, Checklist: checklist(r.About.Checklist, c), Problems: r.About.ProblemLines(),
		Tests: testTable(c), Figures: figureTable(c), Uncounted: uncountedTable(c), Beside: besideTables(c),
	}
	if slices.Equal(a.Kinds, []answer.Kind{answer.Instructions}) {
		v.What = "Instructions"
	}
	if r.About.Incomplete != "" {
		v.Alerts = append(v.Alerts, r.About.Incomplete)
	}
	if n := damaged(r.About); n > 0 {
		v.Alerts = append(v.Alerts, fmt.Sprintf("%s of the input could not be used and are listed at the end of this page. The report covers the rest.", number.Count(n, "line")))
	}
	names := namer{}
	for _, s := range compare.Sections(c.Rows) {
		p := r.part(s, names, false)
		v.Tables = append(v.Tables, p.table())
		v.Charts = append(v.Charts, p.chart())
		for i := range p.lines {
			v.Panels = append(v.Panels, p.panel(i))
		}
	}
	controls := 0
	for _, s := range compare.Sections(c.Controls) {
		t := r.part(s, names, true).table()
		controls += len(t.Lines)
		v.Controls = append(v.Controls, t)
	}
	v.ControlRows = number.Count(controls, "row") + " of controls"
	v.answers(a)
	v.most(a, names)
	var err error
	if v.Trends, err = r.trendView(); err != nil {
		return nil, err
	}
	v.Hooks, v.Coverage = hooksOf(r.Hooks, r.Comparison.Base), coverageTable(r.Coverage)
	return v, nil
}

// damaged is how many lines of the input could not be used.
func damaged(a about.About) int {
	n := 0
	for _, p := range a.Problems {
		if !p.Note {
			n++
		}
	}
	return n
}

// answers are the sentences, with what filters by their builds.
func (v *view) answers(a *answer.Answer) {
	for _, b := range a.Builds {
		sentence := strings.TrimPrefix(b.Brief(), b.Name+" ") + "."
		view := answerView{Name: b.Name, Text: sentence, Class: string(gravest(b)), Bar: round(100 * a.Share(b))}
		if mean, ok := b.Mean(); ok {
			view.Mean = number.SignedPercent(mean, 1)
			if b.Open() {
				view.Mean += " ?"
			}
		}
		of := ""
		if len(a.Kinds) > 1 {
			of = string(b.Kind) + " "
		}
		for _, verdict := range compare.Verdicts {
			n := b.Verdicts[verdict]
			if n == 0 {
				continue
			}
			t := tile{Count: n, Verdict: string(verdict), Sign: verdict.Sign(), Label: of + string(verdict), Filter: b.Name + ":" + of + string(verdict)}
			t.Link = "?" + url.Values{"verdict": {t.Filter}}.Encode() + "#tables"
			view.Tiles = append(view.Tiles, t)
			v.filter(b.Name).add(option{of + string(verdict), verdict.Sign() + " " + of + string(verdict)})
		}
		if b.Changed != nil {
			for _, line := range b.Changed.Lines() {
				text := strings.TrimSpace(line)
				view.Changed = append(view.Changed, changeLine{text, text != line})
			}
		}
		v.Answers = append(v.Answers, view)
		if text := b.Provoked(); text != "" {
			v.Provoked = append(v.Provoked, text)
		}
	}
}

func (f *filterView) add(o option) { f.Options = append(f.Options, o) }

// filter finds or adds that of a build.
func (v *view) filter(build string) *filterView {
	i := slices.IndexFunc(v.Filters, func(f filterView) bool { return f.Build == build })
	if i < 0 {
		i = len(v.Filters)
		v.Filters = append(v.Filters, filterView{Build: build, Index: slices.Index(v.builds(), build)})
	}
	return &v.Filters[i]
}

// builds are those in whose order a row lists its verdicts.
func (v *view) builds() []string {
	for _, t := range v.Tables {
		return t.All
	}
	return nil
}

// gravest is the verdict that a build's rows ask most attention for.
func gravest(b answer.Build) compare.Verdict {
	for _, verdict := range []compare.Verdict{compare.Slower, compare.Inconclusive, compare.Faster} {
		if b.Verdicts[verdict] > 0 {
			return verdict
		}
	}
	return compare.Equivalent
}

// most is the table of what costs the most, the costliest build first.
func (v *view) most(a *answer.Answer, names namer) {
	builds := slices.Clone(a.Builds)
	slices.SortStableFunc(builds, func(x, y answer.Build) int {
		mx, _ := x.Mean()
		my, _ := y.Mean()
		switch {
		case my > mx:
			return 1
		case mx > my:
			return -1
		}
		return 0
	})
	m := &mostView{Base: a.Base}
	for _, b := range builds {
		for i, c := range b.Most {
			l := mostLine{First: i == 0, Build: b.Name, Name: c.Name(), Link: names.panel(c.Row), Before: table.Value(c.BaseValue, c.Unit), More: c.Change(), Hook: c.Cause.Hook}
			if c.Where != "" {
				l.Where = "in " + c.Where
			}
			l.Cause = strings.TrimPrefix(c.Cause.String(), c.Cause.Hook)
			if !strings.HasPrefix(c.Cause.String(), c.Cause.Hook) || l.Cause == "" {
				l.Hook, l.Cause = "", c.Cause.String()
			}
			m.Lines = append(m.Lines, l)
		}
	}
	if len(m.Lines) > 0 {
		v.Most = m
	}
}

// round keeps two places of a figure of the layout.
func round(f float64) float64 { return math.Round(100*f) / 100 }

// checklist adds to the run's what the report judges by, which the run need
// not have planned.
func checklist(items []about.Item, c *compare.Comparison) []about.Item {
	items = slices.Clone(items)
	if i := slices.IndexFunc(items, func(i about.Item) bool { return i.Label == about.Criteria }); i >= 0 {
		planned := items[i].Lines
		items[i].Lines = []about.Line{{Text: "this report: " + compare.DescribeCriteria(c.Criteria)}}
		for _, l := range planned {
			items[i].Lines = append(items[i].Lines, about.Line{Text: "planned before the run: " + l.Text})
		}
	}
	return items
}

// namer gives rows their places in the page, each once.
type namer map[string]int

// slug is a text as a part of an address.
func slug(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_-.", r):
			return r
		}
		return '-'
	}, text)
}

// place identifies what a row is about, whatever its build.
func place(e compare.Environment, benchmark, unit string) string {
	return e.String() + " " + benchmark + " " + unit
}

// id is a row's: its domain and benchmark, and a number where others have the
// same.
func (n namer) id(e compare.Environment, benchmark, unit string) string {
	name, key := slug(e.Domain+"-"+benchmark), place(e, benchmark, unit)
	if i, ok := n[key]; ok {
		return numbered(name, i)
	}
	n["\x00"+name]++
	n[key] = n["\x00"+name]
	return numbered(name, n[key])
}

func numbered(name string, i int) string {
	if i < 2 {
		return name
	}
	return fmt.Sprintf("%s--%d", name, i)
}

// panel is the place of what is told of a row's benchmark.
func (n namer) panel(r compare.Row) string { return "b-" + n.id(r.Environment, r.Benchmark, r.Unit) }
