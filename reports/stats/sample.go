package stats

import "slices"

// Sample is values in the order in which they came. Most statistics want them in
// ascending order, too: they are sorted once, when the first does.
//
// A sample is not to be used by several goroutines.
type Sample struct {
	values, sorted []float64
	counted        bool // whether swaps are known
	swaps          int  // pairs of values that were in the wrong order
}

// NewSample is a sample of values, which must not change.
func NewSample(values []float64) *Sample { return &Sample{values: values} }

// Values are those of the sample, as they came.
func (s *Sample) Values() []float64 { return s.values }

// ascending are the values in ascending order.
func (s *Sample) ascending() []float64 {
	if s.sorted == nil {
		s.sort()
	}
	return s.sorted
}

// falling counts the pairs of values that are in the wrong order.
func (s *Sample) falling() int {
	if !s.counted {
		s.sort()
	}
	return s.swaps
}

func (s *Sample) sort() {
	s.sorted = slices.Clone(s.values)
	s.swaps, s.counted = inversions(s.sorted, make([]float64, len(s.values)/2)), true
}

// Scaled is the sample of what each value becomes. What keeps the order, or
// reverses it, spares that sample the sorting.
func (s *Sample) Scaled(values []float64, scale func([]float64) []float64) *Sample {
	scaled := NewSample(values)
	inOrder := scale(s.ascending())
	if !slices.IsSorted(inOrder) {
		slices.Reverse(inOrder)
	}
	if slices.IsSorted(inOrder) {
		scaled.sorted = inOrder
	}
	return scaled
}

// few values are sorted by insertion, which is faster than to merge them.
const few = 12

// inversions sorts, and counts the pairs that were in the wrong order. Half of the
// values fit into spare.
func inversions(y, spare []float64) int {
	if len(y) <= few {
		return insert(y)
	}
	half := len(y) / 2
	count := inversions(y[:half], spare) + inversions(y[half:], spare)
	if y[half-1] <= y[half] {
		return count
	}
	left, right := spare[:copy(spare, y[:half])], y[half:]
	for k := 0; len(left) > 0; k++ {
		if len(right) == 0 || left[0] <= right[0] {
			y[k], left = left[0], left[1:]
		} else {
			y[k], right = right[0], right[1:]
			count += len(left)
		}
	}
	return count
}

// insert is inversions by insertion.
func insert(y []float64) int {
	count := 0
	for i, v := range y {
		j := i
		for ; j > 0 && v < y[j-1]; j-- {
			y[j] = y[j-1]
		}
		y[j] = v
		count += i - j
	}
	return count
}
