package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"xsmbench/cmd/xsmbench/internal/progress"
	"xsmbench/experiment"
	"xsmbench/reports/compare"
)

func newRun() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run",
		Short: "Build, boot and measure in rounds, then compare",
		Long: `Run builds the images, boots every build once per round in a balanced order, and
writes one sample per benchmark, domain and boot to the run directory as each
boot ends. At the end it prints the comparison.

With --budget the run chooses its rounds: it looks at the rows after numbers of
rounds that are written down before the first boot (4, 6, 9, 13, 20, 30, 45, 68,
100), and ends when a look leaves no row open, when there is no time for another
round, or with the last look. The looks share the level of the intervals. At the
end it names the rows that stay open, and how long they would need.

Ctrl-C stops the machine that runs, keeps what was measured, and says how to go
on: xsmbench run --resume DIR measures what is missing, of an interrupted run
as of one in which boots failed. A second Ctrl-C ends the program at once.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := f.session(c)
			if err != nil {
				return inFlags(err)
			}
			defer s.Close()
			return f.run(c, s)
		},
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
	return experiment.Begin(q)
}

func (f *runFlags) run(c *cobra.Command, s *experiment.Session) error {
	out, err := s.Run(c.Context(), progress.New(c.ErrOrStderr()), f.judge)
	if out.Boots == 0 {
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
		fmt.Fprintf(stderr, "interrupted: %d of %d boots are in %s; to go on: %s\n", out.Done, out.Boots, s.Path(), goOn)
		return &exitError{ExitInterrupted, nil}
	case err != nil:
		return fmt.Errorf("%w; what was measured before is in %s; to go on: %s", err, s.Path(), goOn)
	}
	switch builds := s.Spec().Builds; {
	case len(builds) == 1:
		fmt.Fprintf(stdout, "one build, %s: there is nothing to compare it with\n", builds[0].Name)
	case out.Done > 0:
		err = f.compareRun(stdout, s)
	}
	if !out.Complete() {
		if err != nil { // as when the base is what is missing
			fmt.Fprintln(stderr, err)
		}
		return fmt.Errorf("%d of %d boots are missing in %s; to measure them: %s", out.Boots-out.Done, out.Boots, s.Path(), goOn)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "\nrun: %s\n", s.Path())
	return err
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
	if err := in.write(w, c, "text"); err != nil {
		return err
	}
	if spec := s.Spec(); spec.Budget != nil {
		progress.WriteEnding(w, c, spec, s.Path())
	}
	return nil
}
