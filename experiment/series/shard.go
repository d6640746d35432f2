package series

import (
	"fmt"

	"xsmbench/experiment"
	"xsmbench/hv/git"
	"xsmbench/results"
)

// Shard is the part of a series that one of several machines measures: neighbouring
// revisions, since each is built in the tree of the one before it.
type Shard struct {
	Index int `json:"index"` // from 1
	Of    int `json:"of"`
}

// String is the shard as it is asked for: 3/8.
func (s *Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// holds says in words what a folder of a shard is of, or of none.
func (s *Shard) holds() string {
	if s == nil {
		return "a whole series"
	}
	return "shard " + s.String() + " of a series"
}

// shardOf is the shard that is asked for, nil for a whole series. Counts of two machines
// can stand side by side; times cannot.
func shardOf(share *experiment.Share, spec results.Spec) (*Shard, error) {
	if share == nil {
		return nil, nil
	}
	if err := share.Check(spec); err != nil {
		return nil, err
	}
	if experiment.Timed(spec) {
		return nil, &experiment.FieldError{Fields: []experiment.Field{experiment.FieldShard}, Value: fmt.Sprintf("%d/%d", share.Index, share.Of),
			Text: "time is measured, and each revision is compared with the one before it: times of two machines are no pair; measure the series on one machine, or count instructions"}
	}
	return &Shard{share.Index, share.Of}, nil
}

// part is a shard's part of the revisions. The first shards have one more than the
// others if they cannot all have the same number.
func (s *Shard) part(all []git.Revision) []git.Revision {
	if s == nil {
		return all
	}
	each, more := len(all)/s.Of, len(all)%s.Of
	from := (s.Index-1)*each + min(s.Index-1, more)
	to := s.Index*each + min(s.Index, more)
	return all[from:to]
}

// owner is the shard of so many whose part a revision is, by its place.
func owner(place, of, revisions int) *Shard {
	each, more := revisions/of, revisions%of
	if place < more*(each+1) {
		return &Shard{place/(each+1) + 1, of}
	}
	return &Shard{more + (place-more*(each+1))/each + 1, of}
}
