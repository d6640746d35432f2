package gate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"xsmbench/reports/compare"
)

// note says what holds for the decision as a whole.
func (r *Result) note(f floors) {
	add := func(format string, args ...any) { r.Notes = append(r.Notes, fmt.Sprintf(format, args...)) }
	if r.Earlier != "" {
		r.noteMachines(add)
		if n := r.without(); n > 0 {
			add("%d benchmarks have no sample of some build in the earlier run: nothing is said of those", n)
		}
	}
	if same := r.controls(false); len(same) > 0 {
		add("%s: the same image as %s; a difference can only be noise, so that it is a control and not judged", strings.Join(same, ", "), r.other())
	}
	if relinked := r.controls(true); len(relinked) > 0 {
		add("%s: the source of %s linked anew; a difference can only be noise and the luck of a layout, so that it is a control and not judged", strings.Join(relinked, ", "), r.other())
	}
	if len(r.Only) > 0 {
		add("judged: %s alone", strings.Join(r.Only, ", "))
	}
	if n := r.uncontrolled(); n > 0 {
		add("%d of %d rows have no control: what noise the measurement makes there is not known; a run that measures its base twice has some", n, len(r.Findings))
	}
	if n := r.uncounted(); n > 0 {
		add("%d benchmarks have no undisturbed count of Xen's instructions in any build: not judged", n)
	}
	if n := len(r.where(Finding.DecidedByHooks)); n > 0 {
		add("%d of %d rows are judged by what their hooks execute: what the rest of the operation executes depends on more than the code (interrupts, the scheduler's slices, the heap)", n, len(r.Findings))
	}
	for _, w := range r.Comparison.WarningsBeside() { // the others are findings
		add("%s", w)
	}
}

func (r *Result) noteMachines(add func(string, ...any)) {
	if r.Run == nil || r.Before == nil {
		add("no run.json of both runs: whether the machines are the same is not known")
		return
	}
	if differ := r.machines(); len(differ) > 0 {
		add("the runs are of two machines (%s): times are not judged, counts are", strings.Join(differ, "; "))
	}
	if drift := drifts(r.Before.Host, r.Run.Host); len(drift) > 0 && r.timed() {
		add("the machine has changed (%s): times may have, too", strings.Join(drift, "; "))
	}
}

// timed reports whether there are rows that are no counts.
func (r *Result) timed() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Row != nil && !compare.IsCount(f.Row.Unit) })
}

// without counts benchmarks that only this run has.
func (r *Result) without() int {
	var names []string
	for _, m := range r.Comparison.Missing() {
		if !slices.Contains(r.Comparison.Builds, m.Build) && !slices.Contains(names, m.Benchmark) {
			names = append(names, m.Benchmark)
		}
	}
	return len(names)
}

// controls are the builds that are relinked controls, or the same images.
func (r *Result) controls(relinked bool) []string {
	var names []string
	for _, c := range r.Comparison.Controls {
		between := c.Relinked == relinked && (c.Base == r.Comparison.Base || c.Base == compare.Earlier(c.Build))
		if between && !slices.Contains(names, c.Build) {
			names = append(names, c.Build)
		}
	}
	return names
}

func (r *Result) other() string {
	if r.Earlier != "" {
		return "in the earlier run"
	}
	return r.Comparison.Base
}

// uncounted counts benchmarks that were counted nowhere, by environment.
func (r *Result) uncounted() int {
	n := 0
	for _, u := range r.Comparison.Uncounted() {
		if len(r.lost(u)) == 0 {
			n++
		}
	}
	return n
}

// uncontrolled counts rows that are samples and have no control. Exact counts
// need none.
func (r *Result) uncontrolled() int {
	return len(r.where(func(f Finding) bool { return f.Row != nil && !f.Row.Exact && math.IsNaN(f.Floor) }))
}
