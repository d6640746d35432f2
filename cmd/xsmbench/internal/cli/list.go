package cli

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"xsmbench/cmd/xsmbench/internal/catalogue"
	"xsmbench/hv"
)

func newList() *cobra.Command {
	var target string
	var asJSON bool
	c := &cobra.Command{
		Use:   "list [builds|benchmarks|hooks]...",
		Short: "List builds, benchmarks with the hooks they cross, and hooks with who exercises them",
		Long: `List prints the targets with their ways of building, the benchmarks with the hooks
of Xen 3.2 that one operation crosses, and the hooks with the hypercalls that
reach them and the benchmarks that exercise them.`,
		ValidArgs: catalogue.Parts,
		RunE: func(c *cobra.Command, parts []string) error {
			for _, p := range parts {
				if !slices.Contains(catalogue.Parts, p) {
					return fmt.Errorf("list %s: no such part%s", p, suggest(p, catalogue.Parts))
				}
			}
			if len(parts) == 0 {
				parts = catalogue.Parts
			}
			targets, err := targetsOf(target)
			if err != nil {
				return err
			}
			l := catalogue.New(targets, parts)
			if asJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(l)
			}
			return l.Write(c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&target, "target", "", "only what this target has")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
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
