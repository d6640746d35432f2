package site

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"strings"
)

//go:embed site.css
var style string

//go:embed frame.html
var frameText string

//go:embed index.html
var indexText string

//go:embed line.html
var lineText string

//go:embed benchmark.html
var benchmarkText string

//go:embed runs.html
var runsText string

//go:embed compare.html
var compareText string

//go:embed compare.js
var compareScript string

// templates are by page; each has the frame around its own part.
var templates = func() map[string]*template.Template {
	all := map[string]*template.Template{}
	for name, text := range map[string]string{"index": indexText, "line": lineText, "benchmark": benchmarkText, "runs": runsText, "compare": compareText} {
		all[name] = template.Must(template.Must(template.New("frame").Funcs(functions).Parse(frameText)).Parse(text))
	}
	return all
}()

// functions are the templates'. A name may be broken after its slashes.
var functions = template.FuncMap{"parts": func(name string) []string { return strings.SplitAfter(name, "/") }}

// scriptHash allows the script of the page that compares, which may load the data's.
var scriptHash = func() string {
	sum := sha256.Sum256([]byte(compareScript))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}()

// frame is what all pages have.
type frame struct {
	Title, Subject string
	Up             string // leads to the site's folder
	Style          template.CSS
	Script         template.JS // "" for pages that have none
	ScriptHash     string
	Here           string // the entry of the menu that this page is
	Site           string // the site's title
	Body           any
}

// link is a place in the site, or in the page.
type link struct{ Text, To string }

// put writes a page.
func (t *site) put(name, page string, f frame) error {
	f.Up, f.Style, f.Site = up(name), template.CSS(style), t.title()
	var b bytes.Buffer
	if err := templates[page].ExecuteTemplate(&b, "frame", f); err != nil {
		return err
	}
	return t.dir.put(name, b.Bytes())
}

func (t *site) title() string {
	if t.Title != "" {
		return t.Title
	}
	return "What XSM hooks cost"
}

// comparison is the address of two runs side by side.
func comparison(before, after *run) string {
	return comparePage + "#a=" + before.ID + "&b=" + after.ID
}

// changeList is a table of changes with its title.
type changeList struct {
	Up, Title string
	Quiet     bool // the title is read to those who do not see the page
	Changes   []changeView
}

// Changes makes a table of changes for a template.
func (f frame) Changes(title string, quiet bool, all []changeView) changeList {
	return changeList{f.Up, title, quiet, all}
}

type runList struct {
	Up, Title string
	Runs      []runLine
}

// Listed makes a table of runs for a template.
func (f frame) Listed(title string, all []runLine) runList { return runList{f.Up, title, all} }

// chartFrame is a chart with the way to the site's folder.
type chartFrame struct {
	Up    string
	Chart chartView
}

// Chart makes what a template draws.
func (f frame) Chart(c chartView) chartFrame { return chartFrame{f.Up, c} }

type stepFrame struct {
	Up   string
	Step stepView
}

// Step makes what a template says of a change.
func (c chartFrame) Step(s stepView) stepFrame { return stepFrame{c.Up, s} }
