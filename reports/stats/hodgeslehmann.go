package stats

import (
	"math"
	"slices"
)

// HodgesLehmann is the median of all means of two of the values, each value
// with itself included.
func HodgesLehmann(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return medianOf(n*(n+1)/2, func(bound float64) (atMost int, next float64) {
		next = math.Inf(1)
		// Row i holds the means of x[i] and x[i:]. The further i, the fewer of
		// the row are at most bound.
		j := n
		for i := range n {
			for j > i && (x[i]+x[j-1])/2 > bound {
				j--
			}
			j = max(j, i)
			atMost += j - i
			if j < n {
				next = min(next, (x[i]+x[j])/2)
			}
		}
		return atMost, next
	})
}

// shift is the Hodges-Lehmann estimate for two samples: the median of all
// differences.
func shift(a, b []float64) float64 {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return medianOf(len(a)*len(b), func(bound float64) (atMost int, next float64) {
		next = math.Inf(1)
		j := 0 // the further i, the more of b are near enough
		for _, x := range a {
			for j < len(b) && b[j]-x <= bound {
				j++
			}
			atMost += j
			if j < len(b) {
				next = min(next, b[j]-x)
			}
		}
		return atMost, next
	})
}

// medianOf is the median of n values that nobody lists, as there are too many:
// count tells how many are at most a bound, and which is the next above it. It
// halves the floating-point numbers themselves, so that the median is exact,
// with some sixty counts for any n.
func medianOf(n int, count func(bound float64) (atMost int, next float64)) float64 {
	if n == 0 {
		return math.NaN()
	}
	lower := (n - 1) / 2
	// Below lo there are at most lower values, and at most hi more than that.
	lo, hi := ordinal(math.Inf(-1)), ordinal(math.Inf(1))
	for lo < hi {
		middle := lo + (hi-lo)/2
		if atMost, _ := count(number(middle)); atMost > lower {
			hi = middle
		} else {
			lo = middle + 1
		}
	}
	low := number(lo)
	high := low
	if atMost, next := count(low); atMost <= n/2 {
		high = next
	}
	return (low + high) / 2
}

// ordinal maps floating-point numbers to whole numbers in the same order.
func ordinal(f float64) uint64 {
	bits := math.Float64bits(f)
	if bits>>63 == 1 {
		return ^bits
	}
	return bits | 1<<63
}

// number is the inverse of ordinal.
func number(o uint64) float64 {
	if o>>63 == 1 {
		return math.Float64frombits(o &^ (1 << 63))
	}
	return math.Float64frombits(^o)
}
