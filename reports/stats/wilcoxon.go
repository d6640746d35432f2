package stats

import (
	"math"
	"slices"
)

// maxExact is the largest number of pairs for which the signed-rank
// distribution is counted out; beyond it the normal approximation is as good.
const maxExact = 200

// SignedRank is the two-sided p value of Wilcoxon's signed-rank test that the
// values are symmetric about zero. Zeros are dropped and ties share their mean
// rank, and the distribution is exact for the ranks that result.
func SignedRank(x []float64) float64 { return signedRank(sorted(x)) }

// signedRank is SignedRank of sorted values.
func signedRank(x []float64) float64 {
	ranks, positive := doubledRanks(x)
	if len(ranks) == 0 {
		return 1
	}
	if len(ranks) > maxExact {
		return signedRankNormal(ranks, positive)
	}
	counts := rankSums(ranks)
	var total, low, high float64
	for sum, c := range counts {
		total += c
		if sum <= positive {
			low += c
		}
		if sum >= positive {
			high += c
		}
	}
	return min(1, 2*min(low, high)/total)
}

// doubledRanks returns twice the rank of the size of each of sorted values (whole
// numbers even with ties) and the sum of those of positive values.
func doubledRanks(x []float64) (ranks []int, positive int) {
	zero, _ := slices.BinarySearch(x, 0)
	below := make([]float64, 0, zero) // by size
	for _, v := range slices.Backward(x[:zero]) {
		below = append(below, -v)
	}
	above := x[zero:]
	for len(above) > 0 && above[0] == 0 {
		above = above[1:]
	}
	return sharedRanks(above, below)
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

// rankSums counts the subsets of the ranks by their sum.
func rankSums(ranks []int) []float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	counts := make([]float64, total+1)
	counts[0] = 1
	for _, r := range ranks {
		for s := total; s >= r; s-- {
			counts[s] += counts[s-r]
		}
	}
	return counts
}

func signedRankNormal(ranks []int, positive int) float64 {
	var mean, variance float64
	for _, r := range ranks {
		mean += float64(r) / 2
		variance += float64(r) * float64(r) / 4
	}
	z := (math.Abs(float64(positive)-mean) - 1) / math.Sqrt(variance)
	return min(1, math.Erfc(z/math.Sqrt2))
}

// SignedRankInterval is the exact confidence interval for the centre of
// symmetry: the Walsh averages between the critical ranks. It is at least as
// wide as asked, and there is none if even the widest is too narrow.
func SignedRankInterval(x []float64, confidence float64) (lo, hi float64, ok bool) {
	n := len(x)
	if n < 2 || n > maxExact {
		return 0, 0, false
	}
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i + 1
	}
	counts := rankSums(ranks)
	tail := (1 - confidence) / 2 * math.Exp2(float64(n))
	k, sum := 0, 0.0 // k averages are cut off at each end
	for ; sum+counts[k] <= tail; k++ {
		sum += counts[k]
	}
	if k == 0 {
		return 0, 0, false
	}
	w := walsh(x)
	return w[k-1], w[len(w)-k], true
}
