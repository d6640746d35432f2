package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/reports/table"
	"xsmbench/results/history"
)

func newHistory() *cobra.Command {
	c := &cobra.Command{
		Use:   "history",
		Short: "Keep runs, and read them side by side",
		Long: `History keeps what run directories hold in one file, the store, so that runs can
be deleted and still be compared. A run is known by its start and host: added
twice it is stored once, resumed since it replaces what it was.`,
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
		fmt.Fprintf(log, "%s is a SQLite database now; what it was is kept as %s\n", path, s.Kept())
	}
	return s, err
}

func newHistoryAdd() *cobra.Command {
	var store, label string
	c := &cobra.Command{
		Use:   "add DIR...",
		Short: "Add runs",
		Long: `Add stores run directories: run.json and the samples as they are. Consoles and
profiles stay where they are. A run that is there already is not stored twice; one
that was resumed since replaces what it was.`,
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
			for _, dir := range dirs {
				a, err := s.Add(dir, label)
				if err != nil {
					return err
				}
				line := fmt.Sprintf("%s  %s: %s", a.Short(), dir, a.Outcome)
				if len(a.Repeats) > 0 && (a.Outcome == history.New || a.Outcome == history.Extended) {
					line += fmt.Sprintf("; repeats images of %s", repeated(a.Repeats))
				}
				fmt.Fprintln(c.OutOrStdout(), line)
			}
			return nil
		},
	}
	storeFlag(c.Flags(), &store)
	c.Flags().StringVar(&label, "label", "", "name of the runs, a commit or a version")
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
the hashes of their images (+N for N further layouts).`,
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

func newHistoryRemove() *cobra.Command {
	var store string
	c := &cobra.Command{
		Use:   "remove RUN...",
		Short: "Take runs out",
		Long:  `Remove deletes runs from the history, named by the start of an ID or by a label.`,
		Args:  cobra.MinimumNArgs(1),
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
			for _, word := range words {
				run, err := s.Find(word)
				if err != nil {
					return err
				}
				if err := s.Remove(run); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "%s  removed\n", run.Short())
			}
			return nil
		},
	}
	storeFlag(c.Flags(), &store)
	configFlag(c)
	return c
}
