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

	"github.com/google/renameio/v2"

	"xsmbench/reports/about"
	"xsmbench/reports/answer"
	"xsmbench/reports/compare"
	"xsmbench/reports/coverage"
	"xsmbench/reports/hooks"
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
	// Coverage is which hooks the run crossed, nil if it is not of one run.
	Coverage *coverage.Matrix
	// Trends are those of a history that the run belongs to, nil for none.
	Trends *trend.Trends

	answer         *answer.Answer
	charts, trends []*plot.Chart
}

// Answer is what the report says first.
func (r *Report) Answer() *answer.Answer {
	if r.answer == nil {
		r.answer = answer.Of(r.Comparison, r.About, r.Hooks)
	}
	return r.answer
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
		"compare.json": func(w io.Writer) error { return table.JSON(w, r.Comparison, r.About) },
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

//go:embed page.html
var pageText string

//go:embed hooks.html
var hooksText string

//go:embed tables.html
var tablesText string

//go:embed panel.html
var panelText string

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
	for _, text := range []string{tablesText, panelText, hooksText, pageText} {
		template.Must(t.Parse(text))
	}
	return t
}()

// HTML writes the page.
func (r *Report) HTML(w io.Writer) error {
	if r.trends == nil && r.Trends != nil {
		r.trends = plot.Trends(r.Trends)
	}
	v, err := r.view()
	if err != nil {
		return err
	}
	return pageTemplate.Execute(w, v)
}
