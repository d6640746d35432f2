// Package hooks writes profiles of hooks: tables for terminals, JSON for
// programs, pprof profiles for "go tool pprof", and flame graphs.
package hooks

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/reports/internal/grid"
	numbers "xsmbench/reports/internal/number"
	"xsmbench/reports/profile"
)

// Options say how to write.
type Options struct {
	Base      string // build that the others are explained against
	Functions bool   // explain differences by function
	Matrix    bool   // with the matrix of hooks and benchmarks
}

// Text writes the profile for a terminal.
func Text(w io.Writer, r *profile.Run, o Options) error {
	b := bufio.NewWriter(w)
	for _, p := range r.Problems {
		if !p.Note {
			fmt.Fprintln(b, "warning:", p)
		}
	}
	fmt.Fprintf(b, "target %s%s, builds %s. All figures are of one operation; instructions are those that the hypervisor executed.\n\n",
		r.Target, accel(r.Accel), strings.Join(r.Builds, ", "))
	for _, p := range r.Places() {
		writeSummaries(b, r, p)
	}
	writeChanges(b, r, o.Base)
	for _, p := range r.Places() {
		var none []*profile.Benchmark
		for _, bm := range r.Benchmarks {
			switch {
			case bm.Where != p:
			case len(hooksOf(r, bm)) == 0:
				none = append(none, bm)
			default:
				writeBenchmark(b, r, bm, o)
			}
		}
		writeUncrossed(b, r, p, none, o)
	}
	c := r.Coverage()
	if o.Matrix {
		writeMatrix(b, c)
	}
	if !r.Part {
		writeNever(b, r, c)
		writeCode(b, r, o.Base)
	}
	for _, line := range legend {
		fmt.Fprintln(b, line)
	}
	return b.Flush()
}

var legend = []string{
	"per call: instructions of one call: its site (set-up and test of the result, or the inlined check), all that the call executed, and return thunks.",
	"A difference is split into sites, bodies (of hooks and the module) and thunks, and what the compiler made otherwise in the callers; rest: what no function explains.",
	"~: boots or windows differ; means are shown, and no difference. –: not known: no window without an interrupt, or a check that is entered in the middle.",
}

func accel(a string) string {
	if a == "" {
		return ""
	}
	return " (" + a + ")"
}

// writeSummaries writes what one call of each hook costs.
func writeSummaries(w io.Writer, r *profile.Run, p profile.Where) {
	list := r.Summaries(p)
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "%s: instructions of one call\n", p)
	g := grid.New(2 + len(r.Builds))
	g.Add(slices.Concat([]string{"hook"}, r.Builds, []string{"benchmarks"})...)
	for _, s := range list {
		cells := []string{s.Hook}
		for _, build := range r.Builds {
			cells = append(cells, Between(s, build))
		}
		g.Add(append(cells, fmt.Sprint(s.Benchmarks))...)
	}
	for i := 1; i < len(g.Right); i++ {
		g.Right[i] = true
	}
	g.Write(w)
	fmt.Fprintln(w)
}

// Between is the least and the most instructions that a hook's call costs in a build.
func Between(s profile.Summary, build string) string {
	low, ok := s.Low[build]
	if !ok {
		return "–"
	}
	if text := number(low); text != number(s.High[build]) {
		return text + "…" + number(s.High[build])
	}
	return number(low)
}

// writeBenchmark writes the hooks of one benchmark, builds side by side.
func writeBenchmark(w io.Writer, r *profile.Run, b *profile.Benchmark, o Options) {
	fmt.Fprintf(w, "%s (%s)\n", b.Name, b.Where)
	g := grid.New(1 + 5*len(r.Builds))
	g.Tight = true
	heads, kinds := []string{""}, []string{"  hook"}
	for _, build := range r.Builds {
		heads = append(heads, grid.Rule, build, "", "", "")
		kinds = append(kinds, grid.Rule, "calls", "per call", "instr", "share")
	}
	g.Add(heads...)
	g.Add(kinds...)
	for _, name := range hooksOf(r, b) {
		cells := []string{"  " + name}
		for _, build := range r.Builds {
			cells = append(cells, hookCells(b.Costs[build], name)...)
		}
		g.Add(cells...)
	}
	cells := []string{"  all that it executes"}
	for _, build := range r.Builds {
		cells = append(cells, totalCells(b.Costs[build])...)
	}
	g.Add(cells...)
	for i := range g.Right {
		g.Right[i] = i > 0 && i%5 != 1
	}
	g.Write(w)
	writePath(w, r, b)
	writeAVC(w, r, b, o.Base)
	writeDifferences(w, r, b, o)
	writeInexact(w, r, b)
	fmt.Fprintln(w)
}

