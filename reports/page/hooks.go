package page

import (
	"html/template"
	"slices"
	"strings"

	"xsmbench/profile"
	"xsmbench/reports/hooks"
)

// hooksView is the section on hooks.
type hooksView struct {
	Builds  []string
	Domains []hookDomain
	Crossed int
	Known   int
	Never   string
}

// hookDomain has what a domain's operations cross.
type hookDomain struct {
	Title string
	Build string // that the graphs show
	Lines []hookLine
	Open  []flameView // the graphs that everybody sees
	More  []flameView
}

type hookLine struct {
	Hook       string
	PerCall    []string // by build
	Benchmarks int
	Exercised  string // their names
}

type flameView struct {
	Title string
	Path  string
	SVG   template.HTML
}

// openFlames are as many graphs as a reader looks at unasked.
const openFlames = 6

// hooksOf makes the section, nil without profiles.
func hooksOf(r *profile.Run) (*hooksView, error) {
	if r == nil || len(r.Benchmarks) == 0 {
		return nil, nil
	}
	c := r.Coverage()
	v := &hooksView{Builds: r.Builds, Crossed: len(c.Hooks), Known: len(r.Known), Never: strings.Join(c.Never, ", ")}
	seen := map[[2]string]bool{}
	for _, b := range r.Benchmarks {
		at := [2]string{b.Arch, b.Domain}
		if seen[at] {
			continue
		}
		seen[at] = true
		d, err := hookDomainOf(r, b.Arch, b.Domain)
		if err != nil {
			return nil, err
		}
		v.Domains = append(v.Domains, d)
	}
	return v, nil
}

func hookDomainOf(r *profile.Run, arch, domain string) (hookDomain, error) {
	d := hookDomain{Title: arch + " " + domain, Build: r.Builds[len(r.Builds)-1]}
	for _, s := range r.Summaries(arch, domain) {
		line := hookLine{Hook: s.Hook, Benchmarks: s.Benchmarks, Exercised: strings.Join(exercised(r, arch, domain, s.Hook), ", ")}
		for _, build := range r.Builds {
			line.PerCall = append(line.PerCall, hooks.Between(s, build))
		}
		d.Lines = append(d.Lines, line)
	}
	for i, f := range hooks.Flames(r, arch, domain, d.Build) {
		view, err := flameOf(r, f)
		if err != nil {
			return d, err
		}
		if i < openFlames {
			d.Open = append(d.Open, view)
		} else {
			d.More = append(d.More, view)
		}
	}
	return d, nil
}

func flameOf(r *profile.Run, f hooks.Flame) (flameView, error) {
	var b strings.Builder
	if err := f.SVG(&b); err != nil {
		return flameView{}, err
	}
	view := flameView{Title: f.Title(), SVG: template.HTML(b.String())} // which escapes the names in it
	for _, x := range r.Benchmarks {
		if x.Name == f.Benchmark && x.Arch == f.Arch && x.Domain == f.Domain {
			view.Path = hooks.Path(x.Costs[f.Build])
		}
	}
	return view, nil
}

// exercised are the benchmarks of a domain that cross a hook.
func exercised(r *profile.Run, arch, domain, hook string) []string {
	var names []string
	for _, b := range r.Benchmarks {
		if b.Arch != arch || b.Domain != domain || slices.Contains(names, b.Name) {
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
