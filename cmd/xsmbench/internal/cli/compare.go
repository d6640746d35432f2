package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"

	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/hooks"
	"xsmbench/reports/profile"
	"xsmbench/reports/table"
)

// formats are the ways to write a comparison.
var formats = []string{"text", "markdown", "csv", "json", "lkp", "mail"}

// Values of --fail-on.
var failOns = []string{"never", "regression", "inconclusive"}

func newCompare() *cobra.Command {
	var f compareFlags
	var format, failOn, explain string
	c := &cobra.Command{
		Use:   "compare DIR|FILE...",
		Short: "Compare the builds of a run, or of files in Go's benchmark format",
		Long: `Compare prints, for every benchmark, domain and build, the difference from the
base with its interval, and a verdict: equivalent (the interval lies within the
margin), slower, faster, or inconclusive with the number of rounds still needed.

It exits with 0 whatever the verdicts, unless --fail-on says otherwise:
with regression, 1 if something is slower; with inconclusive, also 2 if nothing
is slower and something is inconclusive.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, paths []string) error {
			if err := withConfig(c); err != nil {
				return err
			}
			switch {
			case len(paths) == 0:
				return errors.New("compare: name a run directory or files (see xsmbench compare --help)")
			case !slices.Contains(formats, format):
				return fmt.Errorf("--format %s: no such format%s", format, suggest(format, formats))
			case !slices.Contains(failOns, failOn):
				return fmt.Errorf("--fail-on %s: no such condition%s", failOn, suggest(failOn, failOns))
			case explain != "" && format != "text":
				return fmt.Errorf("--explain: is text; leave out --format %s, or --explain (json has the checks of every row)", format)
			}
			in, err := readInput(paths...)
			if err != nil {
				return err
			}
			cmp, err := in.compare(f)
			if err != nil {
				return err
			}
			if err := in.show(c.OutOrStdout(), cmp, format, explain); err != nil {
				return err
			}
			if err := in.Malformed(); err != nil {
				return err
			}
			return verdictCode(cmp, failOn)
		},
	}
	f.register(c.Flags(), "")
	c.Flags().StringVar(&format, "format", "text", "text, markdown, csv, json, lkp (as the Linux kernel's 0-day robot writes) or mail (72 columns)")
	c.Flags().StringVar(&failOn, "fail-on", "never", "exit with 1 or 2 on a verdict: never, regression or inconclusive")
	c.Flags().StringVar(&explain, "explain", "", "instead, say all of the benchmarks that match REGEXP, or REGEXP,DOMAIN: data, model, tests, checks, what would change the verdict")
	configFlag(c)
	return c
}

// input is what a comparison is made from, with what else a command shows of it.
type input struct{ *compare.Input }

func readInput(paths ...string) (input, error) {
	if os.Getenv("GOGC") == "" {
		// Next to the samples little is kept and much is thrown away: a heap
		// of twice what is kept would be mostly garbage.
		debug.SetGCPercent(40)
	}
	in, err := compare.ReadInput(paths...)
	return input{in}, err
}

// hooks reads the run's profiles, nil if it has none.
func (in input) hooks() (*profile.Run, error) {
	if in.Run == nil {
		return nil, nil
	}
	r, err := profile.Open(in.Dir)
	if errors.Is(err, profile.ErrNone) {
		return nil, nil
	}
	return r, err
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// compare compares as the flags say.
func (in input) compare(f compareFlags) (*compare.Comparison, error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	return in.Compare(o)
}

// show writes the comparison, or the explanation that was asked for.
func (in input) show(w io.Writer, c *compare.Comparison, format, explain string) error {
	if explain == "" {
		return in.write(w, c, format)
	}
	rows, err := c.Find(explain)
	if err != nil {
		return fmt.Errorf("--explain: %w", err)
	}
	return table.Explain(w, c, rows)
}

func (in input) write(w io.Writer, c *compare.Comparison, format string) error {
	origin := about.Of(in.Run, in.Samples, in.Problems)
	switch format {
	case "markdown":
		return table.Markdown(w, c, origin)
	case "csv":
		return table.CSV(w, c)
	case "json":
		return table.JSON(w, c)
	case "lkp":
		return table.LKP(w, c, origin)
	case "mail":
		return table.Mail(w, c, origin)
	}
	if err := table.Text(w, c, origin); err != nil {
		return err
	}
	return in.writeChanges(w, c.Base)
}

// writeChanges names the hooks whose cost changed, if the run tells and most
// did not.
func (in input) writeChanges(w io.Writer, base string) error {
	r, err := in.hooks()
	if r == nil || err != nil {
		return err
	}
	for i, line := range hooks.Few(r, base) {
		if i == 0 {
			fmt.Fprintln(w, "\nhooks, in instructions of one call, where exact:")
		}
		fmt.Fprintln(w, "  "+line)
	}
	return nil
}

// verdictCode is the exit code that the verdicts ask for.
func verdictCode(c *compare.Comparison, failOn string) error {
	if failOn == "never" {
		return nil
	}
	if n := c.Count(compare.Slower); n > 0 {
		return &exitError{ExitRegression, fmt.Errorf("%d of %d comparisons are slower", n, len(c.Rows))}
	}
	if n := c.Count(compare.Inconclusive); n > 0 && failOn == "inconclusive" {
		return &exitError{ExitInconclusive, fmt.Errorf("%d of %d comparisons are inconclusive", n, len(c.Rows))}
	}
	return nil
}
