package compare

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// Selection says which rows of a comparison to look at. What is empty is
// everything. Verdicts stay those of the whole comparison: who chooses rows after
// seeing them does not make their alarms easier to raise.
type Selection struct {
	Bench *regexp.Regexp // over the benchmarks' names
	// Unit is a unit's name, or matches some of them.
	Unit            *regexp.Regexp
	Domains, Builds []string
}

// UnknownNameError is a name that the comparison does not have.
type UnknownNameError struct {
	Kind, Name string // "build", "domain"
	Known      []string
}

func (e *UnknownNameError) Error() string {
	return fmt.Sprintf("the comparison has no %s %q", e.Kind, e.Name)
}

// ErrNoneSelected is of a selection that leaves no row, nor a figure.
var ErrNoneSelected = errors.New("no row is left")

func (s Selection) empty() bool {
	return s.Bench == nil && s.Unit == nil && len(s.Domains) == 0 && len(s.Builds) == 0
}

// Select is the comparison with the rows, controls and figures of a selection.
func (c *Comparison) Select(s Selection) (*Comparison, error) {
	if s.empty() {
		return c, nil
	}
	if err := c.knows(s); err != nil {
		return nil, err
	}
	unit := c.unitOf(s)
	in := func(e Environment, benchmark, u, build string) bool {
		return (s.Bench == nil || s.Bench.MatchString(benchmark)) && unit(u) &&
			(len(s.Domains) == 0 || slices.Contains(s.Domains, e.Domain)) &&
			(len(s.Builds) == 0 || build == c.Base || slices.Contains(s.Builds, build))
	}
	row := func(r Row) bool { return !in(r.Environment, r.Benchmark, r.Unit, r.Build) }
	part := *c
	part.selects = func(at Cell) bool { return in(at.Environment, at.Benchmark, at.Unit, at.Build) }
	part.Rows = slices.DeleteFunc(slices.Clone(c.Rows), row)
	part.Controls = slices.DeleteFunc(slices.Clone(c.Controls), func(r Row) bool {
		r.Build = c.Base // controls are beside whatever is selected
		return row(r)
	})
	part.Figures = slices.DeleteFunc(slices.Clone(c.Figures), func(f Figure) bool {
		beside := slices.ContainsFunc(part.Rows, func(r Row) bool { return slices.Contains(Beside(r.Unit), f.Unit) })
		return !in(f.Environment, f.Benchmark, f.Unit, f.Build) && !(beside && in(f.Environment, f.Benchmark, xenInstructions, f.Build))
	})
	part.lacks = slices.DeleteFunc(slices.Clone(c.lacks), func(l lack) bool { return !in(l.Environment, l.benchmark, "", l.build) })
	part.GeoMeans = nil
	if s.Bench == nil { // a mean over chosen rows is whatever one likes
		part.GeoMeans = slices.DeleteFunc(slices.Clone(c.GeoMeans), func(g GeoMean) bool { return !in(g.Environment, "", g.Unit, g.Build) })
	}
	part.Builds = slices.DeleteFunc(slices.Clone(c.Builds), func(b string) bool { return len(s.Builds) > 0 && !slices.Contains(s.Builds, b) })
	part.All = len(c.Rows)
	if len(part.Rows)+len(part.Controls)+len(part.Figures) == 0 {
		return nil, ErrNoneSelected
	}
	return &part, nil
}

// Selects tells whether a place is one of those that were asked for: all, unless
// the comparison is a selection. A plan's places have no unit.
func (c *Comparison) Selects(at Cell) bool { return c.selects == nil || c.selects(at) }

// IsSelection tells whether rows were left out by Select.
func (c *Comparison) IsSelection() bool { return c.selects != nil }

// Units lists the units of rows and figures.
func (c *Comparison) Units() []string {
	var units []string
	for _, r := range c.Rows {
		units = append(units, r.Unit)
	}
	for _, f := range c.Figures {
		units = append(units, f.Unit)
	}
	slices.Sort(units)
	return slices.Compact(units)
}

// knows refuses names that the comparison does not have.
func (c *Comparison) knows(s Selection) error {
	var domains []string
	for _, e := range c.Environments() {
		if !slices.Contains(domains, e.Domain) {
			domains = append(domains, e.Domain)
		}
	}
	for _, f := range c.Figures {
		if !slices.Contains(domains, f.Domain) {
			domains = append(domains, f.Domain)
		}
	}
	builds := append([]string{c.Base}, c.Builds...)
	for _, of := range []struct {
		kind         string
		names, known []string
	}{{"domain", s.Domains, domains}, {"build", s.Builds, builds}} {
		for _, name := range of.names {
			if !slices.Contains(of.known, name) {
				return &UnknownNameError{of.kind, name, of.known}
			}
		}
	}
	return nil
}

