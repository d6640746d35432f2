package compare

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"xsmbench/results"
)

// earlier marks the builds of an earlier run.
const earlier = " (earlier)"

// Earlier is what a build of an earlier run is called.
func Earlier(build string) string { return build + earlier }

// ErrNothingInCommon is the cause when no sample of a run has a counterpart in
// the earlier one.
var ErrNothingInCommon = errors.New("the runs have no build, domain, benchmark and unit in common")

// Against compares each build with itself in an earlier run. Boots of two runs
// are no pairs: nothing makes the weather of their rounds the same, so samples
// are independent. A build whose images are the earlier run's is a control:
// what differs there is noise, or the machine's doing. So is a build whose
// images are those of the run's first build (opt.Base), in either run.
func Against(now, before []results.Sample, opt Options) (*Comparison, error) {
	opt, err := opt.complete()
	if err != nil {
		return nil, fmt.Errorf("compare runs: %w", err)
	}
	g := group(slices.Concat(now, ofEarlier(before)))
	c := &Comparison{Base: "the earlier run", Criteria: opt.Criteria, Planned: opt.Planned, Looks: max(1, opt.Looks)}
	c.warnOfChanges()
	for _, b := range g.builds {
		if !strings.HasSuffix(b, earlier) && opt.Controls[b] == "" {
			c.Builds = append(c.Builds, b)
		}
	}
	hooks := hookCounts(g.series)
	c.counted = countedIn(g.series)
	for _, s := range g.series {
		c.addAgainst(s, opt, hooks)
	}
	if len(c.Rows) == 0 && !slices.ContainsFunc(c.Controls, func(r Row) bool { return strings.HasSuffix(r.Base, earlier) }) {
		return nil, fmt.Errorf("compare runs: %w", ErrNothingInCommon)
	}
	c.warnOfLacks(g.series)
	c.judge()
	c.checkTogether()
	c.warn(slices.Concat(now, before))
	return c, nil
}

// ofEarlier renames builds and runs, so that nothing is taken for a pair: a
// run may lie where the earlier one lay.
func ofEarlier(samples []results.Sample) []results.Sample {
	renamed := slices.Clone(samples)
	for i := range renamed {
		renamed[i].Build = Earlier(renamed[i].Build)
		renamed[i].Run += earlier
	}
	return renamed
}

// addAgainst compares each build of a series with its earlier samples.
func (c *Comparison) addAgainst(s *series, opt Options, hooks counts) {
	if !IsCost(s.unit) {
		for _, build := range sortedBuilds(s) {
			c.Figures = append(c.Figures, figures(&series{s.Environment, s.benchmark, s.unit, map[string]*sampled{build: s.builds[build]}}, build)...)
		}
		return
	}
	for _, build := range c.Builds {
		now, before := s.builds[build], s.builds[Earlier(build)]
		switch {
		case now == nil && before == nil:
		case now == nil:
			c.lack(s, build, hooks, ", and the earlier run has")
		case before == nil:
			c.lack(s, Earlier(build), hooks, "")
		default:
			c.addPair(s, Earlier(build), build, opt, hooks, shareImage(before, now))
		}
	}
	c.addControls(s, opt, hooks)
}

// addControls compares the builds of one run that are one image, or one source.
func (c *Comparison) addControls(s *series, opt Options, hooks counts) {
	for _, first := range []string{opt.Base, Earlier(opt.Base)} {
		base := s.builds[first]
		for _, build := range sortedBuilds(s) {
			sameRun := strings.HasSuffix(build, earlier) == strings.HasSuffix(first, earlier)
			if base == nil || build == first || !sameRun {
				continue
			}
			if same := sameImages(base, s.builds[build]); same || opt.isControl(build, first) {
				c.addPair(s, first, build, opt, hooks, true)
				c.Controls[len(c.Controls)-1].Relinked = !same
			}
		}
	}
}

func (c *Comparison) addPair(s *series, base, build string, opt Options, hooks counts, control bool) {
	opt.Base = base
	row := compareRow(s, build, opt)
	// That rounds of two runs do not match needs no word in every row.
	row.Warnings = slices.DeleteFunc(row.Warnings, func(w string) bool { return w == independent })
	row.cross(hooks, opt)
	if control {
		c.Controls = append(c.Controls, row)
	} else {
		c.Rows = append(c.Rows, row)
	}
}

// shareImage reports whether two runs measured a build's image, known by its
// hash. One that both have suffices: runs of different length have different
// numbers of relinks.
func shareImage(a, b *sampled) bool {
	of := b.images()
	return slices.ContainsFunc(a.images(), func(hash string) bool { return slices.Contains(of, hash) })
}
