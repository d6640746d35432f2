package compare

import (
	"math"
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
