package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"xsmbench/cmd/xsmbench/internal/catalogue"
	"xsmbench/hv"
	"xsmbench/reports/profile"
)

func newList() *cobra.Command {
	var target string
	var format string
	var cover bool
	c := &cobra.Command{
		Use:   "list [builds|benchmarks|hooks]... [RUN]",
		Short: "List builds, benchmarks and hooks",
		Long: `List prints the targets and their kinds of build, the benchmarks with the hooks of
Xen 3.2 that one operation crosses, and the hooks with the hypercalls that reach
them and the benchmarks that cross them.

With --target it also prints the benchmarks that the target does not run, and why.
The real Xen has hooks of its own: with --target xen, the hooks are those of Xen
4.15 to 4.22, who reaches each, and the benchmarks that are meant to cross it. With
a run directory, they are the hooks that the builds of that run have, and the
benchmarks that crossed them, as counted. Such a run is made by
xsmbench run --target xen --suite full -o RUN.

A run that names no benchmarks measures the default suite. The other benchmarks are
in the full suite, or in the suite workloads: xsmbench run --suite full, or --bench
with their names.

With --cover it prints the smallest set of benchmarks that crosses every hook that
any benchmark crosses, in the run if there is one.`,
		ValidArgs: catalogue.Parts,
		RunE: func(c *cobra.Command, args []string) error {
			parts, run, err := partsAndRun(args)
			if err != nil {
				return err
			}
			if cover && len(parts) > 0 {
				return fmt.Errorf("list %s --cover: use either the parts or --cover", strings.Join(parts, " "))
			}
			l, err := list(target, parts, cover, run)
			if err != nil {
				return err
			}
			switch format {
			case "json":
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(l)
			case "text":
				return l.Write(c.OutOrStdout())
			}
			return fmt.Errorf("--format %s: no such format%s", format, suggest(format, []string{"text", "json"}))
		},
	}
	c.Flags().StringVar(&target, "target", "", "only this target's builds, benchmarks and hooks")
	c.Flags().BoolVar(&cover, "cover", false, "print the smallest set of benchmarks that crosses all hooks")
	formatFlag(c.Flags(), &format, "text or json")
	return c
}

// partsAndRun tells the names of parts from a run directory.
func partsAndRun(args []string) (parts []string, run string, err error) {
	for _, a := range args {
		switch info, failed := os.Stat(a); {
		case slices.Contains(catalogue.Parts, a):
			parts = append(parts, a)
		case failed == nil && info.IsDir() && run == "":
			run = a
		case failed == nil && info.IsDir():
			return nil, "", fmt.Errorf("list %s %s: only one run", run, a)
		default:
			return nil, "", fmt.Errorf("list %s: no such part, and no run directory%s", a, suggest(a, catalogue.Parts))
		}
	}
	return parts, run, nil
}

// list lists the parts of what targets have, all of them if none is named, or the
// cover.
func list(target string, parts []string, cover bool, dir string) (l catalogue.Catalogue, err error) {
	var run *catalogue.Run
	if dir != "" {
		if run, target, err = countedRun(dir, target); err != nil {
			return l, err
		}
		if len(parts) == 0 {
			parts = []string{"hooks"}
		}
	}
	targets, err := targetsOf(target)
	switch {
	case err != nil:
		return l, err
	case cover:
		return catalogue.NewCover(targets, run), nil
	case len(parts) == 0:
		parts = catalogue.Parts
	}
	return catalogue.New(targets, parts, run), nil
}

// countedRun reads which hooks a run crossed, and the name of its target.
func countedRun(dir, target string) (*catalogue.Run, string, error) {
	in, err := readInput(dir)
	if err != nil {
		return nil, "", err
	}
	r, err := profile.Open(dir)
	switch {
	case err != nil:
		return nil, "", err
	case target != "" && target != r.Target:
		return nil, "", fmt.Errorf("list %s --target %s: the run is of target %s", dir, target, r.Target)
	}
	run := &catalogue.Run{Path: dir, Matrix: in.coverage(r), Domains: map[string][]string{}}
	for _, b := range r.Benchmarks {
		for _, cost := range b.Costs {
			for _, h := range cost.Hooks {
				if !slices.Contains(run.Domains[h.Name], b.Domain) {
					run.Domains[h.Name] = append(run.Domains[h.Name], b.Domain)
				}
			}
		}
	}
	for _, domains := range run.Domains {
		slices.Sort(domains)
	}
	return run, r.Target, nil
}

// targetsOf are all targets, or the one with a name.
func targetsOf(name string) ([]hv.Target, error) {
	names := hv.Names()
	if name != "" {
		names = []string{name}
	}
	var targets []hv.Target
	for _, n := range names {
		t, err := lookupTarget(n)
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	return targets, nil
}
