package compare

import (
	"cmp"
	"strings"
)

// BuildOrder compares builds by name: those that everyone has stand in the
// order of their cost, before the others.
func BuildOrder(a, b string) int {
	return cmp.Or(buildRank(a)-buildRank(b), strings.Compare(a, b))
}
