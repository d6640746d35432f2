package coverage

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	_ "xsmbench/bench/kbench"
	"xsmbench/hv"
	"xsmbench/hv/hvtest"
	"xsmbench/reports/profile"
	"xsmbench/results"
	"xsmbench/xsm/hook"
)

const (
	op    = "Kbench/hypercall/op="
	send  = op + "evtchn_send"
	alloc = op + "evtchn_alloc_close"
	limit = op + "domctl_max_mem"
)

// lineOf is what a matrix says of a hook.
func lineOf(t *testing.T, x *Matrix, h string) Line {
	t.Helper()
	for _, l := range x.Lines {
		if l.Hook == h {
			return l
		}
	}
	t.Fatalf("no line of hook %s", h)
	return Line{}
}

// TestOfTimes: without counts, a hook is crossed by what declares it and has a
// sample, and each other has its reason.
func TestOfTimes(t *testing.T) {
	x := Of(Measurements{Planned: []string{alloc, send, limit}, Measured: []string{send, alloc}})
	if x.Counted || len(x.Lines) != len(hook.Table) || x.Crossed() != 3 {
		t.Errorf("%d of %d hooks crossed, counted: %v", x.Crossed(), len(x.Lines), x.Counted)
	}
	for _, want := range []Line{
		{Hook: "evtchn_send", Benchmarks: []string{send}},
		{Hook: "evtchn_unbound", Benchmarks: []string{alloc}},
		{Hook: "setdomainmaxmem", Why: "no sample of " + limit + " (suite full)"},
		{Hook: "kexec", Why: "not in this run: " + op + "kexec_get_range (suite full)"},
		{Hook: "console_io", Why: "not in this run: " + op + "console_io"},
		{Hook: "memtype", Why: "not in this run: " + op + "platform_add_memtype (suite full), " + op + "platform_del_memtype (suite full), 1 more"},
		{Hook: "complete_init", Why: "nothing in Xen 3.2 calls it"},
	} {
		if d := cmp.Diff(want, lineOf(t, x, want.Hook)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

// picky is a target that runs less than all and has hooks of its own.
type picky struct{ hvtest.Target }

func (p *picky) Offers(b bench.Benchmark) bool { return p.Refuses(b) == "" }

func (*picky) Refuses(b bench.Benchmark) string {
	if strings.Contains(b.Name, "kexec") || strings.Contains(b.Name, "_add_memtype") {
		return "too dear"
	}
	return ""
}

func (*picky) Hooks() []string { return []string{"kexec", "limits", "pmu_op"} }

func (*picky) Hook(h string) hv.HookNote {
	return map[string]hv.HookNote{
		"limits":       {Was: []string{"setdomainmaxmem"}, By: "dom0", Through: "domctl"},
		"console_peek": {By: "dom0", Through: "console_io"},
		"pmu_op":       {By: "any domain", Through: "xenpmu_op", Never: "there is no PMU"},
	}[h]
}

// TestOffers: what the target does not run is no matter of the suite.
func TestOffers(t *testing.T) {
	x := Of(Measurements{Planned: []string{send}, Measured: []string{send}, Target: &picky{}})
	for _, want := range []Line{
		{Hook: "kexec", Why: "not on this target, which does not run " + op + "kexec_get_range: too dear"},
		{Hook: "memtype", Why: "not in this run: " + op + "platform_del_memtype (suite full), " + op + "platform_read_memtype (suite full)"},
	} {
		if d := cmp.Diff(want, lineOf(t, x, want.Hook)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

// TestOwnHooks: a target that has hooks of its own says what took the place of Xen
// 3.2's, and why a hook cannot be crossed.
func TestOwnHooks(t *testing.T) {
	m := counted("evtchn_send", "limits", "pmu_op", "console_peek")
	m.Target = &picky{}
	x := Of(m)
	for _, want := range []Line{
		{Hook: "limits", Why: "not in this run: " + op + "domctl_max_mem (suite full)"},
		{Hook: "pmu_op", Why: "there is no PMU"},
		{Hook: "console_peek", Why: "no benchmark of xsmbench's crosses it; dom0 does, by console_io"},
	} {
		if d := cmp.Diff(want, lineOf(t, x, want.Hook)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

// counted is a run in which evtchn_send was counted, of builds with some hooks.
func counted(known ...string) Measurements {
	c := results.Contents{Samples: []results.Sample{{Arch: "amd64", Build: "flask", Domain: "dom0", Benchmark: send, Ended: true}}}
	c.Run.Spec = results.Spec{Domains: []string{"dom0"}, Benchmarks: []string{send, alloc}, Builds: []hv.Build{{Name: "flask", Arch: "amd64"}}}
	c.Run.Images = []hv.Image{{Hooks: known}}
	profiles := []results.Profile{{Arch: "amd64", Build: "flask", Domain: "dom0", Benchmark: send, Profile: bench.Profile{
		Windows: 1, Ops: 1, Paths: []bench.Path{{Handler: "h", Hook: "evtchn_send", Function: "h", Part: bench.PartSite, Calls: 1, Instructions: 3}},
	}}}
	return Measurements{Planned: []string{send, alloc}, Measured: []string{send, alloc}, Counted: profile.New(&c, profiles)}
}

// TestOfCountsOfTheModel: builds that have Xen 3.2's hooks have no hook that
// nothing calls, and the matrix has.
func TestOfCountsOfTheModel(t *testing.T) {
	x := Of(counted("evtchn_send", "kexec"))
	if !x.Counted || len(x.Lines) != len(hook.Table) || x.Crossed() != 1 {
		t.Errorf("%d of %d hooks crossed, counted: %v", x.Crossed(), len(x.Lines), x.Counted)
	}
	if l := lineOf(t, x, "complete_init"); l.Why != "nothing in Xen 3.2 calls it" {
		t.Errorf("%+v", l)
	}
}

// TestOfCounts: where the run counted, the hooks are the builds' own, and what a
// benchmark declares of Xen 3.2 is no crossing.
func TestOfCounts(t *testing.T) {
	x := Of(counted("evtchn_send", "evtchn_unbound", "a_hook", "evtchn_close_post"))
	want := &Matrix{Counted: true, Lines: []Line{
		{Hook: "a_hook", Why: "no benchmark of xsmbench's crosses it"},
		{Hook: "evtchn_close_post", Why: "not by " + alloc + ", which crosses it in Xen 3.2"},
		{Hook: "evtchn_send", Benchmarks: []string{send}},
		{Hook: "evtchn_unbound", Why: "not by " + alloc + ", which crosses it in Xen 3.2"},
	}}
	if d := cmp.Diff(want, x); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got, want := x.Title(), "Coverage: 1 of 4 hooks were crossed, as counted"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var b bytes.Buffer
	if err := x.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	if want := "\n| evtchn\\_send | 1 | " + strings.ReplaceAll(send, "_", "\\_") + " |\n"; !strings.Contains(b.String(), want) {
		t.Errorf("no %q in\n%s", want, b.String())
	}
}
