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

	"xsmbench/experiment/series"
	"xsmbench/reports/change"
	"xsmbench/reports/ci"
	"xsmbench/reports/compare"
	"xsmbench/reports/gate"
	"xsmbench/reports/profile"
	"xsmbench/results"
)

// stepSummary is the variable in which GitHub Actions names the file that a
// step's summary is appended to.
const stepSummary = "GITHUB_STEP_SUMMARY"

// gateFlags say what to judge, and where to write what.
type gateFlags struct {
	compareFlags
	earlierFlags
	selectFlags
	only    []string
	renames []string
	allow   bool
	missing bool
	reached bool

	junit, summary, gitlab, comment string
}

func (f *gateFlags) register(fs *pflag.FlagSet) {
	f.compareFlags.register(fs, "")
	f.earlierFlags.register(fs)
	f.selectFlags.register(fs)
	fs.StringSliceVar(&f.only, "only", nil, "only judge these builds (default: all but the base)")
	fs.StringSliceVar(&f.renames, gate.RenameKey, nil, "build that was renamed since the earlier run, as OLD=NEW")
	fs.BoolVar(&f.missing, "allow-missing", false, "let the gate pass although a row is missing on one side, or run.json is missing; they are still named")
	fs.BoolVar(&f.reached, "require-reached", false, "exit with 2 if a function was changed that no benchmark executes, or if that is not known; without this it is a note")
	fs.BoolVar(&f.allow, "allow-inconclusive", false, "exit with 0, not 2, if no row is slower but one is inconclusive")
	fs.StringVar(&f.junit, "junit", "", "file for the rows as JUnit XML test results")
	fs.StringVar(&f.summary, "summary", "", "file for a Markdown summary (default: appended to $"+stepSummary+", if it is set)")
	fs.StringVar(&f.gitlab, "gitlab", "", "file for a GitLab code quality report")
	fs.StringVar(&f.comment, "comment", "", "file for a short Markdown comment; it is empty if there is nothing to report")
}

