package stats

import "math"

// HodgesLehmann is the median of all means of two of the values, each value
// with itself included.
func HodgesLehmann(x []float64) float64 { return hodgesLehmann(sorted(x)) }

// hodgesLehmann is HodgesLehmann of sorted values.
func hodgesLehmann(x []float64) float64 {
	n := len(x)
	if n == 0 {
		return math.NaN()
	}
	return medianOf(n*(n+1)/2, x[0], x[n-1], func(bound float64) split {
		s := newSplit()
		// Row i holds the means of x[i] and x[i:]. The further i, the fewer of
		// the row are at most bound.
		j := n
		for i := range n {
			for j > i && (x[i]+x[j-1])/2 > bound {
				j--
			}
			j = max(j, i)
			if j > i {
				s.below = max(s.below, (x[i]+x[j-1])/2)
			}
			if j < n {
				s.above = min(s.above, (x[i]+x[j])/2)
			}
			s.atMost += j - i
		}
		return s
	})
}

// shift is the Hodges-Lehmann estimate for two sorted samples: the median of all
// differences.
func shift(a, b []float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return math.NaN()
	}
	return medianOf(len(a)*len(b), b[0]-a[len(a)-1], b[len(b)-1]-a[0], func(bound float64) split {
		s := newSplit()
		j := 0 // the further i, the more of b are near enough
		for _, x := range a {
			for j < len(b) && b[j]-x <= bound {
				j++
			}
			if j > 0 {
				s.below = max(s.below, b[j-1]-x)
			}
			if j < len(b) {
				s.above = min(s.above, b[j]-x)
			}
			s.atMost += j
		}
		return s
	})
}

// split is what a bound does to values: how many are at most as large, the
// largest of these, and the smallest of the others.
type split struct {
	atMost       int
	below, above float64
}

func newSplit() split { return split{below: math.Inf(-1), above: math.Inf(1)} }

// medianOf is the median of n values between lo and hi that nobody lists, as
// they are too many. It narrows the range between values that occur, and so ends
// at one of them: in turn to where the median lies if the values between are
// spread evenly, which is near, and to one half, which is sure.
func medianOf(n int, lo, hi float64, at func(bound float64) split) float64 {
	lower := (n - 1) / 2 // rank of the median, or of the lower of its two
	before, upTo := 0, n // how many values are below lo, and at most hi
	for even := true; lo < hi; even = !even {
		middle := lo/2 + hi/2
		if even {
			middle = lo + (hi-lo)*(float64(lower-before)+0.5)/float64(upTo-before)
		}
		if !(middle >= lo && middle < hi) {
			middle = lo // neighbours
		}
		if s := at(middle); s.atMost > lower {
			hi, upTo = s.below, s.atMost
		} else {
			lo, before = s.above, s.atMost
		}
	}
	if s := at(lo); s.atMost <= n/2 {
		return (lo + s.above) / 2
	}
	return lo
}
