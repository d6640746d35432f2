package gate

import (
	"math"

	"xsmbench/reports/change"
	"xsmbench/reports/compare"
)

// reach makes a finding of each build with changed code that no benchmark executes,
// if that is asked for: its rows say nothing of that code.
func (r *Result) reach() {
	if !r.RequireReached {
		return
	}
	for _, c := range r.changes() {
		f := c.Functions
		if f.Unknown != "" || len(f.Changed) > 0 && !f.Counted || len(f.Never()) > 0 {
			r.Findings = append(r.Findings, Finding{
				Environment: compare.Environment{Arch: c.Arch}, Build: c.Build, Cause: Unreached, Reason: f.String(), Floor: math.NaN(),
			})
		}
	}
}

// noteUnreached names the changed functions that no benchmark executes, where no
// finding does.
func (r *Result) noteUnreached(add func(string, ...any)) {
	if r.RequireReached {
		return
	}
	for _, c := range r.changes() {
		if len(c.Functions.Never()) > 0 {
			against := "against " + c.Base
			if c.Earlier {
				against = "since the earlier run"
			}
			add("%s %s: %s", c.Build, against, c.Functions)
		}
	}
}

// changes are those of builds to judge.
func (r *Result) changes() []change.Change {
	var all []change.Change
	for _, c := range r.Changes {
		if r.judges(c.Build) {
			all = append(all, c)
		}
	}
	return all
}
