package ci

import (
	"fmt"
	"slices"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/gate"
)

// line is a line of a group: a finding, or several of which no row tells more
// than what they have in common. What is missing of a whole domain, or of a
// build, would else say the same again and again.
type line struct {
	gate.Finding
	builds, where string
	benchmarks    []string
	findings      int
}

// name is the benchmark's, or how many they are.
func (l *line) name() string {
	if len(l.benchmarks) == 1 {
		return l.benchmarks[0]
	}
	return fmt.Sprintf("%d benchmarks", len(l.benchmarks))
}

// names are all of them, in a cell.
func (l *line) names() string {
	if len(l.benchmarks) == 1 {
		return l.benchmarks[0]
	}
	return l.name() + ": " + strings.Join(l.benchmarks, ", ")
}

// linesOf puts findings together, in the order of the first of each line.
func linesOf(r *gate.Result, findings []gate.Finding) []line {
	var all []line
	for _, l := range overBuilds(r, findings) {
		i := -1
		if l.Row == nil {
			i = slices.IndexFunc(all, func(o line) bool {
				return o.Row == nil && alike(o.Finding, l.Finding) && o.builds == l.builds && o.where == l.where
			})
		}
		if i < 0 {
			all = append(all, l)
			continue
		}
		all[i].benchmarks = append(all[i].benchmarks, l.benchmarks...)
		all[i].findings += l.findings
	}
	return apart(all)
}

// mostApart is how many benchmarks have a line each that might share one.
const mostApart = 3

// apart gives few benchmarks a line each.
func apart(lines []line) []line {
	var all []line
	for _, l := range lines {
		n := len(l.benchmarks)
		if n > mostApart {
			all = append(all, l)
			continue
		}
		for _, name := range l.benchmarks {
			one := l
			one.benchmarks, one.findings = []string{name}, l.findings/n
			all = append(all, one)
		}
	}
	return all
}

// alike reports whether two findings without a row say the same.
func alike(a, b gate.Finding) bool {
	return a.Cause == b.Cause && a.Unit == b.Unit && a.Reason == b.Reason && a.Waiver == b.Waiver
}

// places are where a benchmark's findings that say the same are: its builds, by
// environment.
type places struct {
	gate.Finding
	environments []compare.Environment
	builds       map[compare.Environment][]string
}

// overBuilds makes lines of one benchmark each. Builds and domains stand in one
// line if each of the builds has the finding in each of the domains.
func overBuilds(r *gate.Result, findings []gate.Finding) []line {
	var all []*places
	for _, f := range findings {
		i := -1
		if f.Row == nil {
			i = slices.IndexFunc(all, func(p *places) bool {
				return p.Row == nil && p.Benchmark == f.Benchmark && alike(p.Finding, f)
			})
		}
		if i < 0 {
			i = len(all)
			all = append(all, &places{f, nil, map[compare.Environment][]string{}})
		}
		p := all[i]
		if p.builds[f.Environment] == nil {
			p.environments = append(p.environments, f.Environment)
		}
		p.builds[f.Environment] = append(p.builds[f.Environment], buildOf(f))
	}
	var lines []line
	for _, p := range all {
		lines = append(lines, p.lines(r)...)
	}
	return lines
}

func (p *places) lines(r *gate.Result) []line {
	var lines []line
	for _, e := range p.environments {
		f := p.Finding
		f.Environment = e
		l := line{f, strings.Join(p.builds[e], ", "), whereOf(r, f), []string{nameOf(f)}, len(p.builds[e])}
		i := slices.IndexFunc(lines, func(o line) bool { return o.builds == l.builds })
		if i < 0 {
			lines = append(lines, l)
			continue
		}
		lines[i].where += ", " + l.where
		lines[i].findings += l.findings
	}
	return lines
}
