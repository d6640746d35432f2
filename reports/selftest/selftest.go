// Package selftest holds what was measured of builds into which known work was
// put against that work: is it found, in the right hook, and of the right
// size?
package selftest

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/profile"
)

// Injected is a build with work in a hook that its base has not.
type Injected struct {
	Build  string
	Amount int // instructions, or steps of a delay
}

// Finding is what was seen of one build's work in one domain.
type Finding struct {
	Injected
	Domain   string
	Put, Saw string // in words
	Size     float64
	Found    bool
	// Trouble says what is wrong: not found though counts are exact, of
	// another size, or also elsewhere. "" if nothing is.
	Trouble string
}

// Counted looks for instructions: exactly the hook must have exactly so many
// more in each call, and no other code may have changed.
func Counted(r *profile.Run, base, hook string, builds []Injected) []Finding {
	var all []Finding
	for _, in := range builds {
		for _, at := range r.Places() {
			all = append(all, counted(r, at, base, hook, in))
		}
	}
	return all
}

func counted(r *profile.Run, at profile.Where, base, hook string, in Injected) Finding {
	f := Finding{Injected: in, Domain: at.Domain, Size: float64(in.Amount), Put: fmt.Sprintf("%d instructions", in.Amount)}
	changed, same := r.Changes(at, in.Build, base)
	var saw, elsewhere []string
	for _, c := range changed {
		text := fmt.Sprintf("%s %+g", c.Hook, c.Low)
		if c.High != c.Low {
			text += fmt.Sprintf(" to %+g", c.High)
		}
		saw = append(saw, text)
		switch {
		case c.Hook != hook:
			elsewhere = append(elsewhere, c.Hook)
		case isAbout(c.Low, f.Size) && isAbout(c.High, f.Size):
			f.Found = true
		default:
			f.Trouble = "another number"
		}
	}
	for _, m := range r.Movers(at, in.Build, base) {
		saw = append(saw, fmt.Sprintf("%s %+g", m.Function, m.Low))
		elsewhere = append(elsewhere, m.Function)
	}
	f.Saw = fmt.Sprintf("%s; %d other hooks the same", strings.Join(saw, ", "), same)
	switch {
	case len(saw) == 0:
		f.Saw, f.Trouble = "nothing", "not found"
	case elsewhere != nil:
		f.Trouble = "also in " + strings.Join(elsewhere, ", ")
	case same == 0:
		f.Trouble = "no other hook to compare with"
	}
	return f
}

func isAbout(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

// Step is how long one step of a delay is, in ns, by a build with a long one.
// It is NaN if that has no row.
func Step(c *compare.Comparison, benchmark, domain string, long Injected) float64 {
	r := rowOf(c, benchmark, domain, long.Build)
	if r == nil || r.Unit != "ns/op" {
		return math.NaN()
	}
	return r.Difference() / float64(long.Amount)
}

// Timed looks for delays. How long a step is comes from the build with a long
// delay; what is found must be of that size, give or take its interval and a
// quarter, and no other benchmark may have changed.
func Timed(c *compare.Comparison, benchmark string, builds []Injected, long Injected) []Finding {
	var all []Finding
	for _, in := range builds {
		for _, domain := range domainsOf(c) {
			all = append(all, timed(c, benchmark, domain, in, Step(c, benchmark, domain, long)))
		}
	}
	return all
}

func domainsOf(c *compare.Comparison) []string {
	var all []string
	for _, e := range c.Environments() {
		if !slices.Contains(all, e.Domain) {
			all = append(all, e.Domain)
		}
	}
	return all
}

func timed(c *compare.Comparison, benchmark, domain string, in Injected, step float64) Finding {
	f := Finding{Injected: in, Domain: domain, Put: "a delay", Saw: "no sample", Size: math.NaN(), Trouble: "not measured"}
	r := rowOf(c, benchmark, domain, in.Build)
	if r == nil || math.IsNaN(step) {
		return f
	}
	ns := step * float64(in.Amount)
	f.Size, f.Trouble = ns/r.BaseValue, ""
	f.Put = fmt.Sprintf("%.2f ns, %s", ns, number.SignedPercent(f.Size, 1))
	f.Saw = fmt.Sprintf("%s [%s, %s]", number.SignedPercent(r.Overhead(), 1), number.Signed(r.Lo-1, 1), number.Signed(r.Hi-1, 1))
	f.Found = r.Verdict == compare.Slower
	if slack := f.Size / 4; f.Found && (r.Lo-1-slack > f.Size || r.Hi-1+slack < f.Size) {
		f.Trouble = "of another size"
	}
	if others := elsewhere(c, benchmark, domain, in.Build); others != nil {
		f.Trouble = "also in " + strings.Join(others, ", ")
	}
	return f
}

func rowOf(c *compare.Comparison, benchmark, domain, build string) *compare.Row {
	for i := range c.Rows {
		if r := &c.Rows[i]; r.Benchmark == benchmark && r.Domain == domain && r.Build == build {
			return r
		}
	}
	return nil
}

// elsewhere are the other benchmarks of a build that raise an alarm.
func elsewhere(c *compare.Comparison, benchmark, domain, build string) []string {
	var all []string
	for _, r := range c.Rows {
		if r.Domain == domain && r.Build == build && r.Benchmark != benchmark && (r.Verdict == compare.Slower || r.Verdict == compare.Faster) {
			all = append(all, r.Benchmark)
		}
	}
	return all
}

// Smallest is the smallest of a domain's findings that is found with all that
// are larger; nil if the largest is not found.
func Smallest(findings []Finding, domain string) *Finding {
	var some []Finding
	for _, f := range findings {
		if f.Domain == domain {
			some = append(some, f)
		}
	}
	slices.SortStableFunc(some, func(a, b Finding) int { return b.Amount - a.Amount })
	var smallest *Finding
	for i := range some {
		if !some[i].Found {
			break
		}
		smallest = &some[i]
	}
	return smallest
}

// Passes reports whether all is found that must be, and nothing is elsewhere
// or of another size: of counts all, of delays the largest.
func Passes(findings []Finding) bool {
	domains := map[string]bool{}
	for _, f := range findings {
		domains[f.Domain] = true
		if f.Trouble != "" {
			return false
		}
	}
	for d := range domains {
		if Smallest(findings, d) == nil {
			return false
		}
	}
	return len(findings) > 0
}

// Write prints findings as a table, and the smallest found of each domain.
func Write(w io.Writer, title string, findings []Finding) error {
	fmt.Fprintln(w, title)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "domain\tadded\tseen\tfound\t")
	var domains []string
	for _, f := range findings {
		if !slices.Contains(domains, f.Domain) {
			domains = append(domains, f.Domain)
		}
		found := "no"
		if f.Found {
			found = "yes"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", f.Domain, f.Put, f.Saw, found, strings.ToUpper(f.Trouble))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, d := range domains {
		text := "none"
		if f := Smallest(findings, d); f != nil {
			text = f.Put
		}
		fmt.Fprintf(w, "smallest found in %s: %s\n", d, text)
	}
	_, err := fmt.Fprintln(w)
	return err
}
