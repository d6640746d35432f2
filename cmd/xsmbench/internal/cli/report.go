package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"xsmbench/reports/about"
	"xsmbench/reports/page"
)

func newReport() *cobra.Command {
	var f compareFlags
	var out, title, store string
	c := &cobra.Command{
		Use:   "report DIR|FILE...",
		Short: "Write a report: one HTML page, Markdown, plots",
		Long: `Report writes index.html, which needs nothing else, report.md, the comparison as
CSV and JSON, the profile of the hooks if the run has one, and every plot as SVG
and PNG; then it prints the page's name.

With --store the page has the trends of a history, as far as they are of the
run's target, architecture, accelerator and workload on its host.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, paths []string) error {
			if err := withConfig(c); err != nil {
				return err
			}
			switch {
			case len(paths) == 0:
				return errors.New("report: name a run directory or files (see xsmbench report --help)")
			case out == "" && (len(paths) > 1 || isFile(paths[0])):
				return errors.New("report: say where with -o: only a single run directory has a place for its report")
			case out == "":
				out = filepath.Join(paths[0], "report")
			}
			in, err := readInput(paths...)
			if err != nil {
				return err
			}
			cmp, err := in.compare(f)
			if err != nil {
				return err
			}
			trends, err := in.trends(store)
			if err != nil {
				return err
			}
			hooks, err := in.hooks()
			if err != nil {
				return err
			}
			index, err := page.Write(out, page.Report{Trends: trends, Title: title, Comparison: cmp, About: about.Of(in.Run, in.Samples, in.Problems), Hooks: hooks})
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(c.OutOrStdout(), index); err != nil {
				return err
			}
			return in.Malformed()
		},
	}
	f.register(c.Flags(), "")
	c.Flags().StringVarP(&out, "output", "o", "", "directory to write (default: DIR/report)")
	c.Flags().StringVar(&title, "title", "What XSM hooks cost", "title of the report")
	c.Flags().StringVar(&store, "store", "", "`file` of a history whose trends the page shows (default: none)")
	configFlag(c)
	return c
}
