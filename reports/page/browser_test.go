package page

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"xsmbench/internal/require"
	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/profile"
	"xsmbench/reports/synthetic"
	"xsmbench/results"
)

// browsers are the names that Chromium goes by.
var browsers = []string{"chromium", "chromium-browser", "google-chrome"}

// browserPath skips the test where there is no browser.
func browserPath(t *testing.T) string {
	t.Helper()
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.Missing(t, "a browser, one of "+strings.Join(browsers, ", ")+" (apt-get install chromium)")
	return ""
}

// visit is a tab that shows a page, and what the page said and asked for.
type visit struct {
	t   *testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	console  []string // errors, warnings and messages
	requests []string
}

// browse starts the browser, in which each page has a tab.
func browse(t *testing.T) context.Context {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(browserPath(t)), chromedp.NoSandbox, chromedp.WindowSize(1280, 900))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return ctx
}

// open shows a page in a tab of its own.
func open(t *testing.T, browser context.Context, html []byte) *visit {
	t.Helper()
	path := filepath.Join(t.TempDir(), "index.html")
	if err := os.WriteFile(path, html, 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	v := &visit{t: t, ctx: ctx, url: "file://" + path}
	if err := chromedp.Listen(ctx, v.hear); err != nil {
		t.Fatal(err)
	}
	call(v, log.Enable, cdp.Empty{})
	call(v, network.Enable, network.EnableParams{})
	v.do(chromedp.Navigate(v.url))
	return v
}

func (v *visit) hear(event any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		v.console = append(v.console, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		v.console = append(v.console, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		v.console = append(v.console, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
	case *network.EventRequestWillBeSent:
		v.requests = append(v.requests, e.Request.URL)
	}
}

func (v *visit) do(actions ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	if err := chromedp.Do(v.ctx, actions...); err != nil {
		v.t.Fatal(err)
	}
}

// call gives the browser a command of its protocol.
func call[P, R any](v *visit, command cdp.Command[P, R], params P) R {
	v.t.Helper()
	r, err := chromedp.Call(v.ctx, command, params)
	if err != nil {
		v.t.Fatal(err)
	}
	return r
}

// evaluate gives an expression's value in the page.
func evaluate[T any](v *visit, expression string) T {
	v.t.Helper()
	r, err := chromedp.Run(v.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		v.t.Fatalf("%s: %v", expression, err)
	}
	return r
}

// texts evaluates an expression that gives a list of strings.
func (v *visit) texts(expression string) []string {
	v.t.Helper()
	return evaluate[[]string](v, expression)
}

// heard is what the page has said.
func (v *visit) heard() []string {
	v.t.Helper()
	evaluate[int](v, "0") // what was said before this has arrived
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.console)
}

// silent checks that the page said nothing and asked for nothing.
func (v *visit) silent() {
	v.t.Helper()
	for _, text := range v.heard() {
		v.t.Errorf("in the console: %s", text)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, url := range v.requests {
		if own, _, _ := strings.Cut(url, "?"); own != v.url {
			v.t.Errorf("the page asks for %s", url)
		}
	}
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
	browser, all := browse(t), pages(t)
	for name, html := range all {
		t.Run(name, func(t *testing.T) {
			v := open(t, browser, html)
			rows := v.texts(rowNames)
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
			v.silent()
			v.withoutScript(rows)
		})
	}
	t.Run("large", func(t *testing.T) { testLarge(t, browser) })
	// Whoever listens must hear: an error, a refused script, and a request. What
	// the page's body holds does not matter, what its head forbids does.
	t.Run("errors are heard", func(t *testing.T) {
		head, _, ok := bytes.Cut(all["times"], []byte("</head>"))
		if !ok {
			t.Fatal("the page has no head")
		}
		html := append(slices.Clip(head), `</head><body><script>alert(1)</script><img src="none.png" alt=""></body></html>`...)
		if heard := open(t, browser, html).heard(); len(heard) < 2 {
			t.Errorf("heard only %q", heard)
		}
		if heard := open(t, browser, []byte(`<title>x</title><script>none()</script>`)).heard(); len(heard) != 1 {
			t.Errorf("heard only %q", heard)
		}
	})
}

// fits checks that only what scrolls by itself is wider than the window, also
// in a small one, and that the last build's verdicts are seen without scrolling.
func (v *visit) fits() {
	v.t.Helper()
	for _, width := range []int64{1400, 480, 400} {
		v.do(chromedp.EmulateViewport(width, 900))
		if over := evaluate[int](v, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
			v.t.Errorf("the page is %d px too wide for %d", over, width)
		}
		if width < 480 {
			continue
		}
		if hidden := v.texts(`Array.from(document.querySelectorAll("#tables table.rows tbody tr:not(.inserted)")).filter(r => r.checkVisibility() && r.cells[r.cells.length - 1].getBoundingClientRect().right > innerWidth).map(r => r.innerText)`); len(hidden) > 0 {
			v.t.Errorf("at %d px the last build's verdict is out of sight in %d rows, as %q", width, len(hidden), hidden[0])
		}
	}
	v.do(chromedp.ResetViewport())
	if position := v.texts(`Array.from(document.querySelectorAll("#tables table.rows thead th")).map(h => getComputedStyle(h).position)`); slices.ContainsFunc(position, func(p string) bool { return p != "sticky" }) {
		v.t.Errorf("heads are %q", position)
	}
}

// landmarks by which those who do not see a page move in it.
var landmarks = []string{"banner", "navigation", "main", "search", "region"}

// tree checks what assistive technology is told.
func (v *visit) tree() {
	v.t.Helper()
	roles := map[string]int{}
	level := 0
	for _, n := range inOrder(call(v, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes) {
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
				v.t.Errorf("heading %q of level %d after one of level %d", label, now, level)
			}
			level = now
			fallthrough
		case "table", "img", "image", "button", "combobox", "searchbox", "link", "region", "columnheader", "rowheader":
			if label == "" {
				v.t.Errorf("%s without a name", role)
			}
		}
	}
	for _, role := range append(landmarks, "table", "heading", "columnheader", "rowheader", "button", "searchbox", "combobox") {
		if roles[role] == 0 {
			v.t.Errorf("no %s in the tree: %v", role, roles)
		}
	}
	if n := roles["img"] + roles["image"]; n < 1 {
		v.t.Errorf("%d pictures", n)
	}
	if without := v.texts(`Array.from(document.querySelectorAll("table")).filter(t => !t.caption || !t.caption.textContent.trim()).map(t => t.innerText.slice(0, 60))`); len(without) > 0 {
		v.t.Errorf("tables without captions: %q", without)
	}
	if double := v.texts(`Array.from(document.querySelectorAll("[id]")).map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)`); len(double) > 0 {
		v.t.Errorf("the same id twice: %q", double)
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
	v.t.Helper()
	evaluate[bool](v, `addEventListener("beforeprint", () => { window.unfolded = document.querySelector("details.legend").open }) === undefined`)
	size := true
	pdf := call(v, cdppage.PrintToPDF, cdppage.PrintToPDFParams{PreferCSSPageSize: &size}).Data
	legend := evaluate[[]bool](v, `[window.unfolded, document.querySelector("details.legend").open]`)
	if n := bytes.Count(pdf, []byte("/Type /Page\n")); !bytes.HasPrefix(pdf, []byte("%PDF-")) || n < 2 || n > mostPages {
		v.t.Errorf("a PDF of %d bytes and %d pages", len(pdf), n)
	}
	if !slices.Equal(legend, []bool{true, false}) {
		v.t.Errorf("unfolded in print, and after it: %v", legend)
	}
}

// tiles clicks each count: as many rows are left as it says, and the address
// brings them back.
func (v *visit) tiles() {
	v.t.Helper()
	const left = `Array.from(document.querySelectorAll("#tables table.rows tbody tr")).filter(r => !r.hidden).length`
	all := evaluate[int](v, left)
	counts := evaluate[[]int](v, `Array.from(document.querySelectorAll(".tiles a b")).map(b => Number(b.textContent))`)
	if len(counts) < 2 {
		v.t.Fatalf("%d tiles", len(counts))
	}
	for i, want := range counts {
		click := fmt.Sprintf(`document.querySelectorAll(".tiles a")[%d].click()`, i)
		evaluate[any](v, click)
		got := evaluate[int](v, left)
		said := v.texts(`[document.querySelector("#filter [role=status]").textContent, location.search]`)
		if got != want || want < all && !strings.HasPrefix(said[0], fmt.Sprintf("%d of %d rows", want, all)) || !strings.Contains(said[1], "verdict=") {
			v.t.Errorf("tile %d says %d, and leaves %d rows: %q", i, want, got, said)
		}
		if i == 0 {
			v.do(chromedp.Reload())
			if again := evaluate[int](v, left); again != want {
				v.t.Errorf("the address brings back %d rows, want %d", again, want)
			}
		}
		evaluate[any](v, click)
		if got := evaluate[int](v, left); got != all {
			v.t.Errorf("tile %d, clicked twice, leaves %d of %d rows", i, got, all)
		}
	}
	if search := v.texts(`[location.search]`); search[0] != "" {
		v.t.Errorf("the address keeps %s of no filter", search[0])
	}
}

// unfolds shows a benchmark below its row, and finds it again by its address.
func (v *visit) unfolds() {
	v.t.Helper()
	first := `document.querySelector("#tables table.rows tbody tr th a")`
	evaluate[any](v, first+".click()")
	const inserted = `Array.from(document.querySelectorAll("#tables tr.inserted")).map(r => r.innerText)`
	told := v.texts(inserted)
	if len(told) != 1 {
		v.t.Fatalf("%d benchmarks are unfolded", len(told))
	}
	for _, part := range []string{"Samples", "Path through the hypervisor", "Hooks", "of its instructions in hooks", "in every boot"} {
		if !strings.Contains(told[0], part) {
			v.t.Errorf("no %q in %q", part, told[0])
		}
	}
	v.do(chromedp.Reload(), chromedp.Sleep(100*time.Millisecond))
	if again := v.texts(inserted); !slices.Equal(told, again) {
		v.t.Errorf("the address shows %d benchmarks", len(again))
	}
	evaluate[any](v, first+".click()")
	if again := v.texts(inserted); len(again) != 0 {
		v.t.Error("a second click does not fold it")
	}
	// Links from the first table lead there, too.
	evaluate[any](v, `document.querySelector(".most a").click()`)
	v.do(chromedp.Sleep(100 * time.Millisecond))
	if told := v.texts(inserted); len(told) != 1 || !strings.Contains(told[0], v.texts(`[document.querySelector(".most a").textContent]`)[0]) {
		v.t.Errorf("a link of the first table shows %q", told)
	}
}

// flames zooms into a frame, and searches.
func (v *visit) flames() {
	v.t.Helper()
	const hook = `document.querySelector("tr.inserted .flame .h")`
	widths := func() []float64 {
		return evaluate[[]float64](v, `[`+hook+`.getBoundingClientRect().width, document.querySelector("tr.inserted .flame").getBoundingClientRect().width]`)
	}
	before := widths()
	evaluate[any](v, hook+".click()")
	if zoomed := widths(); before[0] >= before[1] || zoomed[0] < zoomed[1]-1 || zoomed[0] > zoomed[1]+1 {
		v.t.Errorf("a frame of %v is of %v once it was clicked", before, zoomed)
	}
	evaluate[any](v, `document.querySelector("tr.inserted .flamebox button").click()`)
	if back := widths(); back[0] != before[0] {
		v.t.Errorf("all of it: %v, before %v", back, before)
	}
	v.do(chromedp.SendKeys(chromedp.CSS("tr.inserted .flamebox input"), "avc_"))
	found := v.texts(`[String(document.querySelectorAll("tr.inserted .found").length), document.querySelector("tr.inserted output").textContent]`)
	if found[0] == "0" || !strings.HasPrefix(found[1], found[0]+" found, ") {
		v.t.Errorf("found %q", found)
	}
}

// darkens asks for dark colours, and checks that letters stand out from the
// paper in both.
func (v *visit) darkens() {
	v.t.Helper()
	luminance := `(c => { const m = c.match(/[\d.]+/g).map(Number); return (m[0] + m[1] + m[2]) / 765; })`
	for _, scheme := range []string{"light", "dark"} {
		call(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		paper := evaluate[float64](v, luminance+`(getComputedStyle(document.body).backgroundColor)`)
		if scheme == "dark" && paper > 0.2 || scheme == "light" && paper < 0.9 {
			v.t.Errorf("%s: a paper of %.2f", scheme, paper)
		}
		faint := v.texts(`Array.from(document.querySelectorAll("p, td, th, a, summary, .line .name, .mark span")).filter(e => e.checkVisibility() && Math.abs(` + luminance + `(getComputedStyle(e).color) - ` + fmt.Sprint(paper) + `) < 0.3).map(e => e.textContent.slice(0, 40))`)
		if len(faint) > 0 {
			v.t.Errorf("%s: %d texts are like the paper, as %q", scheme, len(faint), faint[0])
		}
	}
	call(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
}

// rowNames are the names of all rows, in the page's order.
const rowNames = `Array.from(document.querySelectorAll("#tables tbody tr:not(.inserted)")).map(r => r.cells[0].innerText)`

// withoutScript checks that the page is whole without its script: with the rows
// that it had when it was opened.
func (v *visit) withoutScript(with []string) {
	v.t.Helper()
	call(v, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	v.do(chromedp.Reload())
	if without := v.texts(rowNames); !slices.Equal(with, without) || len(without) == 0 {
		v.t.Errorf("%d rows with the script, %d without", len(with), len(without))
	}
	if left := v.texts(`Array.from(document.querySelectorAll("button, input, select")).filter(b => b.checkVisibility()).map(b => b.textContent)`); len(left) > 0 {
		v.t.Errorf("buttons that do nothing without a script: %q", left)
	}
}

// column is the first table's visible text in a column, 0 the benchmarks.
func (v *visit) column(i int) []string {
	v.t.Helper()
	return v.texts(fmt.Sprintf(`Array.from(document.querySelector("#tables table").tBodies[0].rows).filter(r => r.checkVisibility()).map(r => r.cells[%d].innerText.trim())`, i))
}

// head is the n-th head of the first table of rows, from 1.
func head(n int) string { return fmt.Sprintf(`#tables table.rows thead th:nth-child(%d) button`, n) }

// sorts goes through the orders of a table by keyboard.
func (v *visit) sorts() {
	v.t.Helper()
	page := v.column(0)
	press := func(button, key string) string {
		v.do(chromedp.Focus(chromedp.CSS(button)), chromedp.KeyEvent(key))
		return evaluate[string](v, fmt.Sprintf(`document.querySelector(%q).closest("th").getAttribute("aria-sort") || ""`, button))
	}
	cells := evaluate[int](v, `document.querySelector("#tables tbody tr").cells.length`)
	figures := func() []float64 {
		var all []float64
		for _, text := range v.column(cells - 1) {
			var f float64
			if _, err := fmt.Sscanf(strings.Replace(text, "−", "-", 1), "%g%%", &f); err != nil {
				v.t.Errorf("overhead %q: %v", text, err)
			}
			all = append(all, f)
		}
		return all
	}
	last := head(cells) // of the last build
	if got := press(last, kb.Enter); got != "descending" {
		v.t.Errorf("aria-sort %q, want descending", got)
	}
	if f := figures(); !slices.IsSortedFunc(f, func(a, b float64) int { return int(1e6 * (b - a)) }) || len(f) != len(page) {
		v.t.Errorf("not descending: %v", f)
	}
	if got := press(last, " "); got != "ascending" {
		v.t.Errorf("aria-sort %q, want ascending", got)
	}
	if f := figures(); !slices.IsSorted(f) {
		v.t.Errorf("not ascending: %v", f)
	}
	if got := press(last, kb.Enter); got != "" || !slices.Equal(v.column(0), page) {
		v.t.Errorf("aria-sort %q, order %v, want that of the page", got, v.column(0))
	}
	// Times of several units, by what they are and not by their figures.
	press(head(2), kb.Enter)
	if v.column(0)[0] == page[0] || !strings.HasSuffix(v.column(1)[0], "ms") {
		v.t.Errorf("the longest is %s", v.column(1)[0])
	}
	if sorted := v.texts(`Array.from(document.querySelectorAll("#tables table:first-of-type [aria-sort]")).map(h => h.textContent)`); !slices.Equal(sorted, []string{"native"}) {
		v.t.Errorf("sorted by %q at once", sorted)
	}
	press(head(1), kb.Enter)
	if names := v.column(0); !slices.IsSorted(names[:3]) || !strings.HasPrefix(names[0], "Kbench/") {
		v.t.Errorf("names are in the order %q", names)
	}
}

// filters types a name, and asks for a verdict.
func (v *visit) filters() {
	v.t.Helper()
	all := v.column(0)
	status := func() string {
		return v.texts(`[document.querySelector("#filter [role=status]").textContent]`)[0]
	}
	v.do(chromedp.SendKeys(chromedp.CSS(`#filter input[type=search]`), "LAT_ op="))
	named := v.column(0)
	if len(named) == 0 || len(named) >= len(all) || !strings.Contains(status(), " of ") {
		v.t.Errorf("%d of %d rows: %s", len(named), len(all), status())
	}
	for _, name := range named {
		if !strings.Contains(name, "lat_") || !strings.Contains(name, "op=") {
			v.t.Errorf("%s is shown", name)
		}
	}
	if address := v.texts(`[new URLSearchParams(location.search).get("q")]`); address[0] != "LAT_ op=" {
		v.t.Errorf("the address asks for %q", address[0])
	}
	if tests := v.texts(`Array.from(document.querySelectorAll("#tests tbody tr:not([hidden])")).map(r => r.cells[0].textContent)`); len(tests) == 0 ||
		slices.ContainsFunc(tests, func(name string) bool { return !strings.Contains(name, "lat_") }) {
		v.t.Errorf("other tables show %q", tests)
	}
	v.do(chromedp.Click(chromedp.CSS(`#filter button`)), chromedp.Sleep(50*time.Millisecond))
	if back := v.column(0); !slices.Equal(back, all) {
		v.t.Errorf("%d of %d rows after a reset", len(back), len(all))
	}
	evaluate[any](v, `(() => { const s = document.querySelector("#filter select[data-name=flask]"); s.value = "slower"; s.dispatchEvent(new Event("input", { bubbles: true })); })()`)
	slower := v.texts(`Array.from(document.querySelector("#tables table").tBodies[0].rows).filter(r => !r.hidden).map(r => r.cells[r.cells.length - 1].innerText)`)
	if len(slower) == 0 || len(slower) >= len(all) {
		v.t.Errorf("%d of %d rows have flask slower", len(slower), len(all))
	}
	for _, cell := range slower {
		if !strings.Contains(cell, "slower") {
			v.t.Errorf("shown though flask is not slower: %s", cell)
		}
	}
}

// filtersNoHooks types a benchmark's name, which leaves the hooks alone.
func (v *visit) filtersNoHooks() {
	v.t.Helper()
	const hooks = `Array.from(document.querySelectorAll("#hooks tbody tr")).filter(r => !r.hidden).map(r => r.cells[0].textContent)`
	before := v.texts(hooks)
	v.do(chromedp.SendKeys(chromedp.CSS(`#filter input[type=search]`), "lat_pagefault"))
	if after := v.texts(hooks); len(before) == 0 || !slices.Equal(before, after) {
		v.t.Errorf("a filter of benchmarks leaves %d of %d hooks", len(after), len(before))
	}
	if names := v.column(0); !slices.Equal(names, []string{"Lmbench/lat_pagefault"}) {
		v.t.Errorf("%q are shown", names)
	}
}

// most is how large a page may be that is sent by mail, in bytes.
const most = 3 << 20

// testLarge: a large suite makes a page that can be sent and used: some 60 benchmarks of
// two domains and two builds, counted with flame graphs, or timed in 16 boots.
func testLarge(t *testing.T, browser context.Context) {
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
			v := open(t, browser, b.Bytes())
			v.do(chromedp.SendKeys(chromedp.CSS(`#filter input[type=search]`), "copy=2"))
			if names := v.column(0); len(names) != x.each {
				t.Errorf("%d rows are of the copy that was asked for, want %d", len(names), x.each)
			}
			v.fits()
			v.silent()
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
