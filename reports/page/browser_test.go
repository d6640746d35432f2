package page

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"xsmbench/internal/require"
	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/browser"
	"xsmbench/reports/profile"
	"xsmbench/reports/synthetic"
	"xsmbench/results"
)

// visit is a tab that shows a page.
type visit struct{ *browser.Page }

// open shows a page in a tab of its own.
func open(t *testing.T, of context.Context, html []byte) *visit {
	t.Helper()
	path := filepath.Join(t.TempDir(), "index.html")
	if err := os.WriteFile(path, html, 0o666); err != nil {
		t.Fatal(err)
	}
	return &visit{browser.Open(t, of, "file://"+path)}
}

// pages are those that the browser sees: times, counts, and counts with hooks.
func pages(t *testing.T) map[string][]byte {
	t.Helper()
	hooked := fixtureOf(t, filepath.Join("..", "..", "docs", "testdata", "xen"))
	var err error
	if hooked.Hooks, err = profile.Open(filepath.Join("..", "..", "docs", "testdata", "xen")); err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for name, r := range map[string]*Report{"times": fixture(t, "run"), "counts": fixture(t, "counted"), "hooks": hooked} {
		var b bytes.Buffer
		if err := r.HTML(&b); err != nil {
			t.Fatal(err)
		}
		all[name] = b.Bytes()
	}
	return all
}

func TestBrowser(t *testing.T) {
	chromium, all := browser.Start(t, require.Browser(t)), pages(t)
	for name, html := range all {
		t.Run(name, func(t *testing.T) {
			v := open(t, chromium, html)
			rows := v.Texts(rowNames)
			v.fits()
			v.tree()
			v.prints()
			v.tiles()
			switch name {
			case "times":
				v.sorts()
				v.filters()
			case "hooks":
				v.filtersNoHooks()
				v.unfolds()
				v.flames()
				v.darkens()
			}
			v.Silent()
			v.withoutScript(rows)
		})
	}
	t.Run("large", func(t *testing.T) { testLarge(t, chromium) })
	// Whoever listens must hear: an error, a refused script, and a request. What
	// the page's body holds does not matter, what its head forbids does.
	t.Run("errors are heard", func(t *testing.T) {
		head, _, ok := bytes.Cut(all["times"], []byte("</head>"))
		if !ok {
			t.Fatal("the page has no head")
		}
		html := append(slices.Clip(head), `</head><body><script>alert(1)</script><img src="none.png" alt=""></body></html>`...)
		if heard := open(t, chromium, html).Heard(); len(heard) < 2 {
			t.Errorf("heard only %q", heard)
		}
		if heard := open(t, chromium, []byte(`<title>x</title><script>none()</script>`)).Heard(); len(heard) != 1 {
			t.Errorf("heard only %q", heard)
		}
	})
}

// fits checks that only what scrolls by itself is wider than the window, also
// in a small one, and that the last build's verdicts are seen without scrolling.
func (v *visit) fits() {
	v.T.Helper()
	for _, width := range []int64{1400, 480, 400} {
		v.Fits(width)
		if width < 480 {
			continue
		}
		if hidden := v.Texts(`Array.from(document.querySelectorAll("#tables table.rows tbody tr:not(.inserted)")).filter(r => r.checkVisibility() && r.cells[r.cells.length - 1].getBoundingClientRect().right > innerWidth).map(r => r.innerText)`); len(hidden) > 0 {
			v.T.Errorf("at %d px the last build's verdict is out of sight in %d rows, as %q", width, len(hidden), hidden[0])
		}
	}
	v.Do(chromedp.ResetViewport())
	if position := v.Texts(`Array.from(document.querySelectorAll("#tables table.rows thead th")).map(h => getComputedStyle(h).position)`); slices.ContainsFunc(position, func(p string) bool { return p != "sticky" }) {
		v.T.Errorf("heads are %q", position)
	}
}

// landmarks by which those who do not see a page move in it.
var landmarks = []string{"banner", "navigation", "main", "search", "region"}