// writeUncrossed writes the benchmarks that cross no hook: what they execute,
// and what is different all the same.
func writeUncrossed(w io.Writer, r *profile.Run, p profile.Where, list []*profile.Benchmark, o Options) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "%s: benchmarks that cross no hook\n", p)
	g := grid.New(1 + len(r.Builds))
	g.Add(append([]string{"  all that it executes"}, r.Builds...)...)
	for _, b := range list {
		cells := []string{"  " + b.Name}
		for _, build := range r.Builds {
			cells = append(cells, uncrossed(b.Costs[build], b.Costs[o.Base], build != o.Base))
		}
		g.Add(cells...)
	}
	for i := 1; i < len(g.Right); i++ {
		g.Right[i] = true
	}
	g.Write(w)
	fmt.Fprintln(w)
}

// uncrossed is a build's total, and its difference from the base's.
func uncrossed(c, base *profile.Cost, differs bool) string {
	switch d, ok := c.Difference(base); {
	case c == nil:
		return "–"
	case !c.Exact:
		return "~" + number(c.Total)
	case differs && ok && signed(d.Total) != "0":
		return fmt.Sprintf("%s (%s)", number(c.Total), signed(d.Total))
	}
	return number(c.Total)
}

// hooksOf are the hooks that any build crosses, by the cost in the last.
func hooksOf(r *profile.Run, b *profile.Benchmark) []string {
	var names []string
	for _, build := range slices.Backward(r.Builds) {
		if c := b.Costs[build]; c != nil {
			for _, h := range c.Hooks {
				if !slices.Contains(names, h.Name) {
					names = append(names, h.Name)
				}
			}
		}
	}
	return names
}

func hookCells(c *profile.Cost, name string) []string {
	h, ok := c.Hook(name)
	switch {
	case c == nil:
		return []string{grid.Rule, "–", "", "", ""}
	case !ok:
		return []string{grid.Rule, "", "", "", ""}
	}
	calls := number(h.Calls)
	if h.Calls == 0 {
		calls = "–"
	}
	return []string{grid.Rule, calls, number(h.PerCall()), number(h.Instructions()), percent(c.Share(h))}
}

func totalCells(c *profile.Cost) []string {
	if c == nil {
		return []string{grid.Rule, "–", "", "", ""}
	}
	mark := ""
	if !c.Exact {
		mark = "~"
	}
	return []string{grid.Rule, "", "", mark + number(c.Total), ""}
}

// writePath writes how operations of the last build enter the hypervisor, and
// which hooks they cross there.
func writePath(w io.Writer, r *profile.Run, b *profile.Benchmark) {
	for _, build := range slices.Backward(r.Builds) {
		if c := b.Costs[build]; c != nil {
			fmt.Fprintf(w, "  path: %s\n", Path(c))
			return
		}
	}
}

// Path is one line: the hypercalls and traps of an operation, each with the
// hooks crossed there, and how often.
func Path(c *profile.Cost) string {
	var parts []string
	for _, v := range c.Visits() {
		name := v.Handler
		if name == "" {
			name = "(on the way in and out)"
		} else {
			name += times(v.Times)
		}
		var crossed []string
		for _, h := range v.Hooks {
			crossed = append(crossed, h.Hook+times(h.Times))
		}
		if len(crossed) > 0 {
			name += " › " + strings.Join(crossed, ", ")
		}
		parts = append(parts, name)
	}
	if len(parts) == 0 {
		return "no hypercall and no trap"
	}
	return strings.Join(parts, "; ")
}

// times is how often, nothing for once.
func times(n float64) string {
	switch text := number(n); text {
	case "1":
		return ""
	case "0":
		return " ×–"
	default:
		return " ×" + text
	}
}

