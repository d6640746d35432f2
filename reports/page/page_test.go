package page

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"xsmbench/reports/internal/golden"
	"xsmbench/reports/profile"
	"xsmbench/reports/synthetic"
	"xsmbench/reports/table"

	"github.com/google/go-cmp/cmp"

	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/coverage"
	"xsmbench/results"
)

var update = flag.Bool("update", false, "write the golden files again")

func fixture(t *testing.T, name string) *Report {
	t.Helper()
	return reportOf(t, synthetic.Open(t, name))
}

func fixtureOf(t *testing.T, dir string) *Report {
	t.Helper()
	run, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return reportOf(t, run)
}

func reportOf(t *testing.T, run *results.Contents) *Report {
	t.Helper()
	c, err := compare.Compare(run.Samples, compare.Options{Order: synthetic.Order})
	if err != nil {
		t.Fatal(err)
	}
	return &Report{Title: "Synthetic test data", Comparison: c, About: about.Of(&run.Run, compare.SetOf(run.Samples), run.Problems)}
}

// elsewhere is what the golden pages leave out: charts, which are golden in
// package plot, and the style and the script, which are files of their own.
var elsewhere = regexp.MustCompile(`(?s)(<(svg|style|script)\b[^>]*>).*?(</(?:svg|style|script)>)`)

// change is the report of two builds of one kind.
func change(t *testing.T) *Report {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := synthetic.WriteChange(dir); err != nil {
		t.Fatal(err)
	}
	in, err := compare.ReadInput(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := in.Compare(compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	hooks, err := profile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	hooks.Path = "run"
	return &Report{Title: "Synthetic test data", Comparison: c, About: about.OfInput(in).WithChanges(in, c.Base, hooks), Hooks: hooks}
}

// What was changed stands in both reports, and that no benchmark reaches some of it.
func TestChange(t *testing.T) {
	r := change(t)
	for _, write := range []func(io.Writer) error{r.HTML, r.Markdown} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		text := html.UnescapeString(strings.ReplaceAll(b.String(), "\\_", "_"))
		for _, want := range []string{
			"3 of 5 changed functions were never executed",
			"source: 3 files changed, +42 −5 lines", "xen/common/domctl.c +2 −3: do_domctl",
			"configuration: QUOTA: n → y",
			"hook domctl: 26 instructions before, not crossed any more (domctl_getdomaininfo)",
			"3 never executed: gnttab_copy, quota (new), swap_grant_ref; no benchmark of the run reaches them",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("there is no %q", want)
			}
		}
	}
}

func TestGolden(t *testing.T) {
	r, counted := fixture(t, "run"), fixture(t, "counted")
	for name, page := range map[string]*Report{"index.html": r, "counted.html": counted} {
		golden.Matches(t, *update, name, func(w io.Writer) error {
			var b bytes.Buffer
			if err := page.HTML(&b); err != nil {
				return err
			}
			text := elsewhere.ReplaceAllString(b.String(), "<$2>$3")
			_, err := io.WriteString(w, sums.ReplaceAllString(text, "sha256-"))
			return err
		})
	}
}

// sums are hashes of the style and the script.
var sums = regexp.MustCompile(`sha256-[^'"]+`)

