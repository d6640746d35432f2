package stats

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	descriptive "github.com/montanaflynn/stats"
)

// Boot is a difference that one boot, or a pair of them, gave.
type Boot struct {
	Diff float64
	// Again are the differences that the same boot's windows give when they
	// are drawn again; nil if windows are not known.
	Again []float64
}

// resamples of a bootstrap: the bounds of ten boots then move by 2 % of the
// interval's width from one seed to another.
const resamples = 4000

// Least numbers for a bootstrap: fewer have too few ways to be drawn.
const (
	LeastBoots  = 10
	LeastGroups = 5
)

// MostBoots is the largest number for a bootstrap: the mean of more is normally
// distributed whatever they are, resampling would find the interval of t again,
// and it takes time that grows with them.
const MostBoots = 500

// Hierarchical is the bootstrap interval of the mean over groups (layouts) of
// boots: layouts are drawn with replacement, of each its boots, of each boot
// its windows. It is false if there is too little to draw from, or so much that
// it would tell nothing.
//
// Drawing every level as it stands counts the noise of a lower level again in
// each level above it. Deviations of an upper level are therefore shrunk by
// what the lower ones draw anew (Davison, Hinkley, Bootstrap Methods and their
// Application, 1997, section 3.8), and the percentiles are those that give a
// sample without outliers the width of t (Hesterberg, The American
// Statistician 69, 2015, section 5).
func Hierarchical(groups [][]Boot, confidence float64, seed uint64) (Interval, bool) {
	h := newHierarchy(groups)
	if len(groups) < LeastGroups || h.boots < LeastBoots || h.boots > MostBoots {
		return Interval{}, false
	}
	random := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	means := make([]float64, resamples)
	for i := range means {
		means[i] = h.draw(random)
	}
	slices.Sort(means)
	tail := normal.CDF(-quantile(1-(1-confidence)/2, float64(len(groups)-1)))
	at := func(p float64) float64 {
		v, _ := descriptive.PercentileNearestRank(means, 100*p)
		return v
	}
	return Interval{at(tail), at(1 - tail)}, true
}

// hierarchy is prepared for drawing: means, deviations and what shrinks them.
type hierarchy struct {
	groups [][]Boot
	boots  int
	means  []float64 // of the groups
	grand  float64   // mean of means
	// group and boot are the factors of deviations from grand and from the
	// group's mean.
	group float64
	boot  []float64 // by group
	// window is the factor of what windows drawn again differ by. Medians of
	// few windows drawn again vary more than medians do (by a quarter for
	// eleven), and cannot make boots differ by more than they did.
	window float64
	again  [][]float64 // means of what boots' windows give, by group
}

func newHierarchy(groups [][]Boot) *hierarchy {
	h := &hierarchy{groups: groups, boot: make([]float64, len(groups))}
	diffs := make([][]float64, len(groups))
	for i, g := range groups {
		for _, b := range g {
			diffs[i] = append(diffs[i], b.Diff)
		}
		h.boots += len(g)
	}
	h.means = Means(diffs)
	h.grand = Mean(h.means)
	between := 0.0 // variance of the groups' means
	if len(groups) > 1 {
		between = Variance(h.means)
	}
	within := between // variance of a boot in its group; of single boots, of all
	if c, ok := ANOVA(diffs); ok {
		within = c.MSWithin
	}
	h.again = make([][]float64, len(groups))
	for i, g := range groups {
		for _, b := range g {
			h.again[i] = append(h.again[i], Mean(b.Again))
		}
	}
	windows := h.windowVariance()
	h.window = 1
	if windows > within {
		h.window = math.Sqrt(within / windows)
		windows = within
	}
	lower := 0.0 // variance of a group's mean that its boots draw anew
	for i, g := range groups {
		k := float64(len(g))
		if len(g) > 1 {
			h.boot[i] = shrink(within, windows) * math.Sqrt(k/(k-1))
			lower += within / k
		} else {
			lower += windows
		}
	}
	k := float64(len(groups))
	if k > 1 {
		h.group = shrink(between, lower/k) * math.Sqrt(k/(k-1))
	}
	return h
}

// shrink is the factor that takes the lower variance out of the upper one.
func shrink(upper, lower float64) float64 {
	if upper <= lower {
		return 0
	}
	return math.Sqrt(1 - lower/upper)
}

// windowVariance is the mean variance of a boot's difference that its windows
// tell of. It is about the mean of those drawn again: medians drawn again are
// biased, and the bias is the same in every draw.
func (h *hierarchy) windowVariance() float64 {
	sum := 0.0
	for _, g := range h.groups {
		for _, b := range g {
			if len(b.Again) > 0 {
				v, _ := descriptive.PopulationVariance(b.Again)
				sum += v
			}
		}
	}
	return sum / float64(max(h.boots, 1))
}

func (h *hierarchy) draw(random *rand.Rand) float64 {
	sum := 0.0
	for range h.groups {
		i := random.IntN(len(h.groups))
		g := h.groups[i]
		sum += h.group * (h.means[i] - h.grand)
		inner := 0.0
		for range g {
			j := random.IntN(len(g))
			b := g[j]
			inner += h.boot[i] * (b.Diff - h.means[i])
			if len(b.Again) > 0 {
				inner += h.window * (b.Again[random.IntN(len(b.Again))] - h.again[i][j])
			}
		}
		sum += inner / float64(len(g))
	}
	return h.grand + sum/float64(len(h.groups))
}

// Redraw gives medians of windows drawn with replacement, as many as asked.
func Redraw(windows []float64, times int, seed uint64) []float64 {
	random := rand.New(rand.NewPCG(seed, 0xbf58476d1ce4e5b9))
	drawn, medians := make([]float64, len(windows)), make([]float64, times)
	for i := range medians {
		for j := range drawn {
			drawn[j] = windows[random.IntN(len(windows))]
		}
		medians[i] = Median(drawn)
	}
	return medians
}

// Seed is a hash of data, so that the same data give the same interval.
func Seed(data ...[]float64) uint64 {
	h := fnv.New64a()
	var bytes [8]byte
	for _, values := range data {
		binary.LittleEndian.PutUint64(bytes[:], uint64(len(values)))
		h.Write(bytes[:])
		for _, v := range values {
			binary.LittleEndian.PutUint64(bytes[:], math.Float64bits(v))
			h.Write(bytes[:])
		}
	}
	return h.Sum64()
}
