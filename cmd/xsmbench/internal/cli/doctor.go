package cli

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"xsmbench/hv"
)

func newDoctor() *cobra.Command {
	var only string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is missing on this machine, and what mends it",
		Long: `Doctor looks, for each target, for what it needs and for what makes its figures
noisy. It exits with 3 if something is missing that a target cannot do without.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			names := hv.Names()
			if only != "" {
				t, err := lookupTarget(only)
				if err != nil {
					return err
				}
				names = []string{t.Name()}
			}
			missing := false
			for _, name := range names {
				t, err := hv.Lookup(name)
				if err != nil {
					return err
				}
				findings := t.Doctor(c.Context())
				if err := writeFindings(c.OutOrStdout(), t, findings); err != nil {
					return err
				}
				for _, f := range findings {
					missing = missing || !f.OK && !f.Advice
				}
			}
			if missing {
				return &exitError{ExitFailed, errors.New("something is missing: see above")}
			}
			return nil
		},
	}
	c.Flags().StringVar(&only, "target", "", "only this target")
	return c
}

func writeFindings(w io.Writer, t hv.Target, findings []hv.Finding) error {
	fmt.Fprintf(w, "%s: %s\n", t.Name(), t.Doc())
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range findings {
		mark := "ok"
		switch {
		case !f.OK && f.Advice:
			mark = "note"
		case !f.OK:
			mark = "MISSING"
		}
		fmt.Fprintf(tab, "  %s\t%s\t%s\n", mark, f.What, f.Detail)
		if f.Mend != "" {
			fmt.Fprintf(tab, "  \t\t%s\n", "to mend: "+f.Mend)
		}
	}
	return tab.Flush()
}
