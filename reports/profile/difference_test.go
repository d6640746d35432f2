package profile

import "testing"

// TestArches: what explains a figure is of its own architecture.
func TestArches(t *testing.T) {
	of := func(arch string, base, flask float64) *Benchmark {
		return &Benchmark{Where: Where{Arch: arch, Domain: "dom0"}, Name: "fork", Costs: map[string]*Cost{"native": {Total: base, Exact: true}, "flask": {Total: flask, Exact: true}}}
	}
	before := &Run{Benchmarks: []*Benchmark{of("amd64", 100, 160), of("386", 200, 300)}}
	after := &Run{Benchmarks: []*Benchmark{of("amd64", 100, 161), of("386", 200, 304)}}
	for _, c := range []struct {
		arch        string
		more, since float64
	}{{"amd64", 60, 1}, {"386", 100, 4}} {
		if d, ok := before.Explain(Where{Arch: c.arch, Domain: "dom0"}, "fork", "flask", "native"); !ok || d.Total != c.more {
			t.Errorf("%s: %g more than native, %t, want %g", c.arch, d.Total, ok, c.more)
		}
		if d, ok := Between(before, after, Where{Arch: c.arch, Domain: "dom0"}, "fork", "flask"); !ok || d.Total != c.since {
			t.Errorf("%s: %g more than before, %t, want %g", c.arch, d.Total, ok, c.since)
		}
	}
	if _, ok := before.Explain(Where{Arch: "arm64", Domain: "dom0"}, "fork", "flask", "native"); ok {
		t.Error("an architecture that was not measured is explained")
	}
	if _, ok := (*Run)(nil).Explain(Where{Arch: "386", Domain: "dom0"}, "fork", "flask", "native"); ok {
		t.Error("a run without profiles explains something")
	}
}
