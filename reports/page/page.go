// Package page writes a report: one HTML page that needs nothing else, the
// same in Markdown, and the charts and tables as files.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/hooks"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/plot"
	"xsmbench/reports/profile"
	"xsmbench/reports/table"
	"xsmbench/reports/trend"
)

// Report is what a page shows.
type Report struct {
	Title      string
	Comparison *compare.Comparison
	About      about.About
	Hooks      *profile.Run // nil if the run has no profiles
	// Trends are those of a history that the run belongs to, nil for none.
	Trends *trend.Trends

	charts, trends []*plot.Chart
}

func (r *Report) draw() {
	if r.charts == nil {
		r.charts = plot.Charts(r.Comparison)
	}
	if r.trends == nil && r.Trends != nil {
		r.trends = plot.Trends(r.Trends)
	}
}

// Index is the name of the page.
const Index = "index.html"

// Write makes the directory and writes into it index.html, report.md,
// compare.csv, compare.json, hooks.txt and hooks.json if there are profiles,
// and every chart as SVG and PNG. It returns the path of the page.
func Write(dir string, r Report) (string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("write report: %w", err)
	}
	r.draw()
	files := map[string]func(io.Writer) error{
		Index:          r.HTML,
		"report.md":    r.Markdown,
		"compare.csv":  func(w io.Writer) error { return table.CSV(w, r.Comparison) },
		"compare.json": func(w io.Writer) error { return table.JSON(w, r.Comparison) },
	}
	if r.Hooks != nil {
		o := hooks.Options{Base: r.Comparison.Base, Functions: true, Matrix: true}
		files["hooks.txt"] = func(w io.Writer) error { return hooks.Text(w, r.Hooks, o) }
		files["hooks.json"] = func(w io.Writer) error { return hooks.JSON(w, r.Hooks, o) }
	}
	for _, ch := range slices.Concat(r.charts, r.trends) {
		files[ch.Name+".svg"] = ch.SVG
		files[ch.Name+".png"] = ch.PNG
	}
	for name, write := range files {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return "", fmt.Errorf("write report: %s: %w", name, err)
		}
		if err := renameio.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o666); err != nil {
			return "", fmt.Errorf("write report: %w", err)
		}
	}
	return filepath.Join(dir, Index), nil
}

// Markdown writes the report for a wiki or a merge request; it shows the
// charts that Write puts beside it.
func (r *Report) Markdown(w io.Writer) error {
	r.draw()
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n", r.Title)
	if err := table.Markdown(&b, r.Comparison, r.About); err != nil {
		return err
	}
	fmt.Fprint(&b, "\n## Charts\n")
	for _, ch := range slices.Concat(r.charts, r.trends) {
		fmt.Fprintf(&b, "\n![%s](%s.png)\n", ch.Title, ch.Name)
	}
	_, err := w.Write(b.Bytes())
	return err
}

//go:embed page.html
var pageText string

//go:embed hooks.html
var hooksText string

//go:embed tables.html
var tablesText string

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

// scriptHash allows the page's script in its policy, and no other.
var scriptHash = func() string {
	sum := sha256.Sum256([]byte(pageScript))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}()

var pageTemplate = func() *template.Template {
	t := template.New("page")
	for _, text := range []string{tablesText, hooksText, pageText} {
		template.Must(t.Parse(text))
	}
	return t
}()

// HTML writes the page.
func (r *Report) HTML(w io.Writer) error {
	r.draw()
	v, err := r.view()
	if err != nil {
		return err
	}
	return pageTemplate.Execute(w, v)
}

// view is what the template sees.
type view struct {
	Title      string
	Style      template.CSS
	Script     template.JS
	ScriptHash string
	Verdict    string
	What       string // that the charts show
	Tiles      []tile
	Summary    []string
	Legend     []string
	Warnings   []compare.Warning
	Overhead   []chart
	Heat       []chart
	Boots      []chart
	Tables     []tableView
	Controls   []tableView
	Hooks      *hooksView
	Tests      plainTable
	Figures    *plainTable
	Uncounted  *plainTable
	Trends     *trendView // nil without a history
	About      about.About
	Checklist  []about.Item
	Problems   []string
}

