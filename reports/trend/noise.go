package trend

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"xsmbench/reports/compare"
	"xsmbench/reports/stats"
)

// Meter is the noise of a unit on a host: what runs of one image differ in.
// Two such runs measured the same thing, so nothing else can be in it.
type Meter struct {
	Host string
	compare.Environment
	Scale string // the unit, or the unit and the base

	Series int // that have runs of one image
	Pairs  int // of neighbouring runs of one image, over all series
	// Typical is the root of the mean square of the pairs' differences, and
	// Limit what 19 of 20 stay below if they are normal (ISO 5725's
	// repeatability limit); Largest is the largest seen. Shares of the value.
	Typical, Limit, Largest float64
	// LargestIn is the series that it was seen in.
	LargestIn *Series
}

// Fewest repetitions for a series to have a limit of its own.
const ownRepetitions = 5

// repetitions are the differences of a series' runs of one image.
type repetitions struct {
	squares float64 // sum of squared deviations from the images' means
	df      int
	largest float64
	pairs   int
}

// repetitions groups the points by image. Runs whose images are unknown are in
// no group.
func (s *Series) repetitions() repetitions {
	x := s.levels(s.all())
	groups := map[Images][]float64{}
	var order []Images
	for i, p := range s.Points {
		if p.Images == 0 {
			continue
		}
		if groups[p.Images] == nil {
			order = append(order, p.Images)
		}
		groups[p.Images] = append(groups[p.Images], x[i])
	}
	var r repetitions
	for _, image := range order {
		r.add(groups[image])
	}
	return r
}

func (r *repetitions) add(x []float64) {
	if len(x) < 2 {
		return
	}
	r.squares += stats.Variance(x) * float64(len(x)-1)
	r.df += len(x) - 1
	r.pairs += len(x) - 1
	r.largest = max(r.largest, slices.Max(x)-slices.Min(x))
}

// limit is what the difference of two runs stays below with 95 % probability,
// t's quantile times the standard deviation of a difference.
func limit(squares float64, df int) float64 {
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(df)}.Quantile(0.975)
	return t * math.Sqrt(2*squares/float64(df))
}

// place is where a meter holds. Domains and builds share a machine and its
// noise.
func (s *Series) place() Meter {
	e := s.Environment
	e.Domain = ""
	return Meter{Host: s.Host, Environment: e, Scale: s.Scale()}
}

// meter measures the noise and sets each series' limit.
func (t *Trends) meter() {
	found := map[Meter]*Meter{}
	squares := map[Meter]float64{}
	df := map[Meter]int{}
	all := make([]repetitions, len(t.Series))
	t.eachSeries(func(i int, s *Series) {
		s.exact()
		all[i] = s.repetitions()
	})
	for i, s := range t.Series {
		r := all[i]
		if r.df == 0 {
			continue
		}
		k := s.place()
		m := found[k]
		if m == nil {
			m = &Meter{Host: k.Host, Environment: k.Environment, Scale: k.Scale}
			found[k] = m
		}
		m.Series++
		m.Pairs += r.pairs
		squares[k] += r.squares
		df[k] += r.df
		if r.largest >= m.Largest {
			m.Largest, m.LargestIn = r.largest, s
		}
	}
	for k, m := range found {
		m.Typical = math.Sqrt(2 * squares[k] / float64(df[k]))
		m.Limit = limit(squares[k], df[k])
		t.Meters = append(t.Meters, *m)
	}
	slices.SortFunc(t.Meters, func(a, b Meter) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Environment.String(), b.Environment.String()), strings.Compare(a.Scale, b.Scale))
	})
	t.eachSeries(func(i int, s *Series) { s.setLimit(all[i], found[s.place()]) })
}

// setLimit takes the series' own repetitions if they are enough, else the
// larger of what the unit's meter and the boots say.
func (s *Series) setLimit(r repetitions, m *Meter) {
	s.Limit = math.NaN()
	if s.Exact {
		return
	}
	// Two means of boots differ by no less than their boots make them.
	boots := 1.96 * math.Sqrt(2*s.bootVariance())
	switch {
	case r.df >= ownRepetitions:
		s.Limit, s.Own = max(boots, limit(r.squares, r.df)), true
	case m != nil:
		s.Limit = max(boots, m.Limit)
	case boots > 0:
		s.Limit, s.Boots = boots, true
	}
}

// exact decides whether the series is: it counts, and most runs were exact. The
// others stand in no comparison.
func (s *Series) exact() {
	n := 0
	for _, p := range s.Points {
		if p.Exact {
			n++
		}
	}
	s.Exact = 2*n > len(s.Points)
}
