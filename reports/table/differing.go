package table

import (
	"bufio"
	"fmt"
	"io"
	"strings"

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
	var told told
	for _, r := range c.Rows {
		told.add(c.Rows[0].Environment, r.Environment)
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
		if d, ok := profiles.Explain(Where(r.Environment), r.Benchmark, r.Build, c.Base); ok && compare.IsTally(r.Unit) {
			by = Functions(d, mostFunctions)
		}
		g.Add(r.Benchmark, told.place(r.Environment), r.Build, r.Unit, Value(r.BaseValue, r.Unit), Value(r.Value, r.Unit), rowChange(r), by)
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

// told is what tells places apart besides the domain: what there is several of.
type told struct{ arches, domUs bool }

func (t *told) add(first, other compare.Environment) {
	t.arches = t.arches || other.Arch != first.Arch
	t.domUs = t.domUs || other.DomU != first.DomU
}

// place is a domain, with what tells it from others of its name.
func (t told) place(e compare.Environment) string {
	at := profile.Where{Domain: e.Domain}
	if t.arches {
		at.Arch = e.Arch
	}
	if t.domUs {
		at.DomU = e.DomU
	}
	return strings.TrimSpace(at.String())
}

// Where is the place in a profile of what an environment names.
func Where(e compare.Environment) profile.Where {
	return profile.Where{Arch: e.Arch, DomU: e.DomU, Domain: e.Domain}
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
