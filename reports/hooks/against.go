package hooks

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"

	"xsmbench/reports/internal/grid"
	"xsmbench/reports/profile"
)

// names are what two runs are called: by their targets, or by their directories
// if they have one target.
func names(first, second *profile.Run) (string, string) {
	if first.Target != second.Target {
		return first.Target, second.Target
	}
	return first.Path, second.Path
}

// Against writes a build's hooks in two runs side by side: how often an operation
// crosses each, and its share of the hypercalls that cross it.
func Against(w io.Writer, first, second *profile.Run, build string) error {
	b := bufio.NewWriter(w)
	pairs := profile.Against(first, second, build)
	fmt.Fprintf(b, "hooks of one operation in %s, and their share of the hypercalls (or faults) that cross them, without the way in and out\n\n", build)
	one, other := names(first, second)
	if first.Target == second.Target {
		if o := profile.OnlyOf(other, second.Code[build], one, first.Code[build]); len(o.First)+len(o.Second) > 0 {
			fmt.Fprintf(b, "%s\n\n", onlyLine(o))
		}
	}
	domains, same := []string{}, 0
	for _, p := range pairs {
		if !slices.Contains(domains, p.Domain) {
			domains = append(domains, p.Domain)
		}
	}
	var reasons []string
	for _, d := range domains {
		g := grid.New(9)
		g.Add(d, grid.Rule, one, "", "share", grid.Rule, other, "", "share")
		for _, p := range pairs {
			switch {
			case p.Domain != d:
			case len(p.Hooks) == 0:
				same++
			default:
				reasons = addPair(g, p, reasons)
			}
		}
		g.Right[3], g.Right[4], g.Right[7], g.Right[8] = true, true, true, true
		g.Write(b)
		fmt.Fprintln(b)
	}
	fmt.Fprintf(b, "%d more benchmarks cross no hook on either\n", same)
	for i, why := range reasons {
		fmt.Fprintf(b, "%s %s\n", mark(i), why)
	}
	if left := profile.Unexplained(pairs); len(left) > 0 {
		fmt.Fprintf(b, "! for no reason that is known here: %d\n", len(left))
	}
	return b.Flush()
}

// addPair adds a benchmark's lines; reasons are numbered in the order in which
// they are met.
func addPair(g *grid.Grid, p profile.Pair, reasons []string) []string {
	name := p.Benchmark
	for _, o := range p.Hooks {
		note := ""
		switch i := slices.Index(reasons, o.Why); {
		case o.Same:
		case o.Why == "":
			note = " !"
		case i >= 0:
			note = " " + mark(i)
		default:
			note = " " + mark(len(reasons))
			reasons = append(reasons, o.Why)
		}
		g.Add(append(append([]string{name, grid.Rule}, standCells(o.First, "")...), append([]string{grid.Rule}, standCells(o.Second, note)...)...)...)
		name = ""
	}
	return reasons
}

func standCells(s profile.Stand, note string) []string {
	switch {
	case s.Name == "":
		return []string{"–" + note, "", ""}
	case s.Calls == 0 && math.IsNaN(s.Share), s.Calls == 0 && s.Share == 0:
		return []string{s.Name + note, "", ""}
	}
	return []string{s.Name + note, "×" + number(s.Calls), percent(s.Share)}
}

// mark numbers a reason.
func mark(i int) string { return fmt.Sprintf("[%d]", i+1) }
