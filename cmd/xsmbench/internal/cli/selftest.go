package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"xsmbench/cmd/xsmbench/internal/progress"
	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/hv/store"
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
		Short: "Add known work to a hook, and check that it is found",
		Long: `Selftest copies the target's source, adds instructions to one FLASK hook, and
counts builds with and without them. It checks that exactly this hook executes
exactly that many more. If the target can be timed, it then adds delays of several
lengths and times them. The length of a step is known from a very long delay. The
shortest delay that is found is what this machine can resolve. A table compares
what was added with what was seen; the controls are below it.

The exit code is 0 if the work was found in the right place and with the right size
(of the delays, at least the longest), and 1 if not.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	c.Flags().StringVar(&f.target, "target", "model", "hypervisor under test")
	c.Flags().IntVar(&f.rounds, "rounds", selftestRounds, "number of rounds in which delays are timed")
	c.Flags().StringVarP(&f.output, "output", "o", "", "directory to keep the runs in (default: runs are not kept)")
	return c
}

type selftestFlags struct {
	target string
	rounds int
	output string
}

func (f *selftestFlags) run(c *cobra.Command) error {
	kept, err := store.Default()
	if err != nil {
		return fmt.Errorf("selftest: %w", err)
	}
	trees, release, err := kept.Scratch("copies of the source")
	if err != nil {
		return fmt.Errorf("selftest: %w", err)
	}
	defer release()
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
		return &exitError{ExitRegression, errors.New("selftest: some of the added work was not found in the right place with the right size")}
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
	title := fmt.Sprintf("instructions added to %s, and how many more one call executes:", in.Hook)
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
	title := fmt.Sprintf("delays added to %s, and how much longer %s takes:", in.Hook, in.Benchmark)
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
