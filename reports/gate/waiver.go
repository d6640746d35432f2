package gate

import (
	"fmt"
	"regexp"
	"time"
)

// Waiver lets rows through until a day, for a reason. It is made by NewWaiver.
type Waiver struct {
	Benchmark string // regular expression over full names
	Domain    string // "" for all
	Build     string // "" for all
	Until     time.Time
	Reason    string
	Place     string // where it is written, as file:line

	pattern *regexp.Regexp
}

// Day is how days are written.
const Day = "2006-01-02"

// NewWaiver checks a waiver. Nothing is let through for ever or for no reason.
func NewWaiver(w Waiver) (Waiver, error) {
	var err error
	switch {
	case w.Benchmark == "":
		return w, fmt.Errorf("waive: no benchmark; give a regular expression, such as benchmark = \"lat_ctx\"")
	case w.Until.IsZero():
		return w, fmt.Errorf("waive %s: no date; give the last day on which it applies, such as until = 2027-01-31", w.Benchmark)
	case w.Reason == "":
		return w, fmt.Errorf("waive %s: no reason; say why the row may pass, as reason = \"…\"", w.Benchmark)
	}
	if w.pattern, err = regexp.Compile(w.Benchmark); err != nil {
		return w, fmt.Errorf("waive %s: %w", w.Benchmark, err)
	}
	return w, nil
}

// Covers reports whether the waiver is about a finding.
func (w Waiver) Covers(f Finding) bool {
	return w.pattern != nil && w.pattern.MatchString(f.Benchmark) &&
		(w.Domain == "" || w.Domain == f.Domain) && (w.Build == "" || w.Build == f.Build)
}

// holds reports whether the last day is not yet over, by the calendar of UTC.
func (w Waiver) holds(now time.Time) bool {
	return now.UTC().Format(Day) <= w.Until.Format(Day)
}

// String says whom it is about: "lat_ctx in domU of flask".
func (w Waiver) String() string {
	text := w.Benchmark
	if w.Domain != "" {
		text += " in " + w.Domain
	}
	if w.Build != "" {
		text += " of " + w.Build
	}
	return text
}

// State is what has become of a waiver.
type State string

// The states of a waiver.
const (
	InUse   State = "in use"           // it lets rows through
	Expired State = "expired"          // its day is over; what it matched counts
	Idle    State = "no longer needed" // all that it matches passes
	Nothing State = "matches nothing"  // no row has such a name
)

// WaiverUse is a waiver, what has become of it, and how many rows that is
// about.
type WaiverUse struct {
	Waiver
	State State
	Rows  int
}

// waive applies the waivers; of several the first in the file lets a row
// through.
func (r *Result) waive() {
	for i := range r.Waivers {
		w := &r.Waivers[i]
		use := WaiverUse{Waiver: *w, State: Nothing}
		for j := range r.Findings {
			f := &r.Findings[j]
			if !w.Covers(*f) {
				continue
			}
			if use.State == Nothing {
				use.State = Idle
			}
			if f.Outcome() == Pass {
				continue
			}
			use.Rows++
			if use.State = Expired; w.holds(r.Today) {
				use.State = InUse
				if f.Waiver == nil {
					f.Waiver = w
				}
			}
		}
		if use.State == Idle && !w.holds(r.Today) {
			use.State = Expired
		}
		r.Waived = append(r.Waived, use)
	}
}
