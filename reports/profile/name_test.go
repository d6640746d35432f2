package profile

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
)

// TestHandlersOfReleases: a fault's handler has one name in reports, whatever
// the release called it, and is visited once where it is two functions.
func TestHandlersOfReleases(t *testing.T) {
	const fault = "Kbench/vm/op=anon_touch"
	entered := func(name string, instructions int64) bench.Path {
		return bench.Path{Handler: name, Function: name, Part: bench.PartEntry, Calls: 2, Instructions: instructions}
	}
	w := newWorld("old", "new")
	w.boot(1, "old", "dom0", fault, 300, bench.Profile{Windows: 2, Ops: 1, Paths: []bench.Path{entered("do_page_fault", 600)}})
	w.boot(2, "new", "dom0", fault, 310, bench.Profile{Windows: 2, Ops: 1, Paths: []bench.Path{
		entered("handle_PF_IDT", 20), {Handler: "handle_PF_IDT", Function: "handle_PF", Calls: 2, Instructions: 600},
	}})
	w.contents.Samples[0].Boot.Boot, w.contents.Samples[1].Boot.Boot = 1, 2
	r := w.run()
	costs := r.Benchmarks[0].Costs
	want := []Visit{{Handler: "handle_PF", Times: 1}}
	for _, build := range r.Builds {
		got := costs[build].Visits()
		if len(got) != 1 || got[0].Handler != want[0].Handler || got[0].Times != want[0].Times {
			t.Errorf("%s: %+v, want %+v", build, got, want)
		}
	}
	costs["old"].Exact, costs["new"].Exact = true, true
	d, ok := costs["new"].Difference(costs["old"])
	if diff := cmp.Diff([]Change{{Function: "handle_PF", Instructions: 10}}, d.Functions); !ok || diff != "" {
		t.Errorf("exact: %v, %s", ok, diff)
	}
}

func TestOnlys(t *testing.T) {
	r := &Run{Builds: []string{"native", "old", "same", "new"}, Code: map[string]Code{
		"old": {Hooks: []string{"domctl", "sysctl"}}, "same": {Hooks: []string{"domctl", "sysctl"}}, "new": {Hooks: []string{"domctl", "get_domain_state"}},
	}}
	want := []Only{{Build: "new", Other: "old", First: []string{"get_domain_state"}, Second: []string{"sysctl"}}}
	for _, base := range []string{"native", "old", "nowhere"} {
		if d := cmp.Diff(want, r.Onlys(base)); d != "" {
			t.Errorf("against %s: %s", base, d)
		}
	}
	r.Code = nil
	if got := r.Onlys("native"); got != nil {
		t.Errorf("builds that do not tell: %v", got)
	}
}
