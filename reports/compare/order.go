package compare

import (
	"cmp"
	"slices"
	"strings"
)

// Order is the order in which builds stand, by name: that in which a run, or a
// target, lists them.
type Order []string

// sort puts builds into the order; others follow as they stand.
func (o Order) sort(builds []string) []string {
	sorted := slices.Clone(builds)
	slices.SortStableFunc(sorted, func(a, b string) int { return o.rank(a) - o.rank(b) })
	return sorted
}

// Compare compares two names; others follow by name.
func (o Order) Compare(a, b string) int {
	return cmp.Or(o.rank(a)-o.rank(b), strings.Compare(a, b))
}

// rank is a build's place; that of an earlier run's is its own.
func (o Order) rank(build string) int {
	if i := slices.Index(o, build); i >= 0 {
		return i
	}
	return len(o)
}