// TestCoverage: the page and the Markdown have a row for each hook, with its
// benchmarks or the reason.
func TestCoverage(t *testing.T) {
	r := fixture(t, "run")
	r.Coverage = &coverage.Matrix{Lines: []coverage.Line{
		{Hook: "evtchn_send", Benchmarks: []string{"Kbench/a", "Kbench/b"}}, {Hook: "kexec", Why: "not in this run: Kbench/c"},
	}}
	var page, text bytes.Buffer
	if err := errors.Join(r.HTML(&page), r.Markdown(&text)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<a href="#coverage">`, `<section id="coverage"`, "1 of 2 hooks were crossed, as the benchmarks declare", "Kbench/a, Kbench/b", "not in this run: Kbench/c"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if want := "| kexec | 0 | not in this run: Kbench/c |\n\n</details>"; !strings.Contains(text.String(), want) {
		t.Errorf("report.md has no %q", want)
	}
}

// TestMarkdown: the report is the answer, and folded below it the comparison in
// Markdown and the charts.
func TestMarkdown(t *testing.T) {
	r := fixture(t, "run")
	var report, comparison bytes.Buffer
	if err := r.Markdown(&report); err != nil {
		t.Fatal(err)
	}
	if err := table.Markdown(&comparison, r.Comparison, r.About); err != nil {
		t.Fatal(err)
	}
	first, rest, ok := strings.Cut(report.String(), comparison.String())
	first, opened := strings.CutSuffix(first, "<details><summary>All rows, and what they were measured on</summary>\n\n")
	if !ok || !opened || !strings.HasPrefix(first, "# Synthetic test data\n\nsynthetic · time") {
		t.Errorf("with the comparison: %t, folded: %t, first: %s", ok, opened, first)
	}
	var charts []string
	for _, ch := range r.charts {
		charts = append(charts, fmt.Sprintf("\n![%s](%s.png)\n", ch.Title, ch.Name))
	}
	want := "\n</details>\n\n<details><summary>Charts</summary>\n" + strings.Join(charts, "") + "\n</details>\n"
	if len(charts) != 6 || rest != want {
		t.Errorf("%d charts: %s", len(charts), cmp.Diff(want, rest))
	}
}

// What stands before the details is read: at most 300 words, whatever the run.
func TestMarkdownIsShort(t *testing.T) {
	reports := map[string]*Report{"run": fixture(t, "run"), "counted": fixture(t, "counted"), "xen": hooked(t, "xen"), "model": hooked(t, "model")}
	many := fixture(t, "run")
	rows := many.Comparison.Rows
	for i := range 40 {
		name := fmt.Sprintf("build-%d", i)
		many.Comparison.Builds = append(many.Comparison.Builds, name)
		for _, row := range rows {
			row.Build = name
			many.Comparison.Rows = append(many.Comparison.Rows, row)
		}
	}
	many.Title = strings.Repeat("A long title. ", 20)
	reports["40 builds"] = many
	for name, r := range reports {
		var b bytes.Buffer
		if err := r.Markdown(&b); err != nil {
			t.Fatal(err)
		}
		first, _, folded := strings.Cut(b.String(), "<details>")
		if n := len(strings.Fields(first)); !folded || n > 300 || n < 40 {
			t.Errorf("%s: %d words before the details", name, n)
		}
		if strings.Count(b.String(), "<details>") != strings.Count(b.String(), "</details>") {
			t.Errorf("%s: a fold is open", name)
		}
		if name == "40 builds" && !strings.Contains(first, "builds more") {
			t.Errorf("%s: nobody counts those left out", name)
		}
	}
}

// hooked is the report of a run with profiles.
func hooked(t *testing.T, name string) *Report {
	t.Helper()
	dir := filepath.Join("..", "..", "docs", "testdata", name)
	r := fixtureOf(t, dir)
	var err error
	if r.Hooks, err = profile.Open(dir); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSelfContained checks that the page asks for nothing from elsewhere.
func TestSelfContained(t *testing.T) {
	var b bytes.Buffer
	if err := fixture(t, "run").HTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, loads := range []string{"src=", "url(", "@import", "<link", "<script src", "xlink:href", "<iframe"} {
		if strings.Contains(page, loads) {
			t.Errorf("the page contains %s", loads)
		}
	}
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("%d scripts, want the page's own", n)
	}
	if n := strings.Count(page, `<figure class="forest"`); n != 4 {
		t.Errorf("%d charts, want 4", n)
	}
	for _, id := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `id="`+id[1]+`"`) {
			t.Errorf("link to #%s leads nowhere", id[1])
		}
	}
}

// Names of others are text, in HTML and in Markdown.
func TestEscapes(t *testing.T) {
	evil := "Lmbench/<script>alert(\"1\")</script>|**x**`y`](z)\n# @all <!-- </details>"
	for _, name := range []string{"run", "counted"} {
		r := fixture(t, name)
		c := r.Comparison
		build := c.Rows[len(c.Rows)-1].Build
		for i := range c.Rows {
			if c.Rows[i].Build == build {
				c.Rows[i].Build = evil
			}
			if i%5 == 0 {
				c.Rows[i].Benchmark = evil
			}
			c.Rows[i].Domain = "dom<b>0"
		}
		for i := range c.Builds {
			if c.Builds[i] == build {
				c.Builds[i] = evil
			}
		}
		r.Title = evil
		r.About.Subject.Machine = evil
		r.About.Problems = append(r.About.Problems, results.Problem{File: evil, Text: evil})
		var b bytes.Buffer
		if err := r.HTML(&b); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		if strings.Count(page, "<script") != 1 || strings.Contains(page, "<b>0") || strings.Contains(page, "<!-- <") {
			t.Errorf("%s: a name became an element", name)
		}
		b.Reset()
		if err := r.Markdown(&b); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, not := range []string{"<script", "<!--", "|**x", "](z)", "\n# @", "@all", "<b>"} {
			if strings.Contains(strings.TrimPrefix(text, "# "), not) {
				t.Errorf("%s: report.md has %q", name, not)
			}
		}
		if strings.Count(text, "</details>") != 2 {
			t.Errorf("%s: report.md has %d ends of folds", name, strings.Count(text, "</details>"))
		}
		columns := 0
		for _, line := range strings.Split(text, "\n") {
			n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			if !strings.HasPrefix(line, "|") {
				columns = 0
			} else if columns == 0 {
				columns = n
			} else if n != columns {
				t.Errorf("%s: a row of %d bars in a table of %d: %s", name, n, columns, line)
			}
		}
	}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run", "report")
	path, err := Write(dir, *fixture(t, "run"))
	if err != nil {
		t.Fatal(err)
	}
	if path != filepath.Join(dir, "index.html") {
		t.Errorf("page at %s", path)
	}
	for _, name := range []string{"index.html", "report.md", "compare.csv", "compare.json", "overhead-dom0.svg", "overhead-domU.png", "boots-dom0.png", "heat-domU.svg"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(file, *fixture(t, "run")); err == nil {
		t.Error("a report was written below a file")
	}
}

// A long configuration is folded, and what nothing was left to chance in has
// no tests.
func TestCounted(t *testing.T) {
	r := fixture(t, "counted")
	r.About.Checklist[1].Lines = []about.Line{{Build: "native", Text: "source=1, 2 options set", More: "source=1 A=y B=y"}}
	html := func() string {
		var b bytes.Buffer
		if err := r.HTML(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	page := html()
	for _, want := range []string{
		`<b>native</b> source=1, 2 options set<details class="screen"><summary>in full</summary>source=1 A=y B=y</details>`,
		`<tr id="r-dom0-Lmbench-lat_syscall-op-null" class="nohook" data-verdicts="`, `id="tests"`, "More instructions than native", ">Instructions</h2>",
		`<span class="d">~ `, "of rows that cross a hook",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	for i := range r.Comparison.Rows {
		r.Comparison.Rows[i].Exact = true
	}
	r.charts = nil
	page = html()
	for _, not := range []string{`"#tests"`, `id="tests"`, `"#boots"`, `id="boots"`, `<span class="d">~ `, "wall time"} {
		if strings.Contains(page, not) {
			t.Errorf("%q in a page of exact rows", not)
		}
	}
}
