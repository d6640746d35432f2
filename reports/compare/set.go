package compare

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"xsmbench/reports/stats"
	"xsmbench/results"
)

// Set is samples that were sorted into series as they came. Of a sample it
// keeps its value and what tells its boot, so that a million of them are some
// megabytes.
type Set struct{ parts []*part }

// part is samples that came one after the other.
type part struct {
	places  []*place
	current *place // of the last sample
	// builds and benchmarks count them in the order of their first appearance.
	builds, benchmarks ranks
	samples            int
	sources            []*source
	unfinished         map[bootKey]bool
	many               bool // boots are expected: no windows are kept
}

// bootKey tells boots of all runs apart.
type bootKey struct {
	run  string
	boot int
}

// place is a build in an environment.
type place struct {
	Environment
	build  string
	series map[what]*sampled
	order  []what // the keys of series as they appeared
	starts []start
	latest map[round]int32 // the index of a round in starts
}

// what is measured.
type what struct{ benchmark, unit string }

// start is what a boot's values have in common.
type start struct {
	round // the zero round pairs with nothing
	image string
	// order is the place in the round, from 1; 0 if it is not known.
	order, layout int
	hash          uint64 // of image
}

// SetOf is the set of some samples.
func SetOf(samples []results.Sample) *Set {
	set := &Set{}
	take := set.Taker(0)
	for i := range samples {
		take(&samples[i], func() []float64 { return samples[i].Windows })
	}
	return set
}

// Takers are those of several files, which begin the set anew.
func (s *Set) Takers(boots []int) []results.Taker {
	s.parts = nil
	all := make([]results.Taker, len(boots))
	for i, n := range boots {
		all[i] = s.Taker(n)
	}
	return all
}

// Taker returns what adds samples to the set, one after the other, and keeps
// nothing of a sample but its strings. Several takers may be called side by
// side, and the result is as if those that were made first had been called
// before the others.
//
// About so many boots are expected to come, at most twice as many as will;
// windows are kept if they are few.
func (s *Set) Taker(boots int) results.Taker {
	p := newPart()
	p.many = boots > 2*stats.MostBoots
	s.parts = append(s.parts, p)
	return p.add
}

func newPart() *part {
	return &part{builds: ranks{}, benchmarks: ranks{}, unfinished: map[bootKey]bool{}}
}

// Len is how many samples there are.
func (s *Set) Len() int {
	n := 0
	for _, p := range s.parts {
		n += p.samples
	}
	return n
}

