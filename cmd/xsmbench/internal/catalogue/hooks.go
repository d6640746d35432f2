package catalogue

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/reports/coverage"
	"xsmbench/xsm/hook"
)

// Hook is one of Xen 3.2's table, or one of a target's own.
type Hook struct {
	Name       string   `json:"name"`
	X86        bool     `json:"x86"`
	Hypercalls []string `json:"hypercalls"`
	Privilege  string   `json:"privilege,omitempty"`
	Source     []string `json:"source,omitempty"`
	By         string   `json:"by,omitempty"`      // who reaches it: "dom0", "any domain", "Xen"
	Domains    []string `json:"domains,omitempty"` // in which a run crossed it
	Benchmarks []string `json:"benchmarks"`
	Why        string   `json:"why,omitempty"` // there are none
}

// guideOf is the target that has hooks of its own, if it is the only one.
func guideOf(targets []hv.Target) hv.Guide {
	if len(targets) != 1 {
		return nil
	}
	g, _ := targets[0].(hv.Guide)
	return g
}

// Run is a run that says which hooks its builds have, and what crossed them.
type Run struct {
	Path    string
	Matrix  *coverage.Matrix
	Domains map[string][]string // in which a hook was crossed
}

func listHooks(targets []hv.Target, benchmarks []Benchmark, run *Run) []Hook {
	g := guideOf(targets)
	switch {
	case run != nil:
		return run.hooks(g)
	case g != nil:
		return ownHooks(g, benchmarks)
	}
	var list []Hook
	for _, h := range hook.Table {
		lh := Hook{Name: h.Name, X86: h.X86, Hypercalls: h.Hypercalls, Privilege: h.Privilege, Source: h.Source, Benchmarks: []string{}}
		for _, b := range benchmarks {
			if b.declares(h.Name) {
				lh.Benchmarks = append(lh.Benchmarks, b.Name)
			}
		}
		list = append(list, lh)
	}
	return list
}

// ownHooks are those that a target knows, with the benchmarks that are said to
// cross them.
func ownHooks(g hv.Guide, benchmarks []Benchmark) []Hook {
	var list []Hook
	for _, name := range g.Hooks() {
		note := g.Hook(name)
		h := noted(name, note)
		for _, b := range benchmarks {
			if b.declares(name) {
				h.Benchmarks = append(h.Benchmarks, b.Name)
			}
		}
		if len(h.Benchmarks) == 0 {
			h.Why = note.Never
		}
		list = append(list, h)
	}
	return list
}

func noted(name string, n hv.HookNote) Hook {
	h := Hook{Name: name, X86: true, By: n.By, Benchmarks: []string{}}
	if n.Through != "" {
		h.Hypercalls = strings.Split(n.Through, "; ")
	}
	return h
}

// hooks are those that the run's builds have.
func (r *Run) hooks(g hv.Guide) []Hook {
	var list []Hook
	for _, l := range r.Matrix.Lines {
		var h Hook
		if g != nil {
			h = noted(l.Hook, g.Hook(l.Hook))
		} else {
			h = noted(l.Hook, hv.HookNote{})
		}
		h.Benchmarks = append(h.Benchmarks, l.Benchmarks...)
		h.Why, h.Domains = l.Why, r.Domains[l.Hook]
		list = append(list, h)
	}
	return list
}

// declares reports whether a benchmark is said to cross a hook.
func (b Benchmark) declares(h string) bool {
	return slices.ContainsFunc(b.Hooks, func(c Crossing) bool { return c.Hook == h })
}

// Refusal is a benchmark that a target does not run.
type Refusal struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// listRefused are those of the only target; of several, each runs what another
// does not.
func listRefused(targets []hv.Target) []Refusal {
	if len(targets) != 1 {
		return nil
	}
	var list []Refusal
	for _, b := range bench.All() {
		if reason := hv.RefusedBy(targets[0], b); reason != "" {
			list = append(list, Refusal{b.FullName(), reason})
		}
	}
	return list
}

// writeHooks prints the columns that the hooks have.
func (l Catalogue) writeHooks(tab io.Writer) {
	own := l.own()
	for _, h := range l.Hooks {
		through, by := dash(strings.Join(h.Hypercalls, "; ")), exercisers(h.Benchmarks)
		if len(h.Benchmarks) == 0 && h.Why != "" {
			by = "none: " + h.Why
		}
		switch {
		case l.Run != nil:
			fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%s\n", h.Name, dash(h.By), through, dash(strings.Join(h.Domains, " ")), by)
		case own:
			fmt.Fprintf(tab, "%s\t%s\t%s\t%s\n", h.Name, dash(h.By), through, by)
		default:
			fmt.Fprintf(tab, "%s\t%s\t%s\t%s\n", h.Name, through, dash(h.Privilege), by)
		}
	}
}

// own reports whether the hooks are a target's own.
func (l Catalogue) own() bool {
	return slices.ContainsFunc(l.Hooks, func(h Hook) bool { return h.By != "" })
}

func (l Catalogue) hookTitle() string {
	switch {
	case l.Run != nil:
		return "hook of the builds of " + l.Run.Path + "\treached by\tthrough\tcrossed in\tbenchmarks, as counted"
	case l.own():
		return "hook\treached by\tthrough\tbenchmarks that are meant to cross it"
	}
	return "hook\treached by\tprivilege tested before\tbenchmarks"
}
