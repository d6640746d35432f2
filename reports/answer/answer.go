// Package answer is what a reader of a report wants to know first, in values:
// what was measured on what, and for each build what it costs where a hook is
// crossed, what it costs elsewhere, and which operations cost the most, with the
// hook that causes it. The terminal, report.md and the page say the same of it.
package answer

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/profile"
)

// Kind is what was measured: the rows of one kind share a sentence.
type Kind string

// The kinds.
const (
	Instructions Kind = "instructions"
	Time         Kind = "time"
	Other        Kind = "cost"
)

// KindOf is the kind of a unit.
func KindOf(unit string) Kind {
	switch {
	case compare.IsCount(unit):
		return Instructions
	case unit == "ns/op", unit == "s", unit == "sec", compare.IsRate(unit):
		return Time
	}
	return Other
}

// Answer is the result of a comparison.
type Answer struct {
	Subject about.Subject
	Base    string
	Level   string // of the intervals: "95%"
	Kinds   []Kind
	// Exact is how many of the Rows leave nothing to chance.
	Exact, Rows int
	// Builds has an entry for each build and kind, in the comparison's order.
	Builds []Build
}

// Build is what one build costs against the base, in one kind.
type Build struct {
	Name     string
	Kind     Kind
	Several  bool // the build has entries of other kinds, too
	Rows     int
	Margin   string // by which its rows are judged, in words
	Verdicts map[compare.Verdict]int
	// Means are the geometric means of the rows that cross a hook (of all rows
	// if it is not known which do): a single one for each architecture where all
	// is exact, else one for each environment, with its interval.
	Means     []Mean
	Inexact   int // rows that exact means leave out
	Elsewhere Elsewhere
	// Changed is what was changed, nil if the build is no change of the base.
	Changed *Changed
	// Most are the operations with the largest cost, the largest first.
	Most []Cost
	// Worst is the largest cost in a state that was brought about on purpose, as
	// an emptied cache; nil if there is none.
	Worst *Cost
}

// Mean is a geometric mean of ratios.
type Mean struct {
	Where         string // the domain, empty for all
	Ratio, Lo, Hi float64
	Exact         bool
	Rows          int
	Crossing      bool // of the rows that cross a hook, not of all
}

// Elsewhere is what the rows show that cross no hook.
type Elsewhere struct {
	Rows int
	// Beyond and Open are those slower or faster than the margin, and those that
	// are inconclusive.
	Beyond, Open int
	// Largest is the overhead of the widest decided row, by its size.
	Largest float64
}

// Cost is a row, and what causes it.
type Cost struct {
	compare.Row
	Where string
	Cause Cause
}

// most is how many operations an answer names for a build.
const most = 3

// Of reads the answer from a comparison; of a run without profiles (nil), causes
// are the hooks that the benchmarks are known to cross.
func Of(c *compare.Comparison, a about.About, r *profile.Run) *Answer {
	all := &Answer{Subject: a.Subject, Base: c.Base, Level: c.LevelText(), Rows: len(c.Rows)}
	for _, row := range c.Rows {
		if row.Exact {
			all.Exact++
		}
		if k := KindOf(row.Unit); !slices.Contains(all.Kinds, k) {
			all.Kinds = append(all.Kinds, k)
		}
	}
	for _, name := range c.Builds {
		for _, kind := range all.Kinds {
			if b := buildOf(c, r, name, kind); b.Rows > 0 {
				b.Several = len(all.Kinds) > 1
				b.Changed = changedOf(c, a.Changes, name, kind)
				all.Builds = append(all.Builds, b)
			}
		}
	}
	return all
}

func buildOf(c *compare.Comparison, r *profile.Run, name string, kind Kind) Build {
	b := Build{Name: name, Kind: kind, Margin: marginOf(c, kind), Verdicts: map[compare.Verdict]int{}}
	var plain, variants []compare.Row
	for _, row := range c.Rows {
		if row.Build != name || KindOf(row.Unit) != kind {
			continue
		}
		b.Rows++
		b.Verdicts[row.Verdict]++
		switch {
		case row.NoHook:
			b.Elsewhere.see(row)
		case compare.IsVariant(row.Benchmark):
			variants = append(variants, row)
		default:
			plain = append(plain, row)
		}
	}
	b.Means = meansOf(c, name, kind)
	if !slices.ContainsFunc(b.Means, func(m Mean) bool { return !m.Exact }) {
		b.Inexact = len(slices.DeleteFunc(slices.Clone(plain), func(r compare.Row) bool { return r.Exact }))
	}
	for _, row := range largest(plain, most) {
		b.Most = append(b.Most, Cost{row, c.Where(row.Environment), causeOf(c, r, row)})
	}
	for _, row := range largest(variants, 1) {
		if len(b.Most) == 0 || row.Ratio > b.Most[0].Ratio {
			b.Worst = &Cost{row, c.Where(row.Environment), causeOf(c, r, row)}
		}
	}
	return b
}

func (e *Elsewhere) see(r compare.Row) {
	e.Rows++
	switch r.Verdict {
	case compare.Inconclusive:
		e.Open++
		return
	case compare.Slower, compare.Faster:
		e.Beyond++
	}
	if o := r.Overhead(); math.Abs(o) > math.Abs(e.Largest) {
		e.Largest = o
	}
}

