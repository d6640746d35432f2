// Package catalogue is what there is: targets with their ways of building,
// benchmarks with the hooks they cross, and hooks with who exercises them. It
// reads the registries.
package catalogue

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/xsm/hook"
)

// Parts are those of a catalogue, in their order.
var Parts = []string{"builds", "benchmarks", "hooks"}

// Catalogue holds the parts that were asked for; its JSON form has the same.
type Catalogue struct {
	Targets    []Target    `json:"targets,omitempty"`
	Benchmarks []Benchmark `json:"benchmarks,omitempty"`
	Hooks      []Hook      `json:"hooks,omitempty"`
}

// Target is one way to have a hypervisor under test.
type Target struct {
	Name   string   `json:"name"`
	Doc    string   `json:"doc"`
	Arches []string `json:"arches"`
	Units  []string `json:"units"`
	Builds []Kind   `json:"builds"`
}

// Kind is one of a target's ways of building.
type Kind struct {
	Name     string `json:"name"`
	Doc      string `json:"doc"`
	Dispatch string `json:"dispatch"`
	Policy   bool   `json:"policy,omitempty"`
	Kconfig  bool   `json:"kconfig,omitempty"`
}

// Benchmark is one that at least one of the targets runs.
type Benchmark struct {
	Name    string     `json:"name"`
	Doc     string     `json:"doc"`
	Source  string     `json:"source"`
	Unit    string     `json:"unit"`
	Domains []string   `json:"domains"`
	Targets []string   `json:"targets"`
	Hooks   []Crossing `json:"hooks"`
}

// Crossing is a hook on the way of one operation.
type Crossing struct {
	Hook  string  `json:"hook"`
	PerOp float64 `json:"per_op,omitempty"` // 0 if it depends on what the note says
	Note  string  `json:"note,omitempty"`
}

// Hook is one of the table of hooks.
type Hook struct {
	Name       string   `json:"name"`
	X86        bool     `json:"x86"`
	Hypercalls []string `json:"hypercalls"`
	Privilege  string   `json:"privilege,omitempty"`
	Source     []string `json:"source"`
	Benchmarks []string `json:"benchmarks"`
}

// New lists parts of what targets have.
func New(targets []hv.Target, parts []string) Catalogue {
	var l Catalogue
	benchmarks := listBenchmarks(targets)
	if slices.Contains(parts, "builds") {
		l.Targets = listTargets(targets)
	}
	if slices.Contains(parts, "benchmarks") {
		l.Benchmarks = benchmarks
	}
	if slices.Contains(parts, "hooks") {
		l.Hooks = listHooks(benchmarks)
	}
	return l
}

func listTargets(targets []hv.Target) []Target {
	var list []Target
	for _, t := range targets {
		lt := Target{Name: t.Name(), Doc: t.Doc(), Arches: t.Arches(), Units: t.Units()}
		for _, k := range t.Kinds() {
			lt.Builds = append(lt.Builds, Kind{k.Name, k.Doc, k.Dispatch, k.Policy, k.Kconfig})
		}
		list = append(list, lt)
	}
	return list
}

func listBenchmarks(targets []hv.Target) []Benchmark {
	var list []Benchmark
	for _, b := range bench.All() {
		lb := Benchmark{
			Name: b.FullName(), Doc: b.Doc, Source: b.Source, Unit: b.Unit,
			Domains: []string{"dom0", "domU"}, Hooks: []Crossing{},
		}
		if b.Dom0Only {
			lb.Domains = []string{"dom0"}
		}
		for _, t := range targets {
			if t.Offers(b) {
				lb.Targets = append(lb.Targets, t.Name())
			}
		}
		for _, c := range b.Hooks {
			lb.Hooks = append(lb.Hooks, Crossing(c))
		}
		if lb.Targets != nil {
			list = append(list, lb)
		}
	}
	return list
}

func listHooks(benchmarks []Benchmark) []Hook {
	var list []Hook
	for _, h := range hook.Table {
		lh := Hook{
			Name: h.Name, X86: h.X86, Hypercalls: h.Hypercalls, Privilege: h.Privilege,
			Source: h.Source, Benchmarks: []string{},
		}
		for _, b := range benchmarks {
			if slices.ContainsFunc(b.Hooks, func(c Crossing) bool { return c.Hook == h.Name }) {
				lh.Benchmarks = append(lh.Benchmarks, b.Name)
			}
		}
		list = append(list, lh)
	}
	return list
}

// Write prints the parts that there are as tables.
func (l Catalogue) Write(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	gap := ""
	title := func(s string) {
		tab.Flush()
		fmt.Fprint(w, gap)
		gap = "\n"
		fmt.Fprintln(tab, s)
	}
	if l.Targets != nil {
		title("target\tbuild\thooks are\twhat it is")
		for _, t := range l.Targets {
			for _, k := range t.Builds {
				fmt.Fprintf(tab, "%s\t%s\t%s\t%s\n", t.Name, k.Name, k.Dispatch, k.Doc)
			}
		}
	}
	if l.Benchmarks != nil {
		title("benchmark\tunit\tfrom\thooks per operation\twhat one operation is")
		for _, b := range l.Benchmarks {
			fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%s\n", b.Name, b.Unit, strings.Join(b.Domains, " "), crossings(b.Hooks), b.Doc)
		}
	}
	if l.Hooks != nil {
		title("hook\treached by\tprivilege tested before\tbenchmarks")
		for _, h := range l.Hooks {
			fmt.Fprintf(tab, "%s\t%s\t%s\t%s\n", h.Name, dash(strings.Join(h.Hypercalls, "; ")), dash(h.Privilege), exercisers(h.Benchmarks))
		}
	}
	return tab.Flush()
}

// crossings is "evtchn_send, mmu_normal_update x4, …"; a hook whose number
// depends on something has a tilde.
func crossings(hooks []Crossing) string {
	if len(hooks) == 0 {
		return "none"
	}
	var parts []string
	for _, c := range hooks {
		switch {
		case c.PerOp == 0:
			parts = append(parts, "~"+c.Hook)
		case c.PerOp == 1:
			parts = append(parts, c.Hook)
		default:
			parts = append(parts, c.Hook+" x"+strconv.FormatFloat(c.PerOp, 'g', 4, 64))
		}
	}
	return strings.Join(parts, ", ")
}

// exercisers names a few benchmarks and counts the rest.
func exercisers(names []string) string {
	const shown = 2
	switch {
	case len(names) == 0:
		return "-"
	case len(names) <= shown+1:
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
