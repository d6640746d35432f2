package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"xsmbench/cmd/xsmbench/internal/progress"
	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/reports/profile"
	"xsmbench/reports/selftest"
)

// selftestRounds is how often the delays are booted; each round has another
// layout.
const selftestRounds = 10

func newSelftest() *cobra.Command {
	var f selftestFlags
	c := &cobra.Command{
		Use:   "selftest",
		Short: "Put known work into a hook, and see whether it is found",
		Long: `Selftest copies the target's source, puts instructions into one hook of FLASK,
counts builds with and without them, and checks that exactly that hook executes
exactly so many more. Where the target is timed it does the same with delays of
several lengths: how long they are is known from a very long one, and the
smallest one that is found is what this machine can resolve. A table shows what
was put in and what was seen, and below it what the controls show.

It exits with 0 if all was found in the right place and of the right size (of the
delays at least the longest), with 1 if not.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	c.Flags().StringVar(&f.target, "target", "model", "hypervisor under test")
	c.Flags().IntVar(&f.rounds, "rounds", selftestRounds, "rounds in which the delays are timed")
	c.Flags().StringVarP(&f.output, "output", "o", "", "directory to keep the runs in (default: they are not kept)")
	return c
}

type selftestFlags struct {
	target string
	rounds int
	output string
}

func (f *selftestFlags) run(c *cobra.Command) error {
	trees, err := os.MkdirTemp("", "xsmbench-selftest")
	if err != nil {
		return fmt.Errorf("selftest: %w", err)
	}
	defer os.RemoveAll(trees)
	criteria := compare.Defaults().Criteria
	s := experiment.Selftest{
		Target: f.target, Trees: trees, Runs: f.output, TimedRounds: f.rounds,
		Criteria: &criteria, Tool: version(), Command: commandLine(),
	}
	if s.Runs == "" {
		s.Runs = filepath.Join(trees, "runs")
	}
	in, err := s.Injection()
	if err != nil {
		return inFlags(err)
	}
	passed, err := countInstructions(c, s, in)
	if err == nil && in.Delays != nil {
		var delays bool
		delays, err = timeDelays(c, s, in)
		passed = passed && delays
	}
	switch {
	case err != nil:
		return inFlags(err)
	case !passed:
		return &exitError{ExitRegression, errors.New("selftest: not all that was put in was found in its place and of its size")}
	}
	return nil
}

// countInstructions counts builds with more of them, and says what was found.
func countInstructions(c *cobra.Command, s experiment.Selftest, in hv.Injection) (bool, error) {
	run, err := s.Count(c.Context(), progress.New(c.ErrOrStderr()))
	if err != nil {
		return false, err
	}
	r, err := profile.Open(run.Path)
	if err != nil {
		return false, err
	}
	found := selftest.Counted(r, run.Base, in.Hook, injected(run))
	title := fmt.Sprintf("instructions put into %s, and what one call has more of them:", in.Hook)
	return selftest.Passes(found), selftest.Write(c.OutOrStdout(), title, found)
}

// timeDelays times builds with longer ones, and says what was found.
func timeDelays(c *cobra.Command, s experiment.Selftest, in hv.Injection) (bool, error) {
	run, err := s.Time(c.Context(), progress.New(c.ErrOrStderr()))
	if err != nil {
		return false, err
	}
	samples, err := readInput(run.Path)
	if err != nil {
		return false, err
	}
	compared, err := samples.Compare(compare.Options{})
	if err != nil {
		return false, err
	}
	builds := injected(run)
	last := len(builds) - 1
	found := selftest.Timed(compared, in.Benchmark, builds[:last], builds[last])
	title := fmt.Sprintf("delays put into %s, and how much longer %s takes:", in.Hook, in.Benchmark)
	if err := selftest.Write(c.OutOrStdout(), title, found); err != nil {
		return false, err
	}
	return selftest.Passes(found), writeControls(c.OutOrStdout(), compared, in.Benchmark)
}

// injected are a run's builds as they are judged.
func injected(run experiment.InjectedRun) []selftest.Injected {
	var all []selftest.Injected
	for _, b := range run.Builds {
		all = append(all, selftest.Injected{Build: b.Build, Amount: b.Work.Amount})
	}
	return all
}

// writeControls says what the controls show of a benchmark.
func writeControls(w io.Writer, c *compare.Comparison, benchmark string) error {
	for _, r := range c.Controls {
		if r.Benchmark != benchmark {
			continue
		}
		if _, err := fmt.Fprintf(w, "control in %s, %s: %+.1f%% [%+.1f, %+.1f], %s\n", r.Domain, r.Kinship(),
			100*r.Overhead(), 100*(r.Lo-1), 100*(r.Hi-1), r.Verdict); err != nil {
			return err
		}
	}
	return nil
}
