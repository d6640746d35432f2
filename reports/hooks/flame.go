package hooks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/reports/profile"
)

// Flame is a flame graph of one operation of a benchmark, hanging: the whole
// width is all that it executes in the hypervisor; below are the handlers,
// their hooks, and functions.
type Flame struct {
	profile.Where
	Build, Benchmark string
	Hooked           float64 // share of the instructions that is in hooks
	Frames           []Frame // a parent stands before its children
}

// Frame is a box: what a place in the hypervisor and all below it executed.
type Frame struct {
	Name                string
	Depth               int     // 0 is the benchmark
	Left, Width         float64 // of 1
	Instructions, Calls float64 // of one operation
	InHook              bool
}

// FlameOf is the graph of one benchmark. It is false for an operation that
// crosses no hook, or of which no window was without an interrupt.
func FlameOf(b *profile.Benchmark, build string) (Flame, bool) {
	c := b.Costs[build]
	if c == nil || !(c.Total > 0) || len(c.Hooks) == 0 {
		return Flame{}, false
	}
	root := tree(b.Name, c)
	f := Flame{Where: b.Where, Build: build, Benchmark: b.Name, Hooked: root.hooked() / root.total}
	f.lay(root, 0, 0, 1)
	return f, true
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

// Title says what is drawn.
func (f Flame) Title() string {
	return fmt.Sprintf("%s in %s, %s: %s of its instructions in hooks", f.Benchmark, f.Build, f.Where, percent(f.Hooked))
}

// Describe is the frame in words.
func (x Frame) Describe() string {
	text := fmt.Sprintf("%s: %s instructions, %s", x.Name, number(x.Instructions), percent(x.Width))
	if x.Calls != 0 {
		text += fmt.Sprintf(", %s calls", number(x.Calls))
	}
	return text
}
