package site

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/internal/require"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/browser"
	"xsmbench/reports/table"
	"xsmbench/reports/trend"
	"xsmbench/results"
	"xsmbench/results/history"
)

// compared are two runs whose rows are of all kinds: exact, timed, counted but not
// exact, and what only one of them has. The runs are of different machines if that
// is asked for.
func compared(t *testing.T, moved bool) *history.Store {
	return stored(t, 2, func(i int, run *results.Run) (string, func(hv.Build) []bench.Measurement) {
		one(run, "flask", fmt.Sprintf("v%d", i))
		if moved && i == 1 {
			run.Host.CPU = "Another CPU"
		}
		boot := 0.
		return "", func(hv.Build) []bench.Measurement {
			boot++
			m := func(name string, v float64, unit string) bench.Measurement {
				return bench.Measurement{Domain: "dom0", Benchmark: name, Iterations: 1, Values: []bench.Value{{Value: v, Unit: unit}}}
			}
			n := float64(i)
			return []bench.Measurement{
				m("Kbench/hypercall/op=same", 678, "xen-instr/op"),
				m("Kbench/hypercall/op=more", 1000+5*n, "xen-instr/op"),
				m("Kbench/hypercall/op=less", 500-50*n, "xen-instr/op"),
				m("Kbench/hypercall/op=from0", 3*n, "xen-instr/op"),
				m("Kbench/hypercall/op=inexact", 2000+boot+100*n, "xen-instr/op"),
				m("Lmbench/lat_timed", 1520.5+boot+20*n, "ns/op"),
				m("Lmbench/bw_pipe", 2300+boot-100*n, "MB/s"),
				m(fmt.Sprintf("Lmbench/only_%d", i), 5, "ns/op"),
				m("Kbench/hypercall/op=more", 7, "hooks/op"),
			}
		}
	})
}

// cells are the visible rows of the comparison, a line for each.
const cells = `Array.from(document.querySelectorAll("#rows tbody tr")).map(r => [r.cells[0].firstChild.parentElement.childNodes].flatMap(n => Array.from(n)).filter(n => n.nodeType === 3).map(n => n.textContent).join("") + "|" + Array.from(r.cells).slice(1).map(c => c.textContent).join("|"))`

func TestBrowser(t *testing.T) {
	chromium := browser.Start(t, require.Browser(t))
	t.Run("pages", func(t *testing.T) { testPages(t, chromium) })
	t.Run("compare", func(t *testing.T) { testCompare(t, chromium) })
	t.Run("values", func(t *testing.T) { testValues(t, chromium) })
	t.Run("machines", func(t *testing.T) { testMachines(t, chromium) })
	t.Run("renamed", func(t *testing.T) { testRenamed(t, chromium) })
	t.Run("hostile", func(t *testing.T) { testHostile(t, chromium) })
}

// fileURL is the address of a page in a folder.
func fileURL(dir, page string) string { return "file://" + filepath.ToSlash(filepath.Join(dir, page)) }

// sound checks what holds for every page: it fits narrow and wide windows, can be
// read in both colours, and is silent.
func sound(p *browser.Page) {
	p.T.Helper()
	for _, width := range []int64{1400, 480, 400} {
		p.Fits(width)
	}
	p.Do(chromedp.ResetViewport())
	p.Colours("p, td, th, a, dd, dt, h1, h2, h3, caption, li, summary, label, select, .mark b, .y span, .x span, .last span")
	p.SilentBut(func(url string) bool { return strings.Contains(url, "/data/") })
	if without := p.Texts(`Array.from(document.querySelectorAll("table")).filter(t => !t.caption || !t.caption.textContent.trim()).map(t => t.innerText.slice(0, 60))`); len(without) > 0 {
		p.T.Errorf("%s: tables without captions: %q", p.URL, without)
	}
	if double := p.Texts(`Array.from(document.querySelectorAll("[id]")).map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)`); len(double) > 0 {
		p.T.Errorf("%s: the same id twice: %q", p.URL, double)
	}
}

