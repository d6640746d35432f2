package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/bench"
	"xsmbench/reports/compare"
	"xsmbench/reports/gate"
	"xsmbench/reports/profile"
	"xsmbench/reports/table"
	"xsmbench/results"
)

// stepSummary is the variable in which GitHub Actions names the file that a
// step's summary is appended to.
const stepSummary = "GITHUB_STEP_SUMMARY"

// gateFlags say what to judge, and where to write what.
type gateFlags struct {
	compareFlags
	against string
	only    []string
	allow   bool

	junit, summary, gitlab, comment string
}

func (f *gateFlags) register(fs *pflag.FlagSet) {
	f.compareFlags.register(fs, "")
	fs.StringVar(&f.against, "against", "", "earlier run: each build is compared with itself there, not with the base")
	fs.StringSliceVar(&f.only, "only", nil, "builds to judge (default: all but the base)")
	fs.BoolVar(&f.allow, "allow-inconclusive", false, "exit with 0, not 2, if nothing is slower and something is inconclusive")
	fs.StringVar(&f.junit, "junit", "", "file for the rows as test results in JUnit's XML")
	fs.StringVar(&f.summary, "summary", "", "file for a Markdown summary (default: appended to $"+stepSummary+", if it is set)")
	fs.StringVar(&f.gitlab, "gitlab", "", "file for a code quality report of GitLab")
	fs.StringVar(&f.comment, "comment", "", "file for a short Markdown comment, empty if there is nothing to say")
}

