// Package coverage says which hooks a run crossed, in which benchmarks, and why
// it did not cross the others. Where the run counted, that is what it counted;
// where it timed, it is what the benchmarks declare, which tests hold against the
// counts.
package coverage

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/reports/internal/grid"
	"xsmbench/reports/profile"
	"xsmbench/xsm/hook"
)

// Matrix is a line for each hook: of the builds if the run counted and they are
// of another Xen, else of Xen 3.2's table.
type Matrix struct {
	Counted bool
	Lines   []Line
}

// Line is a hook, with the benchmarks that crossed it in the run's order, or
// with the reason if there are none.
type Line struct {
	Hook       string
	Benchmarks []string
	Why        string
}

// Measurements are what a run was to measure and what it has.
type Measurements struct {
	Planned  []string // benchmarks, in the run's order
	Measured []string // those that have a sample
	Counted  *profile.Run
	// Target is the run's, nil if this program does not know it.
	Target hv.Target
}

// refused is why the run's target does not run a benchmark, "" if it does or if
// that is not known.
func (m Measurements) refused(b bench.Benchmark) string {
	if m.Target == nil {
		return ""
	}
	return hv.RefusedBy(m.Target, b)
}

// note is what the target knows of a hook.
func (m Measurements) note(h string) (n hv.HookNote, has bool) {
	if g, ok := m.Target.(hv.Guide); ok && m.Counted != nil {
		n = g.Hook(h)
		return n, n.By != ""
	}
	return n, false
}

// Of makes the matrix of a run.
func Of(m Measurements) *Matrix {
	if m.Counted != nil {
		return m.counted()
	}
	x := &Matrix{}
	for _, h := range hook.Table {
		l := Line{Hook: h.Name}
		for _, name := range m.Planned {
			if slices.Contains(m.Measured, name) && declares(name, h.Name) {
				l.Benchmarks = append(l.Benchmarks, name)
			}
		}
		x.add(l, m)
	}
	return x
}

func (m Measurements) counted() *Matrix {
	x := &Matrix{Counted: true}
	c := m.Counted.Coverage()
	for _, h := range universe(slices.Concat(c.Hooks, c.Never)) {
		l := Line{Hook: h}
		for _, name := range c.Benchmarks {
			if _, ok := c.Times[[2]string{h, name}]; ok {
				l.Benchmarks = append(l.Benchmarks, name)
			}
		}
		x.add(l, m)
	}
	return x
}

// universe is the hooks that builds have, by name. If all are Xen 3.2's, it is
// its table: a hook that nothing calls is in no build.
func universe(known []string) []string {
	var table []string
	for _, h := range hook.Table {
		table = append(table, h.Name)
	}
	for _, h := range known {
		if !slices.Contains(table, h) {
			slices.Sort(known)
			return known
		}
	}
	return table
}

func (x *Matrix) add(l Line, m Measurements) {
	if len(l.Benchmarks) == 0 {
		l.Why = m.why(l.Hook)
	}
	x.Lines = append(x.Lines, l)
}

// declares reports whether a benchmark says that it crosses a hook, or one of those
// whose place it took.
func declares(benchmark, h string, was ...string) bool {
	b, _ := bench.Find(benchmark)
	return slices.ContainsFunc(b.Hooks, func(c bench.Crossing) bool { return c.Hook == h || slices.Contains(was, c.Hook) })
}

// why says what keeps a hook from being crossed.
func (m Measurements) why(h string) string {
	note, noted := m.note(h)
	// Planned without a sample; not in the run; not to be had on this target.
	var without, out, elsewhere []string
	measured, refused := "", ""
	for _, b := range bench.All() {
		name := b.FullName()
		reason := m.refused(b)
		switch {
		case !declares(name, h, note.Was...) && note.Also[name] == 0:
		case slices.Contains(m.Measured, name):
			measured = name
		case slices.Contains(m.Planned, name):
			without = append(without, name)
		case reason != "":
			elsewhere = append(elsewhere, name)
			refused = cmp.Or(refused, reason)
		default:
			out = append(out, name)
		}
	}
	switch {
	case !noted && dead(h):
		return "nothing in Xen 3.2 calls it"
	case note.Never != "":
		return note.Never
	case measured != "":
		return fmt.Sprintf("not by %s, which crosses it in Xen 3.2", measured)
	case without != nil:
		return "no sample of " + some(without)
	case out != nil:
		return "not in this run: " + some(out)
	case elsewhere != nil:
		return fmt.Sprintf("not on this target, which does not run %s: %s", list(elsewhere), refused)
	}
	return "no benchmark of xsmbench's crosses it" + reached(note)
}

// reached says who would cross a hook.
func reached(n hv.HookNote) string {
	if n.Through == "" {
		return ""
	}
	return fmt.Sprintf("; %s does, by %s", n.By, n.Through)
}

// dead reports whether a hook of Xen 3.2 has no caller.
func dead(h string) bool {
	return slices.ContainsFunc(hook.Table, func(t hook.Hook) bool { return t.Name == h && len(t.Source) == 0 })
}

// some is list, with the suite of those that a run leaves out by default.
func some(names []string) string {
	var words []string
	for _, name := range names {
		if b, _ := bench.Find(name); !b.InSuite(bench.DefaultSuite) {
			name += " (suite " + b.Home() + ")"
		}
		words = append(words, name)
	}
	return list(words)
}

// list names two, and counts the rest.
func list(names []string) string {
	const shown = 2
	words := slices.Clone(names[:min(shown, len(names))])
	if n := len(names) - shown; n > 0 {
		words = append(words, fmt.Sprintf("%d more", n))
	}
	return strings.Join(words, ", ")
}

// Crossed is how many hooks were crossed.
func (x *Matrix) Crossed() int {
	n := 0
	for _, l := range x.Lines {
		if len(l.Benchmarks) > 0 {
			n++
		}
	}
	return n
}

// Title says how many hooks were crossed, and how that is known.
func (x *Matrix) Title() string {
	how := "as the benchmarks declare"
	if x.Counted {
		how = "as counted"
	}
	return fmt.Sprintf("Coverage: %d of %d hooks were crossed, %s", x.Crossed(), len(x.Lines), how)
}

// Text is the benchmarks of a line, or why there are none.
func (l Line) Text() string {
	if l.Why != "" {
		return l.Why
	}
	return strings.Join(l.Benchmarks, ", ")
}

// Markdown writes the matrix as a table.
func (x *Matrix) Markdown(w io.Writer) error {
	if _, err := fmt.Fprint(w, "| hook | benchmarks | crossed by, or why not |\n| --- | ---: | --- |\n"); err != nil {
		return err
	}
	for _, l := range x.Lines {
		if _, err := fmt.Fprintf(w, "| %s | %d | %s |\n", grid.Escape(l.Hook), len(l.Benchmarks), grid.Escape(l.Text())); err != nil {
			return err
		}
	}
	return nil
}
