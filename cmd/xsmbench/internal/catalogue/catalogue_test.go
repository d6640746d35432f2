package catalogue

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"xsmbench/bench"
	_ "xsmbench/bench/kbench"
	"xsmbench/hv"
	"xsmbench/hv/hvtest"
	"xsmbench/reports/coverage"
)

// TestCatalogue: a benchmark and the hook that it crosses name each other, and
// only parts that were asked for are there.
func TestCatalogue(t *testing.T) {
	targets := []hv.Target{&hvtest.Target{}, &hvtest.Counting{}}
	all := New(targets, Parts, nil)
	b := all.Benchmarks[slices.IndexFunc(all.Benchmarks, func(b Benchmark) bool { return b.Name == "Kbench/hypercall/op=evtchn_send" })]
	if !slices.Equal(b.Targets, []string{"fake", "counting"}) || len(b.Hooks) != 1 || b.Hooks[0].Hook != "evtchn_send" {
		t.Errorf("benchmark %+v", b)
	}
	h := all.Hooks[slices.IndexFunc(all.Hooks, func(h Hook) bool { return h.Name == "evtchn_send" })]
	if !slices.Contains(h.Benchmarks, b.Name) {
		t.Errorf("hook %+v without %s", h, b.Name)
	}
	if some := New(targets[:1], Parts[:1], nil); len(some.Targets) != 1 || some.Benchmarks != nil || some.Hooks != nil {
		t.Errorf("builds of one target: %+v", some)
	}
	var text bytes.Buffer
	if err := all.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"counting  flask", "Kbench/hypercall/op=evtchn_send", "\nhook"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

func TestCrossings(t *testing.T) {
	for want, hooks := range map[string][]Crossing{
		"none":                nil,
		"a, b x4, c x2.5, ~d": {{Hook: "a", PerOp: 1}, {Hook: "b", PerOp: 4}, {Hook: "c", PerOp: 2.5}, {Hook: "d", Note: "depends"}},
	} {
		if got := (Benchmark{Hooks: hooks}).crossings(); got != want {
			t.Errorf("%v: %s, want %s", hooks, got, want)
		}
	}
	if got := (Benchmark{unknown: true}).crossings(); got != "-" {
		t.Errorf("unknown: %s", got)
	}
}

func TestExercisers(t *testing.T) {
	for want, names := range map[string][]string{
		"-": nil, "a, b, c": {"a", "b", "c"}, "a, b and 2 more": {"a", "b", "c", "d"},
	} {
		if got := exercisers(names); got != want {
			t.Errorf("%v: %s, want %s", names, got, want)
		}
	}
}

// guide is a target with hooks of its own.
type guide struct{ hvtest.Target }

func (*guide) Hooks() []string { return []string{"evtchn_send", "limits", "pmu_op"} }

func (*guide) Hook(h string) hv.HookNote {
	return map[string]hv.HookNote{
		"limits":      {Was: []string{"setdomainmaxmem"}, By: "dom0", Through: "domctl"},
		"evtchn_send": {By: "any domain", Through: "event_channel_op send"},
		"pmu_op":      {By: "any domain", Through: "xenpmu_op", Never: "there is no PMU"},
	}[h]
}

// TestOwnHooks: a target's own hooks are listed if it is the only one, with what
// took the place of Xen 3.2's; those of a run as they were counted.
func TestOwnHooks(t *testing.T) {
	const limit = "Kbench/hypercall/op=domctl_max_mem"
	of := func(l Catalogue, name string) Hook {
		i := slices.IndexFunc(l.Hooks, func(h Hook) bool { return h.Name == name })
		if i < 0 {
			return Hook{}
		}
		return l.Hooks[i]
	}
	g := []hv.Target{&guide{}}
	cold := New(g, []string{"hooks"}, nil)
	if h := of(cold, "limits"); len(cold.Hooks) != 3 || h.By != "dom0" || !slices.Equal(h.Benchmarks, []string{limit}) {
		t.Errorf("%+v", cold.Hooks)
	}
	if h := of(cold, "pmu_op"); h.Why != "there is no PMU" || len(h.Benchmarks) != 0 {
		t.Errorf("%+v", h)
	}
	if both := New(append(g, &hvtest.Counting{}), []string{"hooks"}, nil); of(both, "pmu_op").Name != "" {
		t.Error("of two targets, the hooks are one's")
	}
	run := &Run{Path: "runs/a", Domains: map[string][]string{"odd": {"dom0", "domU"}}, Matrix: &coverage.Matrix{Lines: []coverage.Line{
		{Hook: "limits", Why: "no sample"}, {Hook: "odd", Benchmarks: []string{limit}},
	}}}
	counted := New(g, []string{"hooks"}, run)
	if h := of(counted, "odd"); len(counted.Hooks) != 2 || h.By != "" || !slices.Equal(h.Domains, []string{"dom0", "domU"}) {
		t.Errorf("%+v", counted.Hooks)
	}
	var text bytes.Buffer
	if err := counted.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"hook of the builds of runs/a", "limits                        dom0        domctl   -           none: no sample", "dom0 domU   " + limit} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if c := NewCover(g, run).Cover; c.Hooks != 2 || c.Crossed != 1 || !c.Counted || !slices.Equal(c.Uncrossed, []string{"limits"}) {
		t.Errorf("%+v", c)
	}
}

// TestRefused: a target's refusals are listed with their reasons if it is the only
// one.
func TestRefused(t *testing.T) {
	l := New([]hv.Target{&hvtest.Target{}}, []string{"benchmarks"}, nil)
	for _, r := range l.Refused {
		if r.Reason == "" || slices.ContainsFunc(l.Benchmarks, func(b Benchmark) bool { return b.Name == r.Name }) {
			t.Errorf("%+v", r)
		}
	}
	if len(l.Refused)+len(l.Benchmarks) != len(bench.All()) {
		t.Errorf("%d run, %d refused of %d", len(l.Benchmarks), len(l.Refused), len(bench.All()))
	}
}