// tree checks what assistive technology is told.
func (v *visit) tree() {
	v.T.Helper()
	roles := map[string]int{}
	level := 0
	for _, n := range inOrder(browser.Call(v.Page, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes) {
		if n.Ignored || n.Role == nil {
			continue
		}
		role, label := value(n.Role), value(n.Name)
		roles[role]++
		switch role {
		case "heading":
			now := 0
			for _, p := range n.Properties {
				if p.Name == "level" {
					fmt.Sscan(value(p.Value), &now)
				}
			}
			if now > level+1 {
				v.T.Errorf("heading %q of level %d after one of level %d", label, now, level)
			}
			level = now
			fallthrough
		case "table", "img", "image", "button", "combobox", "searchbox", "link", "region", "columnheader", "rowheader":
			if label == "" {
				v.T.Errorf("%s without a name", role)
			}
		}
	}
	for _, role := range append(landmarks, "table", "heading", "columnheader", "rowheader", "button", "searchbox", "combobox") {
		if roles[role] == 0 {
			v.T.Errorf("no %s in the tree: %v", role, roles)
		}
	}
	if n := roles["img"] + roles["image"]; n < 1 {
		v.T.Errorf("%d pictures", n)
	}
	if without := v.Texts(`Array.from(document.querySelectorAll("table")).filter(t => !t.caption || !t.caption.textContent.trim()).map(t => t.innerText.slice(0, 60))`); len(without) > 0 {
		v.T.Errorf("tables without captions: %q", without)
	}
	if double := v.Texts(`Array.from(document.querySelectorAll("[id]")).map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)`); len(double) > 0 {
		v.T.Errorf("the same id twice: %q", double)
	}
}

// inOrder walks the nodes as a reader meets them; the browser gives them by
// depth.
func inOrder(nodes []*accessibility.Node) []*accessibility.Node {
	byID := map[accessibility.NodeID]*accessibility.Node{}
	for _, n := range nodes {
		byID[n.NodeID] = n
	}
	var walk func(n *accessibility.Node) []*accessibility.Node
	walk = func(n *accessibility.Node) []*accessibility.Node {
		all := []*accessibility.Node{n}
		for _, id := range n.ChildIDs {
			if c := byID[id]; c != nil {
				all = append(all, walk(c)...)
			}
		}
		return all
	}
	return walk(nodes[0])
}

func value(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}

// mostPages is how long a report of some 50 rows is on A4.
const mostPages = 7

// prints makes a PDF of the page, in which the key to the rows is unfolded.
func (v *visit) prints() {
	v.T.Helper()
	browser.Evaluate[bool](v.Page, `addEventListener("beforeprint", () => { window.unfolded = document.querySelector("details.legend").open }) === undefined`)
	size := true
	pdf := browser.Call(v.Page, cdppage.PrintToPDF, cdppage.PrintToPDFParams{PreferCSSPageSize: &size}).Data
	legend := browser.Evaluate[[]bool](v.Page, `[window.unfolded, document.querySelector("details.legend").open]`)
	if n := bytes.Count(pdf, []byte("/Type /Page\n")); !bytes.HasPrefix(pdf, []byte("%PDF-")) || n < 2 || n > mostPages {
		v.T.Errorf("a PDF of %d bytes and %d pages", len(pdf), n)
	}
	if !slices.Equal(legend, []bool{true, false}) {
		v.T.Errorf("unfolded in print, and after it: %v", legend)
	}
}

// tiles clicks each count: as many rows are left as it says, and the address
// brings them back.
func (v *visit) tiles() {
	v.T.Helper()
	const left = `Array.from(document.querySelectorAll("#tables table.rows tbody tr")).filter(r => !r.hidden).length`
	all := browser.Evaluate[int](v.Page, left)
	counts := browser.Evaluate[[]int](v.Page, `Array.from(document.querySelectorAll(".tiles a b")).map(b => Number(b.textContent))`)
	if len(counts) < 2 {
		v.T.Fatalf("%d tiles", len(counts))
	}
	for i, want := range counts {
		click := fmt.Sprintf(`document.querySelectorAll(".tiles a")[%d].click()`, i)
		browser.Evaluate[any](v.Page, click)
		got := browser.Evaluate[int](v.Page, left)
		said := v.Texts(`[document.querySelector("#filter [role=status]").textContent, location.search]`)
		if got != want || want < all && !strings.HasPrefix(said[0], fmt.Sprintf("%d of %d rows", want, all)) || !strings.Contains(said[1], "verdict=") {
			v.T.Errorf("tile %d says %d, and leaves %d rows: %q", i, want, got, said)
		}
		if i == 0 {
			v.Do(chromedp.Reload())
			if again := browser.Evaluate[int](v.Page, left); again != want {
				v.T.Errorf("the address brings back %d rows, want %d", again, want)
			}
		}
		browser.Evaluate[any](v.Page, click)
		if got := browser.Evaluate[int](v.Page, left); got != all {
			v.T.Errorf("tile %d, clicked twice, leaves %d of %d rows", i, got, all)
		}
	}
	if search := v.Texts(`[location.search]`); search[0] != "" {
		v.T.Errorf("the address keeps %s of no filter", search[0])
	}
}

// unfolds shows a benchmark below its row, and finds it again by its address.
func (v *visit) unfolds() {
	v.T.Helper()
	first := `document.querySelector("#tables table.rows tbody tr th a")`
	browser.Evaluate[any](v.Page, first+".click()")
	const inserted = `Array.from(document.querySelectorAll("#tables tr.inserted")).map(r => r.innerText)`
	told := v.Texts(inserted)
	if len(told) != 1 {
		v.T.Fatalf("%d benchmarks are unfolded", len(told))
	}
	for _, part := range []string{"Samples", "Path through the hypervisor", "Hooks", "of its instructions in hooks", "in every boot"} {
		if !strings.Contains(told[0], part) {
			v.T.Errorf("no %q in %q", part, told[0])
		}
	}
	v.Do(chromedp.Reload(), chromedp.Sleep(100*time.Millisecond))
	if again := v.Texts(inserted); !slices.Equal(told, again) {
		v.T.Errorf("the address shows %d benchmarks", len(again))
	}
	browser.Evaluate[any](v.Page, first+".click()")
	if again := v.Texts(inserted); len(again) != 0 {
		v.T.Error("a second click does not fold it")
	}
	// Links from the first table lead there, too.
	browser.Evaluate[any](v.Page, `document.querySelector(".most a").click()`)
	v.Do(chromedp.Sleep(100 * time.Millisecond))
	if told := v.Texts(inserted); len(told) != 1 || !strings.Contains(told[0], v.Texts(`[document.querySelector(".most a").textContent]`)[0]) {
		v.T.Errorf("a link of the first table shows %q", told)
	}
}

// flames zooms into a frame, and searches.
func (v *visit) flames() {
	v.T.Helper()
	const hook = `document.querySelector("tr.inserted .flame .h")`
	widths := func() []float64 {
		return browser.Evaluate[[]float64](v.Page, `[`+hook+`.getBoundingClientRect().width, document.querySelector("tr.inserted .flame").getBoundingClientRect().width]`)
	}
	before := widths()
	browser.Evaluate[any](v.Page, hook+".click()")
	if zoomed := widths(); before[0] >= before[1] || zoomed[0] < zoomed[1]-1 || zoomed[0] > zoomed[1]+1 {
		v.T.Errorf("a frame of %v is of %v once it was clicked", before, zoomed)
	}
	browser.Evaluate[any](v.Page, `document.querySelector("tr.inserted .flamebox button").click()`)
	if back := widths(); back[0] != before[0] {
		v.T.Errorf("all of it: %v, before %v", back, before)
	}
	v.Do(chromedp.SendKeys(chromedp.CSS("tr.inserted .flamebox input"), "avc_"))
	found := v.Texts(`[String(document.querySelectorAll("tr.inserted .found").length), document.querySelector("tr.inserted output").textContent]`)
	if found[0] == "0" || !strings.HasPrefix(found[1], found[0]+" found, ") {
		v.T.Errorf("found %q", found)
	}
}

// darkens asks for dark colours, and checks that letters stand out from the
// paper in both.
func (v *visit) darkens() {
	v.T.Helper()
	v.Colours("p, td, th, a, summary, .line .name, .mark span")
}

// rowNames are the names of all rows, in the page's order.
const rowNames = `Array.from(document.querySelectorAll("#tables tbody tr:not(.inserted)")).map(r => r.cells[0].innerText)`

// withoutScript checks that the page is whole without its script: with the rows
// that it had when it was opened.
func (v *visit) withoutScript(with []string) {
	v.T.Helper()
	v.WithoutScript()
	if without := v.Texts(rowNames); !slices.Equal(with, without) || len(without) == 0 {
		v.T.Errorf("%d rows with the script, %d without", len(with), len(without))
	}
	if left := v.Texts(`Array.from(document.querySelectorAll("button, input, select")).filter(b => b.checkVisibility()).map(b => b.textContent)`); len(left) > 0 {
		v.T.Errorf("buttons that do nothing without a script: %q", left)
	}
}

// column is the first table's visible text in a column, 0 the benchmarks.
func (v *visit) column(i int) []string {
	v.T.Helper()
	return v.Texts(fmt.Sprintf(`Array.from(document.querySelector("#tables table").tBodies[0].rows).filter(r => r.checkVisibility()).map(r => r.cells[%d].innerText.trim())`, i))
}

// head is the n-th head of the first table of rows, from 1.
func head(n int) string { return fmt.Sprintf(`#tables table.rows thead th:nth-child(%d) button`, n) }

// sorts goes through the orders of a table by keyboard.
func (v *visit) sorts() {
	v.T.Helper()
	page := v.column(0)
	press := func(button, key string) string {
		v.Do(chromedp.Focus(chromedp.CSS(button)), chromedp.KeyEvent(key))
		return browser.Evaluate[string](v.Page, fmt.Sprintf(`document.querySelector(%q).closest("th").getAttribute("aria-sort") || ""`, button))
	}
	cells := browser.Evaluate[int](v.Page, `document.querySelector("#tables tbody tr").cells.length`)
	figures := func() []float64 {
		var all []float64
		for _, text := range v.column(cells - 1) {
			var f float64
			if _, err := fmt.Sscanf(strings.Replace(text, "−", "-", 1), "%g%%", &f); err != nil {
				v.T.Errorf("overhead %q: %v", text, err)
			}
			all = append(all, f)
		}
		return all
	}
	last := head(cells) // of the last build
	if got := press(last, kb.Enter); got != "descending" {
		v.T.Errorf("aria-sort %q, want descending", got)
	}
	if f := figures(); !slices.IsSortedFunc(f, func(a, b float64) int { return int(1e6 * (b - a)) }) || len(f) != len(page) {
		v.T.Errorf("not descending: %v", f)
	}
	if got := press(last, " "); got != "ascending" {
		v.T.Errorf("aria-sort %q, want ascending", got)
	}
	if f := figures(); !slices.IsSorted(f) {
		v.T.Errorf("not ascending: %v", f)
	}
	if got := press(last, kb.Enter); got != "" || !slices.Equal(v.column(0), page) {
		v.T.Errorf("aria-sort %q, order %v, want that of the page", got, v.column(0))
	}
	// Times of several units, by what they are and not by their figures.
	press(head(2), kb.Enter)
	if v.column(0)[0] == page[0] || !strings.HasSuffix(v.column(1)[0], "ms") {
		v.T.Errorf("the longest is %s", v.column(1)[0])
	}
	if sorted := v.Texts(`Array.from(document.querySelectorAll("#tables table:first-of-type [aria-sort]")).map(h => h.textContent)`); !slices.Equal(sorted, []string{"native"}) {
		v.T.Errorf("sorted by %q at once", sorted)
	}
	press(head(1), kb.Enter)
	if names := v.column(0); !slices.IsSorted(names[:3]) || !strings.HasPrefix(names[0], "Kbench/") {
		v.T.Errorf("names are in the order %q", names)
	}
}

// filters types a name, and asks for a verdict.
func (v *visit) filters() {
	v.T.Helper()
	all := v.column(0)
	status := func() string {
		return v.Texts(`[document.querySelector("#filter [role=status]").textContent]`)[0]
	}
	v.Do(chromedp.SendKeys(chromedp.CSS(`#filter input[type=search]`), "LAT_ op="))
	named := v.column(0)
	if len(named) == 0 || len(named) >= len(all) || !strings.Contains(status(), " of ") {
		v.T.Errorf("%d of %d rows: %s", len(named), len(all), status())
	}
	for _, name := range named {
		if !strings.Contains(name, "lat_") || !strings.Contains(name, "op=") {
			v.T.Errorf("%s is shown", name)
		}
	}
	if address := v.Texts(`[new URLSearchParams(location.search).get("q")]`); address[0] != "LAT_ op=" {
		v.T.Errorf("the address asks for %q", address[0])
	}
	if tests := v.Texts(`Array.from(document.querySelectorAll("#tests tbody tr:not([hidden])")).map(r => r.cells[0].textContent)`); len(tests) == 0 ||
		slices.ContainsFunc(tests, func(name string) bool { return !strings.Contains(name, "lat_") }) {
		v.T.Errorf("other tables show %q", tests)
	}
	v.Do(chromedp.Click(chromedp.CSS(`#filter button`)), chromedp.Sleep(50*time.Millisecond))
	if back := v.column(0); !slices.Equal(back, all) {
		v.T.Errorf("%d of %d rows after a reset", len(back), len(all))
	}
	browser.Evaluate[any](v.Page, `(() => { const s = document.querySelector("#filter select[data-name=flask]"); s.value = "slower"; s.dispatchEvent(new Event("input", { bubbles: true })); })()`)
	slower := v.Texts(`Array.from(document.querySelector("#tables table").tBodies[0].rows).filter(r => !r.hidden).map(r => r.cells[r.cells.length - 1].innerText)`)
	if len(slower) == 0 || len(slower) >= len(all) {
		v.T.Errorf("%d of %d rows have flask slower", len(slower), len(all))
	}
	for _, cell := range slower {
		if !strings.Contains(cell, "slower") {
			v.T.Errorf("shown though flask is not slower: %s", cell)
		}
	}
}

// filtersNoHooks types a benchmark's name, which leaves the hooks alone.
func (v *visit) filtersNoHooks() {
	v.T.Helper()
	const hooks = `Array.from(document.querySelectorAll("#hooks tbody tr")).filter(r => !r.hidden).map(r => r.cells[0].textContent)`
	before := v.Texts(hooks)
	v.Do(chromedp.SendKeys(chromedp.CSS(`#filter input[type=search]`), "lat_pagefault"))
	if after := v.Texts(hooks); len(before) == 0 || !slices.Equal(before, after) {
		v.T.Errorf("a filter of benchmarks leaves %d of %d hooks", len(after), len(before))
	}
	if names := v.column(0); !slices.Equal(names, []string{"Lmbench/lat_pagefault"}) {
		v.T.Errorf("%q are shown", names)
	}
}

// most is how large a page may be that is sent by mail, in bytes.
const most = 3 << 20

// testLarge: a large suite makes a page that can be sent and used: some 60 benchmarks of
// two domains and two builds, counted with flame graphs, or timed in 16 boots.
func testLarge(t *testing.T, chromium context.Context) {
	for _, x := range []struct {
		dir            string // "" for the invented run
		copies, rounds int
		hooked         bool
		each           int // rows of a copy in the first table
	}{
		{filepath.Join("..", "..", "docs", "testdata", "xen"), 10, 1, true, 6},
		{"", 6, 2, false, 11},
	} {
		t.Run(fmt.Sprintf("hooked=%t", x.hooked), func(t *testing.T) {
			r := large(t, x.dir, x.copies, x.rounds, x.hooked)
			if len(r.Comparison.Rows) < 60*2*2 {
				t.Fatalf("%d rows", len(r.Comparison.Rows))
			}
			var b bytes.Buffer
			if err := r.HTML(&b); err != nil {
				t.Fatal(err)
			}
			if b.Len() > most {
				t.Errorf("a page of %d bytes, at most %d", b.Len(), most)
			}
			v := open(t, chromium, b.Bytes())
			v.Do(chromedp.SendKeys(chromedp.CSS(`#filter input[type=search]`), "copy=2"))
			if names := v.column(0); len(names) != x.each {
				t.Errorf("%d rows are of the copy that was asked for, want %d", len(names), x.each)
			}
			v.fits()
			v.Silent()
		})
	}
}

// large is the report of a run with copies of its benchmarks and rounds.
func large(t *testing.T, dir string, copies, rounds int, hooked bool) *Report {
	t.Helper()
	r := &Report{Title: "A large suite"}
	run, err := synthetic.Open(t, "run"), error(nil)
	if hooked {
		if run, err = results.Open(dir); err != nil {
			t.Fatal(err)
		}
		if r.Hooks, err = profile.Open(dir); err != nil {
			t.Fatal(err)
		}
	}
	var samples []results.Sample
	var profiles []*profile.Benchmark
	for i := range copies {
		again := fmt.Sprintf("/copy=%d", i)
		for round := range rounds {
			for _, s := range run.Samples {
				s.Benchmark += again
				s.Round += round * run.Run.Spec.Rounds
				s.Boot.Boot += round * 1000
				samples = append(samples, s)
			}
		}
		if hooked {
			for _, b := range r.Hooks.Benchmarks {
				b := *b
				b.Name += again
				profiles = append(profiles, &b)
			}
		}
	}
	if hooked {
		r.Hooks.Benchmarks = profiles
	}
	if r.Comparison, err = compare.Compare(samples, compare.Options{Order: synthetic.Order}); err != nil {
		t.Fatal(err)
	}
	r.About = about.Of(&run.Run, compare.SetOf(samples), nil)
	return r
}
