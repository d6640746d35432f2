package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/reports/compare"
)

// ofThisCommand marks flags that an experiment file does not set: they say what
// to look at now, and some have a meaning of their own in a run.
const ofThisCommand = "xsmbench_not_in_experiment"

// selectFlags say which rows to look at, and how.
type selectFlags struct {
	bench, unit, sort string
	domains, builds   []string
	changed           bool
	limit             int
}

func (f *selectFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.bench, "bench", "", "only benchmarks that match this regular expression")
	fs.StringSliceVar(&f.domains, "domains", nil, "only these domains")
	fs.StringSliceVar(&f.builds, "builds", nil, "only these builds, and the base")
	fs.StringVar(&f.unit, "unit", "", "only units that match this regular expression")
	fs.StringVar(&f.sort, "sort", "", "order of rows: name, change (largest percentage first) or cost (largest difference first) (default: as measured)")
	fs.BoolVar(&f.changed, "changed", false, "only benchmarks with a build that differs")
	fs.IntVar(&f.limit, "limit", 0, "maximum number of benchmarks in a table (default: all)")
	alias(fs, "domain", "domains")
	for _, name := range []string{"bench", "domains", "domain", "builds", "unit", "sort", "changed", "limit"} {
		mark(fs, name)
	}
}

// mark keeps a flag out of experiment files.
func mark(fs *pflag.FlagSet, name string) {
	f := fs.Lookup(name)
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[ofThisCommand] = []string{"true"}
}

// alias keeps an older name of a flag, which is said to be one.
func alias(fs *pflag.FlagSet, old, name string) {
	f := *fs.Lookup(name)
	f.Name, f.Shorthand, f.Hidden = old, "", true
	f.Annotations = nil
	fs.AddFlag(&f)
	deprecate(fs, old, name)
}

// newerName marks a hidden flag with the flag that replaces it.
const newerName = "xsmbench_newer_name"

// deprecate hides a flag. pflag's own way to do so writes to standard output,
// which programs read.
func deprecate(fs *pflag.FlagSet, old, name string) {
	fs.MarkHidden(old)
	fs.SetAnnotation(old, newerName, []string{name})
}

// sayNewerNames tells of the flags given that have other names now.
func sayNewerNames(c *cobra.Command) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if newer := f.Annotations[newerName]; newer != nil {
			fmt.Fprintf(c.ErrOrStderr(), "--%s is an old name: use --%s\n", f.Name, newer[0])
		}
	})
}

// older is a flag of another name whose value was an expression.
func older(fs *pflag.FlagSet, value *string, old, name string) {
	fs.StringVar(value, old, "", "")
	deprecate(fs, old, name)
}

// selection reads the flags that say which rows.
func (f *selectFlags) selection() (s compare.Selection, err error) {
	s = compare.Selection{Domains: f.domains, Builds: f.builds}
	for _, x := range []struct {
		flag, expression string
		to               **regexp.Regexp
	}{{"--bench", f.bench, &s.Bench}, {"--unit", f.unit, &s.Unit}} {
		if x.expression == "" {
			continue
		}
		if *x.to, err = regexp.Compile(x.expression); err != nil {
			return s, fmt.Errorf("%s %s: %w", x.flag, x.expression, err)
		}
	}
	return s, nil
}

// view reads the flags that say how to show them.
func (f *selectFlags) view() (compare.View, error) {
	switch {
	case f.sort != "" && !slices.Contains(compare.Sorts, f.sort):
		return compare.View{}, fmt.Errorf("--sort %s: no such order%s", f.sort, suggest(f.sort, compare.Sorts))
	case f.limit < 0:
		return compare.View{}, fmt.Errorf("--limit %d: use a number of benchmarks, or 0 for all", f.limit)
	}
	return compare.View{Sort: compare.Sort(f.sort), Changed: f.changed, Limit: f.limit}, nil
}

// apply selects of a comparison, and says how it is to be shown.
func (f *selectFlags) apply(c *compare.Comparison) (*compare.Comparison, error) {
	s, err := f.selection()
	if err != nil {
		return nil, err
	}
	v, err := f.view()
	if err != nil {
		return nil, err
	}
	part, err := c.Select(s)
	var unknown *compare.UnknownNameError
	switch {
	case errors.As(err, &unknown):
		return nil, fmt.Errorf("--%ss %s: %w%s", unknown.Kind, unknown.Name, err, suggest(unknown.Name, unknown.Known))
	case errors.Is(err, compare.ErrNoneSelected):
		return nil, fmt.Errorf("%s: no row matches (the units are %s; xsmbench list benchmarks shows names)", f.given(), strings.Join(c.Units(), ", "))
	case err != nil:
		return nil, err
	}
	shown := *part
	shown.View = v
	return &shown, nil
}

// given are the flags that select, as they were given.
func (f *selectFlags) given() string {
	var words []string
	for _, kv := range [][2]string{{"--bench", f.bench}, {"--unit", f.unit}, {"--domains", strings.Join(f.domains, ",")}, {"--builds", strings.Join(f.builds, ",")}} {
		if kv[1] != "" {
			words = append(words, kv[0]+" "+kv[1])
		}
	}
	return strings.Join(words, " ")
}
