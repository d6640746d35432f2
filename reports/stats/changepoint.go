package stats

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Fewest values that a series must have for a change of level to be looked for,
// and that must stand on each side of one: a permutation test of fewer cannot
// reach 5 %, and one value alone is an outlier and no level.
const (
	LeastValues = 8
	LeastLevel  = 2
)

// permutations of a test: the least p value is 1 in permutations + 1.
const permutations = 499

// Shift is a change of level: values from At on lie about another mean than
// those before.
type Shift struct {
	At   int     // index of the first value of the new level
	Size float64 // difference of the means of the two levels
	P    float64 // by t, corrected for having chosen At
}

// Shifts says how to look for changes of level.
type Shifts struct {
	// Alpha bounds the probability that a series without any change gives
	// one, if its values are normal: each of several series looked at
	// together takes its share.
	Alpha float64
	// Least is the size below which a change is none.
	Least float64
	// Variance is what is known of a value's variance from elsewhere: less
	// is not believed.
	Variance float64
	Seed     uint64 // of the permutations
}

// Find finds the changes of level by binary segmentation. A stretch of values
// is split in two where Student's t of the means on both sides is largest, or,
// if that is no change, in three where t of the middle against the rest is (a
// level that came and went, as in circular binary segmentation, Olshen et al.
// 2004). It must pass two tests:
//
//   - t's p value, times the number of places that it was chosen from
//     (Bonferroni's bound; Worsley 1979 has the distribution), is at most the
//     stretch's share of Alpha by length (Meinshausen 2008);
//   - a permutation test of the same statistic, which assumes no distribution
//     but only that without a change the order means nothing, gives at most 5 %.
//
// Of both levels a split in two has four fifths and one in three the rest. The
// parts are then looked at alike. At last changes are taken out, the least
// certain first, until all are at least Least and pass the first test between
// the levels that remain.
func (o Shifts) Find(x []float64) []Shift {
	random := rand.New(rand.NewPCG(o.Seed, 0x9e3779b97f4a7c15))
	found := o.split(x, 0, len(x), random)
	return o.thin(x, found)
}

// kind is a way of splitting a stretch.
type kind struct {
	share float64 // of Alpha
	level float64 // of the permutation test
	most  func(sums) (cut, float64)
	// places is how many there are in n values.
	places func(n int) float64
}

var kinds = []kind{
	{0.8, 0.04, sums.inTwo, func(n int) float64 { return float64(n - 2*LeastLevel + 1) }},
	{0.2, 0.01, sums.inThree, func(n int) float64 { return float64(n*(n-1)) / 2 }},
}

// cut is a part of a stretch that lies about another mean than the rest.
type cut struct{ from, to int }

func (o Shifts) split(x []float64, from, to int, random *rand.Rand) []Shift {
	part := x[from:to]
	if len(part) < LeastValues {
		return nil
	}
	s := sumsOf(part)
	for _, k := range kinds {
		c, apart := k.most(s)
		p := k.places(len(part)) * o.p(s, apart)
		if apart == 0 || p > k.share*o.Alpha*float64(len(part))/float64(len(x)) || !k.permuted(part, apart, random) {
			continue
		}
		return o.parts(x, from, to, c, random)
	}
	return nil
}

// parts splits at the ends of c and looks at what lies between.
func (o Shifts) parts(x []float64, from, to int, c cut, random *rand.Rand) []Shift {
	var found []Shift
	start := from
	for _, at := range []int{from + c.from, from + c.to} {
		if at == from || at == to {
			continue
		}
		found = append(found, o.split(x, start, at, random)...)
		found = append(found, Shift{At: at})
		start = at
	}
	return append(found, o.split(x, start, to, random)...)
}

// sums are of centred values: at i, of those before i.
type sums struct {
	of    []float64
	total float64 // of squares
}

func sumsOf(x []float64) sums {
	s := sums{of: make([]float64, len(x)+1)}
	centre := stat.Mean(x, nil)
	for i, v := range x {
		s.of[i+1] = s.of[i] + v - centre
		s.total += (v - centre) * (v - centre)
	}
	return s
}

// apart is the sum of squares between a part and the rest. With that of all it
// gives t, and the larger the one the larger the other.
func (s sums) apart(c cut) float64 {
	n, k := float64(len(s.of)-1), float64(c.to-c.from)
	sum := s.of[c.to] - s.of[c.from]
	return sum * sum * n / (k * (n - k))
}

func (s sums) inTwo() (best cut, most float64) {
	n := len(s.of) - 1
	for k := LeastLevel; k <= n-LeastLevel; k++ {
		if a := s.apart(cut{0, k}); a > most {
			best, most = cut{0, k}, a
		}
	}
	return best, most
}

func (s sums) inThree() (best cut, most float64) {
	n := len(s.of) - 1
	for i := LeastLevel; i <= n-2*LeastLevel; i++ {
		for j := i + LeastLevel; j <= n-LeastLevel; j++ {
			if a := s.apart(cut{i, j}); a > most {
				best, most = cut{i, j}, a
			}
		}
	}
	return best, most
}

// p is that of t for a part against the rest, for one place.
func (o Shifts) p(s sums, apart float64) float64 {
	n := len(s.of) - 1
	variance := max(max(0, s.total-apart)/float64(n-2), o.Variance)
	return twoSided(math.Sqrt(apart/variance), float64(n-2))
}

// twoSided is the probability that |t| is at least as large; 0 for the infinite
// t of levels without spread.
func twoSided(t, df float64) float64 {
	switch {
	case math.IsInf(t, 1):
		return 0
	case math.IsNaN(t):
		return 1
	}
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Survival(t)
}

// permuted reports whether few orders of the values have a part so far apart
// from the rest. It stops as soon as there are too many.
func (k kind) permuted(x []float64, apart float64, random *rand.Rand) bool {
	y := slices.Clone(x)
	bound := apart * (1 - 1e-9) // in another order the last bits of sums differ
	reached := 1                // the order that was seen is one of them
	for range permutations {
		random.Shuffle(len(y), func(i, j int) { y[i], y[j] = y[j], y[i] })
		if _, most := k.most(sumsOf(y)); most >= bound {
			reached++
		}
		if float64(reached) > k.level*(permutations+1) {
			return false
		}
	}
	return true
}

// thin takes out changes that are too small or uncertain between the levels
// that remain.
func (o Shifts) thin(x []float64, found []Shift) []Shift {
	for {
		worst := -1
		for i := range found {
			found[i].Size, found[i].P = o.between(x, found, i)
			bad := math.Abs(found[i].Size) < o.Least || found[i].P > o.Alpha
			if bad && (worst < 0 || found[i].P > found[worst].P) {
				worst = i
			}
		}
		if worst < 0 {
			return found
		}
		found = slices.Delete(found, worst, worst+1)
	}
}

// between compares the levels around a change: their difference, and p for the
// best of all places that they have.
func (o Shifts) between(x []float64, found []Shift, i int) (size, p float64) {
	from, at, to := 0, found[i].At, len(x)
	if i > 0 {
		from = found[i-1].At
	}
	if i+1 < len(found) {
		to = found[i+1].At
	}
	size = stat.Mean(x[at:to], nil) - stat.Mean(x[from:at], nil)
	s, c := sumsOf(x[from:to]), cut{0, at - from}
	return size, min(1, kinds[0].places(to-from)*o.p(s, s.apart(c)))
}
