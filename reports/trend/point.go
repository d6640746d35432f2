package trend

import (
	"math"
	"slices"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/stats"
	"xsmbench/results/history"
)

// opened is what is known of a point that may get more boots.
type opened struct {
	boots  []boot
	images []string
}

// clear forgets it; the memory is for the next point.
func (o *opened) clear() { o.boots, o.images = o.boots[:0], o.images[:0] }

// add takes what one image gave in a run; the images of a run (layouts) are
// one point. It reports whether the point is new.
func (s *Series) add(run int, m history.Series) (first bool) {
	if n := len(s.Points); n == 0 || s.Points[n-1].Run != run {
		s.Points = append(s.Points, Point{Run: run, Exact: compare.IsTally(s.Unit)})
		first = true
	}
	p := &s.Points[len(s.Points)-1]
	for i := 0; i < len(m.Boots); {
		// A boot that measured a benchmark twice is one value.
		j, sum := i, 0.0
		for ; j < len(m.Boots) && m.Boots[j].Boot == m.Boots[i].Boot; j++ {
			sum += m.Boots[j].Value
		}
		s.now.boots = append(s.now.boots, boot{m.Boots[i].Round, sum / float64(j-i)})
		if image := m.Boots[i].Image; image != "" && !slices.Contains(s.now.images, image) {
			s.now.images = append(s.now.images, image)
		}
		i = j
	}
	if slices.ContainsFunc(m.Remarks, func(r string) bool { return strings.HasPrefix(r, "not exact") }) {
		p.Exact = false
	}
	return first
}

func (p *Point) settle(boots []boot) {
	p.Boots = len(boots)
	values := make([]float64, p.Boots)
	for i, b := range boots {
		values[i] = b.value
	}
	least, most := slices.Min(values), slices.Max(values)
	if least != most || p.Boots < 2 {
		p.Exact = false
	}
	p.SD = math.NaN()
	if least <= 0 {
		p.Value = stats.Mean(values)
		if p.Boots > 1 && p.Value != 0 {
			p.SD = stats.StdDev(values) / math.Abs(p.Value)
		}
		return
	}
	logs := make([]float64, len(values))
	for i, v := range values {
		logs[i] = math.Log(v)
	}
	p.Value = values[0] // and not what its logarithm rounds to
	if least != most {
		p.Value = math.Exp(stats.Mean(logs))
	}
	if p.Boots > 1 {
		p.SD = stats.StdDev(logs)
	}
}

// levels are the points' values as logarithms, or, if one is not above 0, as
// shares of the mean size.
func (s *Series) levels(points []int) []float64 {
	x := make([]float64, len(points))
	logs, size := true, 0.0
	for i, at := range points {
		x[i] = s.Points[at].Value
		logs = logs && x[i] > 0
		size += math.Abs(x[i]) / float64(len(points))
	}
	for i := range x {
		switch {
		case logs:
			x[i] = math.Log(x[i])
		case size > 0:
			x[i] /= size
		}
	}
	return x
}

// all are the indices of all points.
func (s *Series) all() []int {
	all := make([]int, len(s.Points))
	for i := range all {
		all[i] = i
	}
	return all
}

// bootVariance is the part of a point's variance that comes from boots, 0 if
// it is unknown.
func (s *Series) bootVariance() float64 {
	var sum float64
	n := 0
	for _, p := range s.Points {
		if !math.IsNaN(p.SD) {
			sum += p.SD * p.SD / float64(p.Boots)
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}
