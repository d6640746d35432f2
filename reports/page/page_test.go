package page

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"xsmbench/reports/internal/golden"
	"xsmbench/reports/synthetic"
	"xsmbench/reports/table"

	"github.com/google/go-cmp/cmp"

	"xsmbench/reports/about"
	"xsmbench/reports/compare"
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

// TestMarkdown: the report is the comparison in Markdown between a title and
// the charts.
func TestMarkdown(t *testing.T) {
	r := fixture(t, "run")
	var report, comparison bytes.Buffer
	if err := r.Markdown(&report); err != nil {
		t.Fatal(err)
	}
	if err := table.Markdown(&comparison, r.Comparison, r.About); err != nil {
		t.Fatal(err)
	}
	title, rest, ok := strings.Cut(report.String(), comparison.String())
	if !ok || title != "# Synthetic test data\n\n" {
		t.Errorf("title %q, with the comparison: %t", title, ok)
	}
	var charts []string
	for _, ch := range r.charts {
		charts = append(charts, fmt.Sprintf("\n![%s](%s.png)\n", ch.Title, ch.Name))
	}
	if want := "\n## Charts\n" + strings.Join(charts, ""); len(charts) != 6 || rest != want {
		t.Errorf("%d charts: %s", len(charts), cmp.Diff(want, rest))
	}
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
	if n := strings.Count(page, "<svg "); n != 6 {
		t.Errorf("%d charts, want 6", n)
	}
	for _, id := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `id="`+id[1]+`"`) {
			t.Errorf("link to #%s leads nowhere", id[1])
		}
	}
}

func TestEscapes(t *testing.T) {
	r := fixture(t, "run")
	evil := `Lmbench/<script>alert("1")</script>`
	r.Comparison.Rows[0].Benchmark = evil
	r.Title = evil
	var b bytes.Buffer
	if err := r.HTML(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Count(b.String(), "<script") != 1 {
		t.Error("a benchmark's name became an element")
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
		`<tr class="nohook" data-verdict="equivalent"><th scope="row">Lmbench/lat_syscall/op=null`, `id="tests"`, "More instructions than native", ">Instructions</h2>",
		"flask: ~ slower, interval", "of rows that cross a hook",
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
	for _, not := range []string{`"#tests"`, `id="tests"`, `"#boots"`, `id="boots"`, "~ slower", "wall time"} {
		if strings.Contains(page, not) {
			t.Errorf("%q in a page of exact rows", not)
		}
	}
}
