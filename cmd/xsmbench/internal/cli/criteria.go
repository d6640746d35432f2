package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

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
}

// register adds the flags; planned is added to what the defaults are, where
// they are written down.
func (f *compareFlags) register(fs *pflag.FlagSet, planned string) {
	if planned == "" {
		planned = "default: what the run wrote down, else "
	}
	fs.StringVar(&f.base, "base", "", "build that the others are compared with (default: the run's first)")
	fs.StringVar(&f.margin, "margin", "", "largest difference that counts as none, as 1% or 0.01 ("+planned+"1%)")
	fs.StringArrayVar(&f.margins, "margins", nil, "margin of the benchmarks that match, as REGEXP=2%; may be repeated, the smallest that matches holds")
	fs.StringArrayVar(&f.floors, "floors", nil, "largest absolute difference that counts as none, as UNIT=N; may be repeated ("+planned+"ns/op=2)")
	fs.StringVar(&f.confidence, "confidence", "", "level of the intervals, as 95% or 0.95 ("+planned+"95%)")
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
			return c, fmt.Errorf("--margin %s: use a share between 0 and 100%%, as 1%% or 0.01", f.margin)
		}
	}
	if f.confidence != "" {
		if c.Confidence, err = share(f.confidence); err != nil || c.Confidence <= 0.5 || c.Confidence >= 1 {
			return c, fmt.Errorf("--confidence %s: use a level between 50%% and 100%%, as 95%% or 0.95", f.confidence)
		}
	}
	if c.Margins, err = keyed("--margins", f.margins, share, "REGEXP=SHARE, as lat_ctx=2%"); err != nil {
		return c, err
	}
	number := func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }
	if c.Floors, err = keyed("--floors", f.floors, number, "UNIT=NUMBER, as ns/op=2"); err != nil {
		return c, err
	}
	if err := compare.CheckCriteria(c); err != nil {
		return c, fmt.Errorf("criteria of the verdicts: %w", err)
	}
	return c, nil
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
			return nil, fmt.Errorf("%s %s: %q is no number (use %s)", flag, word, word[i+1:], form)
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
