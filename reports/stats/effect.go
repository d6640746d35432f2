// Package stats is the inference behind the reports. It works on logarithms:
// a difference d of logarithms is a ratio exp(d), so a cost of one per cent is
// the same number for a fast and for a slow operation. A sample is one boot,
// and boots of the same round are pairs; nothing here ever sees an iteration.
package stats

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is a confidence interval.
type Interval struct{ Lo, Hi float64 }

// Within reports whether the interval lies inside [-margin, margin].
func (i Interval) Within(margin float64) bool { return -margin <= i.Lo && i.Hi <= margin }

// Excludes reports whether the value lies outside the interval.
func (i Interval) Excludes(x float64) bool { return x < i.Lo || i.Hi < x }

// Effect is what a build adds over the base, in logarithms.
type Effect struct {
	N    int     // pairs; for unpaired data the smaller group
	Mean float64 // the estimate: mean of the paired differences
	HL   float64 // Hodges-Lehmann: median of the Walsh averages
	SE   float64 // standard error of Mean
	DF   float64 // degrees of freedom of the t distribution
	CI   Interval
	// Exact is the interval of the exact Wilcoxon signed-rank test, which
	// assumes symmetry but no normality; nil if there are too few pairs
	// for the confidence asked.
	Exact     *Interval
	P         float64 // two-sided, t test of no difference
	PWilcoxon float64 // two-sided, exact signed-rank test; NaN if unpaired
	Paired    bool
}

// ErrTooFew is returned for data that carry no information on their spread.
var ErrTooFew = errors.New("fewer than two samples")

// Paired estimates an effect from the differences of pairs.
func Paired(diffs []float64, confidence float64) (Effect, error) {
	return NewSample(diffs).Paired(confidence)
}

// Paired estimates an effect from a sample of differences.
func (s *Sample) Paired(confidence float64) (Effect, error) {
	diffs, n := s.values, len(s.values)
	if n < 2 {
		return Effect{N: n}, ErrTooFew
	}
	mean, sd := Mean(diffs), StdDev(diffs)
	inOrder := s.ascending()
	e := Effect{N: n, Mean: mean, HL: hodgesLehmann(inOrder), SE: sd / math.Sqrt(float64(n)), DF: float64(n - 1), Paired: true}
	e.fill(confidence)
	e.PWilcoxon = signedRank(inOrder)
	if lo, hi, ok := SignedRankInterval(diffs, confidence); ok {
		e.Exact = &Interval{lo, hi}
	}
	return e, nil
}

// Welch estimates the difference of the means of b and a when nothing pairs
// them, without assuming equal variances.
func Welch(a, b []float64, confidence float64) (Effect, error) {
	return NewSample(a).Welch(NewSample(b), confidence)
}

// Welch estimates the difference of another sample's mean and this one's.
func (s *Sample) Welch(other *Sample, confidence float64) (Effect, error) {
	a, b := s.values, other.values
	if len(a) < 2 || len(b) < 2 {
		return Effect{N: min(len(a), len(b))}, ErrTooFew
	}
	qa, qb := Variance(a)/float64(len(a)), Variance(b)/float64(len(b))
	e := Effect{
		N: min(len(a), len(b)), Mean: Mean(b) - Mean(a), HL: shift(s.ascending(), other.ascending()), SE: math.Sqrt(qa + qb),
		DF:        welchDF(qa, qb, len(a), len(b)),
		PWilcoxon: math.NaN(),
	}
	e.fill(confidence)
	return e, nil
}

// welchDF is Satterthwaite's approximation; equal samples without spread have
// the degrees of freedom of their number.
func welchDF(qa, qb float64, na, nb int) float64 {
	if qa+qb == 0 {
		return float64(na + nb - 2)
	}
	return (qa + qb) * (qa + qb) / (qa*qa/float64(na-1) + qb*qb/float64(nb-1))
}

// fill computes interval and p from the estimate and its standard error.
func (e *Effect) fill(confidence float64) {
	half := quantile(1-(1-confidence)/2, e.DF) * e.SE
	e.CI = Interval{e.Mean - half, e.Mean + half}
	e.P = min(1, 2*e.upperTail(math.Abs(e.Mean)))
}

// upperTail is the probability that the t statistic of a difference d is
// exceeded by chance.
func (e *Effect) upperTail(d float64) float64 {
	if e.SE == 0 {
		switch {
		case d > 0:
			return 0
		case d < 0:
			return 1
		}
		return 0.5
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: e.DF}.Survival(d / e.SE)
}

// TOST is the p value of two one-sided tests for equivalence: the larger of
// the probabilities that a true effect of -margin, or of +margin, shows what
// was measured. Small means equivalent (Schuirmann 1987).
func (e Effect) TOST(margin float64) float64 {
	return max(e.upperTail(e.Mean+margin), e.upperTail(margin-e.Mean))
}

// SD is the spread of one pair, as a standard deviation.
func (e Effect) SD() float64 { return e.SE * math.Sqrt(float64(e.N)) }

// Needed estimates how many pairs in all would narrow the interval to a half
// width of at most h, from the spread seen so far. It is at least N+1; ok tells
// whether it is below limit, and else nothing is known.
func (e Effect) Needed(h, confidence float64, limit int) (n int, ok bool) {
	if h <= 0 {
		return 0, false
	}
	sd, tail := e.SD(), 1-(1-confidence)/2
	fits := func(n int) bool {
		return quantile(tail, float64(n-1))*sd/math.Sqrt(float64(n)) <= h
	}
	// The normal distribution asks for a little less.
	known := normal.Quantile(tail) * sd / h
	lo := max(2, e.N+1)
	if known*known >= float64(limit) {
		return 0, false
	}
	lo = max(lo, int(known*known))
	hi := lo
	for step := 1; hi < limit && !fits(hi); step *= 2 {
		lo, hi = hi+1, min(limit, hi+step)
	}
	for lo < hi {
		if n := (lo + hi) / 2; fits(n) {
			hi = n
		} else {
			lo = n + 1
		}
	}
	return hi, hi < limit
}

func quantile(p, df float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p)
}

// walsh lists the Walsh averages in ascending order.
func walsh(x []float64) []float64 {
	w := make([]float64, 0, len(x)*(len(x)+1)/2)
	for i := range x {
		for j := i; j < len(x); j++ {
			w = append(w, (x[i]+x[j])/2)
		}
	}
	slices.Sort(w)
	return w
}