type tile struct {
	Count   int
	Verdict string
	Sign    string
}

type chart struct {
	Title, Text string
	SVG         template.HTML
}

type tableView struct {
	Title  string
	N      string
	Base   string
	Level  string
	Builds []string
	Beside []string // heads of what stands beside each figure
	Counts bool     // a build's own count stands before its difference
	Span   int      // columns of a build
	Lines  []lineView
	Means  []table.MeanLine
	Notes  []string
}

type lineView struct {
	Benchmark, Base string
	Control         bool // no build crosses a hook
	Beside          []string
	Remarks         []string
	Verdicts        string // of its cells, by which the line can be filtered
	Cells           []cellView
}

type cellView struct {
	Measured                    bool
	Count                       string   // the build's own, if the table counts
	Beside                      []string // what it is made of
	Overhead, Interval, Verdict string
	Class, Sign                 string
	Rank                        int // of the verdict among verdicts
	N                           int
	Hint                        string // the margin in force and the tests
	Marks                       string
}

func (r *Report) view() (*view, error) {
	c := r.Comparison
	v := &view{
		Title: r.Title, Style: template.CSS(pageStyle), Script: template.JS(pageScript), ScriptHash: scriptHash, Verdict: headline(c),
		Summary: table.Summary(c), Legend: table.Legend(c), Warnings: c.Warnings,
		About: r.About, Checklist: checklist(r.About.Checklist, c), Tests: testTable(c), Figures: figureTable(c), Uncounted: uncountedTable(c),
	}
	v.What = "Overhead"
	if onlyCounts(c) && len(c.Rows) > 0 {
		v.What = "Instructions"
	}
	for _, verdict := range []compare.Verdict{compare.Equivalent, compare.Slower, compare.Faster, compare.Inconclusive} {
		v.Tiles = append(v.Tiles, tile{c.Count(verdict), string(verdict), sign(verdict)})
	}
	for _, s := range compare.Sections(c.Rows) {
		v.Tables = append(v.Tables, tableOf(c, s))
	}
	for _, s := range compare.Sections(c.Controls) {
		v.Controls = append(v.Controls, tableOf(c, s))
	}
	v.Problems = r.About.ProblemLines()
	var err error
	if v.Trends, err = r.trendView(); err != nil {
		return nil, err
	}
	if v.Hooks, err = hooksOf(r.Hooks); err != nil {
		return nil, err
	}
	return v, v.addCharts(r.charts)
}

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

func (v *view) addCharts(charts []*plot.Chart) error {
	for _, ch := range charts {
		svg, err := inline(ch)
		if err != nil {
			return err
		}
		one := chart{ch.Title, ch.Text, svg}
		switch {
		case strings.HasPrefix(ch.Name, "overhead"):
			v.Overhead = append(v.Overhead, one)
		case strings.HasPrefix(ch.Name, "heat"):
			v.Heat = append(v.Heat, one)
		default:
			v.Boots = append(v.Boots, one)
		}
	}
	return nil
}

// inline is the chart as an element of the page: without the declarations
// that stand before it in a file. Everything in it is the plot package's own;
// names of benchmarks are escaped there.
func inline(ch *plot.Chart) (template.HTML, error) {
	var b strings.Builder
	if err := ch.SVG(&b); err != nil {
		return "", err
	}
	_, svg, ok := strings.Cut(b.String(), "<svg ")
	if !ok {
		return "", fmt.Errorf("chart %s is no SVG", ch.Name)
	}
	return template.HTML(`<svg role="img" aria-label="` + template.HTMLEscapeString(ch.Text) + `" ` + svg), nil
}

// headline is the result in a sentence.
func headline(c *compare.Comparison) string {
	n, slower, open := len(c.Rows), c.Count(compare.Slower), c.Count(compare.Inconclusive)
	switch {
	case n == 0:
		return "Nothing was compared."
	case c.Negligible():
		return fmt.Sprintf("No cost above the margin: all %d differences are negligible.", n)
	case slower > 0 && onlyCounts(c):
		return fmt.Sprintf("More instructions than %s, beyond the margin: %s.", c.Base, slowerBuilds(c))
	case slower > 0:
		return fmt.Sprintf("Slower than %s: %s.", c.Base, slowerBuilds(c))
	case open > 0:
		return fmt.Sprintf("No row is shown to be slower than %s, but %d of %d are undecided.", c.Base, open, n)
	}
	return fmt.Sprintf("No row is slower than %s; some are faster.", c.Base)
}

