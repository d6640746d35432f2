package compare

import "strings"

// IsCost reports whether a unit says a cost, or a rate, that builds are
// compared by: something per operation, per second, or a time. Numbers of
// hooks, context switches and the like only describe.
func IsCost(unit string) bool {
	switch {
	case unit == "hooks/op":
		return false
	case strings.HasSuffix(unit, "/op"), IsRate(unit), unit == "sec", unit == "s":
		return true
	}
	return false
}

// IsRate reports whether more of a unit is better.
func IsRate(unit string) bool { return strings.HasSuffix(unit, "/s") }

// isCount reports whether a unit counts something that is the same each time
// if nothing disturbs it.
func isCount(unit string) bool { return strings.HasSuffix(unit, "instr/op") }

// unitRank puts times first, then instructions, then the rest.
func unitRank(unit string) int {
	switch {
	case unit == "ns/op", unit == "s", unit == "sec":
		return 0
	case IsRate(unit):
		return 1
	case isCount(unit):
		return 2
	}
	return 3
}
