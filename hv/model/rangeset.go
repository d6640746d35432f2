package model

import "slices"

// rangeSet is a set of numbers as disjoint ranges in rising order
// (common/rangeset.c).
type rangeSet []numberRange

type numberRange struct{ first, last uint64 }

// set puts the numbers first to last into the set or takes them out.
func (s *rangeSet) set(first, last uint64, in bool) {
	if first > last {
		return
	}
	var out rangeSet
	for _, r := range *s {
		if r.last < first || r.first > last {
			out = append(out, r)
			continue
		}
		if r.first < first {
			out = append(out, numberRange{r.first, first - 1})
		}
		if r.last > last {
			out = append(out, numberRange{last + 1, r.last})
		}
	}
	if in {
		out = append(out, numberRange{first, last})
	}
	slices.SortFunc(out, func(a, b numberRange) int {
		if a.first < b.first {
			return -1
		}
		return 1
	})
	*s = out
}

// contains reports whether a number is in the set.
func (s rangeSet) contains(n uint64) bool {
	for _, r := range s {
		if r.first <= n && n <= r.last {
			return true
		}
	}
	return false
}
