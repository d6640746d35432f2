package ci

import (
	"fmt"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/gate"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/table"
)

// Headline says in a line what a gate decided, and on what.
func Headline(r *gate.Result) string {
	var parts []string
	part := func(count int, what string) {
		if count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count, what))
		}
	}
	part(r.Count(gate.Incomplete), "without a sample")
	part(r.Count(gate.Regression), "slower")
	part(r.Count(gate.Unjudged), "not judged")
	part(r.Count(gate.Inconclusive), "inconclusive")
	part(len(r.Improved()), "faster")
	part(len(r.Excused()), "waived")
	part(len(r.Allowed()), "not judged, which is allowed")
	part(r.Count(gate.Pass)-len(r.Improved()), "within the margin")
	text := fmt.Sprintf("%s: of %s %s", r.Outcome, number.Count(len(r.Findings), "row"), strings.Join(parts, ", "))
	if parts == nil {
		text = fmt.Sprintf("%s: no row to judge", r.Outcome)
	}
	if r.Outcome == gate.Pass && r.Judged() == 0 {
		text += ": the images are identical (" + strings.Join(r.Identical, ", ") + ")"
	}
	return text + ", " + comparedWith(r)
}

// comparedWith says what the builds were compared with.
func comparedWith(r *gate.Result) string {
	if r.Earlier != "" {
		return "each build against itself in " + r.Earlier
	}
	return "against " + r.Comparison.Base
}

// whereOf names a finding's environment by its domain, if that is enough.
func whereOf(r *gate.Result, f gate.Finding) string {
	if f.Domain == "" {
		return "all domains"
	}
	return r.Comparison.Where(f.Environment)
}

// nameOf is a finding's benchmark.
func nameOf(f gate.Finding) string {
	if f.Benchmark == "" {
		return "all benchmarks"
	}
	return f.Benchmark
}

// buildOf is a finding's build.
func buildOf(f gate.Finding) string {
	if f.Build == "" {
		return "all builds"
	}
	return f.Build
}

// change is the base's value, and what the build has more: "1265" and "+16
// (+1.26%)" for counts, "38.1ns" and "+9.4%" for times.
func change(f gate.Finding) (base, more string) {
	switch r := f.Row; {
	case r == nil:
		return "–", "–"
	case compare.IsCount(r.Unit):
		return table.Value(r.BaseValue, r.Unit), table.Difference(*r)
	default:
		return table.Value(r.BaseValue, r.Unit), table.Overhead(*r)
	}
}

// effectInterval is the interval of a finding's overhead in per cent.
func effectInterval(f gate.Finding) string {
	if f.Row == nil {
		return ""
	}
	return table.Interval(*f.Row)
}

// why says why a finding is what it is, beside its figures.
func why(r *gate.Result, f gate.Finding) string {
	switch f.Cause {
	case gate.Within, gate.Faster, gate.Slower:
		return "margin " + number.Share(f.Row.Margin, 3)
	case gate.HooksWithin, gate.HooksSlower:
		more := f.InHooks[1] - f.InHooks[0]
		return fmt.Sprintf("not exact, so judged by its hooks: %s instructions, previously %s (%+.3g%% of the operation); margin %s",
			number.Rounded(f.InHooks[1]), number.Rounded(f.InHooks[0]), 100*more/f.Row.BaseValue, number.Share(f.Row.Margin, 3))
	case gate.TooFine:
		return fmt.Sprintf("the margin of %s is smaller than the difference of a control here (one image measured twice: %s)", number.Share(f.Row.Margin, 3), number.Share(f.Floor, 3))
	case gate.Drowned:
		return fmt.Sprintf("a control (one image measured twice) differs by as much here: %s", number.Share(f.Floor, 3))
	case gate.Missing:
		return "planned, but there is no sample"
	case gate.Unreached:
		return f.Reason
	case gate.Failed:
		return "planned, but could not be measured: " + f.Reason
	case gate.Ended:
		return inUnit(f, "only "+other(r)+" has it")
	case gate.New:
		return inUnit(f, other(r)+" does not have it")
	case gate.NoCost:
		return "no sample has a cost"
	case gate.Apart:
		return "it is a control in one of the two runs, so it is not compared"
	case gate.NoPlan:
		return "there is no run.json, so it is not known what was planned"
	case gate.NoCount:
		return "counted in only one of the two: in the other an interrupt came in every window"
	case gate.Machine:
		return "times of two machines are not compared"
	case gate.Single:
		return "one boot is not enough for an interval" + more(f)
	case gate.NoGrip:
		return strings.Join(compare.Texts(f.Row.Warnings), "; ")
	}
	return strings.Join(append([]string{"margin " + number.Share(f.Row.Margin, 3) + more(f)}, takenBack(f)...), "; ")
}