// onlyCounts reports whether no row is one of time.
func onlyCounts(c *compare.Comparison) bool {
	return !slices.ContainsFunc(c.Rows, func(r compare.Row) bool { return !compare.IsCount(r.Unit) })
}

// slowerBuilds counts each build's slower rows.
func slowerBuilds(c *compare.Comparison) string {
	var parts []string
	for _, build := range c.Builds {
		rows, slower := 0, 0
		for _, r := range c.Rows {
			if r.Build == build {
				rows++
				if r.Verdict == compare.Slower {
					slower++
				}
			}
		}
		if rows > 0 {
			parts = append(parts, fmt.Sprintf("%s in %d of %d rows", build, slower, rows))
		}
	}
	return strings.Join(parts, ", ")
}

func tableOf(c *compare.Comparison, s compare.Section) tableView {
	t := tableView{Title: s.Title(), Base: c.Base, Level: c.LevelText(), Builds: s.Builds, Counts: s.Counted()}
	units := c.Beside(s)
	t.Beside = table.BesideHeads(units)
	t.Span = 3 + len(units) // that of a count stands in for the interval
	if t.Counts {
		t.Title = table.CountTitle(s, "")
	}
	var notes table.Footnotes
	for _, l := range s.Lines {
		line := lineView{Benchmark: l.Benchmark, Base: table.Value(l.BaseValue, s.Unit)}
		line.Beside = table.BesideCells(c, s.Environment, l.Benchmark, c.Base, units)
		line.Control = plot.NoHook(l)
		var verdicts []string
		for i, r := range l.Rows {
			beside := table.BesideCells(c, s.Environment, l.Benchmark, s.Builds[i], units)
			cell := cellOf(r, beside, &notes)
			cell.Beside = beside
			line.Cells = append(line.Cells, cell)
			if cell.Measured && !slices.Contains(verdicts, cell.Class) {
				verdicts = append(verdicts, cell.Class)
			}
		}
		line.Verdicts = strings.Join(verdicts, " ")
		if t.Counts {
			line.Remarks = remarks(c, s, l)
		}
		t.Lines = append(t.Lines, line)
	}
	t.Notes = notes.Lines()
	t.Means = table.MeansOf(c, s)
	return t
}

// remarks are what stands below a benchmark: what its cells leave out, and
// what its samples came with.
func remarks(c *compare.Comparison, s compare.Section, l compare.Line) []string {
	var all []string
	for _, r := range l.Rows {
		if r != nil && !r.Exact {
			all = append(all, r.Build+": "+table.Inexact(*r, table.UsualN(s)))
		}
	}
	for _, r := range table.Remarks(c, l) {
		all = append(all, r.String())
	}
	return all
}

func cellOf(r *compare.Row, beside []string, notes *table.Footnotes) cellView {
	if r == nil {
		return cellView{Verdict: table.Lacking(beside)}
	}
	cell := cellView{
		Measured: true, Overhead: table.Overhead(*r), Interval: table.Interval(*r),
		Verdict: table.VerdictText(*r), Class: string(r.Verdict), Sign: sign(r.Verdict), Rank: rank(r.Verdict), N: r.N,
		Hint: fmt.Sprintf("n=%d, margin ±%s, %s in this build", r.N, number.Share(r.Margin, 2), table.Value(r.Value, r.Unit)),
	}
	if compare.IsCount(r.Unit) {
		cell.Count, cell.Overhead = table.Value(r.Value, r.Unit), table.Difference(*r)
		if !r.Exact {
			cell.Overhead = "~ " + cell.Overhead
		}
		cell.Marks = notes.Marks(table.NotRemarks(r))
	} else {
		cell.Marks = notes.Marks(r.Warnings)
	}
	return cell
}

func sign(v compare.Verdict) string {
	switch v {
	case compare.Equivalent:
		return "="
	case compare.Slower:
		return "▲"
	case compare.Faster:
		return "▼"
	}
	return "?"
}