// largest are the rows of the largest cost, of each benchmark the domain where
// it is largest. What is slower comes first, then what is undecided though its
// interval lies above 0 (as Holm's correction for many rows leaves it), then
// what is not shown to be slower. What else is inconclusive shows no cost.
func largest(rows []compare.Row, n int) []compare.Row {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r compare.Row) bool {
		return r.Verdict == compare.Inconclusive && !(r.Lo > 1) || !(r.Difference() > 0) && !(r.Ratio > 1)
	})
	rank := map[compare.Verdict]int{compare.Slower: 2, compare.Inconclusive: 1}
	slices.SortStableFunc(rows, func(a, b compare.Row) int {
		return cmp.Or(rank[b.Verdict]-rank[a.Verdict], cmp.Compare(ratio(b), ratio(a)), strings.Compare(a.Benchmark, b.Benchmark))
	})
	var kept []compare.Row
	for _, r := range rows {
		if !slices.ContainsFunc(kept, func(k compare.Row) bool { return k.Benchmark == r.Benchmark }) && len(kept) < n {
			kept = append(kept, r)
		}
	}
	return kept
}

// ratio is a row's, above all others for what the base has nothing of.
func ratio(r compare.Row) float64 {
	if math.IsNaN(r.Ratio) && r.Difference() > 0 {
		return math.Inf(1)
	}
	return r.Ratio
}

// Mean is the overhead of all means together, for the bar; false if there is none.
func (b Build) Mean() (overhead float64, ok bool) {
	rows, sum := 0, 0.
	for _, m := range b.Means {
		sum += float64(m.Rows) * math.Log(m.Ratio)
		rows += m.Rows
	}
	if rows == 0 {
		return math.NaN(), false
	}
	return math.Expm1(sum / float64(rows)), true
}

// Open reports whether an interval of the means reaches to both sides of 0.
func (b Build) Open() bool {
	return slices.ContainsFunc(b.Means, func(m Mean) bool { return !m.Exact && !(m.Lo > 1) && !(m.Hi < 1) })
}

// meansOf takes the comparison's geometric means; those of exact rows are one,
// since it needs no interval, for each architecture.
func meansOf(c *compare.Comparison, build string, kind Kind) []Mean {
	var all []Mean
	var arches []string // of each
	exact, crossing := true, true
	for _, g := range c.GeoMeans {
		if g.Build != build || KindOf(g.Unit) != kind || compare.IsRate(g.Unit) || !isCompared(c, g) {
			continue
		}
		m, ok := crossingMean(c, g)
		if !ok {
			continue
		}
		m.Where = c.Where(g.Environment)
		exact, crossing = exact && m.Exact, crossing && m.Crossing
		all = append(all, m)
		arches = append(arches, g.Arch)
	}
	if !exact || !crossing || len(all) < 2 {
		if len(all) == 1 && len(c.Environments()) == 1 {
			all[0].Where = ""
		}
		return all
	}
	var joined []Mean
	for _, arch := range slices.Compact(slices.Clone(arches)) {
		sum := Mean{Exact: true, Crossing: true}
		if arches[0] != arches[len(arches)-1] {
			sum.Where = arch
		}
		logs := 0.
		for i, m := range all {
			if arches[i] == arch {
				sum.Rows += m.Rows
				logs += float64(m.Rows) * math.Log(m.Ratio)
			}
		}
		sum.Ratio = math.Exp(logs / float64(sum.Rows))
		sum.Lo, sum.Hi = sum.Ratio, sum.Ratio
		joined = append(joined, sum)
	}
	return joined
}

// isCompared tells a build's means from those of controls.
func isCompared(c *compare.Comparison, g compare.GeoMean) bool {
	return slices.Contains(c.Builds, g.Build)
}

// crossingMean is the mean of the rows that cross a hook, or of all if none is
// known to cross none. It is false if there is no such mean.
func crossingMean(c *compare.Comparison, g compare.GeoMean) (Mean, bool) {
	crossing, none := 0, 0
	for _, r := range c.Rows {
		if r.Build == g.Build && r.Environment == g.Environment && r.Unit == g.Unit && !compare.IsVariant(r.Benchmark) {
			if r.NoHook {
				none++
			} else if r.Crosses {
				crossing++
			}
		}
	}
	m := Mean{Ratio: g.Ratio, Lo: g.Lo, Hi: g.Hi, Exact: g.Exact, Rows: g.Rows, Crossing: none == 0 && crossing > 0}
	if x := g.Crossing; x != nil {
		m = Mean{Ratio: x.Ratio, Lo: x.Lo, Hi: x.Hi, Exact: x.Exact, Rows: x.Rows, Crossing: true}
	}
	return m, !math.IsNaN(m.Ratio)
}

// marginOf says by which margin rows of a kind are judged.
func marginOf(c *compare.Comparison, kind Kind) string {
	if len(c.Margins) > 0 {
		return "its margin"
	}
	text := "±" + number.Share(c.Margin, 3)
	if floor := c.Floors["ns/op"]; kind == Time && floor > 0 {
		text += fmt.Sprintf(" or %g ns", floor)
	}
	return text
}
