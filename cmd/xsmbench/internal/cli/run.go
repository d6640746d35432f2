package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/results"
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
				return err
			}
			return s.run(c)
		},
	}
	f.register(c.Flags())
	configFlag(c)
	return c
}

// session is a run about to be measured.
type session struct {
	target  hv.Target
	claim   *results.Claim // of path
	path    string
	spec    results.Spec
	resumed bool
	timeout time.Duration
	compare compareFlags
}

// session finds out what to measure and where.
func (f *runFlags) session(c *cobra.Command) (*session, error) {
	if f.resume != "" {
		return f.resumed(c.Flags())
	}
	if err := withConfig(c); err != nil {
		return nil, err
	}
	return f.fresh(c.Flags())
}

// fresh is a session of a run that does not exist yet.
func (f *runFlags) fresh(fs *pflag.FlagSet) (*session, error) {
	t, spec, err := f.spec(fs)
	if err != nil {
		return nil, err
	}
	criteria, err := f.criteria()
	if err != nil {
		return nil, err
	}
	criteria = criteria.Or(compare.Defaults().Criteria)
	spec.Criteria = &criteria
	if f.base != "" && !slices.ContainsFunc(measured(spec.Builds), func(b hv.Build) bool { return b.Name == f.base }) {
		return nil, fmt.Errorf("--base %s: not among the builds %s", f.base, buildNames(measured(spec.Builds)))
	}
	path := f.output
	if path == "" {
		path = "runs/" + time.Now().Format("2006-01-02-150405")
	}
	claim, err := vacant(path)
	if err != nil {
		return nil, err
	}
	return &session{target: t, claim: claim, path: path, spec: spec, timeout: f.timeout, compare: f.compareFlags}, nil
}

// vacant claims a directory before anything is built, and refuses one that
// holds a run.
func vacant(path string) (*results.Claim, error) {
	claim, err := results.ClaimDir(path)
	if err != nil {
		return nil, fmt.Errorf("create run: %w", err)
	}
	_, err = results.ReadRun(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return claim, nil
	case err == nil:
		err = fmt.Errorf("%s holds a run: complete it with --resume %s, or name another directory with -o", path, path)
	}
	claim.Release()
	return nil, err
}

// resumed takes everything from the run, except that rounds may be added.
func (f *runFlags) resumed(fs *pflag.FlagSet) (*session, error) {
	var extra []string
	fs.Visit(func(flag *pflag.Flag) {
		if !slices.Contains([]string{"resume", "rounds", "budget", "timeout", "base", "margin", "margins", "floors", "confidence"}, flag.Name) {
			extra = append(extra, "--"+flag.Name)
		}
	})
	if extra != nil {
		return nil, fmt.Errorf("%s: a resumed run keeps what it began with", strings.Join(extra, ", "))
	}
	run, err := results.ReadRun(f.resume)
	if err != nil {
		return nil, err
	}
	t, err := lookupTarget(run.Spec.Target)
	if err != nil {
		return nil, fmt.Errorf("resume %s: %w", f.resume, err)
	}
	if err := f.resumeBudget(fs, &run.Spec); err != nil {
		return nil, err
	}
	if fs.Changed("rounds") {
		if run.Spec.Budget != nil {
			return nil, errors.New("--rounds: the run chooses its rounds by a budget; add time with --budget")
		}
		if f.rounds < run.Spec.Rounds {
			return nil, fmt.Errorf("--rounds %d: the run has %d, and rounds can only be added", f.rounds, run.Spec.Rounds)
		}
		run.Spec.Rounds = f.rounds
	}
	claim, err := results.ClaimDir(f.resume)
	if err != nil {
		return nil, fmt.Errorf("resume run: %w", err)
	}
	return &session{target: t, claim: claim, path: f.resume, spec: run.Spec, resumed: true, timeout: f.timeout, compare: f.compareFlags}, nil
}

func (s *session) run(c *cobra.Command) error {
	defer s.claim.Release()
	dir, out, err := s.execute(c)
	if dir == nil {
		return err
	}
	defer dir.Close()
	return s.conclude(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), out, err)
}

