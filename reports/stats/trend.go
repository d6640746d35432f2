package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Trend is Kendall's test that y does not rise or fall with x; with time as x
// it is the test of Mann (1945).
type Trend struct {
	Tau float64 // Kendall's tau-b, -1 to 1
	P   float64 // two-sided; 1 if there is nothing to rank
}

// maxKendall is the largest number of pairs whose permutations are counted out.
const maxKendall = 50

// Kendall tests for a trend: exactly without ties, else by the normal
// approximation with the variance that ties leave and a correction for
// continuity (Kendall, Rank Correlation Methods, 1975, chapter 4).
func Kendall(x, y []float64) Trend {
	if constant(x) {
		return Trend{0, 1}
	}
	s, tx, ty := concordance(x, y)
	return trendOf(len(x), s, tx, ty)
}

// trendOf is the trend of n values with a concordance and ties.
func trendOf(n int, s float64, tx, ty tied) Trend {
	pairs := float64(n*(n-1)) / 2
	scale := math.Sqrt((pairs - tx.pairs) * (pairs - ty.pairs))
	if n < 3 || scale == 0 {
		return Trend{0, 1}
	}
	t := Trend{Tau: s / scale}
	if tx.pairs+ty.pairs == 0 && n < maxKendall {
		t.P = kendallExact(n, s)
		return t
	}
	m := float64(n)
	v := (m*(m-1)*(2*m+5) - tx.five - ty.five) / 18
	v += tx.pairs * ty.pairs * 2 / (m * (m - 1))
	v += tx.triples * ty.triples / (9 * m * (m - 1) * (m - 2))
	z := max(0, math.Abs(s)-1) / math.Sqrt(v)
	t.P = math.Erfc(z / math.Sqrt2)
	return t
}

// Drift is the trend of values in the order of time.
func Drift(y []float64) Trend { return NewSample(y).Drift() }

// Drift is the trend of the values in their order. To sort them takes an exchange
// for each pair that falls.
func (s *Sample) Drift() Trend {
	n, ty := len(s.values), ties(s.ascending())
	pairs := float64(n) * float64(n-1) / 2
	return trendOf(n, pairs-ty.pairs-2*float64(s.falling()), tied{}, ty)
}

// concordance counts pairs that rise together, less those that do not, and the
// ties. It sorts by x and counts the exchanges that would sort by y (Knight,
// JASA 61, 1966), since there are many pairs.
func concordance(x, y []float64) (s float64, tx, ty tied) {
	points, xs, ys := make([]point, len(x)), make([]float64, len(x)), make([]float64, len(x))
	for i := range points {
		points[i] = point{x[i], y[i]}
	}
	if !slices.IsSortedFunc(points, point.compare) {
		slices.SortFunc(points, point.compare)
	}
	both, run := 0, 0 // pairs tied in x and y, and the length of the run so far
	for i, p := range points {
		xs[i], ys[i] = p.x, p.y
		if i > 0 && p == points[i-1] {
			run++
			both += run
		} else {
			run = 0
		}
	}
	inOrder := NewSample(ys)
	tx, ty = ties(xs), ties(inOrder.ascending())
	pairs := float64(len(x)) * float64(len(x)-1) / 2
	return pairs - tx.pairs - ty.pairs + float64(both) - 2*float64(inOrder.falling()), tx, ty
}

type point struct{ x, y float64 }

// compare orders by x, then by y.
func (p point) compare(q point) int {
	switch {
	case p.x < q.x, p.x == q.x && p.y < q.y:
		return -1
	case p == q:
		return 0
	}
	return 1
}

// tied sums over groups of t tied values: t(t-1)/2, t(t-1)(t-2), t(t-1)(2t+5).
type tied struct{ pairs, triples, five float64 }

func ties(sorted []float64) tied {
	var all tied
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		t := float64(j - i)
		all.pairs += t * (t - 1) / 2
		all.triples += t * (t - 1) * (t - 2)
		all.five += t * (t - 1) * (2*t + 5)
		i = j
	}
	return all
}

// kendallExact is the two-sided p of a concordance s among all orders of n.
func kendallExact(n int, s float64) float64 {
	// share[k] is the share of the permutations with k inversions.
	share := []float64{1}
	for m := 2; m <= n; m++ {
		next := make([]float64, len(share)+m-1)
		for k, v := range share {
			for i := range m {
				next[k+i] += v / float64(m)
			}
		}
		share = next
	}
	most := float64(n*(n-1)) / 2
	extreme := int(math.Round((most - math.Abs(s)) / 2)) // inversions, or those of the reverse
	p := 0.0
	for k := 0; k <= extreme; k++ {
		p += share[k]
	}
	return min(1, 2*p)
}

// Slope is the median of the slopes of all pairs of values against their
// place (Theil 1950, Sen 1968), times the way from the first to the last: what
// the values rise by, whatever a few of them do.
func Slope(y []float64) float64 {
	var slopes []float64
	for i := range y {
		for j := range i {
			slopes = append(slopes, (y[i]-y[j])/float64(i-j))
		}
	}
	if slopes == nil {
		return 0
	}
	return Median(slopes) * float64(len(y)-1)
}

// Outliers finds the values outside of Tukey's inner fences, and of those the
// ones outside of the outer fences: 1.5 times and 3 times the spread of the
// middle half beyond it (Exploratory Data Analysis, 1977). It returns their
// places.
func Outliers(x []float64) (out, far []int) { return NewSample(x).Outliers() }

// Outliers finds them in a sample.
func (s *Sample) Outliers() (out, far []int) {
	x := s.values
	if len(x) < 4 {
		return nil, nil
	}
	lower, upper := hinges(s.ascending())
	beyond := func(v, k float64) bool { return v < lower-k*(upper-lower) || v > upper+k*(upper-lower) }
	for i, v := range x {
		if beyond(v, 1.5) {
			out = append(out, i)
		}
		if beyond(v, 3) {
			far = append(far, i)
		}
	}
	return out, far
}

// hinges are the medians of the lower and the upper half of sorted values; of
// an odd number the median belongs to both.
func hinges(x []float64) (lower, upper float64) {
	half := (len(x) + 1) / 2
	return middle(x[:half]), middle(x[len(x)-half:])
}

// middle is the median of sorted values.
func middle(x []float64) float64 {
	half := len(x) / 2
	if len(x)%2 == 1 {
		return x[half]
	}
	return (x[half-1] + x[half]) / 2
}

// normal is the standard normal distribution.
var normal = distuv.UnitNormal

// sorted is a copy in ascending order.
func sorted(x []float64) []float64 {
	s := slices.Clone(x)
	slices.Sort(s)
	return s
}
