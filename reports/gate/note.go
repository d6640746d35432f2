package gate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"xsmbench/reports/account"
	"xsmbench/reports/compare"
)

// note says what holds for the decision as a whole.
func (r *Result) note(f floors) {
	add := func(format string, args ...any) { r.Notes = append(r.Notes, fmt.Sprintf(format, args...)) }
	if r.Earlier != "" {
		r.noteMachines(add)
		r.noteRenames(add)
	}
	if same := r.controls(false); len(same) > 0 {
		add("%s: the same image as %s, so a difference can only be noise; treated as a control and not judged", strings.Join(same, ", "), r.other())
	}
	if relinked := r.controls(true); len(relinked) > 0 {
		add("%s: the source of %s, relinked, so a difference can only be noise or an effect of the layout; treated as a control and not judged", strings.Join(relinked, ", "), r.other())
	}
	if r.Comparison.IsSelection() {
		add("only the selected rows are judged (--bench, --builds, --domains, --unit), not everything that was measured")
	}
	if len(r.Only) > 0 {
		add("only %s is judged", strings.Join(r.Only, ", "))
	}
	if n := r.uncontrolled(); n > 0 {
		add("%d of %d rows have no control, so their noise is not known; a run has controls if it measures its base twice (run --aa)", n, len(r.Findings))
	}
	r.noteUnreached(add)
	r.noteUncounted(add)
	r.noteUnplanned(add)
	if n := len(r.where(Finding.DecidedByHooks)); n > 0 {
		add("%d of %d rows are judged by the instructions in their hooks: the rest of the operation does not depend on the code alone (interrupts, time slices of the scheduler, the heap)", n, len(r.Findings))
	}
	for _, w := range r.Comparison.WarningsBeside() { // the others are findings
		add("%s", w)
	}
}

func (r *Result) noteMachines(add func(string, ...any)) {
	if r.Run == nil || r.Before == nil {
		add("run.json is missing in one of the runs, so it is not known whether the machines are the same")
		return
	}
	if differ := r.machines(); len(differ) > 0 {
		add("the runs are from two machines (%s): counts are judged, times are not", strings.Join(differ, "; "))
	}
	if drift := drifts(r.Before.Host, r.Run.Host); len(drift) > 0 && r.timed() {
		add("the machine has changed (%s), which may have changed times", strings.Join(drift, "; "))
	}
}

// timed reports whether there are rows that are no counts.
func (r *Result) timed() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Row != nil && !compare.IsCount(f.Row.Unit) })
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

// noteUncounted names the benchmarks that nobody could count.
func (r *Result) noteUncounted(add func(string, ...any)) {
	var names []string
	for _, c := range r.Uncounted {
		if !slices.Contains(names, c.Benchmark) {
			names = append(names, c.Benchmark)
		}
	}
	if len(names) > 0 {
		add("not judged, because no build has an undisturbed count of Xen's instructions: %s", strings.Join(names, ", "))
	}
}

// noteUnplanned names what has samples and was not planned.
func (r *Result) noteUnplanned(add func(string, ...any)) {
	if r.Run == nil {
		return
	}
	var names []string
	for _, c := range account.Unplanned(&r.Run.Spec, r.Comparison.Measured()) {
		if name := c.Benchmark + " of " + c.Build + " in " + r.Comparison.Where(c.Environment); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if n := len(names); n > mostNamed {
		names = append(names[:mostNamed], fmt.Sprintf("%d more", n-mostNamed))
	}
	if len(names) > 0 {
		add("measured, but not planned in run.json: %s", strings.Join(names, ", "))
	}
}

// mostNamed bounds the names in a note.
const mostNamed = 6

// noteRenames says which builds and benchmarks may have been given another name:
// where one ended and one is new.
func (r *Result) noteRenames(add func(string, ...any)) {
	now, before := r.Comparison.Measured(), r.Comparison.Earlier()
	for _, one := range []struct {
		what, how string
		of        func(compare.Cell) string
	}{
		{"build", "--rename %s=%s compares the two", func(c compare.Cell) string { return c.Build }},
		{"benchmark", "%q = %q under [rename] in the experiment file compares the two", func(c compare.Cell) string { return c.Benchmark }},
	} {
		ended, fresh := only(before, now, one.of), only(now, before, one.of)
		if len(ended) == 1 && len(fresh) == 1 && akin(ended[0], fresh[0]) {
			add("%[1]s %[2]s is only in the earlier run, and %[3]s only in this one; if it was renamed, "+one.how, one.what, ended[0], fresh[0], ended[0], fresh[0])
		}
	}
	for _, text := range r.Renamed {
		add("%s", text)
	}
}

// akin reports whether one name may stand for the other: builds are, and
// benchmarks of one family, "hypercall/op=a" and "hypercall/op=b".
func akin(a, b string) bool {
	family := func(name string) string { return name[:strings.LastIndexAny(name, "/=")+1] }
	return family(a) == family(b)
}

// only are the names that some cells have and others have not.
func only(some, others []compare.Cell, of func(compare.Cell) string) []string {
	known := map[string]bool{}
	for _, c := range others {
		known[of(c)] = true
	}
	var names []string
	for _, c := range some {
		if name := of(c); !known[name] {
			known[name] = true
			names = append(names, name)
		}
	}
	return names
}

// uncontrolled counts rows that are samples and have no control. Exact counts
// need none.
func (r *Result) uncontrolled() int {
	return len(r.where(func(f Finding) bool { return f.Row != nil && !f.Row.Exact && math.IsNaN(f.Floor) }))
}
