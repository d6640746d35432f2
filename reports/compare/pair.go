package compare

import (
	"xsmbench/reports/stats"
)

// Pair is the boots of both builds in one round.
type Pair struct {
	Run   string
	Round int
	// BaseOrder and Order are the boots' places in the round, 0 if they are
	// not known.
	BaseOrder, Order int
	// Layout counts the layouts of the row from 1: pairs of the same images
	// have the same.
	Layout           int
	BaseValue, Value float64 // in the row's unit
	// Difference is the observation: of logarithms, or of shares of the
	// base's mean if the row is Linear; above 0 where the build is slower.
	Difference float64
}

// link tells how a boot's image was linked: a hash of the image's own hash, or
// of the layout's number.
func (s *start) link() uint64 {
	if s.image != "" {
		return s.hash
	}
	return mix(uint64(s.layout))
}

// tellsLayout reports whether it is known of any boot how its image was linked: files that
// others wrote say nothing of it.
func (b *sampled) tellsLayout() bool {
	for i := range b.values {
		if s := b.start(i); s.image != "" || s.layout != 0 {
			return true
		}
	}
	return false
}

// units are a build's observations where nothing pairs them: its boots, or the
// means of its layouts if several boots share one of several, which are
// counted.
func (b *sampled) units(scaled []float64) (units []float64, layouts int) {
	of := make([]uint64, len(b.values))
	several := false
	for i := range b.values {
		of[i] = b.start(i).link()
		several = several || of[i] != of[0]
	}
	if !several {
		return scaled, min(1, len(scaled))
	}
	groups := stats.Group(scaled, of)
	if len(groups) > 1 {
		return stats.Means(groups), len(groups)
	}
	return scaled, len(groups)
}
