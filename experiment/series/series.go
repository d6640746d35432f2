package series

import (
	"context"
	"fmt"
	"time"

	"xsmbench/experiment"
	"xsmbench/hv/git"
)

// Progress is how far a series is.
type Progress struct {
	Done, All int           // revisions
	Left      time.Duration // estimated; 0 while nothing is known
}

// Attendant is told what a series does.
type Attendant interface {
	experiment.Attendant
	// Turn tells that a revision's turn has come.
	Turn(r git.Revision, p Progress)
	// Settled tells what became of it.
	Settled(e Entry, took time.Duration, p Progress)
}

// Series is what a series found out.
type Series struct {
	Dir  string
	Plan Plan
	// Shard is the part of the plan that was to be measured, nil for all.
	Shard   *Shard
	Entries []Entry // in the order of Mine; fewer if it was interrupted
}

// Mine are the revisions that were to be measured.
func (s *Series) Mine() []git.Revision { return s.Shard.part(s.Plan.Chosen) }

// MachineError is what ends a series: the machine, as it seems, builds or boots
// nothing any more.
type MachineError struct {
	Entries []Entry // that failed one after another
}

// Error shows the last.
func (e *MachineError) Error() string {
	last := e.Entries[len(e.Entries)-1]
	return fmt.Sprintf("%d revisions in a row were %s, the last (%s) with: %s", len(e.Entries), last.State, last.Name, last.Reason)
}

// patience is how many revisions in a row may fail without it being the source's
// fault.
const patience = 3

// Measure goes through a question's revisions. What it found out before an error,
// as an interruption is one, it returns with that; it is nil if nothing was begun.
func Measure(ctx context.Context, q Question, store Store, a Attendant) (s *Series, err error) {
	plan, err := q.Plan(ctx)
	if err != nil {
		return nil, err
	}
	m, err := newMeasurer(q.Each, q.Dir, "series", q.Share, store, a)
	if err != nil {
		return nil, err
	}
	defer m.close()
	if err := m.ledger.ask(plan.Chosen); err != nil {
		return nil, err
	}
	m.again = q.Again
	s = &Series{Dir: m.dir, Plan: plan, Shard: m.ledger.Shard}
	c := pace{all: len(s.Mine())}
	var failed []Entry
	for _, r := range s.Mine() {
		a.Turn(r, c.now())
		begun := time.Now()
		e, err := m.measure(ctx, r)
		if err != nil {
			return s, err
		}
		s.Entries = append(s.Entries, e)
		took := time.Since(begun)
		c.add(took)
		a.Settled(e, took, c.now())
		if failed = append(failed, e); e.HasFigures() || e.Lasting {
			failed = nil
		}
		if len(failed) == patience {
			return s, &MachineError{failed}
		}
	}
	return s, nil
}

// pace estimates the time left. Revisions that were known take none, and tell
// nothing of those to come.
type pace struct {
	all, done, timed int
	busy             time.Duration
}

// known is longer than it takes to look a revision up.
const known = 50 * time.Millisecond

func (p *pace) add(took time.Duration) {
	p.done++
	if took > known {
		p.timed++
		p.busy += took
	}
}

func (p *pace) now() Progress {
	left := time.Duration(0)
	if p.timed > 0 {
		left = p.busy / time.Duration(p.timed) * time.Duration(p.all-p.done)
	}
	return Progress{Done: p.done, All: p.all, Left: left}
}
