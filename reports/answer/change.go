package answer

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"xsmbench/hv"
	"xsmbench/reports/change"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/profile"
	"xsmbench/reports/table"
)

// Changed is what was changed between a build and a base of the same kind, and what
// came of it.
type Changed struct {
	change.Change
	Rows int
	// Differ are the rows that do, the largest difference first.
	Differ []Cost
}

// changedOf is nil if the build is no change of the base.
func changedOf(c *compare.Comparison, changes []change.Change, build string, kind Kind) *Changed {
	i := slices.IndexFunc(changes, func(x change.Change) bool { return x.Build == build })
	if i < 0 {
		return nil
	}
	all := &Changed{Change: changes[i]}
	for _, row := range c.Rows {
		if row.Build != build || KindOf(row.Unit) != kind {
			continue
		}
		if all.Rows++; differs(row) {
			all.Differ = append(all.Differ, Cost{Row: row, Where: c.Where(row.Environment)})
		}
	}
	slices.SortStableFunc(all.Differ, func(a, b Cost) int {
		return cmp.Or(cmp.Compare(size(b.Row), size(a.Row)), strings.Compare(a.Benchmark, b.Benchmark))
	})
	return all
}

// differs tells a row that shows a difference, however small.
func differs(r compare.Row) bool {
	if r.Exact {
		return r.Difference() != 0
	}
	return r.Verdict == compare.Slower || r.Verdict == compare.Faster
}

func size(r compare.Row) float64 {
	if math.IsNaN(r.Ratio) {
		return math.Inf(1)
	}
	return math.Abs(r.Overhead())
}

// What a change names of each sort, of many.
const (
	mostFiles   = 5
	mostDiffer  = 5
	mostReasons = 4
)

// Lines tell the change from its source to what was not reached.
func (c *Changed) Lines() []string {
	lines := slices.Concat(c.sourceLines(), c.policyLines(), c.configLine(), c.optionLine(), []string{c.differLine()})
	lines = append(lines, crossedLines(c.Gone, c.goneEnd)...)
	lines = append(lines, crossedLines(c.New, c.newEnd)...)
	lines = append(lines, c.becauseLine()...)
	return append(lines, c.Functions.String())
}

func (c *Changed) sourceLines() []string {
	s := c.Source
	switch {
	case s == nil:
		return nil
	case s.Unknown != "":
		return []string{"what changed in the source is not known: " + s.Unknown}
	case s.Changed == 0:
		return []string{"the source is the same"}
	}
	lines := []string{fmt.Sprintf("source: %s changed, +%d −%d lines", number.Count(s.Changed, "file"), s.Added, s.Removed)}
	for i, f := range s.Files {
		if i == mostFiles {
			break
		}
		lines = append(lines, fileLine(f))
	}
	if more := s.Changed - mostFiles; more > 0 {
		lines = append(lines, fmt.Sprintf("  and %s more", number.Count(more, "file")))
	}
	return lines
}

func fileLine(f hv.FileChange) string {
	text := "  " + f.Path
	switch f.State {
	case hv.FileBinary:
		return text + " (no text)"
	case hv.FileNew, hv.FileGone:
		text += " (" + string(f.State) + ")"
	}
	text += fmt.Sprintf(" +%d −%d", f.Added, f.Removed)
	if len(f.Functions) > 0 {
		text += ": " + few(f.Functions)
	}
	return text
}

// few joins names, of many the first.
func few(names []string) string {
	if len(names) > mostReasons+1 {
		names = append(slices.Clone(names[:mostReasons]), fmt.Sprintf("%d more", len(names)-mostReasons))
	}
	return strings.Join(names, ", ")
}

func (c *Changed) configLine() []string {
	if len(c.Config) == 0 {
		return nil
	}
	return []string{"configuration: " + few(c.Config)}
}

func (c *Changed) optionLine() []string {
	if len(c.Options) == 0 {
		return nil
	}
	return []string{"hypervisor's command line: " + few(c.Options)}
}

func (c *Changed) differLine() string {
	if len(c.Differ) == 0 {
		return fmt.Sprintf("none of %s differs", number.Count(c.Rows, "row"))
	}
	var parts []string
	for i := 0; i < len(c.Differ); {
		if len(parts) == mostDiffer {
			parts = append(parts, fmt.Sprintf("%d more", len(c.Differ)-i))
			break
		}
		d, where := c.Differ[i], ""
		for ; i < len(c.Differ) && c.Differ[i].Benchmark == d.Benchmark && c.Differ[i].Change() == d.Change(); i++ {
			where += strings.Replace(c.Differ[i].at(), " in ", " and ", min(1, len(where)))
		}
		parts = append(parts, d.Name()+where+" "+d.Change())
	}
	verb := "differ"
	if len(c.Differ) == 1 {
		verb = "differs"
	}
	return fmt.Sprintf("%d of %s %s: %s", len(c.Differ), number.Count(c.Rows, "row"), verb, strings.Join(parts, ", "))
}

// crossedLines are a line for each hook that one of the builds does not cross.
func crossedLines(list []profile.Crossed, end func(x profile.Crossed, in string) string) []string {
	var lines []string
	for _, x := range list {
		var in []string
		for _, b := range x.Benchmarks {
			in = append(in, Short(b))
		}
		lines = append(lines, fmt.Sprintf("hook %s: %s %s", x.Hook, amount(x.Low, x.High, number.Rounded), end(x, few(in))))
	}
	return lines
}

func (c *Changed) goneEnd(x profile.Crossed, in string) string {
	if x.All {
		return "instructions before, not crossed any more (" + in + ")"
	}
	return "instructions before, no longer crossed in " + in
}

func (c *Changed) newEnd(x profile.Crossed, in string) string {
	if x.All {
		return "instructions, not crossed before (" + in + ")"
	}
	return "instructions, now crossed in " + in
}

// becauseLine has the hooks and functions that execute more or less.
func (c *Changed) becauseLine() []string {
	var parts []string
	add := func(of int, text func(i int) string) {
		for i := range of {
			if i == mostReasons && of > mostReasons+1 {
				parts = append(parts, fmt.Sprintf("%d more", of-i))
				return
			}
			parts = append(parts, text(i))
		}
	}
	add(len(c.Hooks), func(i int) string { return hookPart(c.Hooks[i]) })
	add(len(c.Movers), func(i int) string {
		m := c.Movers[i]
		return m.Function + " " + amount(m.Low, m.High, table.Count)
	})
	if len(parts) == 0 {
		return nil
	}
	return []string{"because: " + strings.Join(parts, ", ")}
}

func hookPart(h profile.HookChange) string {
	return "hook " + h.Hook + " " + amount(h.Low, h.High, table.Count) + " a call"
}

// amount is a figure, or from the least to the most.
func amount(low, high float64, write func(float64) string) string {
	if a, b := write(low), write(high); a != b {
		return a + "…" + b
	}
	return write(low)
}

// unreached says how much of the changed code no figure is of, "" if none.
func (c *Changed) unreached() string {
	if c == nil {
		return ""
	}
	never := len(c.Functions.Never())
	switch {
	case never == 0:
		return ""
	case never == len(c.Functions.Changed):
		return "but no benchmark executes what was changed"
	}
	return fmt.Sprintf("but %d of %s were never executed", never, number.Count(len(c.Functions.Changed), "changed function"))
}
