package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/cmd/xsmbench/internal/progress"
	"xsmbench/experiment"
	"xsmbench/experiment/series"
	"xsmbench/hv"
	"xsmbench/reports/plot"
	"xsmbench/reports/profile"
	"xsmbench/reports/table"
	"xsmbench/reports/trend"
	"xsmbench/results/history"
)

// eachFlags say how each of several revisions is measured: flags of run.
type eachFlags struct {
	run runFlags
	dir string
	// again tries again what failed.
	again bool
}

// ofEach are the flags of run that hold for each revision.
var ofEach = []string{
	"target", "arch", "builds", "tags", "source", "policy", "xen-option", "kconfig", "clean-build", "domains", "bench", "rounds", "repetitions", "quick",
	"workload", "accel", "domu-kind", "idle-domus", "cpus", "timeout", "beside", storeURL,
}

// register adds the flags of run but those that a command has in its own words.
func (f *eachFlags) register(fs *pflag.FlagSet, own ...string) {
	all := pflag.NewFlagSet("run", pflag.ContinueOnError)
	f.run.register(all)
	for _, name := range ofEach {
		if !slices.Contains(own, name) {
			fs.AddFlag(all.Lookup(name))
		}
	}
	fs.Lookup("source").Usage = "git repository (default: the one around the working directory)"
	fs.BoolVar(&f.again, "retry", false, "try revisions again that did not build or boot before")
	mark(fs, "retry")
}

// question is what is asked of each revision.
func (f *eachFlags) question(fs *pflag.FlagSet) (experiment.Question, error) {
	q, err := f.run.question(fs)
	return ofRevision(q), err
}

// ofRevision is what is asked of one revision of several: its builds are compared with
// those of others, and not judged.
func ofRevision(q experiment.Question) experiment.Question {
	q.Controls, q.Criteria = experiment.WithoutControls, nil
	return q
}

// seriesFlags say which revisions to measure.
type seriesFlags struct {
	eachFlags
	revisionFlags
	shard  shardFlags
	store  string
	unit   string
	format string
}

// revisionFlags choose revisions.
type revisionFlags struct {
	revs     string
	every    int
	merges   bool
	touching []string
}

func (f *revisionFlags) register(fs *pflag.FlagSet, revs string) {
	fs.StringVar(&f.revs, "revs", "", revs)
	fs.IntVar(&f.every, "every", 0, "measure only every `N`th revision, and the last (default: all)")
	fs.BoolVar(&f.merges, "merges", false, "measure only merges")
	fs.StringSliceVar(&f.touching, "touching", nil, "measure only revisions that change this path of the repository; may be repeated")
	for _, name := range []string{"revs", "every", "merges", "touching"} {
		mark(fs, name)
	}
}

// of are the revisions, each of which is asked something.
func (f *revisionFlags) of(each experiment.Question) series.Question {
	return series.Question{Each: each, Range: f.revs, Every: f.every, Merges: f.merges, Touching: f.touching}
}

// seriesFormats are the ways to write a series.
var seriesFormats = []string{"text", "json"}