// unitOf tells which units a selection has: the one that is named in full, or
// those that match.
func (c *Comparison) unitOf(s Selection) func(string) bool {
	if s.Unit == nil {
		return func(string) bool { return true }
	}
	name := s.Unit.String()
	named := slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Unit == name }) || slices.ContainsFunc(c.Figures, func(f Figure) bool { return f.Unit == name })
	return func(unit string) bool {
		if named {
			return unit == name
		}
		return unit == "" || s.Unit.MatchString(unit)
	}
}

// Sort is an order of rows.
type Sort string

// Orders of rows.
const (
	AsMeasured Sort = ""
	ByName     Sort = "name"
	ByChange   Sort = "change" // the largest share first
	ByCost     Sort = "cost"   // the largest difference in the unit first
)

// Sorts lists the orders that somebody may ask for.
var Sorts = []string{string(ByName), string(ByChange), string(ByCost)}

// View says how to show rows. It changes no verdict, and nothing that is counted.
type View struct {
	Sort Sort
	// Changed leaves out benchmarks none of whose rows is slower or faster.
	Changed bool
	// Limit is how many benchmarks a table shows; 0 for all.
	Limit int
}

// Shown are the rows that the view leaves, in its order, and the controls of
// their benchmarks. All builds of a benchmark stay together. Left is how many
// rows it leaves out.
func (c *Comparison) Shown() (rows, controls []Row, left int) {
	if c.View == (View{}) {
		return c.Rows, c.Controls, 0
	}
	type table struct {
		Environment
		unit string
	}
	var order []table
	tables := map[table][][]Row{} // by benchmark
	for _, r := range c.Rows {
		k := table{r.Environment, r.Unit}
		lines, known := tables[k]
		if !known {
			order = append(order, k)
		}
		i := slices.IndexFunc(lines, func(l []Row) bool { return l[0].Benchmark == r.Benchmark })
		if i < 0 {
			i = len(lines)
			lines = append(lines, nil)
		}
		lines[i] = append(lines[i], r)
		tables[k] = lines
	}
	for _, k := range order {
		for _, line := range c.View.of(tables[k]) {
			rows = append(rows, line...)
		}
	}
	rank := map[string]int{}
	for i, r := range rows {
		if _, ok := rank[r.place()]; !ok {
			rank[r.place()] = i
		}
	}
	controls = slices.DeleteFunc(slices.Clone(c.Controls), func(r Row) bool {
		_, ok := rank[r.place()]
		return !ok && len(c.Rows) > 0
	})
	slices.SortStableFunc(controls, func(a, b Row) int { return rank[a.place()] - rank[b.place()] })
	return rows, controls, len(c.Rows) - len(rows)
}

// of arranges the lines of one table.
func (v View) of(lines [][]Row) [][]Row {
	if v.Changed {
		lines = slices.DeleteFunc(lines, func(l []Row) bool {
			return !slices.ContainsFunc(l, func(r Row) bool { return r.Verdict == Slower || r.Verdict == Faster })
		})
	}
	most := func(l []Row, size func(Row) float64) float64 {
		largest := math.Inf(-1)
		for _, r := range l {
			if s := size(r); s > largest {
				largest = s
			}
		}
		return largest
	}
	by := func(size func(Row) float64) {
		slices.SortStableFunc(lines, func(a, b []Row) int { return cmp.Compare(most(b, size), most(a, size)) })
	}
	switch v.Sort {
	case ByName:
		slices.SortStableFunc(lines, func(a, b []Row) int { return strings.Compare(a[0].Benchmark, b[0].Benchmark) })
	case ByChange:
		by(Row.size)
	case ByCost:
		by(func(r Row) float64 { return math.Abs(r.Difference()) })
	}
	if v.Limit > 0 && len(lines) > v.Limit {
		lines = lines[:v.Limit]
	}
	return lines
}

// size is how large the change is, to either side; from nothing to something is
// beyond all.
func (r Row) size() float64 {
	switch {
	case !math.IsNaN(r.Ratio):
		return math.Abs(math.Log(r.Ratio))
	case r.Difference() != 0 && !math.IsNaN(r.Difference()):
		return math.Inf(1)
	}
	return math.Inf(-1)
}
