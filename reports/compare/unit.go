package compare

import (
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/results"
)

// Units of targets that count. Xen's instructions are the cost; of them, those
// of the hooks and their modules, and the rest describe.
const (
	xenInstructions   = "xen-instr/op"
	xsmInstructions   = "xsm-instr/op"
	hooksEntered      = "hooks/op"
	guestInstructions = "guest-instr/op"
	allInstructions   = "instr/op"
	spinInstructions  = "spin-instr/op"
)

// descriptions are per operation and no cost to compare builds by: hooks are a
// number, instructions attributed to hooks a part of Xen's (of which a build
// without hooks has next to none), what the guest executes is not Xen's, and how long
// a processor waits for another one depends on when they meet.
var descriptions = []string{xsmInstructions, hooksEntered, guestInstructions, allInstructions, spinInstructions}

// IsCost reports whether a unit says a cost, or a rate, that builds are
// compared by: something per operation, per second, or a time. Numbers of
// hooks, context switches and the like only describe.
func IsCost(unit string) bool {
	switch {
	case slices.Contains(descriptions, unit), bench.IsWitness(unit):
		return false
	case strings.HasSuffix(unit, "/op"), IsRate(unit), unit == "sec", unit == "s":
		return true
	}
	return false
}

// IsRate reports whether a unit is something per second, of which more is
// better.
func IsRate(unit string) bool { return strings.HasSuffix(unit, "/s") }

// judged reports whether builds are compared by a unit: by a cost, and by what
// the samples' own files say something of.
func (o Options) judged(unit string) bool {
	_, described := o.Units[unit]
	return described || IsCost(unit)
}

// higherBetter reports whether more of a unit is better.
func (o Options) higherBetter(unit string) bool {
	if better := o.Units[unit].Better; better != 0 {
		return better == results.Higher
	}
	return IsRate(unit)
}

// clocks are the words in units that a clock measures: "ns/op", "p99-ns".
var clocks = []string{"ns", "us", "µs", "ms", "s", "sec", "seconds"}

// IsClocked reports whether a unit is a time, or something in a time. A clock
// that is too coarse gives the same figure again and again; what was counted
// does so because it is the same.
func IsClocked(unit string) bool {
	return IsRate(unit) || slices.ContainsFunc(strings.FieldsFunc(unit, func(r rune) bool { return r == '/' || r == '-' || r == '_' }),
		func(word string) bool { return slices.Contains(clocks, word) })
}

// IsCount reports whether a unit counts instructions, whose number is the same
// each time if nothing disturbs them.
func IsCount(unit string) bool { return strings.HasSuffix(unit, "instr/op") }

// Beside lists the units of figures that belong next to a row in a unit: what
// the row's cost is made of.
func Beside(unit string) []string {
	if unit == xenInstructions {
		return []string{xsmInstructions, hooksEntered}
	}
	return nil
}

// unitRank puts times first, then Xen's instructions, then what describes
// them, then the rest.
func unitRank(unit string) int {
	switch {
	case unit == "ns/op", unit == "s", unit == "sec":
		return 0
	case IsRate(unit):
		return 1
	case unit == xenInstructions:
		return 2
	}
	if i := slices.Index(descriptions, unit); i >= 0 {
		return 3 + i
	}
	return 3 + len(descriptions)
}

// IsTally reports whether a unit's figures are whole in each boot, instructions
// or hooks, so that boots that agree leave nothing to chance.
func IsTally(unit string) bool { return IsCount(unit) || unit == hooksEntered }
