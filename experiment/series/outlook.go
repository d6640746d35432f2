package series

import (
	"context"
	"time"

	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/hv/git"
	"xsmbench/results"
)

// Outlook is what a series would do, and about how long it takes. Which revisions have
// the images of others only building them tells, so that it is the longest time.
type Outlook struct {
	Plan
	Question string // a hash of what is measured, and how
	Spec     results.Spec
	Target   hv.Target
}

// Outlook looks ahead.
func (q Question) Outlook(ctx context.Context) (*Outlook, error) {
	plan, err := q.Plan(ctx)
	if err != nil {
		return nil, err
	}
	each := q.Each
	each.Source = repository(each)
	o := &Outlook{Plan: plan}
	if o.Target, o.Spec, err = specOf(each); err != nil {
		return nil, err
	}
	o.Question, err = fingerprint(o.Spec)
	return o, err
}

// Times are those by the costs of the first revision and of the others.
func (o *Outlook) Times(first, other *experiment.CostTable) (t Times, err error) {
	for _, x := range []struct {
		costs *experiment.CostTable
		to    *time.Duration
	}{{first, &t.First}, {other, &t.Other}} {
		p, err := experiment.NewPlan(o.Target, o.Spec, x.costs)
		if err != nil {
			return t, err
		}
		*x.to = p.Takes(1)
	}
	return t, nil
}

// Times are how long a machine needs for the first of its revisions, which is built
// from nothing, and for each of the others, which is built in the tree of the one
// before.
type Times struct{ First, Other time.Duration }

// Of is about how long a machine needs for some revisions.
func (t Times) Of(revisions int) time.Duration {
	if revisions == 0 {
		return 0
	}
	return t.First + time.Duration(revisions-1)*t.Other
}

// Takes is about how long machines need: that with most revisions.
func (o *Outlook) Takes(t Times, machines int) time.Duration {
	return t.Of((len(o.Chosen) + machines - 1) / machines)
}

// Most is the number of machines above which more of them help nothing: each has one
// revision then.
func (o *Outlook) Most() int { return len(o.Chosen) }

// Divided are the parts of shards.
func (o *Outlook) Divided(shards int) [][]git.Revision {
	var all [][]git.Revision
	for i := range shards {
		all = append(all, (&Shard{i + 1, shards}).part(o.Chosen))
	}
	return all
}

// Check refuses shards of what cannot be divided.
func (o *Outlook) Check(shards int) error {
	_, err := shardOf(&experiment.Share{Index: 1, Of: shards}, o.Spec)
	return err
}
