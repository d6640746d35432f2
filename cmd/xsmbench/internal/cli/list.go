package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/xsm/hook"
)

// listing is what list prints; its JSON form has the same parts.
type listing struct {
	Targets    []listedTarget    `json:"targets,omitempty"`
	Benchmarks []listedBenchmark `json:"benchmarks,omitempty"`
	Hooks      []listedHook      `json:"hooks,omitempty"`
}

type listedTarget struct {
	Name   string       `json:"name"`
	Doc    string       `json:"doc"`
	Arches []string     `json:"arches"`
	Units  []string     `json:"units"`
	Builds []listedKind `json:"builds"`
}

type listedKind struct {
	Name     string `json:"name"`
	Doc      string `json:"doc"`
	Dispatch string `json:"dispatch"`
	Policy   bool   `json:"policy,omitempty"`
	Kconfig  bool   `json:"kconfig,omitempty"`
}

type listedBenchmark struct {
	Name    string           `json:"name"`
	Doc     string           `json:"doc"`
	Source  string           `json:"source"`
	Unit    string           `json:"unit"`
	Domains []string         `json:"domains"`
	Targets []string         `json:"targets"`
	Hooks   []listedCrossing `json:"hooks"`
}

type listedCrossing struct {
	Hook  string  `json:"hook"`
	PerOp float64 `json:"per_op,omitempty"` // 0 if it depends on what the note says
	Note  string  `json:"note,omitempty"`
}

type listedHook struct {
	Name       string   `json:"name"`
	X86        bool     `json:"x86"`
	Hypercalls []string `json:"hypercalls"`
	Privilege  string   `json:"privilege,omitempty"`
	Source     []string `json:"source"`
	Benchmarks []string `json:"benchmarks"`
}

func newList() *cobra.Command {
	var target string
	var asJSON bool
	c := &cobra.Command{
		Use:   "list [builds|benchmarks|hooks]...",
		Short: "List builds, benchmarks with the hooks they cross, and hooks with who exercises them",
		Long: `List prints the targets with their ways of building, the benchmarks with the hooks
of Xen 3.2 that one operation crosses, and the hooks with the hypercalls that
reach them and the benchmarks that exercise them.`,
		ValidArgs: listParts,
		RunE: func(c *cobra.Command, parts []string) error {
			for _, p := range parts {
				if !slices.Contains(listParts, p) {
					return fmt.Errorf("list %s: no such part%s", p, suggest(p, listParts))
				}
			}
			if len(parts) == 0 {
				parts = listParts
			}
			l, err := newListing(target, parts)
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(l)
			}
			return l.write(c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&target, "target", "", "only what this target has")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

var listParts = []string{"builds", "benchmarks", "hooks"}

func newListing(target string, parts []string) (listing, error) {
	var targets []hv.Target
	for _, name := range hv.Names() {
		t, err := hv.Lookup(name)
		if err != nil {
			return listing{}, err
		}
		targets = append(targets, t)
	}
	if target != "" {
		t, err := lookupTarget(target)
		if err != nil {
			return listing{}, err
		}
		targets = []hv.Target{t}
	}
	var l listing
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
	return l, nil
}

func listTargets(targets []hv.Target) []listedTarget {
	var list []listedTarget
	for _, t := range targets {
		lt := listedTarget{Name: t.Name(), Doc: t.Doc(), Arches: t.Arches(), Units: t.Units()}
		for _, k := range t.Kinds() {
			lt.Builds = append(lt.Builds, listedKind{k.Name, k.Doc, k.Dispatch, k.Policy, k.Kconfig})
		}
		list = append(list, lt)
	}
	return list
}

func listBenchmarks(targets []hv.Target) []listedBenchmark {
	var list []listedBenchmark
	for _, b := range bench.All() {
		lb := listedBenchmark{
			Name: b.FullName(), Doc: b.Doc, Source: b.Source, Unit: b.Unit,
			Domains: []string{"dom0", "domU"}, Hooks: []listedCrossing{},
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
			lb.Hooks = append(lb.Hooks, listedCrossing(c))
		}
		if lb.Targets != nil {
			list = append(list, lb)
		}
	}
	return list
}

func listHooks(benchmarks []listedBenchmark) []listedHook {
	var list []listedHook
	for _, h := range hook.Table {
		lh := listedHook{
			Name: h.Name, X86: h.X86, Hypercalls: h.Hypercalls, Privilege: h.Privilege,
			Source: h.Source, Benchmarks: []string{},
		}
		for _, b := range benchmarks {
			if slices.ContainsFunc(b.Hooks, func(c listedCrossing) bool { return c.Hook == h.Name }) {
				lh.Benchmarks = append(lh.Benchmarks, b.Name)
			}
		}
		list = append(list, lh)
	}
	return list
}

// write prints the parts that there are as tables.
func (l listing) write(w io.Writer) error {
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
func crossings(hooks []listedCrossing) string {
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
