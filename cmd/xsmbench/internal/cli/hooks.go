package cli

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"xsmbench/reports/hooks"
	"xsmbench/reports/profile"
	"xsmbench/reports/table"
	"xsmbench/results"
)

// hookFormats are the ways to write a profile.
var hookFormats = []string{"text", "json", "pprof"}

// counted is the unit of profiles.
const counted = "xen-instr/op"

// hooksFlags say what of a profile to show.
type hooksFlags struct {
	selectFlags
	base, hook        string
	functions, matrix bool
	format, output    string
	against, times    string
}

func newHooks() *cobra.Command {
	var f hooksFlags
	c := &cobra.Command{
		Use:   "hooks DIR",
		Short: "Show which hooks were crossed, how often, and what each cost",
		Long: `Hooks reads a run that counted instructions. For each benchmark, domain and build
it prints the hooks that an operation crosses, how often, what one call costs, and
its share of the operation. It also prints how many more instructions a build
executes than the base and in which code, and the hooks that no benchmark crossed.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("hooks: one run directory is needed (see xsmbench hooks --help)")
			}
			r, err := f.open(args[0])
			if err != nil {
				return err
			}
			if err := f.write(c, r); err != nil {
				return err
			}
			return unread(r)
		},
	}
	fs := c.Flags()
	fs.StringVar(&f.base, "base", "", "build that the others are compared with (default: the run's first)")
	fs.StringVar(&f.hook, "hook", "", "only hooks that match this regular expression, and benchmarks that cross them")
	f.selectFlags.register(fs)
	fs.BoolVar(&f.functions, "functions", false, "split each difference by function")
	fs.BoolVar(&f.matrix, "matrix", false, "add a matrix of hooks and benchmarks")
	fs.StringVar(&f.against, "against", "", "compare the last build's hooks with those of another run, of this target or another, in this directory")
	fs.StringVar(&f.times, "times", "", "combine with the times of a timed run, in this directory")
	formatFlag(fs, &f.format, "text, json or pprof")
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
	view, err := f.view()
	if err != nil {
		return nil, err
	}
	if f.unit != "" && f.unit != counted {
		return nil, fmt.Errorf("--unit %s: profiles only have %s; use xsmbench compare for other units", f.unit, counted)
	}
	r, err := profile.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := f.check(r); err != nil {
		return nil, err
	}
	if len(filter.Builds) > 0 {
		filter.Builds = append(slices.Clone(filter.Builds), f.base) // which they are explained against
	}
	r.Select(filter)
	r.Arrange(profile.View{Sort: string(view.Sort), Changed: view.Changed, Limit: view.Limit}, f.base)
	if len(r.Benchmarks) == 0 {
		return nil, fmt.Errorf("hooks of %s: no benchmark and hook match", dir)
	}
	return r, nil
}

// unread is an error if something of the run could not be read; what it was
// stands in the text, or in the JSON.
func unread(r *profile.Run) error { return results.Malformed(r.Problems) }

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
		return errors.New("hooks: --against and --times have their own text output: use one of them, without --format")
	case f.against != "":
		return f.writeAgainst(table.HarmlessWriter(c.OutOrStdout()), r)
	case f.times != "":
		return f.writeTimes(table.HarmlessWriter(c.OutOrStdout()), r)
	}
	o := hooks.Options{Base: f.base, Functions: f.functions, Matrix: f.matrix}
	switch f.format {
	case "json":
		return hooks.JSON(c.OutOrStdout(), r, o)
	case "pprof":
		return f.pprof(c, r, o)
	}
	return hooks.Text(table.HarmlessWriter(c.OutOrStdout()), r, o)
}

// model is the target that has the rules of Xen 3.2.
const model = "model"

// writeAgainst puts the model first, and of two runs of one target this one.
func (f *hooksFlags) writeAgainst(w io.Writer, r *profile.Run) error {
	other, err := profile.Open(f.against)
	if err != nil {
		return err
	}
	build := r.Builds[len(r.Builds)-1]
	if !slices.Contains(other.Builds, build) {
		return fmt.Errorf("--against %s: it has no build %s%s", f.against, build, suggest(build, other.Builds))
	}
	if other.Target == model && r.Target != model {
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
		timed.Images = profile.ImagesOf(*in.Run)
	}
	return hooks.Times(w, r, timed, hooks.Options{Base: f.base})
}

// pprof writes files, and prints their names.
func (f *hooksFlags) pprof(c *cobra.Command, r *profile.Run, o hooks.Options) error {
	dir := f.output
	if dir == "" {
		var err error
		if dir, err = results.Subfolder(r.Path, "pprof"); err != nil {
			return err
		}
	}
	paths, err := hooks.Pprof(dir, r, o)
	for _, path := range paths {
		fmt.Fprintln(c.OutOrStdout(), path)
	}
	return err
}
