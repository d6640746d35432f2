package compare

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"xsmbench/bench"
	"xsmbench/reports/internal/number"
	"xsmbench/results"
)

// Options say how to compare. What they leave out is as planned, and what was
// not planned is as in Defaults.
type Options struct {
	// Order is that of the builds.
	Order Order
	// Base is the build that others are compared with, the first if it is "".
	Base string
	// Criteria are what verdicts are given by.
	results.Criteria
	// Planned are the criteria that the run wrote down before it measured;
	// nil if nobody did.
	Planned *results.Criteria
	// Looks is how many looks at the run were planned that may end it, 0 or 1
	// if its rounds were fixed. They share the level of the intervals.
	Looks int
	// Controls are builds that are another one under a second name, which
	// they name: the same image, or the same source linked anew.
	Controls map[string]string
	// Single allows samples of one build: a comparison without rows, whose
	// figures tell what was measured.
	Single bool
	// Units are what the samples' files say of their units.
	Units results.Units
	// Hooks tells which hooks a benchmark crosses, and whether that is
	// known. It may be nil.
	Hooks func(benchmark string) ([]bench.Crossing, bool)
	// UsualDomU is the kind of the domUs of samples that name none, "" if nobody
	// tells.
	UsualDomU string
	// Counted tells what one operation executed in each hook that it crossed,
	// and whether that was counted. It may be nil.
	Counted func(e Environment, benchmark, build string) ([]Executed, bool)

	copies map[string]bool // builds whose samples are the base's, value for value
}

// Defaults are a margin of 1 % or 2 ns at 95 % confidence.
func Defaults() Options {
	return Options{Criteria: results.Criteria{Margin: 0.01, Confidence: 0.95, Floors: map[string]float64{"ns/op": 2}}}
}

func (o Options) complete() (Options, error) {
	d := Defaults()
	if o.Planned != nil {
		o.Criteria = o.Criteria.Or(*o.Planned)
	}
	o.Criteria = o.Criteria.Or(d.Criteria)
	if o.Hooks == nil {
		o.Hooks = func(string) ([]bench.Crossing, bool) { return nil, false }
	}
	if o.Counted == nil {
		o.Counted = func(Environment, string, string) ([]Executed, bool) { return nil, false }
	}
	return o, CheckCriteria(o.Criteria)
}

// base chooses the first build, if nobody named one.
func (o *Options) base(g *grouped) {
	if o.Base == "" && len(g.builds) > 0 {
		o.Base = g.builds[0]
	}
}

// level is that of the intervals of a run with so many looks: each look has
// the same share of the chance to err (Bonferroni's inequality), so that all
// together keep to the confidence.
func level(confidence float64, looks int) float64 {
	if looks <= 1 {
		return confidence
	}
	return 1 - (1-confidence)/float64(looks)
}

func (o Options) level() float64 { return level(o.Confidence, o.Looks) }

// kin is what a build has in common with the one that it is compared with.
type kin int

const (
	stranger kin = iota // another build
	twin                // the same image: a control
	relinked            // the same source, linked anew: a control
)

func kinIf(sameImage bool) kin {
	if sameImage {
		return twin
	}
	return stranger
}

// kinOf is what a build has in common with the base of the options, of the
// same run.
func (o Options) kinOf(build string, sameImage bool) kin {
	name, past := strings.CutSuffix(build, earlier)
	base, basePast := strings.CutSuffix(o.Base, earlier)
	if !sameImage && past == basePast && base != "" && o.Controls[name] == base {
		return relinked
	}
	return kinIf(sameImage)
}

// CheckCriteria refuses criteria that no verdict can be given by. What they
// leave out is not refused.
func CheckCriteria(c results.Criteria) error {
	if c.Margin != 0 && !isMargin(c.Margin) {
		return fmt.Errorf("margin %g: use a share between 0 and 1", c.Margin)
	}
	if c.Confidence != 0 && !(c.Confidence > 0.5 && c.Confidence < 1) {
		return fmt.Errorf("confidence %g: use a level between 0.5 and 1", c.Confidence)
	}
	for _, pattern := range slices.Sorted(maps.Keys(c.Margins)) {
		if _, err := regexp.Compile(pattern); err != nil {
			return fmt.Errorf("margin of %q: %w", pattern, err)
		}
		if m := c.Margins[pattern]; !isMargin(m) {
			return fmt.Errorf("margin %g of %q: use a share between 0 and 1", m, pattern)
		}
	}
	for _, unit := range slices.Sorted(maps.Keys(c.Floors)) {
		if f := c.Floors[unit]; !(f >= 0 && f < 1e18) {
			return fmt.Errorf("floor %g of %q: use a number that is not below 0", f, unit)
		}
	}
	return nil
}

func isMargin(m float64) bool { return m > 0 && m < 1 }

// warnOfChanges tells what was not chosen before the run.
func (c *Comparison) warnOfChanges() {
	if c.Planned == nil {
		return
	}
	planned := c.Planned.Or(Defaults().Criteria)
	change := func(what, now, then string) {
		if now != then {
			c.warn(CriteriaChanged, "%s is %s, chosen after the run; the run planned %s", what, now, then)
		}
	}
	change("the margin", percent(c.Margin), percent(planned.Margin))
	change("the margin of single benchmarks", shares(c.Margins, percent), shares(planned.Margins, percent))
	change("the floor", shares(c.Floors, plain), shares(planned.Floors, plain))
	change("the confidence", percent(c.Confidence), percent(planned.Confidence))
}

// DescribeCriteria says them in words.
func DescribeCriteria(c results.Criteria) string {
	words := []string{"margin " + percent(c.Margin)}
	if len(c.Margins) > 0 {
		words = append(words, shares(c.Margins, percent))
	}
	if len(c.Floors) > 0 {
		words = append(words, "floor "+shares(c.Floors, plain))
	}
	return strings.Join(append(words, percent(c.Confidence)+" confidence"), ", ")
}

// shares lists a table of criteria: "lat_ctx=2%, lat_proc=1.5%".
func shares(m map[string]float64, text func(float64) string) string {
	var words []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		words = append(words, k+"="+text(m[k]))
	}
	if words == nil {
		return "none"
	}
	return strings.Join(words, ", ")
}

// percent keeps no more figures than were given.
func percent(share float64) string { return number.Share(share, 6) }

func plain(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
