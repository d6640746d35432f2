// Package trend reads the runs of a history side by side: each figure of a
// build on a host over the runs, where it changed its level, and how far two
// runs of one image lie apart when nothing has changed.
//
// A run is one value: the mean of its boots, in logarithms. Runs are in the
// order in which they started. Figures of different hosts are different
// series.
package trend

import (
	"cmp"
	"math"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/results"
	"xsmbench/results/history"
)

// Options say what to read, and how sure to be.
type Options struct {
	// Bench, Build, Domain and Unit select series; nil takes all, but of
	// units only those that say a cost or a rate.
	Bench, Build, Domain, Unit *regexp.Regexp
	// Host selects a host by its key, Run what is like a run: its target,
	// accelerator, workload and domUs, and its builds' architectures; empty
	// takes all.
	Host string
	Run  *results.Spec
	// AnyHost joins the counts of all hosts: what is counted does not depend
	// on the machine. Figures of time are never joined.
	AnyHost bool
	// Over, if not empty, is a build: the series are those of the other
	// builds' costs as multiples of its own, in pairs of boots.
	Over string
	// Rename gives builds and benchmarks of older runs the names that they have
	// now. A run that has a series of the new name keeps the old one.
	Rename map[string]string
	// Alpha is the probability that any series shows a change if none has
	// one; 0 is 5 %.
	Alpha float64
}

// AnyHost stands for the host of series that join all.
const AnyHost = "any"

// Renamed is a name that runs up to one have, and what it was read as.
type Renamed struct {
	Old, New string
	Last     history.Run // that has the old name
}

// Trends is what a history shows.
type Trends struct {
	Renamed []Renamed     // in order of the names
	Runs    []history.Run // those with a series, in order
	Series  []*Series
	Meters  []Meter
	Alpha   float64
	Over    string // as in the options

	opt    Options
	index  map[key]*Series
	open   []*Series // those with a point in the last run, which may get more boots
	images *imageLists
	spots  []spot // of the last run's series
}

// key tells series apart.
type key struct {
	host string
	compare.Environment
	benchmark, build, unit string
}

// Series is one figure over the runs.
type Series struct {
	Host string
	compare.Environment
	Benchmark, Build, Unit string
	// Over is the build whose cost the values are multiples of; empty if they
	// are in Unit.
	Over string

	Points  []Point
	Changes []Change
	// Exact tells that the runs counted and each boot of a run agreed: any
	// difference is a change.
	Exact bool
	// Limit is the size, as a share, below which a change is none: what 19
	// of 20 pairs of runs of one image stay below. NaN if the series is
	// exact or nothing is known of its noise.
	Limit float64
	// Own tells that the limit comes from this series' own repeated runs,
	// Boots that it comes from boots alone.
	Own, Boots bool
	// Hidden is how many changes are more than chance and below the limit.
	Hidden int

	now  opened   // of the last point, until it is settled
	kept [][]boot // of all points, if they are to be paired
}

// Point is a series' value in one run. There are millions in a long history.
type Point struct {
	Run    int     // index in Trends.Runs
	Value  float64 // mean over boots: geometric if all are above 0
	Boots  int     // with a base, pairs of boots
	SD     float64 // of a boot, in logarithms; NaN for a single one
	Images Images  // that were measured
	// Exact: the unit counts, all boots gave one count, and no sample
	// remarks that its own is not exact.
	Exact bool
}

// boot is one boot's value, in the unit of its series.
type boot struct {
	round int
	value float64
}

// Change is a change of level between two runs.
type Change struct {
	Before, After int     // neighbouring points, indices in Points
	From, To      float64 // the levels, in the unit
	P             float64 // 0 if both are exact
	Exact         bool
	// SameImage tells that both runs measured the same image: what changed
	// is not the build.
	SameImage bool
}

// Ratio is the new level as a multiple of the old; NaN if there is none.
func (c Change) Ratio() float64 {
	if c.From == 0 || c.To/c.From <= 0 {
		return math.NaN()
	}
	return c.To / c.From
}