func newGate() *cobra.Command {
	var f gateFlags
	c := &cobra.Command{
		Use:   "gate DIR",
		Short: "Decide whether a run may pass, for pipelines",
		Long: `Gate compares the builds of a run with its base, or with --against each build
with itself in an earlier run, and exits with 0 if every row lies within its
margin or is faster, 1 if one is slower, 2 if none is slower and one is
inconclusive, 3 if the tool or its input failed.

It refuses to pass what it cannot know: a margin finer than the difference that
a control shows, a benchmark that was to be measured and has no sample, times of
two machines. [[waive]] tables in the experiment file let rows through until a
day, for a reason.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, paths []string) error { return f.run(c, paths) },
	}
	f.register(c.Flags())
	configFlag(c)
	return c
}

func (f *gateFlags) run(c *cobra.Command, paths []string) error {
	if err := withConfig(c); err != nil {
		return err
	}
	if len(paths) != 1 {
		return errors.New("gate: name one run directory (see xsmbench gate --help)")
	}
	config, given := configOf(c)
	waivers, err := readWaivers(config, given)
	if err != nil {
		return err
	}
	in, damage, err := f.input(paths[0])
	if err != nil {
		return err
	}
	in.Waivers, in.Today, in.AllowInconclusive = waivers, time.Now(), f.allow
	r := gate.Judge(*in)
	if err := table.Gate(c.OutOrStdout(), r); err != nil {
		return err
	}
	if err := f.write(r, config); err != nil {
		return err
	}
	if damage != nil {
		return damage
	}
	return gateCode(r)
}

// readWaivers reads those of the experiment file. There are none without the
// file, unless that was given.
func readWaivers(path string, given bool) ([]gate.Waiver, error) {
	waivers, err := gate.ReadWaivers(path)
	var key *gate.UnknownKeyError
	switch {
	case errors.Is(err, fs.ErrNotExist) && !given:
		return nil, nil
	case errors.As(err, &key):
		return nil, fmt.Errorf("%w%s", err, suggest(key.Key, key.Known))
	}
	return waivers, err
}

// input reads and compares. Damage is what was wrong with the samples; what is
// whole is judged all the same.
func (f *gateFlags) input(path string) (in *gate.Input, damage error, err error) {
	now, err := readInput(path)
	if err != nil {
		return nil, nil, err
	}
	hooks, err := now.hooks()
	if err != nil {
		return nil, nil, err
	}
	in = &gate.Input{Run: now.Run, Earlier: f.against, Only: f.only, Crossed: crossedIn(hooks)}
	damage = now.Malformed()
	if f.against == "" {
		in.Comparison, err = now.compare(f.compareFlags)
	} else {
		var before input
		if before, err = readInput(f.against); err != nil {
			return nil, nil, fmt.Errorf("--against: %w", err)
		}
		if sameRun(path, f.against, now.Run, before.Run) {
			return nil, nil, fmt.Errorf("--against %s: it is the run %s itself; name an earlier one", f.against, path)
		}
		in.Before, damage = before.Run, errors.Join(damage, before.Malformed())
		in.Comparison, err = now.against(before, f.compareFlags)
	}
	if err != nil {
		return nil, nil, err
	}
	if damage != nil {
		damage = errors.New(strings.ReplaceAll(damage.Error(), "\n", "; "))
		in.Damage = damage.Error()
	}
	return in, damage, f.checkOnly(in)
}

// crossedIn finds the hooks of a finding in a run's profiles.
func crossedIn(r *profile.Run) func(gate.Finding) []bench.Crossing {
	if r == nil {
		return nil
	}
	return func(f gate.Finding) []bench.Crossing {
		var all []bench.Crossing
		for _, b := range r.Benchmarks {
			if b.Arch != f.Arch || b.Domain != f.Domain || b.Name != f.Benchmark || b.Costs[f.Build] == nil {
				continue
			}
			for _, h := range b.Costs[f.Build].Hooks {
				all = append(all, bench.Crossing{Hook: h.Name, PerOp: h.Calls})
			}
		}
		return all
	}
}

// checkOnly refuses builds that the run was not to measure. One that has no
// sample is the gate's to judge.
func (f *gateFlags) checkOnly(in *gate.Input) error {
	known := slices.Clone(in.Comparison.Builds)
	if in.Run != nil {
		for _, b := range in.Run.Spec.Builds {
			if !slices.Contains(known, b.Name) && b.Name != in.Comparison.Base {
				known = append(known, b.Name)
			}
		}
	}
	for _, build := range f.only {
		if !slices.Contains(known, build) {
			return fmt.Errorf("--only %s: no such build to judge%s", build, suggest(build, known))
		}
	}
	return nil
}

// against compares with an earlier run as the flags say.
func (in input) against(before input, f compareFlags) (*compare.Comparison, error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	return in.Against(before.Input, o)
}

// sameRun reports whether two paths hold one run, which differs from itself in
// nothing.
func sameRun(a, b string, x, y *results.Run) bool {
	i, errA := os.Stat(a)
	j, errB := os.Stat(b)
	if errA == nil && errB == nil && os.SameFile(i, j) {
		return true
	}
	return x != nil && y != nil && !x.Started.IsZero() && x.Started.Equal(y.Started) && slices.Equal(x.Command, y.Command)
}

// write writes the files that were asked for. Each is replaced as a whole,
// except for the summary of a GitHub step, which other commands add to.
func (f *gateFlags) write(r *gate.Result, config string) error {
	for _, file := range []struct {
		path  string
		write func(io.Writer) error
	}{
		{f.junit, func(w io.Writer) error { return table.JUnit(w, r) }},
		{f.summary, func(w io.Writer) error { return table.StepSummary(w, r, table.StepSummaryLimit) }},
		{f.gitlab, func(w io.Writer) error { return table.CodeQuality(w, r, filepath.ToSlash(config)) }},
		{f.comment, func(w io.Writer) error { return table.Comment(w, r) }},
	} {
		if file.path == "" {
			continue
		}
		var b bytes.Buffer
		if err := file.write(&b); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(file.path), 0o777); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		if err := renameio.WriteFile(file.path, b.Bytes(), 0o666); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	if step := os.Getenv(stepSummary); step != "" && f.summary == "" {
		return appendSummary(step, r)
	}
	return nil
}

func appendSummary(path string, r *gate.Result) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return fmt.Errorf("write summary ($%s): %w", stepSummary, err)
	}
	info, err := file.Stat()
	if err == nil {
		err = table.StepSummary(file, r, table.StepSummaryLimit-int(info.Size()))
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write summary ($%s): %w", stepSummary, err)
	}
	return nil
}

// gateCode is the exit code; what is to be said stands on standard output.
func gateCode(r *gate.Result) error {
	switch {
	case r.Passes():
		return nil
	case r.Outcome == gate.Regression:
		return &exitError{ExitRegression, nil}
	}
	return &exitError{ExitInconclusive, nil}
}
