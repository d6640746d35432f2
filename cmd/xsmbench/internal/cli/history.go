package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/reports/table"
	"xsmbench/results/history"
)

func newHistory() *cobra.Command {
	c := &cobra.Command{
		Use:   "history",
		Short: "Keep runs in one file, and compare them over time",
		Long: `History keeps runs in one file, so that run directories can be deleted and the runs
still be compared. A run is identified by its start time and host. Adding it again
changes nothing, unless it was resumed since: then the newer version replaces it.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return unknownCommand(c, args)
		},
	}
	c.AddCommand(newHistoryAdd(), newHistoryList(), newHistoryShow(), newHistoryTrend(), newHistoryRemove())
	return c
}

func storeFlag(fs *pflag.FlagSet, store *string) {
	fs.StringVar(store, "store", "", "`file` of the history (default: $XDG_DATA_HOME/xsmbench/history.db)")
}

// storePath is the file that --store names, or the user's.
func storePath(store string) (string, error) {
	if store != "" {
		return store, nil
	}
	return history.DefaultPath()
}

// openStore opens the store for reading.
func openStore(store string) (*history.Store, error) {
	path, err := storePath(store)
	if err != nil {
		return nil, err
	}
	s, err := history.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no history at %s: add a run first (xsmbench history add DIR)", path)
	}
	return s, err
}

// createStore opens the store for writing, and says so if that converted it.
func createStore(store string, log io.Writer) (*history.Store, error) {
	path, err := storePath(store)
	if err != nil {
		return nil, err
	}
	s, err := history.Create(path)
	if err == nil && s.Kept() != "" {
		fmt.Fprintf(log, "%s was converted to a SQLite database; the old file is kept as %s\n", path, s.Kept())
	}
	return s, err
}

func newHistoryAdd() *cobra.Command {
	var store, label string
	c := &cobra.Command{
		Use:   "add DIR...",
		Short: "Add runs",
		Long: `Add stores run.json and the samples of run directories, unchanged. It does not
store console logs and profiles. A run that is already there is not stored twice;
if it was resumed since, the newer version replaces it.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, dirs []string) (err error) {
			if err := withConfig(c); err != nil {
				return err
			}
			s, err := createStore(store, c.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			return s.AddAll(dirs, label, func(dir string, a history.Added) {
				line := fmt.Sprintf("%s  %s: %s", a.Short(), dir, a.Outcome)
				if len(a.Repeats) > 0 && (a.Outcome == history.New || a.Outcome == history.Extended) {
					line += fmt.Sprintf("; repeats images of %s", repeated(a.Repeats))
				}
				fmt.Fprintln(c.OutOrStdout(), line)
			})
		},
	}
	storeFlag(c.Flags(), &store)
	c.Flags().StringVar(&label, "label", "", "name for the runs, such as a commit or a version")
	configFlag(c)
	return c
}

// repeated names the run, or the last of several.
func repeated(runs []history.Run) string {
	last := runs[len(runs)-1]
	if len(runs) == 1 {
		return table.RunName(last)
	}
	return fmt.Sprintf("%d runs, the last %s", len(runs), table.RunName(last))
}

func newHistoryList() *cobra.Command {
	var store string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the runs, the newest last",
		Long: `List prints the runs in the order in which they started, with the first digits of
their images' hashes (+N stands for N more layouts).`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if err := withConfig(c); err != nil {
				return err
			}
			s, err := openStore(store)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			runs, err := s.Runs()
			if err != nil {
				return err
			}
			return table.Runs(c.OutOrStdout(), runs)
		},
	}
	storeFlag(c.Flags(), &store)
	configFlag(c)
	return c
}

// whatWas says in a line what a run was.
func whatWas(r history.Run) string {
	var words []string
	if r.Label != "" {
		words = append(words, r.Label)
	}
	if !r.Run.Started.IsZero() {
		words = append(words, "started "+r.Run.Started.UTC().Format("2006-01-02 15:04"))
	}
	var builds []string
	for _, b := range r.Run.Spec.Builds {
		if !slices.Contains(builds, b.Name) {
			builds = append(builds, b.Name)
		}
	}
	words = append(words, "target "+r.Run.Spec.Target, strings.Join(builds, " and "), number(r.Boots, "boot"), number(r.Samples, "sample"))
	return strings.Join(words, ", ")
}

func number(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func newHistoryRemove() *cobra.Command {
	var store string
	c := &cobra.Command{
		Use:   "remove RUN...",
		Short: "Remove runs",
		Long: `Remove deletes runs from the history, and prints what they were. Name a run by its
label, or by the first digits of its ID: at least four, and enough to be unique. If
one of the names is unknown, nothing is removed.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, words []string) (err error) {
			if err := withConfig(c); err != nil {
				return err
			}
			read, err := openStore(store) // makes none
			if err != nil {
				return err
			}
			if err := read.Close(); err != nil {
				return err
			}
			s, err := createStore(store, c.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			var runs []history.Run
			for _, word := range words {
				run, err := s.FindExactly(word)
				if err != nil {
					return err
				}
				if !slices.ContainsFunc(runs, func(r history.Run) bool { return r.ID == run.ID }) {
					runs = append(runs, run)
				}
			}
			for _, run := range runs {
				if err := s.Remove(run); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "%s  removed: %s\n", run.Short(), whatWas(run))
			}
			return nil
		},
	}
	storeFlag(c.Flags(), &store)
	configFlag(c)
	return c
}