// writeAVC writes what the access vector cache did and what depends on the policy, in
// builds that have them.
func writeAVC(w io.Writer, r *profile.Run, b *profile.Benchmark, base string) {
	for _, build := range r.Builds {
		for _, line := range PolicyLines(r, b, build, base) {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
}

// PolicyLines say what the cache of a build did in one operation, and which of its
// instructions depend on the policy; nothing if it has no cache.
func PolicyLines(r *profile.Run, b *profile.Benchmark, build, base string) []string {
	c := b.Costs[build]
	if c == nil {
		return nil
	}
	var lines []string
	if a := c.AVC(); a.Lookups > 0 {
		line := fmt.Sprintf("AVC of %s: %s looked up, %s missed", build, number(a.Lookups), number(a.Misses))
		if more, known := r.IfMissed(b, build); known && more > 0 {
			line += fmt.Sprintf("; if all missed, about %s instructions", signed(more)) + ifMissed(c, b.Costs[base], more)
		}
		lines = append(lines, line)
	}
	if f := c.Flask(); f.Asked() {
		lines = append(lines, fmt.Sprintf("policy of %s: %s", build, ofPolicy(f)))
	}
	return lines
}

// ifMissed is the overhead with so many instructions more, beside what it is.
func ifMissed(c, base *profile.Cost, more float64) string {
	if base == nil || c == base || !c.Exact || !base.Exact || !(base.Total > 0) {
		return ""
	}
	return fmt.Sprintf(", an overhead of %s instead of %s",
		numbers.SignedPercent((c.Total+more)/base.Total-1, 1), numbers.SignedPercent(c.Total/base.Total-1, 1))
}

func ofPolicy(f profile.Flask) string {
	var parts []string
	for _, p := range []struct {
		of float64
		in string
	}{{f.Rules, "rules"}, {f.Constraints, "constraints"}, {f.MLS, "MLS"}, {f.Labels, "labels"}, {f.Tables, "tables"}} {
		if p.of != 0 {
			parts = append(parts, p.in+" "+number(p.of))
		}
	}
	return fmt.Sprintf("%s instructions = %s; the cache itself %s", number(f.Policy()), strings.Join(parts, ", "), number(f.Cache))
}

// writeDifferences explains what the other builds execute more than the base.
func writeDifferences(w io.Writer, r *profile.Run, b *profile.Benchmark, o Options) {
	for _, build := range r.Builds {
		d, ok := b.Costs[build].Difference(b.Costs[o.Base])
		if build == o.Base || !ok {
			continue
		}
		fmt.Fprintf(w, "  %s−%s: %s\n", build, o.Base, Sum(d))
		if o.Functions {
			for _, c := range d.Functions {
				fmt.Fprintf(w, "    %6s  %s\n", signed(c.Instructions), Named(c))
			}
		}
	}
}

// Sum is a difference as a sum of its parts.
func Sum(d profile.Difference) string {
	text := fmt.Sprintf("%s = sites %s, bodies %s, thunks %s, callers %s",
		signed(d.Total), signed(d.Site), signed(d.Body), signed(d.Thunk), signed(d.Callers))
	if rest := signed(d.Rest()); rest != "0" {
		text += ", rest " + rest
	}
	return text
}

// Named names a function's part of a difference.
func Named(c profile.Change) string {
	switch c.Part {
	case bench.PartNone, bench.PartEntry:
		return c.Function
	case bench.PartSite:
		return fmt.Sprintf("%s (site in %s)", c.Hook, c.Function)
	}
	return fmt.Sprintf("%s › %s", c.Hook, c.Function)
}

// writeInexact writes why figures are not exact.
func writeInexact(w io.Writer, r *profile.Run, b *profile.Benchmark) {
	for _, build := range r.Builds {
		if c := b.Costs[build]; c != nil {
			for _, text := range c.Inexact {
				fmt.Fprintf(w, "  ~ %s: %s\n", build, text)
			}
		}
	}
}

// writeNever lists the hooks that nothing crossed.
func writeNever(w io.Writer, r *profile.Run, c profile.Coverage) {
	fmt.Fprintf(w, "%d of %d hooks crossed", len(c.Hooks), len(r.Known))
	if len(c.Never) > 0 {
		fmt.Fprintf(w, "; by no benchmark of this run:\n%s", wrap(c.Never, "  ", 100))
	} else {
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
}

// wrap sets words in lines.
func wrap(words []string, indent string, width int) string {
	var b strings.Builder
	line := indent
	for i, word := range words {
		if i < len(words)-1 {
			word += ","
		}
		if len(line)+len(word) > width && line != indent {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent
		}
		line += word + " "
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	return b.String()
}

// writeMatrix writes crossings per operation, a hook a line; benchmarks are
// numbered, and named below.
func writeMatrix(w io.Writer, c profile.Coverage) {
	fmt.Fprintln(w, "crossings per operation, by hook and benchmark")
	g := grid.New(1 + len(c.Benchmarks))
	head := []string{"hook"}
	for i := range c.Benchmarks {
		head = append(head, fmt.Sprint(i+1))
	}
	g.Add(head...)
	for _, h := range c.Hooks {
		cells := []string{h}
		for _, b := range c.Benchmarks {
			cells = append(cells, crossings(c, h, b))
		}
		g.Add(cells...)
	}
	for i := 1; i < len(g.Right); i++ {
		g.Right[i] = true
	}
	g.Write(w)
	for i, b := range c.Benchmarks {
		fmt.Fprintf(w, "  %2d %s\n", i+1, b)
	}
	fmt.Fprintln(w)
}

func crossings(c profile.Coverage, hook, benchmark string) string {
	n, ok := c.Times[[2]string{hook, benchmark}]
	switch {
	case !ok:
		return "·"
	case n == 0:
		return "–"
	case math.Abs(n) < 0.1:
		return "<.1"
	}
	return number(n)
}
