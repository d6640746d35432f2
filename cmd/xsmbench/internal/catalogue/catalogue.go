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
)

// Parts are those of a catalogue, in their order.
var Parts = []string{"builds", "benchmarks", "hooks"}

// Catalogue holds the parts that were asked for; its JSON form has the same.
type Catalogue struct {
	Targets    []Target    `json:"targets,omitempty"`
	Benchmarks []Benchmark `json:"benchmarks,omitempty"`
	Refused    []Refusal   `json:"refused,omitempty"` // by the only target
	Hooks      []Hook      `json:"hooks,omitempty"`
	Cover      *Cover      `json:"cover,omitempty"`
	Run        *Run        `json:"-"` // that hooks and cover are of, nil for none

	without string // the only target, if hooks were asked for and it has none
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
	// Dispatches are those to choose from, the first being Dispatch; none if
	// there is no choice.
	Dispatches []hv.Dispatch `json:"dispatches,omitempty"`
	Policy     bool          `json:"policy,omitempty"`
	Kconfig    bool          `json:"kconfig,omitempty"`
}

// Benchmark is one that at least one of the targets runs.
type Benchmark struct {
	Name    string     `json:"name"`
	Doc     string     `json:"doc"`
	Source  string     `json:"source"`
	Unit    string     `json:"unit"`
	Suite   string     `json:"suite"` // the smallest that has it
	Domains []string   `json:"domains"`
	Targets []string   `json:"targets"`
	Hooks   []Crossing `json:"hooks"` // of the only target, else of the model's

	unknown bool // which they are
}

// Crossing is a hook on the way of one operation.
type Crossing struct {
	Hook  string  `json:"hook"`
	PerOp float64 `json:"per_op,omitempty"` // 0 if it depends on what the note says
	Note  string  `json:"note,omitempty"`
}

// New lists parts of what targets have. The hooks are those of a run, if there is
// one.
func New(targets []hv.Target, parts []string, run *Run) Catalogue {
	l := Catalogue{Run: run}
	benchmarks := listBenchmarks(targets)
	if slices.Contains(parts, "builds") {
		l.Targets = listTargets(targets)
	}
	if slices.Contains(parts, "benchmarks") {
		l.Benchmarks, l.Refused = benchmarks, listRefused(targets)
	}
	if slices.Contains(parts, "hooks") {
		l.Hooks = listHooks(targets, benchmarks, run)
		if len(targets) == 1 && l.Hooks == nil {
			l.without = targets[0].Name()
		}
	}
	return l
}

func listTargets(targets []hv.Target) []Target {
	var list []Target
	for _, t := range targets {
		lt := Target{Name: t.Name(), Doc: t.Doc(), Arches: t.Arches(), Units: t.Units()}
		for _, k := range t.Kinds() {
			lt.Builds = append(lt.Builds, Kind{k.Name, k.Doc, k.Dispatch, k.Dispatches, k.Policy, k.Kconfig})
		}
		list = append(list, lt)
	}
	return list
}

func listBenchmarks(targets []hv.Target) []Benchmark {
	var list []Benchmark
	for _, b := range bench.All() {
		lb := Benchmark{
			Name: b.FullName(), Doc: b.Doc, Source: b.Source, Unit: b.Unit, Suite: bench.DefaultSuite,
			Hooks: []Crossing{},
		}
		if !b.InSuite(lb.Suite) {
			lb.Suite = b.Home()
		}
		for _, t := range targets {
			if t.Offers(b) {
				lb.Targets = append(lb.Targets, t.Name())
				lb.Domains = with(lb.Domains, domainsOf(t, b))
			}
		}
		slices.Sort(lb.Domains)
		crossed, known := b.Hooks, true
		if len(targets) == 1 {
			crossed, known = hv.CrossingsOn(targets[0], b)
		}
		lb.unknown = !known
		for _, c := range crossed {
			lb.Hooks = append(lb.Hooks, Crossing(c))
		}
		if lb.Targets != nil {
			list = append(list, lb)
		}
	}
	return list
}

// domainsOf are the domains that a benchmark runs in on a target.
func domainsOf(t hv.Target, b bench.Benchmark) []string {
	if b.Dom0Only {
		return []string{"dom0"}
	}
	if b.DomUOnly {
		return []string{"domU"}
	}
	return hv.DomainsOf(t)
}

// with appends what is not yet among the list.
func with(list, more []string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// others are the dispatches besides the first.
func (k Kind) others() []hv.Dispatch {
	if len(k.Dispatches) == 0 {
		return nil
	}
	return k.Dispatches[1:]
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
				for _, d := range k.others() {
					fmt.Fprintf(tab, "%s\t%s:%s\t%s\t%s\n", t.Name, k.Name, d.Name, d.How, d.Doc)
				}
			}
		}
	}
	if l.Benchmarks != nil {
		title("benchmark\tunit\tfrom\tsuite\thooks per operation\twhat one operation is")
		for _, b := range l.Benchmarks {
			fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%s\t%s\n", b.Name, b.Unit, strings.Join(b.Domains, " "), b.Suite, b.crossings(), b.Doc)
		}
	}
	if l.Refused != nil {
		title("benchmark that the target does not run\twhy")
		for _, r := range l.Refused {
			fmt.Fprintf(tab, "%s\t%s\n", r.Name, r.Reason)
		}
	}
	if l.without != "" {
		title("target " + l.without + " has no hooks")
	}
	if l.Hooks != nil {
		title(l.hookTitle())
		l.writeHooks(tab)
	}
	if l.Cover != nil {
		title(l.Cover.title())
		for _, b := range l.Cover.Benchmarks {
			fmt.Fprintf(tab, "%s\t%s\n", b.Name, strings.Join(b.Hooks, ", "))
		}
	}
	return tab.Flush()
}

// crossings is "evtchn_send, mmu_normal_update x4, …"; a hook whose number
// depends on something has a tilde.
func (b Benchmark) crossings() string {
	switch {
	case b.unknown:
		return dash("")
	case len(b.Hooks) == 0:
		return "none"
	}
	var parts []string
	for _, c := range b.Hooks {
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