func newSeries() *cobra.Command {
	var f seriesFlags
	c := &cobra.Command{
		Use:   "series",
		Short: "Measure one revision after another, and show which commit changed which figure",
		Long: `Series measures the revisions A..B of a git repository, and adds each run to the
history. At the end it prints for each commit which operations became dearer or
cheaper, by how much, and in which functions.

It follows first parents, so that each revision is the one before it with one
change. A is measured too, because the first of the others is compared with it.
--every, --merges and --touching choose some of the revisions; a change then names
the others that may have caused it.

A revision is measured only if an image of its builds differs from that of the
revisions measured before. A revision that does not build or boot is recorded with
the reason, and skipped.

Ctrl-C keeps what was measured. The same command continues: what the run
directories or the history hold is not measured again. --retry tries again what
did not build or boot. Without -o the directory is runs/series-HASH, where HASH
depends on what is measured, but not on the revisions: another range continues it.

With --shard 3/8 it measures one of eight parts of the revisions, in a directory of
its own (runs/series-HASH/3-of-8), and leaves the history alone. xsmbench merge makes
one series of all parts, in which the same command without --shard shows the table
that one machine would have given. xsmbench plan --revs A..B shows the parts.

The exit code is 0 if every revision was measured or recorded, 3 if the series could
not go on, and 130 after Ctrl-C.`,
		Args: cobra.NoArgs,
		RunE: sharing(func(c *cobra.Command, _ []string) error { return f.measure(c) }),
	}
	fs := c.Flags()
	f.eachFlags.register(fs)
	f.revisionFlags.register(fs, "revisions A..B to measure (required)")
	fs.StringVar(&f.shard.shard, "shard", "", "part of the revisions to measure, such as 3/8; auto takes it from Slurm, Kubernetes or GitLab")
	mark(fs, "shard")
	fs.StringVarP(&f.dir, "output", "o", "", "directory of the runs (default: runs/series-HASH)")
	fs.StringVar(&f.unit, "unit", "", "regular expression over the units to show (default: the one to compare by: instructions where they are counted, times elsewhere)")
	fs.StringVar(&f.format, "format", "text", "text or json")
	storeFlag(fs, &f.store)
	mark(fs, "unit")
	configFlag(c)
	return c
}

// questionOf reads the flags, and the experiment file.
func (f *seriesFlags) questionOf(c *cobra.Command) (series.Question, error) {
	if err := withConfig(c); err != nil {
		return series.Question{}, err
	}
	switch {
	case f.revs == "":
		return series.Question{}, errors.New("--revs: name the revisions to measure, as A..B")
	case !slices.Contains(seriesFormats, f.format):
		return series.Question{}, fmt.Errorf("--format %s: no such format%s", f.format, suggest(f.format, seriesFormats))
	}
	each, err := f.question(c.Flags())
	if err != nil {
		return series.Question{}, err
	}
	q := f.of(each)
	q.Dir, q.Again = f.dir, f.again
	q.Share, err = f.shard.share(os.Getenv)
	return q, err
}

func (f *seriesFlags) measure(c *cobra.Command) (err error) {
	q, err := f.questionOf(c)
	if err != nil {
		return err
	}
	options, err := f.options(q)
	if err != nil {
		return err
	}
	if q.Share != nil {
		return f.measureShard(c, q)
	}
	store, err := createStore(f.store, c.ErrOrStderr())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	s, failed := series.Measure(c.Context(), q, store, progress.NewRevisions(c.ErrOrStderr()))
	if s == nil {
		return inFlags(failed)
	}
	if err := f.show(c.OutOrStdout(), s, store, options); err != nil {
		return errors.Join(failed, err)
	}
	return concludeSeries(c, s, failed)
}

// concludeSeries says how a series ended that did not end well.
func concludeSeries(c *cobra.Command, s *series.Series, failed error) error {
	if errors.Is(failed, errInterrupted) || c.Context().Err() != nil {
		fmt.Fprintf(c.ErrOrStderr(), "interrupted: %d of %d revisions are done, in %s; the same command continues\n", len(s.Entries), len(s.Mine()), s.Dir)
		return &exitError{ExitInterrupted, nil}
	}
	return inFlags(failed)
}

// measureShard measures a part. What changed is seen when all are merged, and then the
// history gets the runs.
func (f *seriesFlags) measureShard(c *cobra.Command, q series.Question) error {
	s, failed := series.Measure(c.Context(), q, nil, progress.NewRevisions(c.ErrOrStderr()))
	if s == nil {
		return inFlags(failed)
	}
	if f.format == "json" {
		if err := table.StepsJSON(c.OutOrStdout(), append([]series.Entry{}, s.Entries...), nil, nil); err != nil {
			return errors.Join(failed, err)
		}
		return concludeSeries(c, s, failed)
	}
	w := table.HarmlessWriter(c.OutOrStdout())
	writeStates(w, s)
	fmt.Fprintf(w, "shard %s: %d of %s, in %s\n", s.Shard, len(s.Mine()), english.Plural(len(s.Plan.Chosen), "revision", ""), s.Dir)
	if failed == nil {
		fmt.Fprintln(w, "next: when all shards are there, xsmbench merge DIR... -o SERIES")
	}
	return concludeSeries(c, s, failed)
}