func newGate() *cobra.Command {
	var f gateFlags
	c := &cobra.Command{
		Use:   "gate DIR",
		Short: "Decide whether a run may pass, for pipelines",
		Long: `Gate compares the builds of a run with its base. With --against it compares each
build with itself in an earlier run. It exits with

0   if every row is within its margin or faster
1   if a row is slower
2   if no row is slower, but one is inconclusive or could not be judged
3   if a planned benchmark has no sample, a file is damaged, or gate failed

Gate compares three lists of rows: what the run planned (run.json), what it
measured, and what the earlier run has. A row that is missing from one of them is
named and does not pass. A run without any row to judge does not pass either,
unless its images are identical to those that they are compared with. [[waive]]
tables in the experiment file let rows pass until a given date, with a reason.
[rename] gives builds and benchmarks of the earlier run their new names.

Of a series, which xsmbench series or merge made, it compares the last revision with
the first.

Rows say nothing of code that no benchmark executes. If a run counted instructions,
gate compares the functions of a build with those of the build of the same kind that
it is compared with, and names the changed functions that never executed. They are a
note; with --require-reached they do not pass.`,
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
		return errors.New("gate: one run directory is needed (see xsmbench gate --help)")
	}
	config, given := configOf(c)
	waivers, err := readWaivers(config, given)
	if err != nil {
		return err
	}
	renames, err := readRenames(f.renames, config, given)
	if err != nil {
		return err
	}
	path, err := f.ofSeries(paths[0])
	if err != nil {
		return err
	}
	in, damage, err := f.input(path, renames)
	if err != nil {
		return err
	}
	in.Waivers, in.Today, in.AllowInconclusive, in.AllowMissing = waivers, time.Now(), f.allow, f.missing
	in.RequireReached = f.reached
	in.Repeat = f.repeat(in)
	r := gate.Judge(*in)
	if err := ci.Text(c.OutOrStdout(), r); err != nil {
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

// ofSeries is the run to judge: of a series that of the last revision, and then the
// earlier run is that of the first, unless another one is named.
func (f *gateFlags) ofSeries(path string) (string, error) {
	if !series.IsDir(path) {
		return path, nil
	}
	first, last, err := series.Ends(path)
	if err != nil {
		return "", fmt.Errorf("gate: %w", err)
	}
	if f.against == "" && f.store == "" {
		f.against, f.itself = first, true
	}
	return last, nil
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
func (f *gateFlags) input(path string, renames renamer) (in *gate.Input, damage error, err error) {
	if err := f.earlierFlags.check(); err != nil {
		return nil, nil, err
	}
	now, err := readInput(path)
	if err != nil {
		return nil, nil, err
	}
	hooks, err := now.hooks()
	if err != nil {
		return nil, nil, err
	}
	before, from, err := f.earlierFlags.read(path, now.Run)
	if err != nil {
		return nil, nil, err
	}
	in = &gate.Input{Run: now.Run, Earlier: from, Only: f.only, Problems: now.Problems}
	damage = now.Malformed()
	switch {
	case from != "":
		if in.Renamed, err = renames.apply(now, before); err != nil {
			return nil, nil, err
		}
		in.Before, damage = before.Run, errors.Join(damage, before.Malformed())
		in.Comparison, err = now.against(before, f.compareFlags)
	case len(f.renames) > 0:
		return nil, nil, errors.New("--rename: needs an earlier run; name one with --against or --against-store")
	default:
		in.Comparison, err = now.compare(f.compareFlags)
	}
	if err != nil {
		return nil, nil, err
	}
	if in.Changes, err = now.changes(in.Comparison.Base, hooks, before, from != ""); err != nil {
		return nil, nil, err
	}
	if in.Comparison, err = f.apply(in.Comparison); err != nil {
		return nil, nil, err
	}
	if damage != nil {
		damage = errors.New(strings.ReplaceAll(damage.Error(), "\n", "; "))
		in.Damage = damage.Error()
	}
	return in, damage, f.checkOnly(in)
}

// changes are those of builds since an earlier run, or against the base.
func (in input) changes(base string, r *profile.Run, before input, since bool) ([]change.Change, error) {
	if !since {
		return change.Of(in.Run, in.Dir, base, r), nil
	}
	earlier, err := before.hooks()
	if err != nil {
		return nil, err
	}
	return change.Since(change.Side{Run: before.Run, Dir: before.Dir, Profile: earlier}, change.Side{Run: in.Run, Dir: in.Dir, Profile: r}), nil
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
			return fmt.Errorf("--only %s: the run has no such build to judge%s", build, suggest(build, known))
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
	if err := in.knows(o.Criteria); err != nil {
		return nil, err
	}
	if o.Counted, err = executed(in, before); err != nil {
		return nil, err
	}
	return in.Against(before.Input, in.ordered(o))
}

// sameRun reports whether two paths hold one run, which differs from itself in
// nothing.
func sameRun(a, b string, x, y *results.Run) bool {
	i, errA := os.Stat(a)
	j, errB := os.Stat(b)
	if errA == nil && errB == nil && os.SameFile(i, j) {
		return true
	}
	return isRun(x, y)
}

// write writes the files that were asked for. Each is replaced as a whole,
// except for the summary of a GitHub step, which other commands add to.
func (f *gateFlags) write(r *gate.Result, config string) error {
	for _, file := range []struct {
		path  string
		write func(io.Writer) error
	}{
		{f.junit, func(w io.Writer) error { return ci.JUnit(w, r) }},
		{f.summary, func(w io.Writer) error { return ci.StepSummary(w, r, ci.StepSummaryLimit) }},
		{f.gitlab, func(w io.Writer) error { return ci.CodeQuality(w, r, filepath.ToSlash(config)) }},
		{f.comment, func(w io.Writer) error { return ci.Comment(w, r) }},
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
		err = ci.StepSummary(file, r, ci.StepSummaryLimit-int(info.Size()))
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
	case r.Outcome == gate.Incomplete:
		return &exitError{ExitFailed, fmt.Errorf("gate: %d of %d rows were planned but have no sample", r.Count(gate.Incomplete), len(r.Findings))}
	}
	return &exitError{ExitInconclusive, nil}
}
