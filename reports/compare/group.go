package compare

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"xsmbench/results"
)

// series is one benchmark in one unit and environment, by build.
type series struct {
	Environment
	benchmark, unit string
	builds          map[string]*sampled
	order           []string // of the builds
}

// boot is the sample: one boot's value.
type boot struct {
	*start
	value   float64
	windows []float64 // in value's unit; nil if value is no median of theirs
}

// round identifies a round across runs.
type round struct {
	run   string
	round int
}

// grouped is a set whose parts are put together.
type grouped struct {
	builds     []string
	series     []*series
	unfinished int // boots
}

// group arranges the samples of a set in series, in the order of the
// benchmarks' first appearance in a domain, the domains by name. Builds that the
// order does not name follow those that it does.
func (s *Set) group(order Order) *grouped {
	p := s.join()
	g := &grouped{builds: p.builds.inOrder(), unfinished: len(p.unfinished)}
	type key struct {
		Environment
		what
	}
	found := map[key]*series{}
	for _, at := range p.places {
		for _, w := range at.order {
			k := key{at.Environment, w}
			if found[k] == nil {
				found[k] = &series{at.Environment, w.benchmark, w.unit, map[string]*sampled{}, nil}
				g.series = append(g.series, found[k])
			}
			b := at.series[w]
			b.settle()
			found[k].builds[at.build] = b
		}
	}
	slices.SortStableFunc(g.series, func(a, b *series) int {
		if c := strings.Compare(a.Environment.String(), b.Environment.String()); c != 0 {
			return c
		}
		if c := unitRank(a.unit) - unitRank(b.unit); c != 0 {
			return c
		}
		if c := strings.Compare(a.unit, b.unit); c != 0 {
			return c
		}
		return p.benchmarks[a.benchmark] - p.benchmarks[b.benchmark]
	})
	g.builds = order.sort(g.builds)
	for _, s := range g.series {
		s.order = g.builds
	}
	return g
}

// join puts the parts of the set together, into one that the set is left with.
func (s *Set) join() *part {
	if len(s.parts) == 0 {
		s.Taker(0)
	}
	first := s.parts[0]
	for _, p := range s.parts[1:] {
		first.join(p)
	}
	s.parts = s.parts[:1]
	return first
}

func (p *part) join(o *part) {
	p.sources = append(p.sources, o.sources...)
	p.samples += o.samples
	maps.Copy(p.unfinished, o.unfinished)
	for _, name := range o.builds.inOrder() {
		p.builds.add(name)
	}
	for _, name := range o.benchmarks.inOrder() {
		p.benchmarks.add(name)
	}
	for _, at := range o.places {
		i := slices.IndexFunc(p.places, func(c *place) bool { return c.Environment == at.Environment && c.build == at.build })
		if i < 0 {
			p.places = append(p.places, at)
		} else {
			p.places[i].join(at)
		}
	}
}

// join appends what another part has of the same place.
func (p *place) join(o *place) {
	for _, w := range o.order {
		b := p.series[w]
		if b == nil {
			b = &sampled{at: p}
			p.series[w] = b
			p.order = append(p.order, w)
		}
		b.join(o.series[w])
	}
	p.starts = append(p.starts, o.starts...)
}

func environment(s *results.Sample) Environment {
	return Environment{Target: s.Target, Arch: s.Arch, Accel: s.Accel, Workload: s.Workload, Domain: s.Domain, DomU: s.DomU, Idle: s.Idle, Platform: s.Platform}
}

// check finds the base among the builds.
func (g *grouped) check(base string, single bool) error {
	if len(g.builds) == 0 {
		return fmt.Errorf("there is no sample")
	}
	if !slices.Contains(g.builds, base) {
		return fmt.Errorf("no build %q to compare with: the samples have %s", base, strings.Join(g.builds, ", "))
	}
	if len(g.builds) == 1 && !single {
		return fmt.Errorf("the samples have only the build %q, so there is nothing to compare it with", base)
	}
	return nil
}

// ErrNoCounterpart is the cause when files have benchmarks of the same names,
// but say that they were measured in different places.
var ErrNoCounterpart = errors.New("no benchmark of one file has a counterpart in another")

// counterparts refuses files that have nothing to compare because what they say
// of themselves differs.
func (g *grouped) counterparts(c *Comparison, opt Options) error {
	if len(c.jobs) > 0 {
		return nil
	}
	said := map[string]Environment{} // of each build the first environment
	for _, s := range g.series {
		for build := range s.builds {
			if _, ok := said[build]; !ok && opt.judged(s.unit) {
				said[build] = s.Environment
			}
		}
	}
	first := said[opt.Base]
	var words []string
	for _, build := range g.builds {
		e, ok := said[build]
		if !ok || e.Platform == (Platform{}) && first.Platform == (Platform{}) {
			return nil
		}
		words = append(words, build+" has "+e.Platform.String())
	}
	return fmt.Errorf("%w: %s", ErrNoCounterpart, strings.Join(words, ", "))
}

// seed is a hash of the data, so that what is drawn at random depends on
// nothing else: not on the order of files, nor on where they are.
func (g *grouped) seed() uint64 {
	var sum uint64
	for _, s := range g.series {
		for _, b := range s.builds {
			sum += b.seed
		}
	}
	return mix(sum)
}

// copies finds the builds whose samples are the base's, value for value, in
// everything that either measured: files that are copies of each other. Boots of
// a run are none, however well they agree.
func (g *grouped) copies(base string) map[string]bool {
	copies := map[string]bool{}
	for _, b := range g.builds {
		copies[b] = b != base
	}
	for _, s := range g.series {
		of := s.builds[base]
		for build, same := range copies {
			b := s.builds[build]
			if same && (of != nil || b != nil) {
				copies[build] = of != nil && b != nil && of.foreign() && b.foreign() && slices.Equal(of.values, b.values)
			}
		}
	}
	return copies
}

// foreign tells that no value is of a boot.
func (b *sampled) foreign() bool {
	return len(b.values) > 0 && b.start(0).round == (round{})
}

// shared gives the indices of the values of rounds that both builds have, until
// it is told to stop.
func shared(a, b *sampled, each func(i, j int) bool) {
	if a.foreign() && a.start(len(a.values)-1).round == (round{}) {
		return // as are all between
	}
	for i, j := 0, 0; i < len(a.values) && j < len(b.values); {
		x, y := a.start(i).round, b.start(j).round
		switch c := x.compare(y); {
		case c < 0, x == (round{}):
			i++
		case c > 0:
			j++
		default:
			if !each(i, j) {
				return
			}
			i++
			j++
		}
	}
}

// sameImages reports whether two builds measured the same images, known by
// their hashes: in every round that both have, or the same set if there is no
// such round.
func sameImages(a, b *sampled) bool {
	paired, same := false, true
	shared(a, b, func(i, j int) bool {
		paired, same = true, a.start(i).sameImage(b.start(j))
		return same
	})
	if paired {
		return same
	}
	x := a.images()
	return len(x) > 0 && slices.Equal(x, b.images())
}

func (b *sampled) images() []string {
	found := map[string]bool{}
	for i := range b.values {
		if image := b.start(i).image; image != "" {
			found[image] = true
		}
	}
	var hashes []string
	for image := range found {
		hashes = append(hashes, image)
	}
	slices.Sort(hashes)
	return hashes
}

// sortedBuilds are those of a series, in the order of the comparison's.
func sortedBuilds(s *series) []string {
	return slices.DeleteFunc(slices.Clone(s.order), func(build string) bool { return s.builds[build] == nil })
}