// options say which figures are shown: those of one unit, in any place.
func (f *seriesFlags) options(q series.Question) (trend.Options, error) {
	t, err := lookupTarget(q.Each.Target)
	if err != nil {
		return trend.Options{}, err
	}
	expression := f.unit
	if expression == "" {
		expression = "^" + regexp.QuoteMeta(hv.UnitUnder(t, q.Each.Accel)) + "$"
	}
	unit, err := regexp.Compile(expression)
	if err != nil {
		return trend.Options{}, fmt.Errorf("--unit: %w", err)
	}
	return trend.Options{Unit: unit, AnyHost: true}, nil
}

// show writes what a series found out.
func (f *seriesFlags) show(w io.Writer, s *series.Series, store *history.Store, options trend.Options) error {
	var revised []trend.Revised
	for _, e := range s.Entries {
		revised = append(revised, trend.Revised{Revision: e.Revision, Run: e.ID})
	}
	t, steps, err := trend.ReadSteps(store, s.Plan.All, revised, options)
	if err != nil {
		return err
	}
	explain := explainer(s)
	if f.format == "json" {
		return table.StepsJSON(w, s.Entries, steps, explain)
	}
	w = table.HarmlessWriter(w)
	writeStates(w, s)
	if err := table.Steps(w, t, steps, explain); err != nil {
		return err
	}
	if len(t.Runs) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	if err := table.Levels(w, t); err != nil {
		return err
	}
	pictures := filepath.Join(s.Dir, "trends")
	if err := plot.SaveAll(plot.Trends(t), pictures); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "runs: %s\npictures: %s\n", s.Dir, pictures)
	return err
}

// writeStates counts what became of the revisions, and says why some have no
// figures.
func writeStates(w io.Writer, s *series.Series) {
	count := map[series.State]int{}
	for _, e := range s.Entries {
		count[e.State]++
	}
	var words []string
	for _, state := range []series.State{series.Measured, series.SameImage, series.NotBuilt, series.NotBooted} {
		if n := count[state]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, state))
		}
	}
	if n := len(s.Mine()) - len(s.Entries); n > 0 {
		words = append(words, fmt.Sprintf("%d still to come", n))
	}
	if words == nil {
		words = []string{"nothing to do"}
	}
	fmt.Fprintf(w, "%s: %s\n", number(len(s.Mine()), "revision"), strings.Join(words, ", "))
	for _, e := range s.Entries {
		if !e.HasFigures() {
			fmt.Fprintf(w, "  %s %s: %s\n", e.Name, e.State, e.Reason)
		}
	}
	fmt.Fprintln(w)
}

// explainer reads the profiles of runs that the series' directory has.
func explainer(s *series.Series) table.Explainer {
	dirs := map[string]string{}
	for _, e := range s.Entries {
		if e.ID != "" && e.Run != "" {
			dirs[e.ID] = filepath.Join(s.Dir, e.Run)
		}
	}
	read := profiles{}
	return func(c trend.StepChange) (profile.Difference, bool) {
		return read.between(dirs[c.Before.ID], dirs[c.After.ID], table.Where(c.Environment), c.Benchmark, c.Build)
	}
}

// profiles are those of run directories, each read once.
type profiles map[string]*profile.Run

func (p profiles) of(dir string) *profile.Run {
	r, ok := p[dir]
	if !ok && dir != "" {
		r, _ = profile.Open(dir) // a run that times has none
		p[dir] = r
	}
	return r
}

func (p profiles) between(before, after string, at profile.Where, benchmark, build string) (profile.Difference, bool) {
	a, b := p.of(before), p.of(after)
	if a == nil || b == nil {
		return profile.Difference{}, false
	}
	return profile.Between(a, b, at, benchmark, build)
}
