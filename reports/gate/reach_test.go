package gate_test

import (
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/reports/change"
	"xsmbench/reports/compare"
	"xsmbench/reports/gate"
	"xsmbench/reports/profile"
	"xsmbench/reports/synthetic"
)

// changed is a run of a change, and how the gate decides it with a wide margin.
func changed(t *testing.T, edit func(*gate.Input)) *gate.Result {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := synthetic.WriteChange(dir); err != nil {
		t.Fatal(err)
	}
	in, err := compare.ReadInput(dir)
	if err != nil {
		t.Fatal(err)
	}
	o := compare.Options{}
	o.Margin = 0.05
	c, err := in.Compare(o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := profile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	of := gate.Input{Comparison: c, Run: in.Run, Changes: change.Of(in.Run, dir, c.Base, r)}
	edit(&of)
	return gate.Judge(of)
}

func TestReach(t *testing.T) {
	const never = "3 never executed: gnttab_copy, quota (new), swap_grant_ref; "
	for _, tt := range []struct {
		name    string
		edit    func(*gate.Input)
		outcome gate.Outcome
		note    bool
		finding string
	}{
		{"a note", func(*gate.Input) {}, gate.Pass, true, ""},
		{"required", func(in *gate.Input) { in.RequireReached = true }, gate.Unjudged, false, never},
		{"of another build only", func(in *gate.Input) { in.RequireReached, in.Only = true, []string{"before"} }, gate.Unjudged, false, ""},
		{"all executed", func(in *gate.Input) {
			in.RequireReached = true
			for i := range in.Changes[0].Functions.Changed {
				in.Changes[0].Functions.Changed[i].Executed = true
			}
		}, gate.Pass, false, ""},
		{"not known", func(in *gate.Input) { in.Changes[0].Functions = change.Functions{Unknown: "no record"} }, gate.Pass, false, ""},
		{"not known, and required", func(in *gate.Input) {
			in.RequireReached, in.Changes[0].Functions = true, change.Functions{Unknown: "no record"}
		}, gate.Unjudged, false, "which functions changed is not known: no record"},
		{"not counted, and required", func(in *gate.Input) {
			in.RequireReached, in.Changes[0].Functions.Counted = true, false
		}, gate.Unjudged, false, "which of them executed was not counted"},
		{"no function changed", func(in *gate.Input) { in.RequireReached, in.Changes[0].Functions.Changed = true, nil }, gate.Pass, false, ""},
		{"allowed missing is another thing", func(in *gate.Input) { in.RequireReached, in.AllowMissing = true, true }, gate.Unjudged, false, never},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := changed(t, tt.edit)
			if r.Outcome != tt.outcome {
				t.Errorf("outcome %s, want %s", r.Outcome, tt.outcome)
			}
			if note := strings.Contains(strings.Join(r.Notes, "\n"), "after against before: 5 changed functions: 2 executed at least in part (do_domctl, evtchn_send), "+never); note != tt.note {
				t.Errorf("notes %q", r.Notes)
			}
			var said string
			for _, f := range r.Findings {
				if f.Cause == gate.Unreached {
					said += f.Build + ": " + f.Reason
				}
			}
			if (said == "") != (tt.finding == "") || !strings.Contains(said, tt.finding) {
				t.Errorf("finding %q, want %q", said, tt.finding)
			}
		})
	}
}
