package compare

import (
	"fmt"
	"slices"
	"strings"
)

// earlier marks the builds of an earlier run.
const earlier = " (earlier)"

// Earlier is what a build of an earlier run is called.
func Earlier(build string) string { return build + earlier }

// IsEarlier tells a build of an earlier run, and its own name.
func IsEarlier(name string) (build string, is bool) { return strings.CutSuffix(name, earlier) }

// Against compares each build with itself in an earlier run. Boots of two runs
// are no pairs: nothing makes the weather of their rounds the same, so samples
// are independent. A build whose images are the earlier run's is a control:
// what differs there is noise, or the machine's doing. So is a build whose
// images are those of the run's first build (opt.Base), in either run. Runs that
// have nothing in common give a comparison without rows.
func Against(now, before *Set, opt Options) (*Comparison, error) {
	opt, err := opt.complete()
	if err != nil {
		return nil, fmt.Errorf("compare runs: %w", err)
	}
	g := now.with(before.earlier()).group(opt.Order)
	opt.base(g)
	c := &Comparison{Base: "the earlier run", Criteria: opt.Criteria, Planned: opt.Planned, Looks: max(1, opt.Looks)}
	c.warnOfChanges()
	for _, b := range g.builds {
		if !strings.HasSuffix(b, earlier) && opt.Controls[b] == "" {
			c.Builds = append(c.Builds, b)
		}
	}
	hooks := hookCounts(g.series)
	c.counted = countedIn(g.series)
	c.account(g.series)
	for _, s := range g.series {
		c.addAgainst(s, opt, hooks)
	}
	c.compareRows()
	// Rounds of two runs never match.
	for i := range c.Rows {
		c.Rows[i].unsay(Unpaired)
	}
	for i := range c.Controls {
		c.Controls[i].unsay(Unpaired)
	}
	c.warnOfLacks(g.series)
	c.judge()
	c.checkTogether()
	c.warnOfWhole(g.unfinished)
	return c, nil
}

// earlier is the set with its builds and runs renamed, so that nothing is taken
// for a pair: a run may lie where the earlier one lay.
func (s *Set) earlier() *part {
	p := s.join()
	renamed := newPart()
	renamed.samples, renamed.benchmarks = p.samples, p.benchmarks
	for _, b := range p.builds.inOrder() {
		renamed.builds.add(Earlier(b))
	}
	for boot := range p.unfinished {
		renamed.unfinished[bootKey{boot.run + earlier, boot.boot}] = true
	}
	for _, at := range p.places {
		renamed.places = append(renamed.places, at.earlier())
	}
	return renamed
}

func (p *place) earlier() *place {
	q := &place{Environment: p.Environment, build: Earlier(p.build), order: p.order, starts: slices.Clone(p.starts), series: map[what]*sampled{}}
	for i := range q.starts {
		if q.starts[i].round != (round{}) {
			q.starts[i].run += earlier
		}
	}
	for w, b := range p.series {
		c := *b
		c.at = q
		q.series[w] = &c
	}
	return q
}

// with is the set and a further part. The set stays as it is.
func (s *Set) with(p *part) *Set {
	all := newPart()
	all.join(s.join())
	all.join(p)
	return &Set{parts: []*part{all}}
}

// addAgainst compares each build of a series with its earlier samples.
func (c *Comparison) addAgainst(s *series, opt Options, hooks counts) {
	if !opt.judged(s.unit) {
		for _, build := range sortedBuilds(s) {
			c.Figures = append(c.Figures, figures(&series{s.Environment, s.benchmark, s.unit, map[string]*sampled{build: s.builds[build]}, []string{build}}, build)...)
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
			c.later(s, build, opt.against(Earlier(build)), hooks, kinIf(shareImage(before, now)))
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
			of := opt.against(first)
			if kin := of.kinOf(build, sameImages(base, s.builds[build])); kin != stranger {
				c.later(s, build, of, hooks, kin)
			}
		}
	}
}

// against is the options with another base.
func (o Options) against(base string) Options {
	o.Base = base
	return o
}

// shareImage reports whether two runs measured a build's image, known by its
// hash. One that both have suffices: runs of different length have different
// numbers of relinks.
func shareImage(a, b *sampled) bool {
	of := b.images()
	return slices.ContainsFunc(a.images(), func(hash string) bool { return slices.Contains(of, hash) })
}
