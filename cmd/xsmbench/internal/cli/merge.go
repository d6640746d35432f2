package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"xsmbench/experiment/merge"
	"xsmbench/experiment/series"
)

func newMerge() *cobra.Command {
	var q merge.Request
	c := &cobra.Command{
		Use:   "merge DIR... -o RUN",
		Short: "Make one run of the shards that several machines measured",
		Long: `Merge makes one run directory of the run directories of a plan's shards
(xsmbench run --shard). Their plans, images, emulators and guests must be the same;
what differs is named, and nothing is merged. A boot that two of them have is taken
from the one that began first.

If boots are missing, the run is made without them, and merge names them and exits
with 3. Complete their shard and merge again with --replace, or measure them here
with xsmbench run --resume RUN. Where time is measured, a round that no machine
measured as a whole is left out.

Merge also makes one series of the shards of xsmbench series --shard. The command
of the series without --shard, and with -o RUN, then adds its runs to the history
and prints the table. It measures what is still missing.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, dirs []string) error {
			q.Dirs = dirs
			switch {
			case len(dirs) == 0:
				return errors.New("merge: name the run directories of the shards (see xsmbench merge --help)")
			case q.Output == "":
				return errors.New("merge: name the run directory to make, with -o")
			}
			switch {
			case slices.ContainsFunc(dirs, series.IsDir):
				return mergeSeries(c, q)
			case series.IsDir(q.Output):
				return fmt.Errorf("merge into %s: it holds a series, and no run: name another directory", q.Output)
			}
			r, err := merge.Merge(c.Context(), q)
			if err != nil {
				return inFlags(err)
			}
			return writeMerged(c.OutOrStdout(), c.ErrOrStderr(), q, r)
		},
	}
	c.Flags().StringVarP(&q.Output, "output", "o", "", "run directory to create (required)")
	c.Flags().BoolVar(&q.Replace, "replace", false, "replace the run in the run directory, unless another process is writing it")
	return c
}

// mergeSeries merges shards of a series.
func mergeSeries(c *cobra.Command, q merge.Request) error {
	m, err := series.Merge(c.Context(), series.MergeRequest{Dirs: q.Dirs, Output: q.Output, Replace: q.Replace})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "merged %d of %s, from %s\n", m.Revisions-len(m.Missing), english.Plural(m.Revisions, "revision", ""), english.Plural(len(q.Dirs), "series", "series"))
	if len(m.Missing) == 0 {
		_, err := fmt.Fprintf(c.OutOrStdout(), "\nseries: %s\nnext: the command of the series without --shard, and with -o %s\n", q.Output, shellescape.Quote(q.Output))
		return err
	}
	stderr := c.ErrOrStderr()
	for i, r := range m.Missing {
		if i == mostMissing {
			fmt.Fprintf(stderr, "missing: %d more\n", len(m.Missing)-i)
			break
		}
		fmt.Fprintf(stderr, "missing: %s%s\n", r.Name, ofShard(r.Shard))
	}
	writeAbsent(stderr, m.Absent)
	return fmt.Errorf("%d of %d revisions are missing in %s; complete their shards and merge again with --replace, or measure them here: the command of the series without --shard, and with -o %s",
		len(m.Missing), m.Revisions, q.Output, shellescape.Quote(q.Output))
}

func ofShard(shard string) string {
	if shard == "" {
		return ""
	}
	return ", of shard " + shard
}

// writeMerged says what was merged, and what is missing.
func writeMerged(stdout, stderr io.Writer, q merge.Request, r *merge.Result) error {
	for _, dir := range r.Again {
		fmt.Fprintf(stderr, "%s: its boots are all in others, and counted once\n", dir)
	}
	if r.Halves > 0 {
		fmt.Fprintf(stderr, "left out: %s of rounds that no machine measured as a whole: boots are paired by round, and times of two machines are no pair\n", english.Plural(r.Halves, "boot", ""))
	}
	all := r.Boots + len(r.Missing)
	fmt.Fprintf(stdout, "merged %d of %s, from %s\n", r.Boots, english.Plural(all, "boot", ""), english.Plural(len(q.Dirs), "run", ""))
	if len(r.Missing) == 0 {
		return writeNext(stdout, q.Output, counts(q.Output))
	}
	writeMissing(stderr, r)
	return fmt.Errorf("%d of %d boots are missing in %s; complete their shards and merge again with --replace, or measure them here: xsmbench run --resume %s",
		len(r.Missing), all, q.Output, shellescape.Quote(q.Output))
}

// mostMissing is how many boots are named.
const mostMissing = 20

func writeMissing(w io.Writer, r *merge.Result) {
	for i, m := range r.Missing {
		if i == mostMissing {
			fmt.Fprintf(w, "missing: %d more\n", len(r.Missing)-i)
			break
		}
		fmt.Fprintf(w, "missing: %s in round %d%s\n", m.Name(), m.Round, ofShard(m.Shard))
	}
	writeAbsent(w, r.Absent)
}

// writeAbsent names shards that are not among what is merged.
func writeAbsent(w io.Writer, absent []string) {
	if len(absent) == 0 {
		return
	}
	shown := absent[:min(len(absent), mostMissing)]
	more := ""
	if n := len(absent) - len(shown); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	fmt.Fprintf(w, "not among the runs: %s %s%s\n", english.PluralWord(len(absent), "shard", ""), strings.Join(shown, ", "), more)
}
