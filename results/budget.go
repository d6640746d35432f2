package results

import "time"

// Budget is how a run chooses its rounds. Looks and Time are written down
// before the first boot; Taken and Spent grow as the run goes on.
//
// Rows are judged after so many rounds as Looks says, and at no other time:
// who looks after every round, and stops when the figures please, finds
// something in anything. Each look has the same share of the level, so that
// all of them together err no more often than one look of a run with a fixed
// number of rounds (Bonferroni's inequality). A run whose time ends between
// two looks takes the next one there.
type Budget struct {
	Time  time.Duration `json:"time_ns"`  // for measuring, of all processes of the run together
	Looks []int         `json:"looks"`    // in rounds, ascending; the last is the cap
	Taken []Look        `json:"taken"`    // in order
	Spent time.Duration `json:"spent_ns"` // of Time, so far
}

// Look is one time at which the rows were judged.
type Look struct {
	Rounds int       `json:"rounds"`
	At     time.Time `json:"at"`
	Rows   int       `json:"rows"` // that were judged
	Open   int       `json:"open"` // of them inconclusive
}

// Next is after how many rounds the next look is due; false after the last.
func (b *Budget) Next() (rounds int, ok bool) {
	if len(b.Taken) >= len(b.Looks) {
		return 0, false
	}
	return b.Looks[len(b.Taken)], true
}

// Last is the latest look, nil before the first.
func (b *Budget) Last() *Look {
	if len(b.Taken) == 0 {
		return nil
	}
	return &b.Taken[len(b.Taken)-1]
}

// Decided reports whether the latest look left no row open.
func (b *Budget) Decided() bool {
	last := b.Last()
	return last != nil && last.Rows > 0 && last.Open == 0
}

// PlannedLooks is how many looks a run's level is shared by: 1 if its rounds
// were fixed.
func (s *Spec) PlannedLooks() int {
	if s.Budget == nil {
		return 1
	}
	return max(1, len(s.Budget.Looks))
}
