package compare

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"xsmbench/bench"
)

// What was counted decides which rows are negative controls, not what is known
// of the benchmark.
func TestNegativeControls(t *testing.T) {
	some := []bench.Crossing{{Hook: "evtchn_send", PerOp: 1}}
	const none = -1
	tests := []struct {
		name            string
		hooks           []bench.Crossing
		known           bool
		native, flask   float64 // hooks/op
		noHook, crosses bool
	}{
		{"known to cross none, counted in one", nil, true, 0, 1, false, true},
		{"known to cross none, counted in both", nil, true, 1, 1, false, true},
		{"known to cross some, none counted", some, true, 0, 0, true, false},
		{"not known, none counted", nil, false, 0, 0, true, false},
		{"known to cross none, not counted", nil, true, none, none, true, false},
		{"known to cross some, not counted", some, true, none, none, false, true},
		{"known to cross some, 0 in one and not counted in the other", some, true, 0, none, false, true},
		{"known to cross none, counted in the base only", nil, true, 1, none, false, true},
		{"nothing known", nil, false, none, none, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := new(set).add("native", "A/b", "xen-instr/op", 100, 100).add("flask", "A/b", "xen-instr/op", 110, 110)
			if tt.native >= 0 {
				s.add("native", "A/b", "hooks/op", tt.native, tt.native)
			}
			if tt.flask >= 0 {
				s.add("flask", "A/b", "hooks/op", tt.flask, tt.flask)
			}
			c := compareSet(t, s, Options{Hooks: func(string) ([]bench.Crossing, bool) { return tt.hooks, tt.known }})
			r := c.Rows[0]
			if r.NoHook != tt.noHook || r.Crosses != tt.crosses || hasWarning(r, "negative control") != tt.noHook {
				t.Errorf("control %t, crosses %t: %v", r.NoHook, r.Crosses, r.Warnings)
			}
		})
	}
}

// The mean of the rows that cross a hook is not diluted by those that do not.
func TestGeoMeanOfCrossing(t *testing.T) {
	s := new(set)
	for _, build := range []string{"native", "flask"} {
		for benchmark, more := range map[string]float64{"A/1": 21, "A/2": 0, "A/3": 44, "A/4": 0} {
			count, hooks := 100.0, 0.0
			if build == "flask" && more > 0 {
				count, hooks = 100+more, 1
			}
			s.add(build, benchmark, "xen-instr/op", count, count).add(build, benchmark, "hooks/op", hooks, hooks)
		}
	}
	g := compareSet(t, s, Options{}).GeoMeans[0]
	if g.Rows != 4 || g.Crossing == nil || g.Crossing.Rows != 2 || !g.Crossing.Exact || g.Crossing.Build != "flask" {
		t.Fatalf("%+v, crossing %+v", g, g.Crossing)
	}
	if want := math.Sqrt(1.21 * 1.44); math.Abs(g.Crossing.Ratio-want) > 1e-9 || math.Abs(g.Ratio-math.Sqrt(want)) > 1e-9 {
		t.Errorf("%v of all, %v of those that cross", g.Ratio, g.Crossing.Ratio)
	}
}

func TestVariants(t *testing.T) {
	for name, want := range map[string]bool{
		"Kbench/avc/state=cold/op=evtchn_status": true, "Kbench/hypercall/op=evtchn_status": false, "Lmbench/lat_fs/op=create/size=0k": false,
	} {
		if got := IsVariant(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestWay: a row has the hooks that were counted of its two builds, and what each
// costs more; a line has those of the build that crosses most.
func TestWay(t *testing.T) {
	counted := map[string][]Executed{
		"native": {{"evtchn_close_post", 1, 8}, {"dropped", 2, 20}},
		"dummy":  {{"evtchn_unbound", 1, 10}, {"evtchn_close_post", 1, 10}},
		"flask":  {{"evtchn_unbound", 1, 500}, {"evtchn_close_post", 3, 447}},
	}
	s := new(set)
	for _, build := range []string{"native", "dummy", "flask"} {
		s.add(build, "A/b", "xen-instr/op", 100, 100).add(build, "A/known", "xen-instr/op", 100, 100)
	}
	c := compareSet(t, s, Options{
		Hooks: func(string) ([]bench.Crossing, bool) { return []bench.Crossing{{Hook: "known", PerOp: 2}}, true },
		Counted: func(_ Environment, benchmark, build string) ([]Executed, bool) {
			return counted[build], benchmark == "A/b"
		},
	})
	type hook struct {
		name                string
		calls, before, more float64
	}
	want := map[string][]hook{
		"A/b dummy":     {{"dropped", 0, 2, -20}, {"evtchn_close_post", 1, 1, 2}, {"evtchn_unbound", 1, 0, 10}},
		"A/b flask":     {{"evtchn_close_post", 3, 1, 439}, {"dropped", 0, 2, -20}, {"evtchn_unbound", 1, 0, 500}},
		"A/known dummy": {{"known", 2, 0, 0}},
		"A/known flask": {{"known", 2, 0, 0}},
	}
	for _, r := range c.Rows {
		var got []hook
		for _, h := range r.Hooks {
			if h.Counted != (r.Benchmark == "A/b") {
				t.Errorf("%s %s: %s counted: %t", r.Benchmark, r.Build, h.Hook, h.Counted)
			}
			got = append(got, hook{h.Hook, h.PerOp, h.Before, h.More})
		}
		if !slices.Equal(got, want[r.Benchmark+" "+r.Build]) {
			t.Errorf("%s %s: %v", r.Benchmark, r.Build, got)
		}
	}
	var ways []string
	for _, l := range Sections(c.Rows)[0].Lines {
		ways = append(ways, fmt.Sprint(l.Way()))
	}
	if want := []string{"[3 evtchn_close_post evtchn_unbound]", "[]"}; !slices.Equal(ways, want) {
		t.Errorf("ways: %v", ways)
	}
}

// TestWayOfEarlier: what an earlier run did not count is no 0.
func TestWayOfEarlier(t *testing.T) {
	before := ran("runs/x", new(set).add("flask", "A/b", "xen-instr/op", 90, 90))
	now := ran("runs/y", new(set).add("flask", "A/b", "xen-instr/op", 100, 100))
	c, err := Against(SetOf(now), SetOf(before), Options{Counted: func(_ Environment, _, build string) ([]Executed, bool) {
		_, earlier := IsEarlier(build)
		return []Executed{{"evtchn_send", 1, 166}}, !earlier
	}})
	if err != nil {
		t.Fatal(err)
	}
	if h := c.Rows[0].Hooks[0]; !h.Counted || h.PerOp != 1 || !math.IsNaN(h.Before) || !math.IsNaN(h.More) {
		t.Errorf("%+v", h)
	}
}

func TestCrossedString(t *testing.T) {
	for calls, want := range map[float64]string{0: "x", 0.001: "<0.01 x", 0.25: "0.25 x", 1: "x", 28: "28 x"} {
		if got := (Crossed{Crossing: bench.Crossing{Hook: "x", PerOp: calls}}).String(); got != want {
			t.Errorf("%g: %q, want %q", calls, got, want)
		}
	}
}
