package stats

import "math"

// maxExactRanks is the largest sample for which Mann and Whitney's
// distribution is counted out.
const maxExactRanks = 30

// MannWhitney is the two-sided p value of the test of Mann and Whitney (1947)
// that neither of two samples tends to be larger. Ties share their mean rank,
// and the distribution is exact for the ranks that result; for samples of more
// than 30 it is the normal approximation. It is NaN if a sample is empty.
func MannWhitney(a, b []float64) float64 {
	a, b = sorted(a), sorted(b)
	if len(a) == 0 || len(b) == 0 || math.IsNaN(a[0]+b[0]) { // NaN is sorted to the front
		return math.NaN()
	}
	ranks, ofA := sharedRanks(a, b)
	if len(a) > maxExactRanks || len(b) > maxExactRanks {
		return rankSumNormal(ranks, ofA, len(a))
	}
	var total, low, high float64
	for sum, c := range rankSumsOf(ranks, len(a)) {
		total += c
		if sum <= ofA {
			low += c
		}
		if sum >= ofA {
			high += c
		}
	}
	return min(1, 2*min(low, high)/total)
}

// sharedRanks gives twice the rank of each value of two sorted samples (whole
// numbers even with ties), and the sum of those of the first.
func sharedRanks(a, b []float64) (ranks []int, ofA int) {
	ranks = make([]int, 0, len(a)+len(b))
	for len(a)+len(b) > 0 {
		v := math.Inf(1)
		if len(a) > 0 {
			v = a[0]
		}
		if len(b) > 0 {
			v = min(v, b[0])
		}
		inA, inB := 0, 0
		for inA < len(a) && a[inA] == v {
			inA++
		}
		for inB < len(b) && b[inB] == v {
			inB++
		}
		rank := 2*len(ranks) + inA + inB + 1
		for range inA + inB {
			ranks = append(ranks, rank)
		}
		ofA += inA * rank
		a, b = a[inA:], b[inB:]
	}
	return ranks, ofA
}

// rankSumsOf counts the choices of k of the ranks by their sum.
func rankSumsOf(ranks []int, k int) []float64 {
	most := 0
	for _, r := range ranks {
		most += r
	}
	counts := make([][]float64, k+1) // by how many were chosen
	for i := range counts {
		counts[i] = make([]float64, most+1)
	}
	counts[0][0] = 1
	for _, r := range ranks {
		for chosen := k; chosen > 0; chosen-- {
			for s := most; s >= r; s-- {
				counts[chosen][s] += counts[chosen-1][s-r]
			}
		}
	}
	return counts[k]
}

func rankSumNormal(ranks []int, ofA, k int) float64 {
	n := float64(len(ranks))
	var mean, square float64
	for _, r := range ranks {
		mean += float64(r) / n
	}
	for _, r := range ranks {
		square += (float64(r) - mean) * (float64(r) - mean)
	}
	m := float64(k)
	variance := square / (n - 1) * m * (n - m) / n
	if variance == 0 {
		return 1
	}
	z := max(0, math.Abs(float64(ofA)-m*mean)-1) / math.Sqrt(variance)
	return math.Erfc(z / math.Sqrt2)
}
