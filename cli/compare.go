package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/bench"
	"xsmbench/profile"
	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/table"
	"xsmbench/results"
)

// compareFlags say how to compare.
type compareFlags struct {
	base       string
	margin     string
	confidence string
}

func (f *compareFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.base, "base", "", "build that the others are compared with (default: the run's first)")
	fs.StringVar(&f.margin, "margin", "1%", "largest difference that counts as none, as 1% or 0.01")
	fs.StringVar(&f.confidence, "confidence", "95%", "level of the intervals, as 95% or 0.95")
}

// options reads the flags; firstBuild is the base if none was named.
func (f *compareFlags) options(firstBuild string) (compare.Options, error) {
	o := compare.Options{Base: f.base, Hooks: crossingsOf}
	if o.Base == "" {
		o.Base = firstBuild
	}
	var err error
	if o.Margin, err = share(f.margin); err != nil || o.Margin <= 0 || o.Margin >= 1 {
		return o, fmt.Errorf("--margin %s: use a share between 0 and 100%%, as 1%% or 0.01", f.margin)
	}
	if o.Confidence, err = share(f.confidence); err != nil || o.Confidence <= 0.5 || o.Confidence >= 1 {
		return o, fmt.Errorf("--confidence %s: use a level between 50%% and 100%%, as 95%% or 0.95", f.confidence)
	}
	return o, nil
}

// share reads "1%" or "0.01".
func share(s string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	return v, err
}

func crossingsOf(name string) ([]bench.Crossing, bool) {
	b, ok := bench.Find(name)
	return b.Hooks, ok
}

// formats are the ways to write a comparison.
var formats = []string{"text", "markdown", "csv", "json"}

// Values of --fail-on.
var failOns = []string{"never", "regression", "inconclusive"}

func newCompare() *cobra.Command {
	var f compareFlags
	var format, failOn string
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
			}
			in, err := readInput(paths)
			if err != nil {
				return err
			}
			cmp, err := in.compare(f)
			if err != nil {
				return err
			}
			if err := in.write(c.OutOrStdout(), cmp, format); err != nil {
				return err
			}
			if err := in.malformed(); err != nil {
				return err
			}
			return verdictCode(cmp, failOn)
		},
	}
	f.register(c.Flags())
	c.Flags().StringVar(&format, "format", "text", "text, markdown, csv or json")
	c.Flags().StringVar(&failOn, "fail-on", "never", "exit with 1 or 2 on a verdict: never, regression or inconclusive")
	configFlag(c)
	return c
}

// input is what a comparison is made from.
type input struct {
	run      *results.Run // nil unless the input is one run directory
	dir      string       // that directory
	samples  *compare.Set
	problems []results.Problem
}

func readInput(paths []string) (*input, error) {
	if os.Getenv("GOGC") == "" {
		// Next to the samples little is kept and much is thrown away: a heap
		// of twice what is kept would be mostly garbage.
		debug.SetGCPercent(30)
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
	if len(paths) == 1 {
		run, err := results.ReadRun(paths[0])
		var damage *results.DamageError
		switch {
		case errors.As(err, &damage):
			in.problems = append(in.problems, damage.Problem)
		case err == nil:
			in.run, in.dir = &run, paths[0]
		case !errors.Is(err, os.ErrNotExist) && isDir(paths[0]):
			return nil, err
		}
	}
	return in, nil
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
	first := ""
	if in.run != nil && len(in.run.Spec.Builds) > 0 {
		first = in.run.Spec.Builds[0].Name
	}
	o, err := f.options(first)
	if err != nil {
		return nil, err
	}
	return in.samples.Compare(o)
}

func (in *input) write(w io.Writer, c *compare.Comparison, format string) error {
	origin := about.Of(in.run, in.samples.Units(), in.problems)
	switch format {
	case "markdown":
		return table.Markdown(w, c, origin)
	case "csv":
		return table.CSV(w, c)
	case "json":
		return table.JSON(w, c)
	}
	return table.Text(w, c, origin)
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
func compareRun(w io.Writer, path string, f compareFlags) error {
	in, err := readInput([]string{path})
	if err != nil {
		return err
	}
	c, err := in.compare(f)
	if err != nil {
		return err
	}
	return in.write(w, c, "text")
}
