package page

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"xsmbench/reports/hooks"
	"xsmbench/reports/profile"
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
	Table plainTable
	Open  []flameView // the graphs that everybody sees
	More  []flameView
}

type flameView struct {
	Title string
	Path  string
	SVG   template.HTML
	// Frames say the same to those who do not see it.
	Frames []frameView
}

// frameView is a frame of a graph with those below it.
type frameView struct {
	Text  string
	Below []frameView
}

// leastFrame is the share of an operation from which on a frame is told.
const leastFrame = 0.01

// framesOf nests the frames of a depth, of which a parent stands before its
// children. It returns those that follow.
func framesOf(frames []hooks.Frame, depth int) (all []frameView, rest []hooks.Frame) {
	for len(frames) > 0 && frames[0].Depth >= depth {
		f := frames[0]
		view := frameView{Text: f.Describe()}
		view.Below, frames = framesOf(frames[1:], depth+1)
		if f.Width >= leastFrame {
			all = append(all, view)
		}
	}
	return all, frames
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
	d.Table = newPlain("Hooks that "+d.Title+" crosses", slices.Concat([]string{"hook"}, r.Builds, []string{"benchmarks"}), nil, from(1))
	for _, s := range r.Summaries(arch, domain) {
		cells := []plainCell{{Text: s.Hook}}
		for _, build := range r.Builds {
			cells = append(cells, plainCell{Text: hooks.Between(s, build), Num: true})
		}
		names := strings.Join(exercised(r, arch, domain, s.Hook), ", ")
		cells = append(cells, plainCell{Text: fmt.Sprint(s.Benchmarks), Num: true, Hint: names})
		d.Table.Lines = append(d.Table.Lines, plainLine{Cells: cells})
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
	view.Frames, _ = framesOf(f.Frames, 0)
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
