package catalogue

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	_ "xsmbench/bench/kbench"
	"xsmbench/hv"
	"xsmbench/hv/hvtest"
)

// TestCatalogue: a benchmark and the hook that it crosses name each other, and
// only parts that were asked for are there.
func TestCatalogue(t *testing.T) {
	targets := []hv.Target{&hvtest.Target{}, &hvtest.Counting{}}
	all := New(targets, Parts)
	b := all.Benchmarks[slices.IndexFunc(all.Benchmarks, func(b Benchmark) bool { return b.Name == "Kbench/hypercall/op=evtchn_send" })]
	if !slices.Equal(b.Targets, []string{"fake", "counting"}) || len(b.Hooks) != 1 || b.Hooks[0].Hook != "evtchn_send" {
		t.Errorf("benchmark %+v", b)
	}
	h := all.Hooks[slices.IndexFunc(all.Hooks, func(h Hook) bool { return h.Name == "evtchn_send" })]
	if !slices.Contains(h.Benchmarks, b.Name) {
		t.Errorf("hook %+v without %s", h, b.Name)
	}
	if some := New(targets[:1], Parts[:1]); len(some.Targets) != 1 || some.Benchmarks != nil || some.Hooks != nil {
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
		if got := crossings(hooks); got != want {
			t.Errorf("%v: %s, want %s", hooks, got, want)
		}
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
