package model

import "slices"

// rangeSet is a set of numbers as disjoint ranges in rising order
// (common/rangeset.c).
type rangeSet []numberRange

type numberRange struct{ first, last uint64 }

// set puts the numbers first to last into the set or takes them out. Ranges that
// come to lie side by side become one.
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
	*s = out.joined()
}

// joined sorts ranges that have no number in common and makes one of those
// without a gap between them.
func (s rangeSet) joined() rangeSet {
	slices.SortFunc(s, func(a, b numberRange) int {
		if a.first < b.first {
			return -1
		}
		return 1
	})
	var out rangeSet
	for _, r := range s {
		if n := len(out); n > 0 && out[n-1].last+1 == r.first {
			out[n-1].last = r.last
		} else {
			out = append(out, r)
		}
	}
	return out
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
