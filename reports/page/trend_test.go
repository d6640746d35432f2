package page

import (
	"bytes"
	"strings"
	"testing"

	"xsmbench/reports/synthetic"
	"xsmbench/reports/trend"
)

// A page with a history has its changes, its charts and its noise, and still
// needs nothing else.
func TestTrends(t *testing.T) {
	store, err := synthetic.NightlyStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r := fixture(t, "run")
	if r.Trends, err = trend.Read(store, trend.Options{}); err != nil {
		t.Fatal(err)
	}
	r.Trends.Runs[8].Label = "<script>"
	var b bytes.Buffer
	if err := r.HTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{`<a href="#trends">`, `<section id="trends"`, "24 runs, 2008-01-01 to 2008-01-24.", "<td class=\"num\">&#43;9.23%</td>", "revision v1.3 → v1.4", "noise of one image"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, not := range []string{"src=", "url(", "<link"} {
		if strings.Contains(page, not) {
			t.Errorf("the page contains %s", not)
		}
	}
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("%d scripts, want the page's own", n)
	}
	if n := strings.Count(page, `<figure><svg role="img"`); n != 2 {
		t.Errorf("%d charts of trends, want 2", n)
	}
	if n := strings.Count(page, `<svg class="spark"`); n != 4 {
		t.Errorf("%d benchmarks have their history, want 4", n)
	}
	if !strings.Contains(page, "fill:var(--x222222,#222222)") {
		t.Error("a chart's letters stay dark where the page is")
	}
	var report bytes.Buffer
	if err := r.Markdown(&report); err != nil || !strings.Contains(report.String(), "](trend-dom0-ns-op.png)") {
		t.Errorf("report.md: %v", err)
	}
	// A history that has nothing of the run's kind says so.
	r.trends = nil
	if r.Trends, err = trend.Read(store, trend.Options{Host: "none"}); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	if err := r.HTML(&b); err != nil || !strings.Contains(b.String(), "no run has a matching series") {
		t.Errorf("an empty history: %v", err)
	}
}
