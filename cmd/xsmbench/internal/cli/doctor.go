package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"xsmbench/hv"
)

// doctorFormats are the ways to write findings.
var doctorFormats = []string{"text", "json", "packages"}

func newDoctor() *cobra.Command {
	var only, format, source string
	var packages packageFlags
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check what this machine lacks, and how to fix it",
		Long: `Doctor checks, for each target, what it needs and what would make its figures
noisy. It exits with 3 if something that a target needs is missing. What can be tried
is tried: for the target xen, QEMU loads the counting plug-in, and the packages that a
run would fetch are looked up in the archives' index.

--format json is for programs. --format packages is for a script that installs
packages: it prints the missing Debian packages on one line, and exits with 0 if
nothing else is missing.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !slices.Contains(doctorFormats, format) {
				return fmt.Errorf("--format %s: no such format%s", format, suggest(format, doctorFormats))
			}
			if err := withConfig(c); err != nil {
				return err
			}
			examined, err := examine(c.Context(), only, hv.Build{Source: source, Packages: packages.Packages})
			if err != nil {
				return err
			}
			if err := writeExamined(c.OutOrStdout(), examined, format); err != nil {
				return err
			}
			return missing(examined, format == "packages")
		},
	}
	c.Flags().StringVar(&only, "target", "", "only this target")
	c.Flags().StringVar(&source, "source", "", "also what this source tree needs (xen)")
	mark(c.Flags(), "target")
	c.Flags().StringVar(&format, "format", "text", "text, json or packages")
	packages.register(c.Flags())
	configFlag(c)
	return c
}

// missing is an error if something is that a target cannot do without. What
// packages bring is left out if that is all that is asked.
func missing(all []examined, installed bool) error {
	for _, e := range all {
		for _, f := range e.Findings {
			if f.OK || f.Advice || installed && f.Packages != nil {
				continue
			}
			text := "something that a target needs is missing: see above"
			if installed {
				text = "no package provides " + f.What + ": " + f.Detail
			}
			return &exitError{ExitFailed, errors.New(text)}
		}
	}
	return nil
}

// examined is a target with what its doctor found.
type examined struct {
	Target   string       `json:"target"`
	Doc      string       `json:"doc"`
	OK       bool         `json:"ok"` // nothing is missing that it cannot do without
	Findings []hv.Finding `json:"findings"`
}

// examine asks all targets, or one, what such a build needs.
func examine(ctx context.Context, only string, b hv.Build) ([]examined, error) {
	names := hv.Names()
	if only != "" {
		t, err := lookupTarget(only)
		if err != nil {
			return nil, err
		}
		names = []string{t.Name()}
	}
	var all []examined
	for _, name := range names {
		t, err := hv.Lookup(name)
		if err != nil {
			return nil, err
		}
		e := examined{Target: t.Name(), Doc: t.Doc(), Findings: t.Doctor(ctx, b)}
		e.OK = !slices.ContainsFunc(e.Findings, func(f hv.Finding) bool { return !f.OK && !f.Advice })
		all = append(all, e)
	}
	return all, nil
}

func writeExamined(w io.Writer, all []examined, format string) error {
	switch format {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Schema  int        `json:"schema"`
			Targets []examined `json:"targets"`
		}{1, all})
	case "packages":
		if list := missingPackages(all); list != nil {
			_, err := fmt.Fprintln(w, strings.Join(list, " "))
			return err
		}
		return nil
	}
	for _, e := range all {
		if err := writeFindings(w, e); err != nil {
			return err
		}
	}
	return nil
}

// missingPackages are those that the targets cannot do without.
func missingPackages(all []examined) []string {
	var list []string
	for _, e := range all {
		for _, f := range e.Findings {
			if !f.OK && !f.Advice {
				list = append(list, f.Packages...)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func writeFindings(w io.Writer, e examined) error {
	fmt.Fprintf(w, "%s: %s\n", e.Target, e.Doc)
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range e.Findings {
		mark := "ok"
		switch {
		case !f.OK && f.Advice:
			mark = "note"
		case !f.OK:
			mark = "MISSING"
		}
		fmt.Fprintf(tab, "  %s\t%s\t%s\n", mark, f.What, f.Detail)
		if f.Mend != "" {
			fmt.Fprintf(tab, "  \t\t%s\n", "fix: "+f.Mend)
		}
	}
	return tab.Flush()
}