// execute builds and measures. The directory is nil if nothing was measured.
func (s *session) execute(c *cobra.Command) (*results.Dir, experiment.Outcome, error) {
	progress := printLine(c.ErrOrStderr())
	images, err := experiment.Ready(c.Context(), s.target, s.spec, progress)
	if err != nil {
		return nil, experiment.Outcome{}, err
	}
	dir, err := s.open(c.Context(), images)
	if err != nil {
		return nil, experiment.Outcome{}, err
	}
	fmt.Fprintf(c.ErrOrStderr(), "run %s: %s of %s; %d benchmarks from %s\n", s.path, s.length(),
		describeBuilds(s.spec.Builds), len(s.spec.Benchmarks), strings.Join(s.spec.Domains, ", "))
	show := newObserver(c.ErrOrStderr())
	r := experiment.Runner{Target: s.target, Dir: dir, Images: images, Observer: show, Timeout: s.timeout}
	out, err := s.measure(c.Context(), r, show)
	show.close()
	s.spec = dir.Run().Spec
	return dir, out, err
}

// length says how long the run is going to be.
func (s *session) length() string {
	if b := s.spec.Budget; b != nil {
		return fmt.Sprintf("up to %s or %d rounds", minutes(b.Time), b.Looks[len(b.Looks)-1])
	}
	return fmt.Sprintf("%d rounds", s.spec.Rounds)
}

// measure runs all rounds, or as many as the budget allows.
func (s *session) measure(ctx context.Context, r experiment.Runner, show observer) (experiment.Outcome, error) {
	if s.spec.Budget == nil {
		return r.Run(ctx)
	}
	q := experiment.Sequence{Runner: r, Judge: s.judge,
		More: func(ctx context.Context, spec results.Spec) (experiment.Images, error) {
			return experiment.Ready(ctx, s.target, spec, func(string) {})
		},
		Looked: func(l results.Look) {
			b := r.Dir.Run().Spec.Budget
			show.note(describeLook(l, len(b.Taken), len(b.Looks)))
		},
	}
	out, _, err := q.Run(ctx)
	return out, err
}

// open makes the run directory, or opens the one to resume.
func (s *session) open(ctx context.Context, images experiment.Images) (*results.Dir, error) {
	if !s.resumed {
		return s.claim.Create(results.Run{
			Tool: version(), Started: time.Now().UTC(), Command: append([]string{"xsmbench"}, os.Args[1:]...), Spec: s.spec,
			Host: describeHost(), Images: images.List(s.spec), Settings: experiment.Settings(ctx, s.target, s.spec, images),
		})
	}
	dir, err := s.claim.Resume()
	if err != nil {
		return nil, err
	}
	run := dir.Run()
	if err := experiment.SameImages(run, images); err != nil {
		dir.Close()
		return nil, fmt.Errorf("resume %s: %w", s.path, err)
	}
	if s.spec.Rounds > run.Spec.Rounds || s.spec.Budget != nil {
		run.Spec = s.spec
		run.Images = images.List(s.spec)
		if err := dir.UpdateRun(run); err != nil {
			dir.Close()
			return nil, fmt.Errorf("resume %s: %w", s.path, err)
		}
	}
	return dir, nil
}

// conclude says how the run ended, and compares what there is.
func (s *session) conclude(ctx context.Context, stdout, stderr io.Writer, out experiment.Outcome, err error) error {
	goOn := "xsmbench run --resume " + s.path
	switch {
	case errors.Is(err, errInterrupted) || ctx.Err() != nil:
		fmt.Fprintf(stderr, "interrupted: %d of %d boots are in %s; to go on: %s\n", out.Done, out.Boots, s.path, goOn)
		return &exitError{ExitInterrupted, nil}
	case err != nil:
		return fmt.Errorf("%w; what was measured before is in %s; to go on: %s", err, s.path, goOn)
	}
	switch {
	case len(s.spec.Builds) == 1:
		fmt.Fprintf(stdout, "one build, %s: there is nothing to compare it with\n", s.spec.Builds[0].Name)
	case out.Done > 0:
		err = s.compareRun(stdout)
	}
	if !out.Complete() {
		if err != nil { // as when the base is what is missing
			fmt.Fprintln(stderr, err)
		}
		return fmt.Errorf("%d of %d boots are missing in %s; to measure them: %s", out.Boots-out.Done, out.Boots, s.path, goOn)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "\nrun: %s\n", s.path)
	return err
}

// compareRun prints the comparison, and how the budget ended.
func (s *session) compareRun(w io.Writer) error {
	c, err := compareRun(w, s.path, s.compare)
	if err == nil && s.spec.Budget != nil {
		writeEnding(w, c, s.spec.Budget, s.spec.Rounds, s.path)
	}
	return err
}

func buildNames(builds []hv.Build) string {
	var names []string
	for _, b := range builds {
		names = append(names, b.Name)
	}
	return strings.Join(names, ", ")
}
