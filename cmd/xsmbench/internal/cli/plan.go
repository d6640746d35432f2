package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/cmd/xsmbench/internal/progress"
	"xsmbench/experiment"
	"xsmbench/experiment/series"
	"xsmbench/hv"
	"xsmbench/results"
)

// planFlags say what would be measured, and by how many machines.
type planFlags struct {
	run    runFlags
	revs   revisionFlags
	shards int
	costs  string
	save   string
	learn  []string
	format string
}

// notPlanned are flags of run that say nothing of what is measured.
var notPlanned = []string{"output", "replace", "beside", "resume", "shard", "costs", "timeout", storeURL}

var planFormats = []string{"text", "json"}

func newPlan() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:   "plan",
		Short: "Show what a run builds and boots, and how machines can share it",
		Long: `Plan takes the flags of run and measures nothing. It prints what would be built and
booted, about how long that takes, and how long 1, 2, 3 and more machines need. With
--shards N it shows how the work is divided into N shards. Each machine measures one,
with the same flags and --shard I/N, and xsmbench merge makes one run of them.

How the work is divided follows from the flags alone, and is the same on every
machine. The times that are shown are learned from earlier runs of the target, in
runs or where --learn says, or else those that the target's documentation has. To
divide the work by learned times, save them with --save-costs FILE, and give that
file to plan and to every run with --costs.

With --revs A..B it is the plan of xsmbench series: which revisions there are, and
which of them each machine measures with --shard I/N. It takes the flags of series
then.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.plan(c) },
	}
	f.register(c.Flags())
	configFlag(c)
	return c
}

func (f *planFlags) register(fs *pflag.FlagSet) {
	all := pflag.NewFlagSet("run", pflag.ContinueOnError)
	f.run.register(all)
	all.VisitAll(func(flag *pflag.Flag) {
		if !slices.Contains(notPlanned, flag.Name) {
			fs.AddFlag(flag)
		}
	})
	f.revs.register(fs, "revisions A..B of a series, to plan that instead of a run")
	fs.IntVar(&f.shards, "shards", 0, "show how the work is divided into `N` shards")
	costsFlag(fs, &f.costs)
	fs.StringVar(&f.save, "save-costs", "", "write the costs that the times are from to a `FILE`, for --costs")
	fs.StringArrayVar(&f.learn, "learn", nil, "run `DIR` to learn times from; may be repeated (default: those in runs)")
	fs.StringVar(&f.format, "format", "text", "text or json")
	for _, name := range []string{"shards", "save-costs", "learn"} {
		mark(fs, name)
	}
}

func (f *planFlags) plan(c *cobra.Command) error {
	if err := f.checkSeries(c.Flags()); err != nil {
		return err
	}
	if err := withConfig(c); err != nil {
		return err
	}
	if !slices.Contains(planFormats, f.format) {
		return fmt.Errorf("--format %s: no such format%s", f.format, suggest(f.format, planFormats))
	}
	q, err := f.run.question(c.Flags())
	if err != nil {
		return err
	}
	if f.revs.revs != "" {
		return f.planSeries(c, q)
	}
	t, spec, err := q.Spec()
	if err != nil {
		return inFlags(err)
	}
	v, err := f.view(t, spec)
	if err != nil {
		return inFlags(err)
	}
	if f.save != "" {
		if err := saveCosts(f.save, v.Costs()); err != nil {
			return err
		}
	}
	if f.format == "json" {
		return v.WriteJSON(c.OutOrStdout())
	}
	return v.Write(c.OutOrStdout())
}

// view is the plan as it is divided, with the times that it is shown with.
func (f *planFlags) view(t hv.Target, spec results.Spec) (*progress.Plan, error) {
	if f.shards != 0 {
		share := experiment.Share{Index: 1, Of: f.shards}
		if err := share.Check(spec); err != nil {
			return nil, err
		}
	}
	costs, err := readCosts(f.costs)
	if err != nil {
		return nil, err
	}
	divided, err := experiment.NewPlan(t, spec, costs)
	if err != nil {
		return nil, err
	}
	v := &progress.Plan{Plan: divided, Shown: divided, Shards: f.shards}
	if costs != nil {
		v.From = f.costs
		return v, nil
	}
	e, err := f.experience(t, spec)
	if err != nil {
		return nil, err
	}
	v.Runs = len(e.Runs)
	v.Shown, err = experiment.NewPlan(t, spec, e.Costs(t, spec))
	return v, err
}

// experience is what earlier runs took. A run that was named must be one; of those
// that lie about, what cannot be read is passed over.
func (f *planFlags) experience(t hv.Target, spec results.Spec) (experiment.Experience, error) {
	var e experiment.Experience
	for _, dir := range f.learn {
		if err := e.Learn(t, spec, dir, ofSeries(dir)); err != nil {
			return e, fmt.Errorf("--learn %s: %w", dir, err)
		}
	}
	if f.learn == nil {
		for _, dir := range earlierRuns("runs") {
			_ = e.Learn(t, spec, dir, ofSeries(dir))
		}
	}
	return e, nil
}

// ofSeries reports whether a run directory is one of a series.
func ofSeries(dir string) bool { return series.IsDir(filepath.Dir(filepath.Clean(dir))) }

// mostLearned is from how many runs a plan learns, the latest first.
const mostLearned = 50

// earlierRuns are run directories in a folder, and in folders of it, as shards are, and
// the runs of a series' shards.
func earlierRuns(folder string) []string {
	type run struct {
		dir  string
		info fs.FileInfo
	}
	var all []run
	for _, pattern := range []string{"*", "*/*", "*/*/*"} {
		dirs, _ := filepath.Glob(filepath.Join(folder, pattern))
		for _, dir := range dirs {
			if info, err := os.Stat(filepath.Join(dir, "run.json")); err == nil {
				all = append(all, run{dir, info})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b run) int { return b.info.ModTime().Compare(a.info.ModTime()) })
	var dirs []string
	for _, r := range all[:min(len(all), mostLearned)] {
		dirs = append(dirs, r.dir)
	}
	return dirs
}

func saveCosts(path string, costs *experiment.CostTable) (err error) {
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o666))
	if err != nil {
		return fmt.Errorf("--save-costs: %w", err)
	}
	defer func() { err = errors.Join(err, file.Cleanup()) }()
	if err := costs.Write(io.Writer(file)); err != nil {
		return fmt.Errorf("--save-costs: %w", err)
	}
	return file.CloseAtomicallyReplace()
}
