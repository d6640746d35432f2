package stats

import (
	"errors"
	"math"
	"slices"

	moremath "github.com/aclements/go-moremath/stats"
)

// MannWhitney is the two-sided p value of the test of Mann and Whitney (1947)
// that neither of two samples tends to be larger, by the code that benchstat
// uses: ties share their mean rank, and the distribution is exact up to 50
// values a sample, up to 25 if some are equal; beyond, it is the normal
// approximation. It is NaN if a sample is empty.
func MannWhitney(a, b []float64) float64 { return NewSample(a).MannWhitney(NewSample(b)) }

// MannWhitney compares with another sample.
func (s *Sample) MannWhitney(other *Sample) float64 {
	if slices.ContainsFunc(s.values, math.IsNaN) || slices.ContainsFunc(other.values, math.IsNaN) {
		return math.NaN()
	}
	// It sorts for itself, but sees what is sorted.
	test, err := moremath.MannWhitneyUTest(s.ascending(), other.ascending(), moremath.LocationDiffers)
	switch {
	case errors.Is(err, moremath.ErrSamplesEqual):
		return 1
	case err != nil:
		return math.NaN()
	}
	return min(1, test.P) // the doubled tail of much-tied samples may exceed it
}
