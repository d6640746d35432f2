// Package browser shows pages in Chromium, for tests: what a page looks like, what
// it says in the console and asks the network for.
package browser

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Start starts Chromium, which is at a path, and in which each page has a tab.
func Start(t *testing.T, path string) context.Context {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 900))
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

// Page is a tab that shows a page, and what the page said and asked for.
type Page struct {
	T   *testing.T
	URL string

	ctx      context.Context
	mu       sync.Mutex
	console  []string // errors, warnings and messages
	requests []string
}

// Open shows a page in a tab of its own.
func Open(t *testing.T, browser context.Context, url string) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	p := &Page{T: t, URL: url, ctx: ctx}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatal(err)
	}
	Call(p, log.Enable, cdp.Empty{})
	Call(p, network.Enable, network.EnableParams{})
	p.Do(chromedp.Navigate(url))
	return p
}

func (p *Page) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		p.console = append(p.console, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		p.console = append(p.console, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		p.console = append(p.console, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	}
}

// Do does what a user would.
func (p *Page) Do(actions ...chromedp.Action[chromedp.Void]) {
	p.T.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.T.Fatal(err)
	}
}

// Call gives the browser a command of its protocol.
func Call[P, R any](p *Page, command cdp.Command[P, R], params P) R {
	p.T.Helper()
	r, err := chromedp.Call(p.ctx, command, params)
	if err != nil {
		p.T.Fatal(err)
	}
	return r
}

// Evaluate gives an expression's value in the page.
func Evaluate[T any](p *Page, expression string) T {
	p.T.Helper()
	r, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.T.Fatalf("%s: %v", expression, err)
	}
	return r
}

// Texts evaluates an expression that gives a list of strings.
func (p *Page) Texts(expression string) []string {
	p.T.Helper()
	return Evaluate[[]string](p, expression)
}

// Heard is what the page has said.
func (p *Page) Heard() []string {
	p.T.Helper()
	Evaluate[int](p, "0") // what was said before this has arrived
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.console)
}

// Requests are the addresses that the page asked for.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// Silent checks that the page said nothing, and asked for nothing but itself.
func (p *Page) Silent() { p.SilentBut(func(string) bool { return false }) }

// SilentBut is Silent for a page that may ask for some addresses.
func (p *Page) SilentBut(allowed func(url string) bool) {
	p.T.Helper()
	for _, text := range p.Heard() {
		p.T.Errorf("%s: in the console: %s", p.URL, text)
	}
	for _, url := range p.Requests() {
		if !p.isOwn(url) && !allowed(url) {
			p.T.Errorf("%s: the page asks for %s", p.URL, url)
		}
	}
}

// isOwn tells the page's own address, whatever is asked of it.
func (p *Page) isOwn(url string) bool {
	bare := func(s string) string { return s[:strings.IndexAny(s+"?", "?#")] }
	return bare(url) == bare(p.URL)
}

// Fits checks that only what scrolls by itself is wider than the window, which it
// leaves so wide.
func (p *Page) Fits(width int64) {
	p.T.Helper()
	p.Do(chromedp.EmulateViewport(width, 900))
	over := 0
	for range 40 { // a page lays itself out again by and by
		if over = Evaluate[int](p, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over <= 0 {
			break
		}
		p.Do(chromedp.Sleep(50 * time.Millisecond))
	}
	if over > 0 {
		p.T.Errorf("%s: the page is %d px too wide for %d", p.URL, over, width)
	}
}

// Colours asks for light and dark colours, and checks that letters stand out from
// the paper in both.
func (p *Page) Colours(selectors string) {
	p.T.Helper()
	luminance := `(c => { const m = c.match(/[\d.]+/g).map(Number); return (m[0] + m[1] + m[2]) / 765; })`
	for _, scheme := range []string{"light", "dark"} {
		Call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		paper := Evaluate[float64](p, luminance+`(getComputedStyle(document.body).backgroundColor)`)
		if scheme == "dark" && paper > 0.2 || scheme == "light" && paper < 0.9 {
			p.T.Errorf("%s: %s: a paper of %.2f", p.URL, scheme, paper)
		}
		faint := p.Texts(fmt.Sprintf(`Array.from(document.querySelectorAll(%q)).filter(e => e.checkVisibility() && Math.abs(%s(getComputedStyle(e).color) - %v) < 0.3).map(e => e.textContent.slice(0, 40))`, selectors, luminance, paper))
		if len(faint) > 0 {
			p.T.Errorf("%s: %s: %d texts are like the paper, as %q", p.URL, scheme, len(faint), faint[0])
		}
	}
	Call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
}

// Until waits for an expression to be true: for what a page does by and by.
func (p *Page) Until(expression string) {
	p.T.Helper()
	for range 200 {
		if Evaluate[bool](p, expression) {
			return
		}
		p.Do(chromedp.Sleep(50 * time.Millisecond))
	}
	p.T.Fatalf("%s: %s is not true after 10 seconds", p.URL, expression)
}

// WithoutScript shows the page again, in a browser that runs no script.
func (p *Page) WithoutScript() {
	p.T.Helper()
	Call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.Do(chromedp.Reload())
	p.Until(`document.readyState === "complete" && document.querySelector("main, body") !== null`)
}
