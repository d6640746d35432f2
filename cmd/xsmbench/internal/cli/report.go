package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"xsmbench/hv"
	"xsmbench/reports/about"
	"xsmbench/reports/answer"
	"xsmbench/reports/lmbench"
	"xsmbench/reports/page"
	"xsmbench/results"
)

func newReport() *cobra.Command {
	var f compareFlags
	var sel selectFlags
	var out, title, store, format string
	c := &cobra.Command{
		Use:   "report DIR|[LABEL=]FILE...",
		Short: "Write a report: one HTML page, Markdown, plots",
		Long: `Report writes index.html, a self-contained page; report.md; the comparison as CSV
and JSON; the profile of the hooks, if the run has one; and every plot as SVG and
PNG. It prints the path of the page, and to standard error the page's summary: what
each build costs, and the operations that cost the most.

The coverage table lists each hook with the benchmarks that crossed it in this run, or
with the reason why none did.

With --format lmbench it prints the summary that lmbench's getsummary prints instead, of
the run's lmbench benchmarks: a row for each build and domain, times in microseconds. Of
a target that counts, --unit names what to print, such as xen-instr/op.

With --store the page also shows the trends of a history, for the host, target,
architecture, accelerator and workload of the run.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, paths []string) error {
			if err := withConfig(c); err != nil {
				return err
			}
			switch {
			case len(paths) == 0:
				return errors.New("report: no input; name a run directory or files (see xsmbench report --help)")
			case format == "lmbench":
				return printSummary(c, paths, sel.unit)
			case format != "page":
				return fmt.Errorf("--format %s: no such format%s", format, suggest(format, reportFormats))
			case out == "" && (len(paths) > 1 || isFile(paths[0])):
				return errors.New("report: name a directory with -o; only the report of a single run directory has a default")
			case out == "":
				var err error
				if out, err = results.Subfolder(paths[0], "report"); err != nil {
					return err
				}
			}
			sources, err := sourcesOf(c.InOrStdin(), paths)
			if err != nil {
				return err
			}
			in, err := readSources(sources)
			if err != nil {
				return err
			}
			in.warn(c.ErrOrStderr())
			cmp, err := in.compare(f)
			if err != nil {
				return err
			}
			if cmp, err = sel.apply(cmp); err != nil {
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
			r := page.Report{Trends: trends, Title: title, Comparison: cmp, About: about.OfInput(in.Input).WithChanges(in.Input, cmp.Base, hooks), Hooks: hooks, Coverage: in.coverage(hooks)}
			index, err := page.Write(out, r)
			if err != nil {
				return err
			}
			if r.About.Incomplete != "" {
				fmt.Fprintln(c.OutOrStdout(), r.About.Incomplete)
			}
			if _, err := fmt.Fprintln(c.OutOrStdout(), index); err != nil {
				return err
			}
			if err := answer.Text(c.ErrOrStderr(), r.Answer(), coloured(c.ErrOrStderr())); err != nil {
				return err
			}
			return in.Malformed()
		},
	}
	f.single = true
	f.register(c.Flags(), "")
	sel.register(c.Flags())
	c.Flags().StringVarP(&out, "output", "o", "", "directory to write (default: DIR/report)")
	c.Flags().StringVar(&format, "format", "page", "what to write: page (and what belongs to it), or lmbench (lmbench's summary table, to standard output)")
	c.Flags().StringVar(&title, "title", "What XSM hooks cost", "title of the report")
	c.Flags().StringVar(&store, "store", "", "history `file` whose trends the page shows (default: none)")
	mark(c.Flags(), "format")
	configFlag(c)
	return c
}

// reportFormats are the values of --format.
var reportFormats = []string{"page", "lmbench"}

// printSummary prints lmbench's summary. The unit is that of times, or of whatever the
// run has first if it has none.
func printSummary(c *cobra.Command, paths []string, unit string) error {
	sources, err := sourcesOf(c.InOrStdin(), paths)
	if err != nil {
		return err
	}
	in, err := readSources(sources)
	if err != nil {
		return err
	}
	in.warn(c.ErrOrStderr())
	if unit == "" {
		unit = in.summaryUnit()
	}
	if origin := about.OfInput(in.Input); origin.Incomplete != "" {
		fmt.Fprintln(c.ErrOrStderr(), "xsmbench:", origin.Incomplete)
	}
	if err := lmbench.Write(c.OutOrStdout(), in.Samples, in.Run, unit); err != nil {
		return err
	}
	return in.Malformed()
}

// summaryUnit is the unit of times, if the input has it, or else the one that its
// target compares by.
func (in input) summaryUnit() string {
	units := in.Samples.Units()
	if slices.Contains(units, lmbench.MicrosecondUnit) || in.Run == nil {
		return lmbench.MicrosecondUnit
	}
	t, err := hv.Lookup(in.Run.Spec.Target)
	if err != nil {
		return lmbench.MicrosecondUnit
	}
	for _, u := range t.Units() {
		if slices.Contains(units, u) {
			return u
		}
	}
	return lmbench.MicrosecondUnit
}
