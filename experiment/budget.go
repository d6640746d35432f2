package experiment

import (
	"xsmbench/hv"
	"xsmbench/results"
)

// firstLook is after so many rounds: fewer decide nothing that is timed.
// Counts that are exact are decided by two.
const (
	firstLook         = 4
	firstLookCounting = countingRounds
)

// checkBudget refuses budgets that nothing can be decided with.
func (q Question) checkBudget(builds []hv.Build) error {
	b := q.Budget
	switch {
	case b == nil:
		return nil
	case b.Time <= 0:
		return refuse(FieldTime, b.Time, "must be above 0")
	case q.Rounds != nil:
		return &FieldError{Fields: []Field{FieldTime, FieldRounds}, Text: "name one of them ({" + string(FieldMostRounds) + "} bounds the rounds that a budget takes)"}
	case b.MostRounds < firstLook || b.MostRounds > 10000:
		return refuse(FieldMostRounds, b.MostRounds, "must be from %d to 10000", firstLook)
	case len(names(builds)) < 2:
		return refuse(FieldTime, "", "there is only one build, %s, so no verdict to wait for; use {Rounds}", builds[0].Name)
	}
	return nil
}

// plan is the budget that is written down, nil if there is none.
func (r *resolved) plan() *results.Budget {
	if r.Budget == nil {
		return nil
	}
	first := firstLook
	if r.windows > 0 {
		first = firstLookCounting
	}
	return &results.Budget{Time: r.Budget.Time, Looks: Looks(first, r.Budget.MostRounds)}
}
