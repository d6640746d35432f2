package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"xsmbench/reports/about"
	"xsmbench/reports/table"
	"xsmbench/results/history"
)

// showFormats are the ways to show a run.
var showFormats = []string{"text", "bench", "json"}

func newHistoryShow() *cobra.Command {
	var store, format, out string
	c := &cobra.Command{
		Use:   "show RUN",
		Short: "Show a run, or restore its directory",
		Long: `Show prints a summary of a run. --format bench prints its samples in Go's benchmark
format, as they were added; --format json prints its run.json. -o restores the run
directory, which compare and report read like any other.

RUN is the first digits of an ID, a label, or "last".`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if err := withConfig(c); err != nil {
				return err
			}
			if !slices.Contains(showFormats, format) {
				return fmt.Errorf("--format %s: no such format%s", format, suggest(format, showFormats))
			}
			s, err := openStore(store)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			run, err := s.Find(args[0])
			if err != nil {
				return err
			}
			files, err := s.Files(run)
			if err != nil {
				return err
			}
			if out != "" {
				if err := history.Restore(out, files); err != nil {
					return err
				}
				_, err := fmt.Fprintln(c.OutOrStdout(), out)
				return err
			}
			return showRun(c.OutOrStdout(), run, files, format)
		},
	}
	storeFlag(c.Flags(), &store)
	c.Flags().StringVar(&format, "format", "text", "text, bench or json")
	c.Flags().StringVarP(&out, "output", "o", "", "run directory to create")
	configFlag(c)
	return c
}

func showRun(w io.Writer, run history.Run, files []history.File, format string) error {
	for _, f := range files {
		if format == "json" && f.Name == "run.json" || format == "bench" && strings.HasSuffix(f.Name, ".txt") {
			if _, err := w.Write(f.Text); err != nil {
				return err
			}
		}
	}
	if format != "text" {
		return nil
	}
	if err := table.Runs(w, []history.Run{run}); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%-12s %s\n%-12s %s\n", "id:", run.ID, "added:", run.Added.Format("2006-01-02 15:04 UTC"))
	a := about.Of(&run.Run, nil, nil)
	for _, f := range a.Facts {
		fmt.Fprintf(w, "%-12s %s\n", f.Label+":", f.Text)
	}
	for _, b := range a.Builds {
		fmt.Fprintf(w, "%-12s %s\n", b.Name+":", b.Describe())
	}
	return nil
}
