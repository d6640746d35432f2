package results

import (
	"maps"
	"regexp"
)

// Criteria are what verdicts are given by. A run writes them down before it
// measures: a margin chosen after a look at the figures proves nothing. The
// zero value of a field says nothing of it.
type Criteria struct {
	// Margin is the largest relative difference that counts as none: 0.01.
	Margin float64 `json:"margin,omitempty"`
	// Margins are those of single benchmarks, by a regular expression over
	// their full names.
	Margins map[string]float64 `json:"margins,omitempty"`
	// Floors give, by unit, the largest absolute difference that counts as
	// none, below which a relative margin would ask for the impossible.
	Floors map[string]float64 `json:"floors,omitempty"`
	// Confidence is the level of the intervals: 0.95.
	Confidence float64 `json:"confidence,omitempty"`
}

// Or takes what c says, and what it does not say from d. Floors that are empty
// and not nil say that there are none.
func (c Criteria) Or(d Criteria) Criteria {
	if c.Margin == 0 {
		c.Margin = d.Margin
	}
	if c.Margins == nil {
		c.Margins = d.Margins
	}
	switch {
	case c.Floors == nil:
		c.Floors = d.Floors
	case len(c.Floors) > 0: // of one unit they say nothing of the others
		floors := maps.Clone(c.Floors)
		for unit, floor := range d.Floors {
			if _, ok := floors[unit]; !ok {
				floors[unit] = floor
			}
		}
		c.Floors = floors
	}
	if c.Confidence == 0 {
		c.Confidence = d.Confidence
	}
	return c
}

// Equal reports whether both say the same.
func (c Criteria) Equal(d Criteria) bool {
	return c.Margin == d.Margin && c.Confidence == d.Confidence && maps.Equal(c.Margins, d.Margins) && maps.Equal(c.Floors, d.Floors)
}

// MarginOf is a benchmark's margin: of the expressions that match its full
// name the one with the smallest margin decides, whatever their order; if none
// matches it is Margin. An expression that is none matches nothing.
func (c Criteria) MarginOf(benchmark string) float64 {
	margin, found := c.Margin, false
	for pattern, m := range c.Margins {
		if re, err := regexp.Compile(pattern); err == nil && re.MatchString(benchmark) && (!found || m < margin) {
			margin, found = m, true
		}
	}
	return margin
}
