package change_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv"
	"xsmbench/reports/change"
	"xsmbench/reports/profile"
	"xsmbench/reports/synthetic"
	"xsmbench/results"
)

// side is a run of two builds, of which v2 changes something.
func side(t *testing.T, build string) change.Side {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := synthetic.WriteChange(dir); err != nil {
		t.Fatal(err)
	}
	run, err := results.ReadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := profile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return change.Side{&run, dir, build, "amd64", r}
}

func TestOf(t *testing.T) {
	s := side(t, "before")
	all := change.Of(s.Run, s.Dir, "before", s.Profile)
	if len(all) != 1 {
		t.Fatalf("%d changes", len(all))
	}
	c := all[0]
	if c.Base != "before" || c.Build != "after" || c.Kind != "flask" || c.Earlier {
		t.Errorf("change %+v", c)
	}
	if d := cmp.Diff([]string{"QUOTA: n → y"}, c.Config); d != "" {
		t.Error(d)
	}
	if c.Source == nil || c.Source.Added != 42 || c.Source.Files[2].State != hv.FileNew {
		t.Errorf("source %+v", c.Source)
	}
	gone := []profile.Crossed{{Hook: "domctl", Low: 26, High: 26, Benchmarks: []string{"Kbench/hypercall/op=domctl_getdomaininfo"}, All: true}}
	if d := cmp.Diff(gone, c.Gone); d != "" || c.New != nil {
		t.Errorf("%s\nnew: %v", d, c.New)
	}
	var movers []string
	for _, m := range c.Movers {
		movers = append(movers, m.Function)
	}
	if got := strings.Join(movers, " "); got != "evtchn_send do_domctl" || c.Movers[0].Low != 12 || c.Hooks != nil {
		t.Errorf("outside of hooks: %v; hooks %v", c.Movers, c.Hooks)
	}
	if got := change.Names(c.Functions.Never()); got != "gnttab_copy, quota (new), swap_grant_ref" {
		t.Errorf("never executed: %s", got)
	}
	if got := change.Names(c.Functions.Reached()); got != "do_domctl, evtchn_send" {
		t.Errorf("executed: %s", got)
	}
}

// The other way round, what is new is gone.
func TestOfTurned(t *testing.T) {
	s := side(t, "after")
	all := change.Of(s.Run, s.Dir, "after", s.Profile)
	if len(all) != 1 {
		t.Fatalf("%d changes", len(all))
	}
	c := all[0]
	if c.Source.Added != 5 || c.Source.Removed != 42 || c.Source.Files[2].State != hv.FileGone || c.Source.Files[2].Removed != 34 {
		t.Errorf("source %+v", c.Source)
	}
	if got := c.Policy.Parts[1]; got.Added != 1 || got.Removed != 4 || len(got.Gone) != 4 || c.Policy.Parts[0].Before != "30" {
		t.Errorf("policy %+v", c.Policy)
	}
	if s.Run.Sources[0].Files[2].State != hv.FileNew || s.Run.Policies[0].Parts[1].Added != 4 {
		t.Error("the run was changed")
	}
	if len(c.New) != 1 || c.New[0].Hook != "domctl" || c.Gone != nil {
		t.Errorf("new %v, gone %v", c.New, c.Gone)
	}
	if got := change.Names(c.Functions.Never()); got != "gnttab_copy, quota (gone), swap_grant_ref" {
		t.Errorf("never executed: %s", got)
	}
}

// What is not known is said, and is nothing that passes for known.
func TestUnknown(t *testing.T) {
	base, build := side(t, "before"), side(t, "after")
	c := change.Between(base, build)
	if c.Source != nil || c.Gone != nil || c.Movers != nil || len(c.Functions.Never()) != 3 {
		t.Errorf("of two runs: %+v", c)
	}
	build.Profile = nil
	if c := change.Between(base, build); c.Functions.Never() != nil || !strings.HasSuffix(c.Functions.String(), "; which of them executed was not counted") {
		t.Errorf("uncounted: %s", c.Functions)
	}
	if err := os.RemoveAll(filepath.Join(base.Dir, "functions")); err != nil {
		t.Fatal(err)
	}
	if c := change.Between(base, build); c.Functions.String() != "which functions changed is not known: before of the earlier run has no record of its functions" {
		t.Errorf("without a record: %s", c.Functions)
	}
}

func TestNoChange(t *testing.T) {
	base, build := side(t, "before"), side(t, "after")
	for name, edit := range map[string]func(run *results.Run){
		"another kind":      func(run *results.Run) { run.Images[1].Build.Kind = "dummy" },
		"another dispatch":  func(run *results.Run) { run.Images[1].Build.Dispatch = "direct" },
		"the same image":    func(run *results.Run) { run.Images[1].Hash = run.Images[0].Hash },
		"no image":          func(run *results.Run) { run.Images = run.Images[:1] },
		"another relink":    func(run *results.Run) { run.Images[1].Build.Layout = 1 },
		"another processor": func(run *results.Run) { run.Images[1].Build.Arch = "386" },
	} {
		run := *build.Run
		run.Images = append([]hv.Image(nil), run.Images...)
		edit(&run)
		other := build
		other.Run = &run
		if c := change.Between(base, other); c != nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if all := change.Of(nil, "", "before", nil); all != nil {
		t.Errorf("of no run: %v", all)
	}
}

func TestFunctionsString(t *testing.T) {
	f := func(name string, executed bool) change.Function {
		return change.Function{hv.Difference{Name: name, Before: 1, After: 1}, executed}
	}
	many := []change.Function{f("a", false), f("b", false), f("c", false), f("d", false), f("e", false), f("f", false), f("g", false), f("h", false)}
	part := change.Function{hv.Difference{Name: "p", Part: true, After: 3}, false}
	for want, of := range map[string]change.Functions{
		"no function changed": {Counted: true},
		"1 changed function, all executed at least in part: a": {Counted: true, Changed: []change.Function{f("a", true)}},
		"1 changed function, never executed: p (its out-of-line part, new); no benchmark of the run reaches it, so the figures say nothing of what the change costs": {Counted: true, Changed: []change.Function{part}},
		"8 changed functions, never executed: a, b, c, d, e, f, 2 more; no benchmark of the run reaches them, so the figures say nothing of what the change costs":   {Counted: true, Changed: many},
		"1 changed function: a; which of them executed was not counted":                                                                                              {Changed: []change.Function{f("a", true)}},
		"which functions changed is not known: x": {Unknown: "x", Counted: true},
	} {
		if got := of.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
