package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/hooks"
	"xsmbench/reports/profile"
	"xsmbench/reports/table"
	"xsmbench/results"
)

func crossingsOf(name string) ([]bench.Crossing, bool) {
	b, ok := bench.Find(name)
	return b.Hooks, ok
}

// formats are the ways to write a comparison.
var formats = []string{"text", "markdown", "csv", "json", "benchstat", "lkp", "mail"}

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
			in, err := readInput(paths)
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
			if err := in.malformed(); err != nil {
				return err
			}
			return verdictCode(cmp, failOn)
		},
	}
	f.register(c.Flags(), "")
	c.Flags().StringVar(&format, "format", "text", "text, markdown, csv, json, benchstat (its tables, which know no pairs), lkp (as the Linux kernel's 0-day robot writes) or mail (72 columns)")
	c.Flags().StringVar(&failOn, "fail-on", "never", "exit with 1 or 2 on a verdict: never, regression or inconclusive")
	c.Flags().StringVar(&explain, "explain", "", "instead, say all of the benchmarks that match REGEXP, or REGEXP,DOMAIN: data, model, tests, checks, what would change the verdict")
	configFlag(c)
	return c
}

// input is what a comparison is made from.
type input struct {
	run      *results.Run      // nil unless the input is one run directory
	dir      string            // that directory
	planned  *results.Criteria // of the runs, nil unless they agree
	looks    int               // the most that a run planned
	controls map[string]string // builds that are others under a second name
	samples  *compare.Set
	problems []results.Problem
}

func readInput(paths []string) (*input, error) {
	if os.Getenv("GOGC") == "" {
		// Next to the samples little is kept and much is thrown away: a heap
		// of twice what is kept would be mostly garbage.
		debug.SetGCPercent(40)
	}
	in := &input{samples: &compare.Set{}}
	var err error
	if in.problems, err = results.Walk(paths, in.samples.Taker); err != nil {
		return nil, err
	}
	if in.samples.Len() == 0 {
		if err := in.malformed(); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("read results: %s: no sample in it", strings.Join(paths, ", "))
	}
	return in, in.readRuns(paths)
}

// readRuns reads what is known of the runs that the samples are of.
func (in *input) readRuns(paths []string) error {
	agreed := true
	for i, path := range paths {
		run, err := results.ReadRun(path)
		var damage *results.DamageError
		switch {
		case isDir(path) && errors.As(err, &damage):
			in.problems = append(in.problems, damage.Problem)
			agreed = false
		case err == nil:
			in.run, in.dir = &run, path
			in.looks = max(in.looks, run.Spec.PlannedLooks())
			in.controls = controlsOf(in.controls, run.Spec.Builds)
			agreed = agreed && (i == 0 || same(in.planned, run.Spec.Criteria))
			in.planned = run.Spec.Criteria
		case !errors.Is(err, os.ErrNotExist) && isDir(path):
			return err
		default:
			agreed = agreed && (i == 0 || in.planned == nil)
		}
	}
	if len(paths) > 1 {
		in.run = nil
	}
	if !agreed {
		in.planned = nil
	}
	return nil
}

func same(a, b *results.Criteria) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

// hooks reads the run's profiles, nil if it has none.
func (in *input) hooks() (*profile.Run, error) {
	if in.run == nil {
		return nil, nil
	}
	r, err := profile.Open(in.dir)
	if errors.Is(err, profile.ErrNone) {
		return nil, nil
	}
	return r, err
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// compare compares with the base that the flags name, else with the first
// build of the run.
func (in *input) compare(f compareFlags) (*compare.Comparison, error) {
	o, err := in.options(f)
	if err != nil {
		return nil, err
	}
	return in.samples.Compare(o)
}

// options are those of the flags and of the run.
func (in *input) options(f compareFlags) (compare.Options, error) {
	order := kindsOrder()
	first := order[0]
	if in.run != nil && len(in.run.Spec.Builds) > 0 {
		first = in.run.Spec.Builds[0].Name
	}
	o, err := f.options(first)
	o.Planned, o.Looks, o.Controls, o.Order = in.planned, in.looks, in.controls, order
	return o, err
}

// kindsOrder is the order in which the targets list their kinds of build, from
// the plainest on. Builds that are kinds under their own names stand in it, and
// the first is the base where no run says which.
func kindsOrder() compare.Order {
	var order compare.Order
	for _, name := range hv.Names() {
		t, err := hv.Lookup(name)
		if err != nil {
			continue // Names are of those that there are
		}
		for _, k := range t.Kinds() {
			if !slices.Contains(order, k.Name) {
				order = append(order, k.Name)
			}
		}
	}
	return order
}

// show writes the comparison, or the explanation that was asked for.
func (in *input) show(w io.Writer, c *compare.Comparison, format, explain string) error {
	if explain == "" {
		return in.write(w, c, format)
	}
	rows, err := c.Find(explain)
	if err != nil {
		return fmt.Errorf("--explain: %w", err)
	}
	return table.Explain(w, c, rows)
}

func (in *input) write(w io.Writer, c *compare.Comparison, format string) error {
	origin := about.Of(in.run, in.samples, in.problems)
	switch format {
	case "markdown":
		return table.Markdown(w, c, origin)
	case "csv":
		return table.CSV(w, c)
	case "json":
		return table.JSON(w, c)
	case "benchstat":
		return table.Benchstat(w, c)
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
func (in *input) writeChanges(w io.Writer, base string) error {
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

// malformed is an error if lines of the input were of no use; those that say
// what could not be measured, or that an interruption explains, are none.
func (in *input) malformed() error {
	var bad []results.Problem
	for _, p := range in.problems {
		if !p.Note {
			bad = append(bad, p)
		}
	}
	switch len(bad) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("read results: %s", bad[0])
	}
	return fmt.Errorf("read results: %s (and %d more lines of no use)", bad[0], len(bad)-1)
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

// compareRun prints the comparison of one run.
func compareRun(w io.Writer, path string, f compareFlags) (*compare.Comparison, error) {
	in, err := readInput([]string{path})
	if err != nil {
		return nil, err
	}
	c, err := in.compare(f)
	if err != nil {
		return nil, err
	}
	return c, in.write(w, c, "text")
}
