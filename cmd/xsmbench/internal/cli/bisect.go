package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"xsmbench/cmd/xsmbench/internal/progress"
	"xsmbench/experiment/series"
	"xsmbench/reports/profile"
	"xsmbench/reports/table"
)

// bisectFlags say what to look for.
type bisectFlags struct {
	eachFlags
	good, bad, build, domain, unit string
}

func newBisect() *cobra.Command {
	var f bisectFlags
	c := &cobra.Command{
		Use:   "bisect",
		Short: "Find the commit that changed a count",
		Long: `Bisect finds the commit between two revisions that changed the count of a benchmark.
It measures both first, and refuses if their counts do not differ. Then git bisect
chooses the revisions. Each is measured at most once, and only in this benchmark,
build and domain. A revision whose count is nearer to that of --good is good, any
other is bad; one that does not build or boot is skipped.

git bisect runs in a repository of its own, which borrows the objects of yours. Your
checkout and your refs stay as they are. The log of git bisect is printed, and saved
as bisect.log in the directory of the runs; git bisect replay reads it.

Ctrl-C keeps what was measured, and the same command continues.

The exit code is 0 if the commit was found, 2 if revisions that could not be measured
stand in the way of the answer, 3 if there was nothing to find or the search failed,
and 130 after Ctrl-C.`,
		Args: cobra.NoArgs,
		RunE: sharing(func(c *cobra.Command, _ []string) error { return f.find(c) }),
	}
	fs := c.Flags()
	f.register(fs, "builds", "domains", "bench")
	fs.StringVar(&f.run.bench, "bench", "", "benchmark: its name, its operation, or a regular expression that matches one (required)")
	fs.StringVar(&f.good, "good", "", "revision that has the old count (required)")
	fs.StringVar(&f.bad, "bad", "", "revision that has the new count (required)")
	fs.StringVar(&f.build, "build", "flask", "build to measure, as NAME[=KIND]")
	fs.StringVar(&f.domain, "domain", "dom0", "domain to measure from")
	fs.StringVar(&f.unit, "unit", "", "unit of the count (default: instructions of the hypervisor)")
	fs.StringVarP(&f.dir, "output", "o", "", "directory of the runs and the log (default: runs/bisect-HASH)")
	for _, name := range []string{"bench", "good", "bad", "build", "domain", "unit"} {
		mark(fs, name)
	}
	configFlag(c)
	return c
}

// hunt reads the flags, and the experiment file.
func (f *bisectFlags) hunt(c *cobra.Command) (series.Hunt, error) {
	if err := withConfig(c); err != nil {
		return series.Hunt{}, err
	}
	for _, r := range []struct{ flag, value string }{{"bench", f.run.bench}, {"good", f.good}, {"bad", f.bad}} {
		if r.value == "" {
			return series.Hunt{}, fmt.Errorf("--%s is missing: bisect needs a benchmark, a good and a bad revision", r.flag)
		}
	}
	f.run.builds, f.run.domains = []string{f.build}, []string{f.domain}
	each, err := f.question(c.Flags())
	return series.Hunt{Each: each, Good: f.good, Bad: f.bad, Unit: f.unit, Dir: f.dir, Again: f.again}, err
}

func (f *bisectFlags) find(c *cobra.Command) error {
	h, err := f.hunt(c)
	if err != nil {
		return err
	}
	found, err := series.Bisect(c.Context(), h, progress.NewRevisions(c.ErrOrStderr()))
	switch {
	case errors.Is(err, errInterrupted) || c.Context().Err() != nil:
		fmt.Fprintln(c.ErrOrStderr(), "interrupted: what was measured is kept; the same command continues")
		return &exitError{ExitInterrupted, nil}
	case err != nil:
		return inFlags(err)
	}
	writeFound(table.HarmlessWriter(c.OutOrStdout()), found)
	if found.First.Commit == "" {
		return &exitError{ExitInconclusive, nil}
	}
	return nil
}

// writeFound says which commit it was, and what explains the change.
func writeFound(w io.Writer, f *series.Found) {
	fmt.Fprintf(w, "%s\n\n", f.Log)
	g := f.Gauge
	fmt.Fprintf(w, "%s, %s, %s, %s\n", g.Benchmark, g.Domain, g.Build, g.Unit)
	if f.First.Commit == "" {
		fmt.Fprintln(w, "the first bad commit could be any of:")
		for _, r := range f.Suspects {
			fmt.Fprintf(w, "  %s  %s\n", r.Name, table.Message(r))
		}
		for _, e := range f.Skipped {
			fmt.Fprintf(w, "skipped: %s %s: %s\n", e.Name, e.State, e.Reason)
		}
		return
	}
	fmt.Fprintf(w, "first bad commit: %s\n", f.First.Commit)
	fmt.Fprintf(w, "  %s  %s\n", f.First.Name, table.Message(f.First.Revision))
	fmt.Fprintf(w, "  before (%s): %s\n  after: %s, %s\n", f.Before.Name, value(f.Before), value(f.First), table.Count(f.First.Value-f.Before.Value))
	if f.Before.Value != f.Good.Value || f.First.Value != f.Bad.Value {
		fmt.Fprintf(w, "  other commits changed it, too: %s has %s, %s has %s\n", f.Good.Name, value(f.Good), f.Bad.Name, value(f.Bad))
	}
	if d, ok := (profiles{}).between(f.Before.Dir, f.First.Dir, profile.Where{Arch: g.Arch, DomU: g.DomU, Domain: g.Domain}, g.Benchmark, g.Build); ok {
		for _, x := range d.Functions {
			fmt.Fprintf(w, "  %s %s\n", table.Count(x.Instructions), table.FunctionName(x))
		}
		if rest := table.Count(d.Rest()); rest != "0" {
			fmt.Fprintf(w, "  %s that no function explains\n", rest)
		}
	}
	fmt.Fprintf(w, "log: %s\n", shellescape.Quote(filepath.Join(f.Dir, series.LogFile)))
}

func value(r series.Reading) string {
	return strings.TrimSpace(table.Value(r.Value, r.Unit))
}
