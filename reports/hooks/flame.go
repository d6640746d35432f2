package hooks

import (
	"bufio"
	"cmp"
	"fmt"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"

	"xsmbench/bench"
	"xsmbench/reports/profile"
)

// Flame is a flame graph of one operation of a benchmark, hanging: the whole
// width is all that it executes in the hypervisor; below are the handlers,
// their hooks, and functions.
type Flame struct {
	Arch, Domain, Build, Benchmark string
	Hooked                         float64 // share of the instructions that is in hooks
	Frames                         []Frame // a parent stands before its children
}

// Frame is a box: what a place in the hypervisor and all below it executed.
type Frame struct {
	Name                string
	Depth               int     // 0 is the benchmark
	Left, Width         float64 // of 1
	Instructions, Calls float64 // of one operation
	InHook              bool
}

// Flames are the graphs of a build's benchmarks that cross a hook, the largest
// share of hooks first. Operations of which no window was without an
// interrupt have none.
func Flames(r *profile.Run, arch, domain, build string) []Flame {
	var list []Flame
	for _, b := range r.Benchmarks {
		c := b.Costs[build]
		if b.Arch != arch || b.Domain != domain || c == nil || !(c.Total > 0) || len(c.Hooks) == 0 {
			continue
		}
		root := tree(b.Name, c)
		f := Flame{Arch: arch, Domain: domain, Build: build, Benchmark: b.Name, Hooked: root.hooked() / root.total}
		f.lay(root, 0, 0, 1)
		list = append(list, f)
	}
	slices.SortStableFunc(list, func(a, b Flame) int { return -cmp.Compare(a.Hooked, b.Hooked) })
	return list
}

// node is a frame with what is below it.
type node struct {
	name         string
	hook         bool
	total, calls float64
	children     []*node
}

// tree makes a benchmark's tree. What was executed less than in the baseline
// has no width and is left out.
func tree(name string, c *profile.Cost) *node {
	root := &node{name: name}
	for _, x := range c.Paths {
		if x.Instructions <= 0 {
			continue
		}
		root.total += x.Instructions
		above, at := root, root
		for _, step := range stepsOf(x) {
			above, at = at, at.child(step.name, step.hook)
			at.total += x.Instructions
		}
		if x.Part == bench.PartSite {
			at = above // a site's entries are the hook's
		}
		at.calls += x.Calls
	}
	return root
}

type step struct {
	name string
	hook bool
}

// stepsOf are the frames of a path below the benchmark.
func stepsOf(x profile.Path) []step {
	handler := x.Handler
	if handler == "" {
		handler = "entry and exit"
	}
	steps := []step{{handler, false}}
	if x.Hook != "" {
		steps = append(steps, step{"hook " + x.Hook, true})
	}
	if x.Part == bench.PartSite {
		return append(steps, step{"site in " + x.Function, true})
	}
	return append(steps, step{x.Function, x.Hook != ""})
}

func (n *node) child(name string, hook bool) *node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	c := &node{name: name, hook: hook}
	n.children = append(n.children, c)
	return c
}

// hooked is what hooks executed.
func (n *node) hooked() float64 {
	if n.hook {
		return n.total
	}
	sum := 0.
	for _, c := range n.children {
		sum += c.hooked()
	}
	return sum
}

// lay places a node and what is below it, hooks first.
func (f *Flame) lay(n *node, depth int, left, width float64) {
	f.Frames = append(f.Frames, Frame{
		Name: n.name, Depth: depth, Left: left, Width: width, Instructions: n.total, Calls: n.calls, InHook: n.hook,
	})
	slices.SortStableFunc(n.children, func(a, b *node) int {
		return cmp.Or(-cmp.Compare(a.hooked(), b.hooked()), -cmp.Compare(a.total, b.total), strings.Compare(a.name, b.name))
	})
	for _, c := range n.children {
		w := width * c.total / n.total
		f.lay(c, depth+1, left, w)
		left += w
	}
}

// Size of a flame graph, in its own units, and the width of what is too
// narrow to be seen.
const (
	flameWidth  = 1000.
	rowHeight   = 17.
	letterWidth = 6.
	narrowest   = 2
)

// SVG draws the graph; frames have their figures as titles.
func (f Flame) SVG(w io.Writer) error {
	b := bufio.NewWriter(w)
	depth := 0
	for _, x := range f.Frames {
		depth = max(depth, x.Depth)
	}
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" class="flame" viewBox="0 0 %g %g" role="img" aria-label="%s" font-family="sans-serif" font-size="11">`+"\n",
		flameWidth, rowHeight*float64(depth+1), html.EscapeString(f.Title()))
	for _, x := range f.Frames {
		if x.Width*flameWidth >= narrowest {
			x.draw(b)
		}
	}
	fmt.Fprintln(b, "</svg>")
	return b.Flush()
}

// Title says what is drawn.
func (f Flame) Title() string {
	return fmt.Sprintf("%s in %s, %s %s: %s of its instructions in hooks", f.Benchmark, f.Build, f.Arch, f.Domain, percent(f.Hooked))
}

func (x Frame) draw(w io.Writer) {
	left, width, y := x.Left*flameWidth, x.Width*flameWidth, rowHeight*float64(x.Depth)
	fmt.Fprintf(w, `<g><title>%s</title><rect x="%s" y="%g" width="%s" height="%g" fill="%s" stroke="#fff" stroke-width=".5"/>`,
		html.EscapeString(x.Describe()), short(left), y, short(width), rowHeight-1, x.colour())
	if text := Fit(x.Name, width); text != "" {
		fmt.Fprintf(w, `<text x="%s" y="%g">%s</text>`, short(left+3), y+rowHeight-5.5, html.EscapeString(text))
	}
	fmt.Fprintln(w, "</g>")
}

// Fit shortens a label to a width, to nothing if too little is left.
func Fit(label string, width float64) string {
	n := int((width - 4) / letterWidth)
	r := []rune(label)
	switch {
	case n >= len(r):
		return label
	case n < 4:
		return ""
	}
	return string(r[:n-1]) + "…"
}

// Describe is the frame in words.
func (x Frame) Describe() string {
	text := fmt.Sprintf("%s: %s instructions, %s", x.Name, number(x.Instructions), percent(x.Width))
	if x.Calls != 0 {
		text += fmt.Sprintf(", %s calls", number(x.Calls))
	}
	return text
}

// colour is warm for hooks, and light enough for black letters; in black and
// white hooks are darker than what is around them.
func (x Frame) colour() string {
	switch {
	case x.Depth == 0:
		return "#d5dbe3"
	case x.InHook && x.Depth == 2:
		return "#f08a4b"
	case x.InHook:
		return "#f6b380"
	}
	return "#e8ecf1"
}

func short(v float64) string {
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', 1, 64), "0"), ".")
}
