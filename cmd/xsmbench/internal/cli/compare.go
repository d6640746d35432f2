package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/hv"
	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/coverage"
	"xsmbench/reports/hooks"
	"xsmbench/reports/profile"
	"xsmbench/reports/table"
	"xsmbench/results"
)

// formats are the ways to write a comparison.
var formats = []string{"text", "markdown", "csv", "json", "benchstat", "lkp", "mail"}

// Values of --fail-on.
var failOns = []string{"never", "regression", "inconclusive"}

func newCompare() *cobra.Command {
	var f compareFlags
	var sel selectFlags
	var format, failOn, explain string
	var strict bool
	c := &cobra.Command{
		Use:   "compare DIR|[LABEL=]FILE...",
		Short: "Compare the builds of a run, or of files in Go's benchmark format",
		Long: `Compare prints, for every benchmark, domain and build, both values, the difference
with its interval, and a verdict: equivalent (the interval lies within the
margin), slower, faster, or inconclusive with the number of rounds still needed.
Units that do not measure time or a rate, such as B/op, have more and less instead.

With files, the first is the base: xsmbench compare old.txt new.txt. A file holds
the output of go test -bench, with or without -json. It may be gzipped, a pipe, or
- for standard input. LABEL=FILE names its build. The same benchmark in different
packages, systems or processors (pkg, goos, goarch, cpu) is a row in each, and
"Unit" lines say which units are exact and which are better when higher.

--bench, --domains, --builds and --unit choose rows; verdicts stay those of the
whole comparison. --sort, --changed and --limit change only what is shown.

The exit code is 0 whatever the verdicts, unless --fail-on is given. With
regression it is 1 if a row is slower. With inconclusive it is also 2 if no row is
slower but one is inconclusive. If the run has no sample of something that it
planned to measure, the first line says so; with --strict the exit code is then 3.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, paths []string) error {
			if err := withConfig(c); err != nil {
				return err
			}
			switch {
			case len(paths) == 0:
				return errors.New("compare: no input; name a run directory or files (see xsmbench compare --help)")
			case !slices.Contains(formats, format):
				return fmt.Errorf("--format %s: no such format%s", format, suggest(format, formats))
			case !slices.Contains(failOns, failOn):
				return fmt.Errorf("--fail-on %s: no such condition%s", failOn, suggest(failOn, failOns))
			case explain != "" && format != "text":
				return fmt.Errorf("--explain: has only a text format; leave out --format %s, or use --format json without --explain, which has the checks of every row", format)
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
			origin := about.OfInput(in.Input)
			if slices.Contains([]string{"json", "markdown", "mail"}, format) {
				profiles, err := in.hooks()
				if err != nil {
					return err
				}
				origin = origin.WithChanges(in.Input, cmp.Base, profiles)
			}
			if err := sayFirst(c, origin, format, explain); err != nil {
				return err
			}
			if err := in.show(c.OutOrStdout(), cmp, origin, format, explain); err != nil {
				return err
			}
			if err := in.Malformed(); err != nil {
				return err
			}
			if strict && len(origin.Lacks) > 0 {
				return fmt.Errorf("--strict: %s", origin.Incomplete)
			}
			return verdictCode(cmp, failOn)
		},
	}
	f.single = true
	f.register(c.Flags(), "")
	sel.register(c.Flags())
	formatFlag(c.Flags(), &format, "text, markdown, csv, json, benchstat (tables in its form; samples are not paired), lkp (the form of the Linux kernel's 0-day reports) or mail (72 columns)")
	c.Flags().StringVar(&failOn, "fail-on", "never", "when to exit with 1 or 2: never, regression or inconclusive")
	c.Flags().BoolVar(&strict, "strict", false, "exit with 3 if a planned benchmark has no sample")
	c.Flags().StringVar(&explain, "explain", "", "explain the verdicts of benchmarks that match REGEXP or REGEXP,DOMAIN: samples, model, tests, checks, and what would change the verdict")
	configFlag(c)
	return c
}

// sayFirst says what is missing where the report itself does not: programs read
// those formats, so that it goes to standard error.
func sayFirst(c *cobra.Command, origin about.About, format, explain string) error {
	if origin.Incomplete == "" {
		return nil
	}
	var err error
	switch {
	case explain != "":
		_, err = fmt.Fprintf(c.OutOrStdout(), "%s\n\n", origin.Incomplete)
	case slices.Contains([]string{"csv", "json", "benchstat"}, format):
		_, err = fmt.Fprintln(c.ErrOrStderr(), "xsmbench:", origin.Incomplete)
	}
	return err
}

// formatFlag is --format, with --json as an older name of --format json.
func formatFlag(fs *pflag.FlagSet, format *string, usage string) {
	fs.StringVar(format, "format", "text", usage)
	fs.BoolFunc("json", "", func(string) error {
		*format = "json"
		return nil
	})
	deprecate(fs, "json", "format json")
}

// input is what a comparison is made from, with what else a command shows of it.
type input struct {
	*compare.Input
	// hooks reads the run's profiles once, nil if it has none. Those that cannot be
	// read are problems of the input from then on.
	hooks func() (*profile.Run, error)
}

func readInput(paths ...string) (input, error) { return readSources(results.Sources(paths...)) }

// collectOften is for what reads many samples: next to them little is kept and much
// is thrown away, so that a heap of twice what is kept would be mostly garbage.
func collectOften() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(40)
	}
}

func readSources(sources []results.Source) (input, error) {
	collectOften()
	in, err := compare.ReadSources(sources)
	return input{in, sync.OnceValues(func() (*profile.Run, error) { return hooksOf(in) })}, err
}

// mostWarnings bounds what is said of input that cannot be read.
const mostWarnings = 10

// warn says on standard error what of the input could not be read. It comes
// before anything else: figures are read in its light.
func (in input) warn(stderr io.Writer) {
	lines := about.About{Problems: in.Problems}.Unreadable()
	for i, line := range lines {
		if i == mostWarnings {
			fmt.Fprintf(stderr, "warning: and %d more lines like these\n", len(lines)-i)
			return
		}
		fmt.Fprintln(stderr, "warning:", table.Harmless(line))
	}
}

// coverage is which hooks the run crossed, nil if the input is not of one run.
func (in input) coverage(counted *profile.Run) *coverage.Matrix {
	if in.Run == nil {
		return nil
	}
	m := coverage.Measurements{Planned: in.Run.Spec.Benchmarks, Counted: counted}
	if t, err := hv.Lookup(in.Run.Spec.Target); err == nil {
		m.Target = t
	}
	for _, c := range in.Samples.CellsOf(in.Dir) {
		m.Measured = append(m.Measured, c.Benchmark)
	}
	return coverage.Of(m)
}

func hooksOf(in *compare.Input) (*profile.Run, error) {
	if in.Run == nil || in.Dir == "" {
		return nil, nil
	}
	r, err := profile.Open(in.Dir)
	var unreadable *profile.UnreadableError
	switch {
	case errors.Is(err, profile.ErrNone):
		return nil, nil
	case errors.As(err, &unreadable):
		in.Problems = append(in.Problems, unreadable.Problems...)
		return nil, nil
	case err == nil:
		in.Problems = append(in.Problems, r.Unread...)
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
	if err := in.knows(o.Criteria); err != nil {
		return nil, err
	}
	o.Single = f.single
	if o.Counted, err = executed(in, input{}); err != nil {
		return nil, err
	}
	return in.Compare(in.ordered(o))
}

// executed tells what operations execute in hooks, by the profiles of a run and, of its
// builds, those of an earlier one, if there is one.
func executed(now, before input) (func(e compare.Environment, benchmark, build string) ([]compare.Executed, bool), error) {
	var runs [2]*profile.Run
	for i, in := range []input{now, before} {
		if in.Input == nil {
			continue
		}
		var err error
		if runs[i], err = in.hooks(); err != nil {
			return nil, err
		}
	}
	return func(e compare.Environment, benchmark, build string) (all []compare.Executed, known bool) {
		r := runs[0]
		if name, earlier := compare.IsEarlier(build); earlier {
			r, build = runs[1], name
		}
		cost := r.Cost(table.Where(e), benchmark, build)
		if cost == nil {
			return nil, false
		}
		for _, h := range cost.Hooks {
			all = append(all, compare.Executed{Hook: h.Name, Calls: h.Calls, Instructions: h.Instructions()})
		}
		return all, true
	}, nil
}

// knows refuses criteria of units and benchmarks that neither the samples nor any
// target has: they would hold for nothing.
func (in input) knows(c results.Criteria) error {
	units, benchmarks := in.Samples.Units(), in.Samples.Benchmarks()
	for _, name := range hv.Names() { // what an experiment file says of the rest of a run is no slip
		if t, err := hv.Lookup(name); err == nil {
			units = append(units, t.Units()...)
		}
	}
	slices.Sort(units)
	return knownCriteria(c, slices.Compact(units), append(benchmarks, benchmarkNames()...))
}

// ordered adds the order of the targets' kinds of build. Where no run says which
// build the others are compared with, it is the plainest of the samples' target.
func (in input) ordered(o compare.Options) compare.Options {
	if in.Files() {
		return o
	}
	o.Order = kindsOrder()
	if o.Base == "" && in.Run == nil {
		o.Base = in.plainest(o.Order)
	}
	return o
}

// plainest is the first kind of build of the samples' target, or of all targets where
// the samples do not tell theirs.
func (in input) plainest(order compare.Order) string {
	if targets := in.Samples.Targets(); len(targets) > 0 {
		if t, err := hv.Lookup(targets[0]); err == nil && len(t.Kinds()) > 0 {
			return t.Kinds()[0].Name
		}
	}
	return order[0]
}

// kindsOrder is the order in which the targets list their kinds of build, from
// the plainest on, those of the usual target first. Builds that are kinds under their
// own names stand in it.
func kindsOrder() compare.Order {
	var order compare.Order
	for _, name := range append([]string{model}, hv.Names()...) {
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
func (in input) show(w io.Writer, c *compare.Comparison, origin about.About, format, explain string) error {
	if explain == "" {
		return in.write(w, c, origin, format)
	}
	rows, err := c.Find(explain)
	if err != nil {
		return fmt.Errorf("--explain: %w", err)
	}
	return table.Explain(w, c, rows)
}

func (in input) write(w io.Writer, c *compare.Comparison, origin about.About, format string) error {
	switch format {
	case "markdown":
		return table.Markdown(w, c, origin)
	case "csv":
		return table.CSV(w, c)
	case "json":
		return table.JSON(w, c, origin)
	case "benchstat":
		return table.Benchstat(w, c)
	case "lkp":
		return table.LKP(w, c, origin)
	case "mail":
		return table.Mail(w, c, origin)
	}
	if err := table.Terminal(w, c, origin, styleOf(w)); err != nil {
		return err
	}
	if err := in.writeChanges(w, c.Base); err != nil {
		return err
	}
	return in.writeAnswer(w, c)
}

// writeChanges names the hooks whose cost changed, if the run tells and most
// did not, and those that only some builds have.
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
	for i, line := range hooks.OnlyLines(r, base) {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, line)
	}
	return nil
}

// worse is what the rows are that fail: slower, more or less.
func worse(c *compare.Comparison) string {
	var words []string
	for _, r := range c.Rows {
		if word := string(r.Word()); r.Verdict == compare.Slower && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, " or ")
}

// verdictCode is the exit code that the verdicts ask for.
func verdictCode(c *compare.Comparison, failOn string) error {
	if failOn == "never" {
		return nil
	}
	if n := c.Count(compare.Slower); n > 0 {
		return &exitError{ExitRegression, fmt.Errorf("%d of %d comparisons are %s", n, len(c.Rows), worse(c))}
	}
	if n := c.Count(compare.Inconclusive); n > 0 && failOn == "inconclusive" {
		return &exitError{ExitInconclusive, fmt.Errorf("%d of %d comparisons are inconclusive", n, len(c.Rows))}
	}
	return nil
}