// Scale says what the values are: the unit, or "ns/op over native".
func (s *Series) Scale() string {
	if s.Over == "" {
		return s.Unit
	}
	return s.Unit + " over " + s.Over
}

// Verdict says what the change means for the unit.
func (s *Series) Verdict(c Change) string {
	switch more := c.To > c.From; {
	case compare.IsCount(s.Unit), !compare.IsCost(s.Unit):
		if more {
			return "more"
		}
		return "less"
	case more != (compare.IsRate(s.Unit) && s.Over == ""):
		return string(compare.Slower)
	}
	return string(compare.Faster)
}

// Read takes the series of all runs of a store and looks for changes.
func Read(s *history.Store, opt Options) (*Trends, error) {
	t := New(opt)
	if err := s.Each(func(run history.Run, series []history.Series) error {
		t.Add(run, series)
		return nil
	}); err != nil {
		return nil, err
	}
	t.Analyse()
	return t, nil
}

// New is a history without runs.
func New(opt Options) *Trends {
	if opt.Alpha == 0 {
		opt.Alpha = 0.05
	}
	return &Trends{Alpha: opt.Alpha, Over: opt.Over, opt: opt, index: map[key]*Series{}, images: newImageLists()}
}

// Add takes the next run.
func (t *Trends) Add(run history.Run, series []history.Series) {
	if t.opt.Host != "" && run.Host != t.opt.Host {
		return
	}
	t.settle()
	at, used := len(t.Runs), false
	for i, m := range t.renamed(run, series) {
		s := t.find(i, run.Host, m)
		if s == nil {
			continue
		}
		used = true
		if s.add(at, m) {
			t.open = append(t.open, s)
		}
	}
	if used {
		t.Runs = append(t.Runs, run)
	}
}

// spot is what stood at a place of the last run: a figure, and its series, nil if it
// is not wanted.
type spot struct {
	host   string
	figure history.Series
	series *Series
}

// is reports whether a figure is the same. Names are mostly the same copy, which is
// seen at once.
func (p *spot) is(host string, m *history.Series) bool {
	f := &p.figure
	return f.Benchmark == m.Benchmark && f.Unit == m.Unit && f.Build == m.Build && f.Domain == m.Domain && p.host == host &&
		f.Target == m.Target && f.Arch == m.Arch && f.Accel == m.Accel && f.Workload == m.Workload && f.DomU == m.DomU && f.Idle == m.Idle
}

// find is the series of a figure, nil if it is not wanted. Most runs have the same
// figures at the same places.
func (t *Trends) find(place int, host string, m history.Series) *Series {
	if place < len(t.spots) && t.spots[place].is(host, &m) {
		return t.spots[place].series
	}
	k := keyOf(host, m)
	if t.opt.AnyHost && compare.IsTally(m.Unit) {
		k.host = AnyHost
	}
	var s *Series
	if t.wants(k) {
		s = t.series(k)
	}
	m.Boots, m.Remarks = nil, nil
	if place == len(t.spots) {
		t.spots = append(t.spots, spot{})
	}
	if place < len(t.spots) {
		t.spots[place] = spot{host, m, s}
	}
	return s
}

// Figures are a run's: each of its figures, in all units, as a series of one point.
func Figures(run history.Run, series []history.Series) []*Series {
	t := New(Options{Unit: anyUnit})
	t.Add(run, series)
	t.settle()
	t.sort()
	return t.Series
}

var anyUnit = regexp.MustCompile("")

// key is where a series that was read stands in the index.
func (s *Series) key() key { return key{s.Host, s.Environment, s.Benchmark, s.Build, s.Unit} }

func keyOf(host string, m history.Series) key {
	e := compare.Environment{Target: m.Target, Arch: m.Arch, Accel: m.Accel, Workload: m.Workload, Domain: m.Domain, DomU: m.DomU, Idle: m.Idle}
	return key{host, e, m.Benchmark, m.Build, m.Unit}
}

