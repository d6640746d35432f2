package hooks

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
	"xsmbench/reports/profile"
	"xsmbench/reports/table"
)

// Timed is a run whose times are joined with counts.
type Timed struct {
	Path       string
	Comparison *compare.Comparison
	Images     map[string]string // hashes by build
}

// Times joins the counts of a run with the times of another: an accelerator
// that gives times counts nothing, and the other way round. What is printed
// says which figure is whose.
func Times(w io.Writer, r *profile.Run, timed Timed, o Options) error {
	b := bufio.NewWriter(w)
	rows := timesOf(r, timed.Comparison)
	if len(rows) == 0 {
		return fmt.Errorf("join with times of %s: no benchmark, domain and build in common with times", timed.Path)
	}
	fmt.Fprintf(b, "counts: %s%s, %s; times: %s, %s\n", r.Target, accel(r.Accel), r.Path, whose(rows), timed.Path)
	fmt.Fprintf(b, "Hooks and instructions were counted in the first run, times taken in the second. %s\n\n", sameImages(r.Images, timed.Images))
	g := grid.New(8)
	g.Tight = true
	g.Add("against "+timed.Comparison.Base, "build", grid.Rule, "hooks", "instructions", grid.Rule, "time", "a hook")
	name := ""
	for _, x := range rows {
		head := x.row.Benchmark + " (" + whereOf(x.row).String() + ")"
		if head == name {
			head = ""
		} else {
			name = head
		}
		g.Add(head, x.row.Build, grid.Rule, number(x.hooks), x.instructions(), grid.Rule, x.time(), x.perHook())
	}
	for _, i := range []int{3, 4, 6, 7} {
		g.Right[i] = true
	}
	g.Write(b)
	fmt.Fprintln(b, "\na hook: the time that the build needs more, for each hook that it crosses more; its interval is that of the time.")
	return b.Flush()
}

// joined is a row of times with what was counted of it.
type joined struct {
	row         compare.Row
	hooks       float64 // of one operation in the build
	difference  profile.Difference
	exact       bool
	cost, base  *profile.Cost
	moreCrossed float64
}

func whereOf(r compare.Row) profile.Where {
	return profile.Where{Arch: r.Arch, DomU: r.DomU, Domain: r.Domain}
}

func timesOf(r *profile.Run, c *compare.Comparison) []joined {
	var list []joined
	for _, row := range c.Rows {
		if row.Unit != "ns/op" && row.Unit != "sec/op" {
			continue
		}
		i := slices.IndexFunc(r.Benchmarks, func(b *profile.Benchmark) bool {
			return b.Name == row.Benchmark && b.Where == whereOf(row)
		})
		if i < 0 || r.Benchmarks[i].Costs[row.Build] == nil || r.Benchmarks[i].Costs[row.Base] == nil {
			continue
		}
		x := joined{row: row, cost: r.Benchmarks[i].Costs[row.Build], base: r.Benchmarks[i].Costs[row.Base]}
		x.hooks = crossed(x.cost)
		x.moreCrossed = x.hooks - crossed(x.base)
		x.difference, x.exact = x.cost.Difference(x.base)
		list = append(list, x)
	}
	return list
}

func crossed(c *profile.Cost) float64 {
	n := 0.
	for _, h := range c.Hooks {
		n += h.Calls
	}
	return n
}

func (x joined) instructions() string {
	if x.exact {
		return signed(x.difference.Total)
	}
	if d := x.cost.Total - x.base.Total; !math.IsNaN(d) {
		return "~ " + signed(d)
	}
	return "–"
}

// time is what the build needs more, with its interval.
func (x joined) time() string {
	r := x.row
	if math.IsNaN(r.Ratio) {
		return "–"
	}
	text := more(r.BaseValue*(r.Ratio-1), r.Unit)
	if !math.IsNaN(r.Lo) && !math.IsNaN(r.Hi) {
		text += fmt.Sprintf(" [%s, %s]", more(r.BaseValue*(r.Lo-1), r.Unit), more(r.BaseValue*(r.Hi-1), r.Unit))
	}
	return text
}

func (x joined) perHook() string {
	if x.moreCrossed < 0.5 || math.IsNaN(x.row.Ratio) {
		return ""
	}
	return more(x.row.BaseValue*(x.row.Ratio-1)/x.moreCrossed, x.row.Unit)
}

// more is a difference of times.
func more(v float64, unit string) string {
	text := table.Value(math.Abs(v), unit)
	if v < 0 {
		return "−" + text
	}
	return "+" + text
}

// whose are the environments of the times.
func whose(rows []joined) string {
	var names []string
	for _, x := range rows {
		name := x.row.Target + accel(x.row.Accel)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// sameImages says whether the two runs are of the same programs.
func sameImages(counted, timed map[string]string) string {
	var other []string
	for build, hash := range counted {
		if h, ok := timed[build]; ok && h != hash {
			other = append(other, build)
		}
	}
	slices.Sort(other)
	if len(other) == 0 {
		return "Both are of the same images."
	}
	return fmt.Sprintf("The images of %s differ between them: the counts are another build's.", strings.Join(other, ", "))
}
