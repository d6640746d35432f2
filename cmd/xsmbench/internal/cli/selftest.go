package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/reports/profile"
	"xsmbench/reports/selftest"
)

// selftestRounds is how often the delays are booted; each round has another
// layout.
const selftestRounds = 10

// beside are benchmarks that do not cross the hook, or others as well: what is
// put into the hook must not be seen there.
const beside = `Kbench/hypercall/op=(xen_version|evtchn_send_peer|evtchn_alloc_close)$`

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
	t, err := lookupTarget(f.target)
	if err != nil {
		return err
	}
	injector, ok := t.(hv.Injector)
	if !ok {
		return fmt.Errorf("selftest: target %s cannot be given work in a hook", t.Name())
	}
	if f.rounds < 2 || f.rounds > 1000 {
		return fmt.Errorf("--rounds %d: must be from 2 to 1000", f.rounds)
	}
	trees, err := os.MkdirTemp("", "xsmbench-selftest")
	if err != nil {
		return fmt.Errorf("selftest: %w", err)
	}
	defer os.RemoveAll(trees)
	s := tester{c: c, target: t, injector: injector, Injection: injector.Injection(), trees: trees, runs: f.output, rounds: f.rounds}
	if s.runs == "" {
		s.runs = filepath.Join(trees, "runs")
	}
	passed, err := s.instructions()
	if err == nil && s.Delays != nil {
		var delays bool
		delays, err = s.delays()
		passed = passed && delays
	}
	switch {
	case err != nil:
		return err
	case !passed:
		return &exitError{ExitRegression, errors.New("selftest: not all that was put in was found in its place and of its size")}
	}
	return nil
}

// tester puts work into a target's hook and measures.
type tester struct {
	hv.Injection
	c        *cobra.Command
	target   hv.Target
	injector hv.Injector
	trees    string // copies of the source
	runs     string
	rounds   int
	words    []string // the builds to measure next, as --builds has them
}

// instructions counts builds with more of them.
func (s *tester) instructions() (bool, error) {
	builds, err := s.inject("count", false, s.Instructions)
	if err != nil {
		return false, err
	}
	dir, err := s.measure("counted", "--accel", s.Accel, "--aa=false")
	if err != nil {
		return false, err
	}
	r, err := profile.Open(dir)
	if err != nil {
		return false, err
	}
	found := selftest.Counted(r, builds[0].Build, s.Hook, builds[1:])
	title := fmt.Sprintf("instructions put into %s, and what one call has more of them:", s.Hook)
	return selftest.Passes(found), selftest.Write(s.c.OutOrStdout(), title, found)
}

// delays times builds with longer ones.
func (s *tester) delays() (bool, error) {
	builds, err := s.inject("delay", true, append(slices.Clone(s.Delays), s.Long))
	if err != nil {
		return false, err
	}
	dir, err := s.measure("timed", "--quick", "--rounds", fmt.Sprint(s.rounds))
	if err != nil {
		return false, err
	}
	in, err := readInput([]string{dir})
	if err != nil {
		return false, err
	}
	c, err := in.compare(compareFlags{})
	if err != nil {
		return false, err
	}
	last := len(builds) - 1
	found := selftest.Timed(c, s.Benchmark, builds[1:last], builds[last])
	title := fmt.Sprintf("delays put into %s, and how much longer %s takes:", s.Hook, s.Benchmark)
	if err := selftest.Write(s.c.OutOrStdout(), title, found); err != nil {
		return false, err
	}
	return selftest.Passes(found), writeControls(s.c.OutOrStdout(), c, s.Benchmark)
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

// inject makes a tree without work, and one with each amount of it.
func (s *tester) inject(name string, delay bool, amounts []int) ([]selftest.Injected, error) {
	var builds []selftest.Injected
	for _, n := range append([]int{0}, amounts...) {
		in := selftest.Injected{Build: fmt.Sprintf("%s%d", name, n), Amount: n}
		b, err := s.injector.Inject(s.c.Context(), hv.Work{Delay: delay, Amount: n}, filepath.Join(s.trees, in.Build), printLine(s.c.ErrOrStderr()))
		if err != nil {
			return nil, err
		}
		builds = append(builds, in)
		s.words = append(s.words, in.Build+"="+b.KindOf()+"@"+b.Source)
	}
	return builds, nil
}

// measure runs the builds that inject made, and returns the run's directory.
func (s *tester) measure(name string, args ...string) (string, error) {
	bench := "^(" + regexp.QuoteMeta(s.Benchmark) + "$|" + beside + ")"
	path := filepath.Join(s.runs, name)
	args = append(args, "--target", s.target.Name(), "--bench", bench, "-o", path, "--builds", strings.Join(s.words, ","))
	s.words = nil
	var f runFlags
	fs := pflag.NewFlagSet("selftest", pflag.ContinueOnError)
	f.register(fs)
	if err := fs.Parse(args); err != nil {
		return "", fmt.Errorf("selftest: %w", err)
	}
	session, err := f.fresh(fs)
	if err != nil {
		return "", err
	}
	defer session.claim.Release()
	dir, out, err := session.execute(s.c)
	if dir != nil {
		err = errors.Join(err, dir.Close())
	}
	if err == nil && !out.Complete() {
		err = fmt.Errorf("selftest: %d of %d boots failed", out.Boots-out.Done, out.Boots)
	}
	return path, err
}
