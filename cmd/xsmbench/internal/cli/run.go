package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"xsmbench/cmd/xsmbench/internal/progress"
	"xsmbench/experiment"
	"xsmbench/experiment/series"
	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/profile"
)

func newRun() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run",
		Short: "Build, boot and measure in rounds, then compare",
		Long: `Run builds the images, boots every build once per round in a balanced order, and
writes one sample per benchmark, domain and boot to the run directory as each
boot ends. At the end it prints the comparison.

With --budget the run chooses its number of rounds. It looks at the rows after 4,
6, 9, 13, 20, 30, 45, 68 and 100 rounds. It ends when a look finds every row
decided, when there is no time for another round, or after the last look. Each look
uses part of the error probability, so intervals are wider than without a budget. At
the end it lists the undecided rows, and the time that they would need.

Ctrl-C stops the measurement, keeps what was measured, and prints the command that
continues the run. xsmbench run --resume DIR measures what is missing, after an
interruption as after failed boots. A second Ctrl-C ends the program at once.

With --shard 3/8 the run measures one of eight parts of its plan and nothing else
(xsmbench plan shows them), and xsmbench merge makes one run of all parts. The same
command again continues the part. Without -o the directory is
runs/plan-HASH/3-of-8, where HASH depends on what is measured. --shard auto takes the
part from SLURM_ARRAY_TASK_ID and its companions, from JOB_COMPLETION_INDEX and
XSMBENCH_SHARDS, or from CI_NODE_INDEX and CI_NODE_TOTAL. Without --shard everything is
measured, whatever these variables say.`,
		Args: cobra.NoArgs,
		RunE: sharing(func(c *cobra.Command, _ []string) error {
			s, err := f.session(c)
			if err != nil {
				return inFlags(err)
			}
			defer s.Close()
			return f.run(c, s)
		}),
	}
	f.register(c.Flags())
	configFlag(c)
	return c
}

// session is the run that the flags ask to make, or to complete.
func (f *runFlags) session(c *cobra.Command) (*experiment.Session, error) {
	if f.resume != "" {
		rest, err := f.continuation(c.Flags())
		if err != nil {
			return nil, err
		}
		return experiment.Resume(rest)
	}
	if err := withConfig(c); err != nil {
		return nil, err
	}
	q, err := f.question(c.Flags())
	if err != nil {
		return nil, err
	}
	if q.Shard == nil {
		sayWhole(c.ErrOrStderr(), os.Getenv)
	}
	return begin(q)
}

// begin is a new run, which may not be in a directory that is a series'.
func begin(q experiment.Question) (*experiment.Session, error) {
	if q.Output != "" && series.IsDir(q.Output) {
		return nil, fmt.Errorf("%s holds a series, and no run: name another directory", q.Output)
	}
	return experiment.Begin(q)
}

func (f *runFlags) run(c *cobra.Command, s *experiment.Session) error {
	out, err := s.Run(c.Context(), progress.New(c.ErrOrStderr()), f.judge)
	if out.Boots == 0 && (s.Shard() == nil || err != nil) {
		return err
	}
	return f.conclude(c, s, out, err)
}

// judge counts the rows of a run, and those that are open.
func (f *runFlags) judge(path string) (rows, open int, err error) {
	in, err := readInput(path)
	if err != nil {
		return 0, 0, err
	}
	c, err := in.compare(f.compareFlags)
	if err != nil {
		return 0, 0, err
	}
	return len(c.Rows), c.Count(compare.Inconclusive), nil
}

// conclude says how the run ended, and compares what there is.
func (f *runFlags) conclude(c *cobra.Command, s *experiment.Session, out experiment.Outcome, err error) error {
	stdout, stderr := c.OutOrStdout(), c.ErrOrStderr()
	goOn := "xsmbench run --resume " + s.Path()
	switch {
	case errors.Is(err, errInterrupted) || c.Context().Err() != nil:
		fmt.Fprintf(stderr, "interrupted: %d of %d boots are in %s; to continue: %s\n", out.Done, out.Boots, s.Path(), goOn)
		return &exitError{ExitInterrupted, nil}
	case err != nil:
		return fmt.Errorf("%w; earlier measurements are in %s; to continue: %s", err, s.Path(), goOn)
	}
	f.single = true
	switch {
	case s.Shard() != nil:
		err = concludeShard(stdout, s, out)
	case out.Done > 0:
		err = f.compareRun(stdout, s)
	}
	if !out.Complete() {
		if err != nil { // as when the base is what is missing
			fmt.Fprintln(stderr, err)
		}
		return fmt.Errorf("%d of %d boots are missing in %s; to measure them: %s", out.Boots-out.Done, out.Boots, s.Path(), goOn)
	}
	if err != nil || s.Shard() != nil {
		return err
	}
	return writeNext(stdout, s.Path(), counts(s.Path()))
}

// writeNext names the run, and the commands that go on from it.
func writeNext(w io.Writer, path string, counted bool) error {
	quoted := shellescape.Quote(path)
	fmt.Fprintf(w, "\nrun: %s\nnext: xsmbench report %s", path, quoted)
	if counted {
		fmt.Fprintf(w, ", or xsmbench hooks %s", quoted)
	}
	_, err := fmt.Fprintln(w)
	return err
}

// counts reports whether a run's directory has profiles of hooks.
func counts(path string) bool {
	_, err := profile.Open(path)
	return err == nil
}

// compareRun prints the comparison, and how the budget ended.
func (f *runFlags) compareRun(w io.Writer, s *experiment.Session) error {
	in, err := readInput(s.Path())
	if err != nil {
		return err
	}
	c, err := in.compare(f.compareFlags)
	if err != nil {
		return err
	}
	if err := in.write(w, c, about.OfInput(in.Input), "text"); err != nil {
		return err
	}
	if spec := s.Spec(); spec.Budget != nil {
		progress.WriteEnding(w, c, spec, s.Path())
	}
	return nil
}