// Units lists the units of the samples in alphabetical order.
func (s *Set) Units() []string {
	found := map[string]bool{}
	for _, p := range s.parts {
		for _, at := range p.places {
			for _, w := range at.order {
				found[w.unit] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Benchmarks lists the names of the samples' benchmarks, in the order in which
// they appeared.
func (s *Set) Benchmarks() []string {
	var names []string
	seen := map[string]bool{}
	for _, p := range s.parts {
		for _, name := range p.benchmarks.inOrder() {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// ranks counts names in the order in which they appear.
type ranks map[string]int

func (r ranks) add(name string) {
	if _, ok := r[name]; !ok {
		r[name] = len(r)
	}
}

// inOrder lists the names.
func (r ranks) inOrder() []string {
	return slices.SortedFunc(maps.Keys(r), func(a, b string) int { return r[a] - r[b] })
}

// add takes a sample.
func (p *part) add(s *results.Sample, windows func() []float64) {
	p.samples++
	p.source(s)
	if !s.Ended {
		p.unfinished[bootKey{s.Run, s.Boot.Boot}] = true
	}
	at := p.place(s)
	i := at.start(s)
	for n, v := range s.Values {
		key := what{s.Benchmark, v.Unit}
		b := at.series[key]
		if b == nil {
			b = &sampled{at: at, hash: hashOf(at.Environment, key, s.Build)}
			at.series[key] = b
			at.order = append(at.order, key)
			p.benchmarks.add(s.Benchmark)
		}
		b.add(s, v.Value, i)
		if n == 0 && !p.many {
			b.addWindows(windows())
		}
	}
}

// place finds the sample's place, which mostly is the one of the sample before.
func (p *part) place(s *results.Sample) *place {
	e := environment(s)
	if c := p.current; c != nil && c.Environment == e && c.build == s.Build {
		return c
	}
	i := slices.IndexFunc(p.places, func(c *place) bool { return c.Environment == e && c.build == s.Build })
	if i < 0 {
		i = len(p.places)
		p.places = append(p.places, &place{Environment: e, build: s.Build, series: map[what]*sampled{}, latest: map[round]int32{}})
		p.builds.add(s.Build)
	}
	p.current = p.places[i]
	return p.current
}

// start finds the sample's boot among the place's.
func (p *place) start(s *results.Sample) int32 {
	want := start{image: s.Image, order: s.Order, layout: s.Layout}
	if s.Round > 0 {
		want.round = round{s.Run, s.Round}
	}
	same := func(i int32) bool {
		want.hash = p.starts[i].hash
		return p.starts[i] == want
	}
	last := int32(len(p.starts)) - 1
	if last >= 0 && same(last) {
		return last
	}
	if i, ok := p.latest[want.round]; ok && same(i) {
		return i
	}
	want.hash = hashString(0, want.image)
	p.starts = append(p.starts, want)
	p.latest[want.round] = last + 1
	return last + 1
}

// sampled is what one build gave of a series: a value for each boot, in the
// order of the rounds once it is settled.
type sampled struct {
	at     *place
	values []float64
	// starts are indices in at.starts, one for each value; nil if they are 0,
	// 1, 2 and so on, as they are where every boot measured everything once.
	starts []int32
	// windows are in the values' unit, one list for each of the first values;
	// a list is nil if the value is no median of windows.
	windows  [][]float64
	warnings []string
	hash     uint64 // of what the values are of
	// seed is the sum of hashes of the values, so that their order is nothing
	// to it.
	seed uint64
}

func (b *sampled) add(s *results.Sample, value float64, start int32) {
	for _, w := range s.Warnings {
		if !slices.Contains(b.warnings, w) {
			b.warnings = append(b.warnings, w)
		}
	}
	if b.starts != nil || int(start) != len(b.values) {
		b.starts = append(b.numbered(), start)
	}
	b.values = append(b.values, value)
	b.seed += mix(b.hash ^ mix(b.start(len(b.values)-1).hash^mix(uint64(s.Round)^mix(uint64(s.Boot.Boot)^mix(math.Float64bits(value))))))
}

// addWindows keeps the windows of the value that was added last, as long as
// values are few: they tell how well a boot's value is known, which is nothing
// to so many boots.
func (b *sampled) addWindows(windows []float64) {
	n := len(b.values)
	if n > stats.MostBoots {
		b.windows = nil
		return
	}
	if len(windows) == 0 || len(b.windows) >= n {
		return
	}
	for len(b.windows) < n-1 {
		b.windows = append(b.windows, nil)
	}
	b.windows = append(b.windows, slices.Clone(windows))
}

// windowsOf are those of a value, nil if they are not known.
func (b *sampled) windowsOf(i int) []float64 {
	if i < len(b.windows) {
		return b.windows[i]
	}
	return nil
}

// boot is what is known of a value.
func (b *sampled) boot(i int) boot {
	return boot{b.start(i), b.values[i], b.windowsOf(i)}
}

// numbered is starts, with those that need not be written down.
func (b *sampled) numbered() []int32 {
	if b.starts == nil {
		b.starts = make([]int32, len(b.values), len(b.values)+1)
		for i := range b.starts {
			b.starts[i] = int32(i)
		}
	}
	return b.starts
}

// start is the boot of a value.
func (b *sampled) start(i int) *start {
	if b.starts == nil {
		return &b.at.starts[i]
	}
	return &b.at.starts[b.starts[i]]
}

// join appends what another part has of the same.
func (b *sampled) join(o *sampled) {
	for _, w := range o.warnings {
		if !slices.Contains(b.warnings, w) {
			b.warnings = append(b.warnings, w)
		}
	}
	if len(b.values)+len(o.values) > stats.MostBoots {
		b.windows = nil
	} else if len(o.windows) > 0 {
		for len(b.windows) < len(b.values) {
			b.windows = append(b.windows, nil)
		}
		b.windows = append(b.windows, o.windows...)
	}
	offset := int32(len(b.at.starts)) // where o's boots are appended
	starts := b.numbered()
	for _, s := range o.numbered() {
		starts = append(starts, offset+s)
	}
	b.values, b.starts = append(b.values, o.values...), starts
	b.seed += o.seed
}

// settle sorts the values by round. A boot that measured twice is one sample:
// the mean.
func (b *sampled) settle() {
	if b.settled() {
		return
	}
	order := make([]int, len(b.values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return b.start(x).compare(b.start(y).round) })
	indices, known := b.numbered(), len(b.windows) > 0
	var windows [][]float64
	var values []float64
	var starts []int32
	n := 1.0 // values that the last one is the mean of
	for k, i := range order {
		r := b.start(i).round
		if k > 0 && r != (round{}) && r == b.start(order[k-1]).round {
			mean := &values[len(values)-1]
			n++
			*mean += (b.values[i] - *mean) / n
			windows[len(windows)-1] = nil
			continue
		}
		n = 1
		values, starts = append(values, b.values[i]), append(starts, indices[i])
		windows = append(windows, b.windowsOf(i))
	}
	b.values, b.starts, b.windows = values, starts, nil
	if known {
		b.windows = windows
	}
}

// settled tells whether the values are in order and each of its own round, as
// a run writes them.
func (b *sampled) settled() bool {
	for i := 1; i < len(b.values); i++ {
		x, y := b.start(i-1).round, b.start(i).round
		if c := x.compare(y); c > 0 || c == 0 && x != (round{}) {
			return false
		}
	}
	return true
}

// compare orders rounds by run, then by number.
func (r round) compare(o round) int {
	return cmp.Or(strings.Compare(r.run, o.run), r.round-o.round)
}

// hashOf begins the hash of values with what they are of.
func hashOf(e Environment, k what, build string) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for _, s := range []string{e.Target, e.Arch, e.Accel, e.Workload, e.Domain, e.DomU, strconv.Itoa(e.Idle), k.benchmark, k.unit, build} {
		h = hashString(h, s)
	}
	if e.Platform != (Platform{}) {
		h = hashString(h, e.Platform.String())
	}
	return h
}

func hashString(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return (h ^ 0xff) * 1099511628211 // ends the string
}

// mix is the finalizer of splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Samples calls each with what the set has samples of, in the order of the samples,
// and with their values. What is in several files comes several times.
func (s *Set) Samples(each func(Cell, []float64)) {
	for _, p := range s.parts {
		for _, at := range p.places {
			for _, w := range at.order {
				each(Cell{at.Environment, at.build, w.benchmark, w.unit}, at.series[w].values)
			}
		}
	}
}
