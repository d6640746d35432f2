package account

import (
	"fmt"
	"slices"
	"strings"

	"xsmbench/results"
)

// mostNamed bounds the parts of a line; the rest is counted.
const mostNamed = 6

// Line says in a line what was planned and has no sample, for the first line of
// a report; "" if there is nothing to say. A build, a domain or a benchmark that
// has none at all is named as such.
func Line(s *results.Spec, gaps []Difference) string {
	var lost, told []Difference
	for _, g := range gaps {
		if g.Kind == Unmeasured {
			told = append(told, g)
		} else {
			lost = append(lost, g)
		}
	}
	var parts []string
	if len(lost) > 0 {
		parts = append(parts, "planned, but without a sample: "+list(phrases(s, lost)))
	}
	if len(told) > 0 {
		parts = append(parts, "could not be measured: "+list(phrases(s, told)))
	}
	return strings.Join(parts, "; ")
}

func list(names []string) string {
	if rest := len(names) - mostNamed; rest > 0 {
		names = append(slices.Clone(names[:mostNamed]), fmt.Sprintf("%d more", rest))
	}
	return strings.Join(names, ", ")
}

// phrases name gaps, the larger parts of the plan first: builds, domains,
// benchmarks, and what is left one by one.
func phrases(s *results.Spec, gaps []Difference) []string {
	missing := map[results.Place]bool{}
	for _, g := range gaps {
		missing[placeOf(g.Cell)] = true
	}
	left := s.Places() // that no phrase covers yet
	var all []string
	for _, part := range []struct {
		noun string
		of   func(results.Place) string
	}{
		{"build", func(p results.Place) string { return p.Build }},
		{"domUs of kind", func(p results.Place) string { return kindOf(s, p) }},
		{"domain", func(p results.Place) string { return p.Domain }},
		{"benchmark", func(p results.Place) string { return p.Benchmark }},
	} {
		for _, name := range emptyParts(left, missing, part.of) {
			all = append(all, part.noun+" "+name)
			left = slices.DeleteFunc(left, func(p results.Place) bool { return part.of(p) == name })
		}
	}
	for _, p := range left {
		if missing[p] {
			all = append(all, fmt.Sprintf("%s in %s of %s%s", p.Benchmark, p.Domain, p.Build, beside(s, p)))
		}
	}
	return all
}

// kindOf names the kind of a place's domUs; "" where there is but one.
func kindOf(s *results.Spec, p results.Place) string {
	if len(s.MoreDomUs) == 0 {
		return ""
	}
	if p.DomU == "" {
		return s.DomU
	}
	return p.DomU
}

func beside(s *results.Spec, p results.Place) string {
	if kind := kindOf(s, p); kind != "" {
		return " (domUs of kind " + kind + ")"
	}
	return ""
}

// emptyParts are the parts of a plan of which every place is missing.
func emptyParts(plan []results.Place, missing map[results.Place]bool, of func(results.Place) string) []string {
	var names []string
	has := map[string]bool{}
	for _, p := range plan {
		name := of(p)
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
		has[name] = has[name] || !missing[p]
	}
	return slices.DeleteFunc(names, func(name string) bool { return has[name] })
}