func (t *Trends) wants(k key) bool {
	matches := func(re *regexp.Regexp, text string) bool { return re == nil || re.MatchString(text) }
	if t.opt.Unit == nil && !compare.IsCost(k.unit) {
		return false
	}
	if r := t.opt.Run; r != nil && !like(k.Environment, *r) {
		return false
	}
	return matches(t.opt.Bench, k.benchmark) && (matches(t.opt.Build, k.build) || k.build == t.opt.Over) && matches(t.opt.Domain, k.Domain) && matches(t.opt.Unit, k.unit)
}

// like reports whether a run measures in an environment.
func like(e compare.Environment, r results.Spec) bool {
	return e.Target == r.Target && e.Accel == r.SampleAccel() && e.Workload == r.Workload && slices.Contains(r.SampleDomUs(), e.DomU) && e.Idle == r.Idle &&
		slices.ContainsFunc(r.Builds, func(b hv.Build) bool { return b.Arch == e.Arch })
}

func (t *Trends) series(k key) *Series {
	s := t.index[k]
	if s == nil {
		s = &Series{Host: k.host, Environment: k.Environment, Benchmark: k.benchmark, Build: k.build, Unit: k.unit}
		t.index[k] = s
		t.Series = append(t.Series, s)
	}
	return s
}

// settle makes points of the last run's boots. A base needs them to the end:
// boots are what is paired.
func (t *Trends) settle() {
	for _, s := range t.open {
		p := &s.Points[len(s.Points)-1]
		p.Images = t.images.of(s.now.images)
		if t.Over == "" {
			p.settle(s.now.boots)
		} else {
			s.kept = append(s.kept, slices.Clone(s.now.boots))
		}
		s.now.clear()
	}
	t.open = t.open[:0]
}

// Analyse looks for changes in what was added.
func (t *Trends) Analyse() { t.analyse(func(*Series) bool { return true }) }

// analyse looks for the changes of some series. The others' are not looked for; what
// their noise is counts all the same.
func (t *Trends) analyse(wanted func(*Series) bool) {
	t.settle()
	if t.Over != "" {
		t.over(t.Over)
		for _, s := range t.Series {
			for i := range s.Points {
				s.Points[i].settle(s.kept[i])
			}
		}
	}
	t.sort()
	t.meter()
	t.change(wanted)
}

// eachSeries does something for all series, as many at a time as there are
// processors.
func (t *Trends) eachSeries(do func(i int, s *Series)) {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, s := range t.Series {
		group.Go(func() error { do(i, s); return nil })
	}
	group.Wait()
}

// sort puts series in the order of host, environment, unit, benchmark (as they
// first came) and build.
func (t *Trends) sort() {
	order := map[string]int{}
	for _, s := range t.Series {
		if _, ok := order[s.Benchmark]; !ok {
			order[s.Benchmark] = len(order)
		}
	}
	builds := t.BuildOrder()
	slices.SortStableFunc(t.Series, func(a, b *Series) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Environment.String(), b.Environment.String()),
			strings.Compare(a.Unit, b.Unit), order[a.Benchmark]-order[b.Benchmark], builds.Compare(a.Build, b.Build))
	})
}

// BuildOrder is that of the builds of the newest run, before those that only
// earlier ones have.
func (t *Trends) BuildOrder() compare.Order {
	var order compare.Order
	for _, r := range slices.Backward(t.Runs) {
		for _, b := range r.Run.Spec.Builds {
			if !slices.Contains(order, b.Name) {
				order = append(order, b.Name)
			}
		}
	}
	return order
}

// Changed are the series with a change, in order.
func (t *Trends) Changed() []*Series {
	var all []*Series
	for _, s := range t.Series {
		if len(s.Changes) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// Hidden counts the changes that are more than chance and below the limit.
func (t *Trends) Hidden() int {
	n := 0
	for _, s := range t.Series {
		n += s.Hidden
	}
	return n
}