// testPages: the invented nights, from a folder.
func testPages(t *testing.T, chromium context.Context) {
	dir := t.TempDir()
	write(t, dir, nights(t), Options{Answer: answered(t)})
	p := browser.Open(t, chromium, fileURL(dir, "index.html"))
	sound(p)
	charts := p.Texts(`[document.querySelector("table.changes th a").href]`)[0]
	compares := p.Texts(`[document.querySelector("table.changes td a").href]`)[0]
	line := p.Texts(`[document.querySelector("h2 a").href]`)[0]
	broken(p)
	p = browser.Open(t, chromium, line)
	sound(p)
	broken(p)

	// A change leads to its chart, whose marks name the commits.
	p = browser.Open(t, chromium, charts)
	sound(p)
	broken(p)
	if got := p.Texts(`[document.querySelector(":target h2").innerText]`)[0]; !strings.HasPrefix(got, "flask in dom0") {
		t.Errorf("a change leads to %q", got)
	}
	marks := p.Texts(`Array.from(document.querySelectorAll(":target .mark")).map(m => Array.from(m.children).map(c => c.textContent).join(" "))`)
	if !slices.Equal(marks, []string{"1 v1.4", "2 v1.7"}) {
		t.Errorf("marks are %q", marks)
	}
	inside := browser.Evaluate[[]bool](p, `Array.from(document.querySelectorAll(".area")).map(a => { const r = a.querySelector(".dots").getBBox(); return r.x >= 0 && r.x + r.width <= 1000 && r.y >= 0 && r.y + r.height <= 100 && r.width > 900; })`)
	if len(inside) != 2 || slices.Contains(inside, false) {
		t.Errorf("points lie within their charts: %v", inside)
	}
	before, err := json.Marshal(p.Texts(`[document.querySelector("main").innerText]`)[0])
	if err != nil {
		t.Fatal(err)
	}
	p.WithoutScript()
	p.Until(`document.querySelector("main").innerText === ` + string(before)) // once it is laid out

	// The run of a change leads to the comparison with the run before it.
	p = browser.Open(t, chromium, compares)
	p.Until(`!document.getElementById("result").hidden`)
	if got := p.Texts(`[...document.querySelectorAll("#facts .differs td")].map(c => c.textContent)`); !slices.Contains(got, "v1.6") || !slices.Contains(got, "v1.7") {
		t.Errorf("the comparison of a change differs in %q", got)
	}
	sound(browser.Open(t, chromium, fileURL(dir, "runs.html")))
}

// broken checks the page's links within the site.
func broken(p *browser.Page) {
	p.T.Helper()
	for _, link := range p.Texts(`Array.from(document.querySelectorAll("a")).map(a => a.href.split("#")[0])`) {
		read(p.T, strings.TrimPrefix(link, "file://"))
	}
}

