package cli

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"xsmbench/bench"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

// compareFlags say how to compare.
type compareFlags struct {
	base       string
	margin     string
	margins    []string
	floors     []string
	confidence string
	single     bool // one build is something to look at, too
}

// register adds the flags; planned is added to what the defaults are, where
// they are written down.
func (f *compareFlags) register(fs *pflag.FlagSet, planned string) {
	if planned == "" {
		planned = "default: the run's own, or "
	}
	fs.StringVar(&f.base, "base", "", "build that the others are compared with (default: the run's first)")
	fs.StringVar(&f.margin, "margin", "", "largest difference that does not matter, such as 1% or 0.01 ("+planned+"1%)")
	fs.StringArrayVar(&f.margins, "margins", nil, "margin for matching benchmarks, as REGEXP=2%; may be repeated, and the smallest match applies")
	fs.StringArrayVar(&f.floors, "floors", nil, "largest absolute difference that does not matter, as UNIT=N; may be repeated ("+planned+"ns/op=2)")
	fs.StringVar(&f.confidence, "confidence", "", "confidence level of the intervals, such as 95% or 0.95 ("+planned+"95%)")
}

// options reads the flags. What was not given is left out.
func (f *compareFlags) options() (compare.Options, error) {
	c, err := f.criteria()
	return compare.Options{Base: f.base, Criteria: c}, err
}

// criteria are those that the flags give.
func (f *compareFlags) criteria() (results.Criteria, error) {
	var c results.Criteria
	var err error
	if f.margin != "" {
		if c.Margin, err = share(f.margin); err != nil || c.Margin <= 0 || c.Margin >= 1 {
			return c, fmt.Errorf("--margin %s: use a share between 0 and 100%%, such as 1%% or 0.01", f.margin)
		}
	}
	if f.confidence != "" {
		if c.Confidence, err = share(f.confidence); err != nil || c.Confidence <= 0.5 || c.Confidence >= 1 {
			return c, fmt.Errorf("--confidence %s: use a level between 50%% and 100%%, such as 95%% or 0.95", f.confidence)
		}
	}
	if c.Margins, err = keyed("--margins", f.margins, share, "REGEXP=SHARE, such as lat_ctx=2%"); err != nil {
		return c, err
	}
	number := func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }
	if c.Floors, err = keyed("--floors", f.floors, number, "UNIT=NUMBER, such as ns/op=2"); err != nil {
		return c, err
	}
	if err := compare.CheckCriteria(c); err != nil {
		return c, fmt.Errorf("criteria for verdicts: %w", err)
	}
	return c, nil
}

// benchmarkNames are the full names of all benchmarks.
func benchmarkNames() []string {
	var names []string
	for _, b := range bench.All() {
		names = append(names, b.FullName())
	}
	return names
}

// knownCriteria refuses floors of units, and margins of benchmarks, that there
// are not: a slip of the pen would leave the default in force without a word.
func knownCriteria(c results.Criteria, units, benchmarks []string) error {
	for _, unit := range slices.Sorted(maps.Keys(c.Floors)) {
		if !slices.Contains(units, unit) {
			return fmt.Errorf("--floors %s=%g: nothing is measured in %s%s", unit, c.Floors[unit], unit, suggest(unit, units))
		}
	}
	for _, pattern := range slices.Sorted(maps.Keys(c.Margins)) {
		re, err := regexp.Compile(pattern)
		if err == nil && !slices.ContainsFunc(benchmarks, re.MatchString) {
			return fmt.Errorf("--margins %s=%g%%: no benchmark matches %s; xsmbench list benchmarks names them", pattern, 100*c.Margins[pattern], pattern)
		}
	}
	return nil
}

// keyed reads words of the form KEY=VALUE; keys may have a = themselves. It is
// nil if there are none.
func keyed(flag string, words []string, read func(string) (float64, error), form string) (map[string]float64, error) {
	if len(words) == 0 {
		return nil, nil
	}
	m := map[string]float64{}
	for _, word := range words {
		i := strings.LastIndex(word, "=")
		if i <= 0 {
			return nil, fmt.Errorf("%s %s: use %s", flag, word, form)
		}
		v, err := read(word[i+1:])
		if err != nil {
			return nil, fmt.Errorf("%s %s: %q is not a number (use %s)", flag, word, word[i+1:], form)
		}
		m[word[:i]] = v
	}
	return m, nil
}

// share reads "1%" or "0.01".
func share(s string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	return v, err
}
