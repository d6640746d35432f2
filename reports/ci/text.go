package ci

import (
	"bufio"
	"fmt"
	"io"
	"slices"

	"xsmbench/reports/gate"
	"xsmbench/reports/internal/grid"
)

// Text writes a gate's decision for a terminal: what does not pass, and why.
// Rows that pass are counted in the first line.
func Text(w io.Writer, r *gate.Result) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, Headline(r))
	for _, g := range groups(r) {
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

// group is findings under a heading.
type findingGroup struct {
	heading  string
	findings []gate.Finding
}

// groups are what there is to say, the gravest first; those that are empty are
// left out.
func groups(r *gate.Result) []findingGroup {
	all := []findingGroup{
		{"slower", gate.Worst(r.With(gate.Regression))},
		{"inconclusive", r.With(gate.Inconclusive)},
		{"waived", gate.Worst(r.Excused())},
		{"faster", gate.Worst(r.Improved())},
	}
	return slices.DeleteFunc(all, func(g findingGroup) bool { return len(g.findings) == 0 })
}

func gateGroup(w io.Writer, r *gate.Result, group findingGroup) {
	fmt.Fprintf(w, "\n%s:\n", group.heading)
	g := grid.New(7)
	g.Right[4], g.Right[5] = true, true
	for _, f := range group.findings {
		base, more := change(f)
		g.Add(" "+f.Build, whereOf(r, f), nameOf(f), base, more, effectInterval(f), why(f))
		if hooks := Hooks(r, f); hooks != "" && f.Outcome() == gate.Regression && f.Waiver == nil {
			g.Note("    hooks on its path: " + hooks)
		}
		if f.Waiver != nil {
			g.Note(fmt.Sprintf("    waived until %s: %s", f.Waiver.Until.Format(gate.Day), f.Waiver.Reason))
		}
	}
	g.Write(w)
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
