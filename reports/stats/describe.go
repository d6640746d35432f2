package stats

import descriptive "github.com/montanaflynn/stats"

// What describes a sample. The library reports a sample that is too small as an
// error, with NaN as the value; here NaN says it, since a figure that cannot be
// known is a row's ordinary state.

// Mean is the arithmetic mean, NaN of no values.
func Mean(x []float64) float64 {
	m, _ := descriptive.Mean(x)
	return m
}

// Median is the middle value, or the mean of the middle two. NaN of no values.
func Median(x []float64) float64 {
	m, _ := descriptive.Median(x)
	return m
}

// Percentile lies p per cent of the way (above 0, at most 100) through the sorted
// values, between two of them if need be (Hyndman and Fan's seventh definition,
// R's default). NaN of no values.
func Percentile(x []float64, p float64) float64 {
	v, _ := descriptive.Percentile(x, p)
	return v
}

// Variance is that of a sample, NaN of fewer than two values. Equal values have
// none, even where their mean rounds to another number.
func Variance(x []float64) float64 {
	if len(x) > 1 && constant(x) {
		return 0
	}
	v, _ := descriptive.SampleVariance(x)
	return v
}

// StdDev is the standard deviation of a sample, as Variance has it.
func StdDev(x []float64) float64 {
	if len(x) > 1 && constant(x) {
		return 0
	}
	sd, _ := descriptive.StandardDeviationSample(x)
	return sd
}

func constant(x []float64) bool {
	for _, v := range x {
		if v != x[0] {
			return false
		}
	}
	return true
}
