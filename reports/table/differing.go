package table

import (
	"bufio"
	"fmt"
	"io"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/profile"
)

// Differing writes the rows of a comparison that differ, for who changes one thing
// and looks at once: exact counts that differ at all, and other rows that are
// slower or faster. profiles may be nil.
func Differing(w io.Writer, c *compare.Comparison, profiles *profile.Run) error {
	b := bufio.NewWriter(HarmlessWriter(w))
	g := grid.New(8)
	copy(g.Right, []bool{false, false, false, false, true, true, true, false})
	g.Add("operation", "domain", "build", "unit", c.Base, "now", "change", "by")
	several := false
	for _, r := range c.Rows {
		several = several || r.Arch != c.Rows[0].Arch
	}
	n, open := 0, 0
	for _, r := range c.Rows {
		if r.Verdict == compare.Inconclusive {
			open++
		}
		if !differs(r) {
			continue
		}
		n++
		by := ""
		if d, ok := profiles.Explain(r.Arch, r.Build, c.Base, r.Domain, r.Benchmark); ok && compare.IsTally(r.Unit) {
			by = Functions(d, mostFunctions)
		}
		g.Add(r.Benchmark, place(r.Arch, r.Domain, several), r.Build, r.Unit, Value(r.BaseValue, r.Unit), Value(r.Value, r.Unit), rowChange(r), by)
	}
	if n > 0 {
		g.Write(b)
	}
	fmt.Fprintf(b, "%d of %s differ", n, number.Count(len(c.Rows), "row"))
	if open > 0 {
		fmt.Fprintf(b, ", %d inconclusive", open)
	}
	fmt.Fprintln(b)
	return b.Flush()
}

// place is a domain, after the architecture where there are several.
func place(arch, domain string, several bool) string {
	if several {
		return arch + " " + domain
	}
	return domain
}

// differs reports whether a row's build is another than its base.
func differs(r compare.Row) bool {
	if r.Exact {
		return r.Value != r.BaseValue
	}
	return r.Verdict == compare.Slower || r.Verdict == compare.Faster
}

func rowChange(r compare.Row) string {
	if r.Exact && compare.IsTally(r.Unit) {
		return Difference(r)
	}
	return Overhead(r)
}