// other is what the run is compared with.
func other(r *gate.Result) string {
	if r.Earlier != "" {
		return "the earlier run"
	}
	return r.Comparison.Base
}

func inUnit(f gate.Finding, text string) string {
	if f.Unit == "" {
		return text
	}
	return text + " (" + f.Unit + ")"
}

// more is the rounds that would decide.
func more(f gate.Finding) string {
	if !f.Row.Need.Some() {
		return ""
	}
	if f.Row.Need.N == 1 {
		return ", one more round might decide"
	}
	return fmt.Sprintf(", about %s more rounds would decide", number.Rough(f.Row.Need.N))
}

// takenBack are the warnings of a row that was an alarm: what took it back.
func takenBack(f gate.Finding) []string {
	var all []string
	for _, w := range f.Row.Warnings {
		if w.Code == compare.NotAfterHolm || w.Code == compare.ControlDiffers {
			all = append(all, w.Text)
		}
	}
	return all
}

// mostHooks bounds the names of hooks in a line.
const mostHooks = 4

// Hooks says which hooks are on a finding's path, as far as that is known:
// those that were counted, or how many, and those the benchmark is known for.
func Hooks(r *gate.Result, f gate.Finding) string {
	switch {
	case f.Row == nil:
		return ""
	case f.Row.NoHook:
		return "none, so hooks are not the cause"
	}
	names := hookNames(f.Row.Hooks)
	if names != "" && f.Row.Hooks[0].Counted {
		return names
	}
	var parts []string
	if n, ok := r.Comparison.Figure(f.Environment, f.Benchmark, f.Build, "hooks/op"); ok {
		parts = append(parts, number.Rounded(n.Value)+" counted")
		if names != "" { // which they are was not counted
			names = "known for " + names
		}
	}
	if names != "" {
		parts = append(parts, names)
	}
	return strings.Join(parts, "; ")
}

// hookNames lists hooks, with how often each is crossed if that is known and
// not once.
func hookNames(hooks []compare.Crossed) string {
	var names []string
	for i, h := range hooks {
		if i == mostHooks {
			names = append(names, fmt.Sprintf("%d others", len(hooks)-i))
			break
		}
		name := h.Hook
		if h.PerOp > 0 && h.PerOp != 1 {
			name += " ×" + number.Rounded(h.PerOp)
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// WaiverLine says what has become of a waiver.
func WaiverLine(w gate.WaiverUse) string {
	day := w.Until.Format(gate.Day)
	text := fmt.Sprintf("%s: waiver of %s ", w.Place, w.Waiver)
	switch w.State {
	case gate.InUse:
		return text + fmt.Sprintf("until %s lets %s pass: %s", day, number.Count(w.Rows, "row"), w.Reason)
	case gate.Expired:
		if w.Rows == 0 {
			return text + fmt.Sprintf("expired on %s and can be deleted: no matching row needs it", day)
		}
		return text + fmt.Sprintf("expired on %s and no longer lets %s pass; its reason was: %s", day, number.Count(w.Rows, "row"), w.Reason)
	case gate.Idle:
		return text + fmt.Sprintf("until %s is no longer needed by any matching row", day)
	}
	return text + "matches nothing"
}
