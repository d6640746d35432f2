package ci

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/gate"
	"xsmbench/reports/internal/grid"
)

// Text writes a gate's decision for a terminal: what does not pass, and why.
// Rows that pass are counted in the first line.
func Text(w io.Writer, r *gate.Result) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, Headline(r))
	for _, g := range groups(r) {
		if r.Comparison.View.Changed && g.heading == "inconclusive" {
			continue // nothing is known to differ there
		}
		gateGroup(b, r, g)
	}
	if said := saidOfWaivers(r); len(said)+len(r.Notes) > 0 || r.Damage != "" {
		fmt.Fprintln(b)
		if r.Damage != "" {
			fmt.Fprintln(b, "damaged input:", r.Damage)
		}
		for _, line := range said {
			fmt.Fprintln(b, line)
		}
		for _, n := range r.Notes {
			fmt.Fprintln(b, "note:", n)
		}
	}
	if commands := r.Again(); commands != nil {
		fmt.Fprint(b, "\nto repeat it:\n")
		for _, c := range commands {
			fmt.Fprintln(b, "  "+c)
		}
	}
	return b.Flush()
}

// findingGroup is findings under a heading.
type findingGroup struct {
	heading  string
	findings []gate.Finding
}

// allowedHeading is that of findings that --allow-missing lets through.
const allowedHeading = "not judged, which is allowed"

// groups are what there is to say, the gravest first; those that are empty are
// left out.
func groups(r *gate.Result) []findingGroup {
	all := []findingGroup{
		{"without a sample", r.With(gate.Incomplete)},
		{"slower", gate.Worst(r.With(gate.Regression))},
		{"not judged", r.With(gate.Unjudged)},
		{"inconclusive", r.With(gate.Inconclusive)},
		{"waived", gate.Worst(r.Excused())},
		{allowedHeading, r.Allowed()},
		{"faster", gate.Worst(r.Improved())},
	}
	return slices.DeleteFunc(all, func(g findingGroup) bool { return len(g.findings) == 0 })
}

func gateGroup(w io.Writer, r *gate.Result, group findingGroup) {
	fmt.Fprintf(w, "\n%s:\n", group.heading)
	g := grid.New(7)
	g.Right[4], g.Right[5] = true, true
	findings, left := viewed(group.findings, r.Comparison.View)
	for _, l := range linesOf(r, findings) {
		f := l.Finding
		base, more := change(f)
		g.Add(" "+l.builds, l.where, l.name(), base, more, effectInterval(f), why(r, f))
		if len(l.benchmarks) > 1 {
			g.Note("    " + strings.Join(l.benchmarks, ", "))
		}
		if hooks := Hooks(r, f); hooks != "" && f.Outcome() == gate.Regression && f.Waiver == nil {
			g.Note("    hooks on its path: " + hooks)
		}
		if f.Waiver != nil {
			g.Note(fmt.Sprintf("    waived until %s: %s", f.Waiver.Until.Format(gate.Day), f.Waiver.Reason))
		}
	}
	if left > 0 {
		g.Note(fmt.Sprintf("    and %d more (--limit)", left))
	}
	g.Write(w)
}

// viewed are the findings that a view shows, in its order, and how many it leaves
// out.
func viewed(findings []gate.Finding, v compare.View) (shown []gate.Finding, left int) {
	shown = slices.Clone(findings)
	switch v.Sort {
	case compare.ByName:
		slices.SortStableFunc(shown, func(a, b gate.Finding) int { return strings.Compare(a.Benchmark, b.Benchmark) })
	case compare.ByChange:
		shown = gate.Worst(shown)
	case compare.ByCost:
		cost := func(f gate.Finding) float64 {
			if f.Row == nil {
				return -1
			}
			return math.Abs(f.Row.Difference())
		}
		slices.SortStableFunc(shown, func(a, b gate.Finding) int { return cmp.Compare(cost(b), cost(a)) })
	}
	if v.Limit > 0 && len(shown) > v.Limit {
		return shown[:v.Limit], len(shown) - v.Limit
	}
	return shown, 0
}

// saidOfWaivers is a line for each waiver but those in use, which stand beside
// their rows.
func saidOfWaivers(r *gate.Result) []string {
	var lines []string
	for _, use := range r.Waived {
		if use.State != gate.InUse {
			lines = append(lines, WaiverLine(use))
		}
	}
	return lines
}
