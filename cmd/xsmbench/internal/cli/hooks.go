package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"xsmbench/reports/hooks"
	"xsmbench/reports/profile"
)

// hookFormats are the ways to write a profile.
var hookFormats = []string{"text", "json", "pprof"}

// hooksFlags say what of a profile to show.
type hooksFlags struct {
	base, bench, hook string
	builds, domains   []string
	functions, matrix bool
	format, output    string
	against, times    string
}

func newHooks() *cobra.Command {
	var f hooksFlags
	c := &cobra.Command{
		Use:   "hooks DIR",
		Short: "Tell which hooks were crossed, how often, and what each cost",
		Long: `Hooks prints, for each benchmark, domain and build of a run that counted
instructions, which hooks an operation crosses, how often, what one call costs
and what share of the operation that is; what a build executes more than the
base, and where; and which hooks no benchmark crossed.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("hooks: name one run directory (see xsmbench hooks --help)")
			}
			r, err := f.open(args[0])
			if err != nil {
				return err
			}
			return f.write(c, r)
		},
	}
	fs := c.Flags()
	fs.StringVar(&f.base, "base", "", "build that the others are explained against (default: the run's first)")
	fs.StringVar(&f.bench, "bench", "", "only benchmarks that match this regular expression")
	fs.StringVar(&f.hook, "hook", "", "only hooks that match this regular expression, and benchmarks that cross them")
	fs.StringSliceVar(&f.builds, "builds", nil, "only these builds")
	fs.StringSliceVar(&f.domains, "domains", nil, "only these domains")
	fs.BoolVar(&f.functions, "functions", false, "explain each difference by function")
	fs.BoolVar(&f.matrix, "matrix", false, "with a matrix of hooks and benchmarks")
	fs.StringVar(&f.against, "against", "", "hold the hooks of the last build against those of another target's run in this directory")
	fs.StringVar(&f.times, "times", "", "join with the times of the run in this directory, which was timed")
	fs.StringVar(&f.format, "format", "text", "text, json or pprof")
	fs.StringVarP(&f.output, "output", "o", "", "directory for the files of --format pprof (default: DIR/pprof)")
	return c
}

// open reads and selects.
func (f *hooksFlags) open(dir string) (*profile.Run, error) {
	if !slices.Contains(hookFormats, f.format) {
		return nil, fmt.Errorf("--format %s: no such format%s", f.format, suggest(f.format, hookFormats))
	}
	filter := profile.Filter{Builds: f.builds, Domains: f.domains}
	for _, x := range []struct {
		flag, expression string
		to               *func(string) bool
	}{{"--bench", f.bench, &filter.Benchmark}, {"--hook", f.hook, &filter.Hook}} {
		if x.expression == "" {
			continue
		}
		re, err := regexp.Compile(x.expression)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", x.flag, x.expression, err)
		}
		*x.to = re.MatchString
	}
	r, err := profile.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := f.check(r); err != nil {
		return nil, err
	}
	r.Select(filter)
	if len(r.Benchmarks) == 0 {
		return nil, fmt.Errorf("hooks of %s: nothing matches", dir)
	}
	return r, nil
}

// check refuses names that the run does not have, and finds the base.
func (f *hooksFlags) check(r *profile.Run) error {
	if f.base == "" && len(r.Builds) > 0 {
		f.base = r.Builds[0]
	}
	for _, b := range append([]string{f.base}, f.builds...) {
		if !slices.Contains(r.Builds, b) {
			return fmt.Errorf("the run has no build %s%s", b, suggest(b, r.Builds))
		}
	}
	for _, d := range f.domains {
		if !slices.Contains(r.Domains, d) {
			return fmt.Errorf("the run has no domain %s%s", d, suggest(d, r.Domains))
		}
	}
	return nil
}

func (f *hooksFlags) write(c *cobra.Command, r *profile.Run) error {
	switch {
	case f.against != "" && f.times != "" || f.format != "text" && (f.against != "" || f.times != ""):
		return errors.New("hooks: --against and --times each print a text of their own: leave the other and --format out")
	case f.against != "":
		return f.writeAgainst(c.OutOrStdout(), r)
	case f.times != "":
		return f.writeTimes(c.OutOrStdout(), r)
	}
	o := hooks.Options{Base: f.base, Functions: f.functions, Matrix: f.matrix}
	switch f.format {
	case "json":
		return hooks.JSON(c.OutOrStdout(), r, o)
	case "pprof":
		return f.pprof(c, r, o)
	}
	return hooks.Text(c.OutOrStdout(), r, o)
}

// model is the target that has the rules of Xen 3.2.
const model = "model"

// writeAgainst puts the model first.
func (f *hooksFlags) writeAgainst(w io.Writer, r *profile.Run) error {
	other, err := profile.Open(f.against)
	if err != nil {
		return err
	}
	if r.Target == other.Target {
		return fmt.Errorf("--against %s: both runs are of target %s; xsmbench compare compares them", f.against, r.Target)
	}
	build := r.Builds[len(r.Builds)-1]
	if !slices.Contains(other.Builds, build) {
		return fmt.Errorf("--against %s: it has no build %s%s", f.against, build, suggest(build, other.Builds))
	}
	if other.Target == model {
		r, other = other, r
	}
	return hooks.Against(w, r, other, build)
}

// writeTimes compares the times as "xsmbench compare" does.
func (f *hooksFlags) writeTimes(w io.Writer, r *profile.Run) error {
	in, err := readInput(f.times)
	if err != nil {
		return err
	}
	compared, err := in.compare(compareFlags{base: f.base})
	if err != nil {
		return err
	}
	timed := hooks.Timed{Path: f.times, Comparison: compared, Images: map[string]string{}}
	if in.Run != nil {
		for _, img := range in.Run.Images {
			if img.Build.Layout == 0 {
				timed.Images[img.Build.Name] = img.Hash
			}
		}
	}
	return hooks.Times(w, r, timed, hooks.Options{Base: f.base})
}

// pprof writes files, and prints their names.
func (f *hooksFlags) pprof(c *cobra.Command, r *profile.Run, o hooks.Options) error {
	dir := f.output
	if dir == "" {
		dir = filepath.Join(r.Path, "pprof")
	}
	paths, err := hooks.Pprof(dir, r, o)
	for _, path := range paths {
		fmt.Fprintln(c.OutOrStdout(), path)
	}
	return err
}
