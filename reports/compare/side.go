package compare

import (
	"math"
	"slices"

	"xsmbench/reports/stats"
)

// side is what one build gave of a row. Rows of other builds may share it.
type side struct {
	*stats.Sample
	positive  bool      // all values are above 0
	logarithm []float64 // of the values, once somebody asked
}

func newSide(values []float64) *side {
	positive := !slices.ContainsFunc(values, func(v float64) bool { return v <= 0 })
	return &side{Sample: stats.NewSample(values), positive: positive}
}

// logs are the logarithms of values that are all above 0. They are not to be
// changed.
func (s *side) logs() []float64 {
	if s.logarithm == nil {
		s.logarithm = make([]float64, len(s.Values()))
		for i, v := range s.Values() {
			s.logarithm[i] = math.Log(v)
		}
	}
	return s.logarithm
}

// centre is the geometric mean, or the mean if a value is not above 0.
func (s *side) centre(linear bool) float64 {
	v := s.Values()
	switch {
	case len(v) == 0:
		return math.NaN()
	case constant(v):
		return v[0]
	case linear:
		return stats.Mean(v)
	}
	return math.Exp(stats.Mean(s.logs()))
}

// workbench is what rows share that are made one after the other.
type workbench struct {
	pairings pairings
	base     *side // of the row before
}

// baseSide is the base's side: that of the row before, if the values are the
// same.
func (w *workbench) baseSide(values []float64) *side {
	if w.base == nil || len(values) == 0 || len(values) != len(w.base.Values()) || &values[0] != &w.base.Values()[0] {
		w.base = newSide(values)
	}
	return w.base
}