// testCompare: both ways to data, and what the page lets one do with them.
func testCompare(t *testing.T, chromium context.Context) {
	dir := t.TempDir()
	write(t, dir, compared(t, false), Options{})
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	want := []string{
		"Kbench/hypercall/op=from0|dom0|flask|xen-instr/op|0|3|+3|–|exact",
		"Kbench/hypercall/op=less|dom0|flask|xen-instr/op|500|450|−50|−10.00%|exact",
		"Kbench/hypercall/op=more|dom0|flask|xen-instr/op|1000|1005|+5|+0.50%|exact",
		"Lmbench/only_0|dom0|flask|ns/op|5ns|–|–|–|only before",
		"Lmbench/only_1|dom0|flask|ns/op|–|5ns|–|–|only after",
		"Kbench/hypercall/op=inexact|dom0|flask|xen-instr/op|2001.5|2101.5|+100|+5.00%|count, not exact",
		"Lmbench/bw_pipe|dom0|flask|MB/s|2301.5|2201.5|−100|−4.34%|timed",
		"Lmbench/lat_timed|dom0|flask|ns/op|1.522µs|1.542µs|+20ns|+1.31%|timed",
		"Kbench/hypercall/op=same|dom0|flask|xen-instr/op|678|678|0|0.00%|exact",
	}
	for name, url := range map[string]string{"folder": fileURL(dir, "compare.html"), "server": server.URL + "/compare.html"} {
		t.Run(name, func(t *testing.T) {
			p := browser.Open(t, chromium, url)
			p.Until(`!document.getElementById("result").hidden`)
			if got := p.Texts(cells); !slices.Equal(got, want) {
				t.Errorf("rows:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			kinds := map[string]int{}
			for _, url := range p.Requests() {
				if strings.Contains(url, "/data/") {
					kinds[filepath.Ext(url)]++
				}
			}
			if ext := map[string]string{"folder": ".js", "server": ".json"}[name]; kinds[ext] != 3 || len(kinds) != 1 {
				t.Errorf("data are asked for as %v", kinds)
			}
			sound(p)
			if name == "folder" {
				usable(p, want)
			}
		})
	}
}

// usable filters, sorts, chooses, and comes back by the address.
func usable(p *browser.Page, all []string) {
	t := p.T
	t.Helper()
	only := p.Texts(`[document.getElementById("only").textContent]`)[0]
	if !strings.Contains(only, "Only the run before has 1 row: Lmbench/only_0, flask in dom0, ns/op.") || !strings.Contains(only, "Only the run after has 1 row: Lmbench/only_1") {
		t.Errorf("what only one has: %s", only)
	}
	set := func(name, value string) {
		t.Helper()
		browser.Evaluate[any](p, fmt.Sprintf(`(() => { const e = document.getElementById("filter").elements[%q]; e.value = %q; e.dispatchEvent(new Event("input", { bubbles: true })); })()`, name, value))
	}
	for _, x := range []struct {
		name, value string
		rows        int
	}{{"kind", "exact", 6}, {"kind", "other", 3}, {"show", "differ", 6}, {"show", "one", 2}, {"unit", "ns/op", 3}, {"unit", "*", 10}, {"q", "HYPERCALL op=", 5}, {"q", "none such", 0}, {"build", "flask", 9}, {"domain", "dom0", 9}} {
		set(x.name, x.value)
		got := p.Texts(cells)
		if x.name == "kind" { // what only one run has is exact if the run's own boots agree
			exact := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return strings.HasSuffix(s, "|exact") != (x.value == "exact") })
			for _, row := range exact {
				if !slices.Contains(got, row) {
					t.Errorf("%s=%s lacks %s", x.name, x.value, row)
				}
			}
		} else if len(got) != x.rows {
			t.Errorf("%s=%s leaves %d rows, want %d", x.name, x.value, len(got), x.rows)
		}
		if hash := p.Texts(`[new URLSearchParams(location.hash.slice(1)).get("` + x.name + `")]`)[0]; hash != x.value {
			t.Errorf("the address has %s=%s, want %s", x.name, hash, x.value)
		}
		browser.Evaluate[any](p, `document.querySelector("#filter button[type=reset]").click()`)
		if got := p.Texts(cells); !slices.Equal(got, all) {
			t.Errorf("%d rows after a reset", len(got))
		}
	}
	sort := func(column string) string {
		t.Helper()
		browser.Evaluate[any](p, fmt.Sprintf(`document.querySelector("#rows th[data-sort=%s] button").click()`, column))
		return p.Texts(`[...document.querySelectorAll("#rows [aria-sort]")].map(h => h.dataset.sort + " " + h.getAttribute("aria-sort")).concat("")`)[0]
	}
	if order := sort("share"); order != "share descending" {
		t.Errorf("sorted by %q", order)
	}
	if got := p.Texts(cells); !strings.Contains(got[0], "+5.00%") {
		t.Errorf("the first by per cent is %s", got[0])
	}
	sort("share")
	set("q", "op=")
	if got := p.Texts(cells); !strings.Contains(got[0], "−10.00%") {
		t.Errorf("the last by per cent is %s", got[0])
	}
	// The address brings all of it back.
	shown := p.Texts(cells)
	p.Do(chromedp.Reload())
	p.Until(`!document.getElementById("result").hidden`)
	if again := p.Texts(cells); !slices.Equal(again, shown) || len(again) != 5 {
		t.Errorf("the address brings back %q, want %q", again, shown)
	}
	// Swapped, differences have the other sign.
	browser.Evaluate[any](p, `document.getElementById("swap").click()`)
	p.Until(`document.querySelector("#rows tbody").innerText.includes("−5")`)
	// A run that is gone.
	browser.Evaluate[any](p, `location.hash = "#a=0000000000000000&b=" + document.getElementById("b").value`)
	p.Until(`document.getElementById("message").textContent.includes("has no run 0000000000000000")`)
	browser.Evaluate[any](p, `(() => { const a = document.getElementById("a"); a.value = a.querySelectorAll("option[value]:not([value=''])")[1].value; a.dispatchEvent(new Event("change")); })()`)
	p.Until(`!document.getElementById("result").hidden`)
	// The pickers offer what is looked for.
	browser.Evaluate[any](p, `(() => { const f = document.getElementById("find"); f.value = "no such run"; f.dispatchEvent(new Event("input")); })()`)
	if n := browser.Evaluate[int](p, `document.querySelectorAll("#a option").length`); n != 1 {
		t.Errorf("%d runs are offered for what no run has, want the chosen one", n)
	}
	// Without a script the page says what it would need.
	p.WithoutScript()
	if text := p.Texts(`[document.querySelector("main").innerText]`)[0]; !strings.Contains(text, "data/index.json") || strings.Contains(text, "Before") {
		t.Errorf("without a script: %q", text)
	}
}

