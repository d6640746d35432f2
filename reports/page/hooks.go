package page

import (
	"fmt"
	"slices"
	"strings"

	"xsmbench/reports/coverage"
	"xsmbench/reports/hooks"
	"xsmbench/reports/profile"
)

// hooksView is the section on hooks.
type hooksView struct {
	Domains []plainTable // what a domain's operations cross
	Crossed int
	Known   int
	Never   string
	Only    []string // what hooks only some builds have
}

// hooksOf makes the section, nil without profiles.
func hooksOf(r *profile.Run, base string) *hooksView {
	if r == nil || len(r.Benchmarks) == 0 {
		return nil
	}
	c := r.Coverage()
	v := &hooksView{Crossed: len(c.Hooks), Known: len(r.Known), Never: strings.Join(c.Never, ", "), Only: hooks.OnlyLines(r, base)}
	for _, at := range r.Places() {
		v.Domains = append(v.Domains, hookDomain(r, at))
	}
	return v
}

// coverageTable is a line for each hook, with what crossed it or why nothing did.
func coverageTable(c *coverage.Matrix) *plainTable {
	if c == nil {
		return nil
	}
	t := newPlain(c.Title(), []string{"hook", "benchmarks", "crossed by, or why not"}, nil, func(column int) bool { return column == 1 })
	t.Fold = true
	for _, l := range c.Lines {
		t.Lines = append(t.Lines, plainLine{Cells: []plainCell{{Text: l.Hook}, {Text: fmt.Sprint(len(l.Benchmarks)), Num: true}, {Text: l.Text()}}})
	}
	return &t
}

func hookDomain(r *profile.Run, at profile.Where) plainTable {
	t := newPlain("Hooks that "+at.String()+" crosses", slices.Concat([]string{"hook"}, r.Builds, []string{"benchmarks"}), nil, from(1))
	for _, s := range r.Summaries(at) {
		cells := []plainCell{{Text: s.Hook}}
		for _, build := range r.Builds {
			cells = append(cells, plainCell{Text: hooks.Between(s, build), Num: true})
		}
		names := strings.Join(exercised(r, at, s.Hook), ", ")
		cells = append(cells, plainCell{Text: fmt.Sprint(s.Benchmarks), Num: true, Hint: names})
		t.Lines = append(t.Lines, plainLine{Cells: cells})
	}
	return t
}

// exercised are the benchmarks of a domain that cross a hook.
func exercised(r *profile.Run, at profile.Where, hook string) []string {
	var names []string
	for _, b := range r.Benchmarks {
		if b.Where != at || slices.Contains(names, b.Name) {
			continue
		}
		for _, c := range b.Costs {
			if _, ok := c.Hook(hook); ok {
				names = append(names, b.Name)
				break
			}
		}
	}
	return names
}
