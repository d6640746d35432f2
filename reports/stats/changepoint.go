package stats

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Fewest values that a series must have for a change of level to be looked for,
// and that must stand on each side of one: a permutation test of fewer cannot
// reach 5 %, and one value alone is an outlier and no level.
const (
	LeastValues = 8
	LeastLevel  = 2
)

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

// Find finds the changes of level by seeded binary segmentation (Kovács et al.
// 2023): a stretch of values is looked at through windows of many lengths and
// places, so that one change does not hide another, and split where in one of
// them the means on both sides differ most clearly. It must pass two tests:
//
//   - the p value of Student's t, times the number of places that it was chosen
//     from (Bonferroni), is at most the stretch's share of Alpha by length
//     (Meinshausen 2008); half of that is for all windows, and half for the one
//     that is the whole stretch;
//   - a permutation test of the same statistic, which assumes no distribution
//     but only that without a change the order means nothing, gives at most 5 %.
//
// Both parts are then looked at alike. At last changes are taken out, the least
// certain first, until all are at least Least and pass t between the levels that
// remain. small is how many more there would be if Least were 0.
func (o Shifts) Find(x []float64) (found []Shift, small int) {
	random := rand.New(rand.NewPCG(o.Seed, 0x9e3779b97f4a7c15))
	all := o.split(x, 0, len(x), random)
	found = o.thin(x, slices.Clone(all))
	o.Least = 0
	return found, max(0, len(o.thin(x, all))-len(found))
}

func (o Shifts) split(x []float64, from, to int, random *rand.Rand) []Shift {
	part := x[from:to]
	if len(part) < LeastValues {
		return nil
	}
	s := sumsOf(part)
	level := o.Alpha / 2 * float64(len(part)) / float64(len(x))
	all := windows(len(part))
	for _, looked := range [][]window{all, all[len(all)-1:]} {
		best := o.clearest(s, looked)
		if best.score == 0 || places(looked)*best.p > level || !o.permuted(part, all, best.score, random) {
			continue
		}
		at := from + best.at
		return slices.Concat(o.split(x, from, at, random), []Shift{{At: at}}, o.split(x, at, to, random))
	}
	return nil
}

// window is a part of a stretch.
type window struct{ from, to int }

// windows are those that n values are looked at through: each √2 times as long
// as the one before, in steps of a quarter. The last is all of them.
func windows(n int) []window {
	var all []window
	for length := float64(LeastValues); ; length *= math.Sqrt2 {
		m := min(n, int(math.Round(length)))
		for from := 0; from < n-m; from += m / 4 {
			all = append(all, window{from, from + m})
		}
		all = append(all, window{n - m, n})
		if m == n {
			return all
		}
	}
}

// places counts the splits that windows have.
func places(all []window) float64 {
	n := 0
	for _, w := range all {
		n += w.to - w.from - 2*LeastLevel + 1
	}
	return float64(n)
}

// cut is a place of a stretch where a window is split best.
type cut struct {
	at int
	p  float64 // of t in the window, for one place
	// score orders cuts of all windows nearly as p does, and costs less.
	score float64
}

// clearest is the cut with the highest score.
func (o Shifts) clearest(s sums, all []window) cut {
	var best cut
	var in window
	for _, w := range all {
		at, apart := s.widest(w)
		if score := o.score(s, w, apart); score > best.score {
			best, in = cut{at: at, score: score}, w
		}
	}
	if best.score > 0 {
		best.p = o.p(s, in, s.apart(in, best.at))
	}
	return best
}

// score is the logarithm of 1 + t²/df, weighted by the degrees of freedom: p
// falls about as its exponential.
func (o Shifts) score(s sums, w window, apart float64) float64 {
	if apart == 0 {
		return 0
	}
	// Levels without spread are no clearer than their number makes them.
	within := max(o.within(s, w, apart), 1e-12*apart)
	return float64(w.to-w.from-3) * math.Log1p(apart/within)
}

// sums are of centred values: at i, of those before i, and of their squares.
type sums struct{ of, squares []float64 }

func sumsOf(x []float64) sums {
	s := sums{make([]float64, len(x)+1), make([]float64, len(x)+1)}
	s.fill(x)
	return s
}

func (s sums) fill(x []float64) {
	centre := Mean(x)
	for i, v := range x {
		d := v - centre
		s.of[i+1], s.squares[i+1] = s.of[i]+d, s.squares[i]+d*d
	}
}

// apart is the sum of squares between the two sides of a window.
func (s sums) apart(w window, at int) float64 {
	n, k := float64(w.to-w.from), float64(at-w.from)
	d := (s.of[at]-s.of[w.from])*(n-k) - (s.of[w.to]-s.of[at])*k
	return d * d / (n * k * (n - k))
}

// widest is where a window's sides are furthest apart. It is apart for all
// places, with what they share taken out.
func (s sums) widest(w window) (best int, most float64) {
	n := float64(w.to - w.from)
	first, all := s.of[w.from], s.of[w.to]-s.of[w.from]
	k := float64(LeastLevel)
	for at, sum := range s.of[w.from+LeastLevel : w.to-LeastLevel+1] {
		d := (sum-first)*n - all*k
		if a := d * d / (k * (n - k)); a > most {
			best, most = w.from+LeastLevel+at, a
		}
		k++
	}
	return best, most / n
}

// within is the sum of squares within the two sides, no less than the known
// variance makes it.
func (o Shifts) within(s sums, w window, apart float64) float64 {
	n := float64(w.to - w.from)
	sum := s.of[w.to] - s.of[w.from]
	total := s.squares[w.to] - s.squares[w.from] - sum*sum/n
	return max(0, total-apart, o.Variance*(n-2))
}

// p is that of t in a window, for one place.
func (o Shifts) p(s sums, w window, apart float64) float64 {
	df := float64(w.to - w.from - 2)
	return twoSided(math.Sqrt(apart/(o.within(s, w, apart)/df)), df)
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
	size = Mean(x[at:to]) - Mean(x[from:at])
	w := window{0, to - from}
	s := sumsOf(x[from:to])
	return size, min(1, places([]window{w})*o.p(s, w, s.apart(w, at-from)))
}