// testValues: the browser writes figures as the program does.
func testValues(t *testing.T, chromium context.Context) {
	dir, s := t.TempDir(), nights(t)
	write(t, dir, s, Options{})
	var runs []map[string]string
	err := s.Each(func(run history.Run, series []history.Series) error {
		values := map[string]string{}
		for _, f := range trend.Figures(run, series) {
			values[f.Benchmark+"|"+f.Build+"|"+f.Unit] = table.Value(f.Points[0].Value, f.Unit)
		}
		runs = append(runs, values)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p := browser.Open(t, chromium, fileURL(dir, "compare.html"))
	p.Until(`!document.getElementById("result").hidden`)
	rows := p.Texts(cells)
	if len(rows) != len(runs[0]) {
		t.Errorf("%d rows, want %d", len(rows), len(runs[0]))
	}
	for _, row := range rows {
		c := strings.Split(row, "|")
		name, n := c[0]+"|"+c[2]+"|"+c[3], len(runs)
		if before, after := runs[n-2][name], runs[n-1][name]; c[4] != before || c[5] != after {
			t.Errorf("%s: %s and %s, want %s and %s", name, c[4], c[5], before, after)
		}
		if c[8] == "exact" != compare.IsTally(c[3]) {
			t.Errorf("%s is %s", name, c[8])
		}
	}
}

// testMachines: times of different machines have no difference.
func testMachines(t *testing.T, chromium context.Context) {
	dir := t.TempDir()
	write(t, dir, compared(t, true), Options{})
	p := browser.Open(t, chromium, fileURL(dir, "compare.html"))
	p.Until(`!document.getElementById("result").hidden`)
	rows := p.Texts(cells)
	for _, want := range []string{
		"Lmbench/lat_timed|dom0|flask|ns/op|1.522µs|1.542µs|–|–|other machine",
		"Kbench/hypercall/op=more|dom0|flask|xen-instr/op|1000|1005|+5|+0.50%|exact",
	} {
		if !slices.Contains(rows, want) {
			t.Errorf("no row %s in\n%s", want, strings.Join(rows, "\n"))
		}
	}
	if text := p.Texts(`[document.getElementById("warning").innerText]`)[0]; !strings.Contains(text, "different machines") {
		t.Errorf("the warning is %q", text)
	}
}

// testRenamed: a build and a benchmark that have another name since stand in one row,
// under the new name. A run that has both names keeps them.
func testRenamed(t *testing.T, chromium context.Context) {
	store := stored(t, 3, func(i int, run *results.Run) (string, func(hv.Build) []bench.Measurement) {
		one(run, []string{"strict", "flask", "flask"}[i], fmt.Sprintf("v%d", i))
		return "", func(hv.Build) []bench.Measurement {
			m := func(name string, v float64) bench.Measurement {
				return bench.Measurement{Domain: "dom0", Benchmark: name, Iterations: 1, Values: []bench.Value{{Value: v, Unit: "xen-instr/op"}}}
			}
			return [][]bench.Measurement{
				{m("Kbench/old", 100), m("Kbench/kept", 7)},
				{m("Kbench/new", 105), m("Kbench/kept", 7)},
				{m("Kbench/old", 100), m("Kbench/new", 105)},
			}[i]
		}
	})
	dir := t.TempDir()
	write(t, dir, store, Options{Rename: map[string]string{"strict": "flask", "Kbench/old": "Kbench/new", "Kbench/gone": "Kbench/kept", "__proto__": "x"}})
	runs, err := store.Runs()
	if err != nil {
		t.Fatal(err)
	}
	compare := func(before, after int) *browser.Page {
		p := browser.Open(t, chromium, fileURL(dir, "compare.html")+"#a="+runs[before].ID+"&b="+runs[after].ID)
		p.Until(`!document.getElementById("result").hidden`)
		return p
	}
	p := compare(0, 1)
	sound(p)
	want := []string{"Kbench/new|dom0|flask|xen-instr/op|100|105|+5|+5.00%|exact", "Kbench/kept|dom0|flask|xen-instr/op|7|7|0|0.00%|exact"}
	if got := p.Texts(cells); !slices.Equal(got, want) {
		t.Errorf("rows are %q, want %q", got, want)
	}
	said := `[document.getElementById("renamed").innerText]`
	if got := p.Texts(said)[0]; got != "Renamed: Kbench/old of the run before is Kbench/new here; strict of the run before is flask here." {
		t.Errorf("it says %q", got)
	}
	if got := p.Texts(`[document.getElementById("only").innerText]`)[0]; got != "" {
		t.Errorf("only one run has: %q", got)
	}
	if facts := p.Texts(`Array.from(document.querySelectorAll("#facts tbody tr")).map(r => Array.from(r.cells).map(c => c.textContent).join("|")).filter(r => r.startsWith("flask") || r.startsWith("strict"))`); len(facts) != 1 || !strings.HasPrefix(facts[0], "flask (amd64)|v0") {
		t.Errorf("builds are %q", facts)
	}
	p = compare(1, 2)
	if got := p.Texts(cells); len(got) != 3 || !slices.Contains(got, "Kbench/old|dom0|flask|xen-instr/op|–|100|–|–|only after") {
		t.Errorf("with both names rows are %q", got)
	}
}

// testHostile: names run nothing and make no elements, also in what the script
// builds.
func testHostile(t *testing.T, chromium context.Context) {
	dir := t.TempDir()
	write(t, dir, hostileStore(t), Options{Answer: answered(t), Title: hostile[0]})
	pages := []string{"index.html", "runs.html", "compare.html"}
	more, err := filepath.Glob(filepath.Join(dir, "trends", "*", "*.html"))
	if err != nil || len(more) < 9 {
		t.Fatalf("pages %q, %v", more, err)
	}
	for _, path := range more[:2] {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, name)
	}
	for _, page := range pages {
		p := browser.Open(t, chromium, fileURL(dir, page))
		if page == "compare.html" {
			p.Until(`!document.getElementById("result").hidden`)
			if text := p.Texts(`[document.getElementById("rows").innerText]`)[0]; !strings.Contains(text, "</script><script>alert(1)") {
				t.Errorf("no name in %q", text)
			}
		}
		for _, width := range []int64{1400, 480} {
			p.Fits(width)
		}
		p.SilentBut(func(url string) bool { return strings.Contains(url, "/data/") })
		if n := browser.Evaluate[int](p, `document.querySelectorAll("img, iframe, object, link, base, main script, [onerror], [onmouseover]").length`); n != 0 {
			t.Errorf("%s: %d elements that no page has", page, n)
		}
	}
}
