package profile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What an interrupt brings into a window of one of two builds is no hook that the
// other one lost.
func TestCrossedOnly(t *testing.T) {
	cost := func(exact bool, hooks ...Hook) *Cost { return &Cost{Exact: exact, Hooks: hooks} }
	hook := func(name string, calls float64) Hook { return Hook{Name: name, Calls: calls} }
	send := hook("evtchn_send", 2)
	for _, c := range []struct {
		name          string
		own, other    *Cost
		want          []string
		wantTheOthers []string
	}{
		{"exact", cost(true, send, hook("domctl", 1)), cost(true, send), []string{"domctl"}, nil},
		{"now and then, exact", cost(true, send, hook("xen_version", 1./21)), cost(true, send), []string{"xen_version"}, nil},
		{"now and then, not exact", cost(false, send, hook("xen_version", 1./21)), cost(false, send), nil, nil},
		{"one of them not exact", cost(true, send, hook("xen_version", 1./21)), cost(false, send), nil, nil},
		{"always, not exact", cost(false, send), cost(false, send, hook("domctl", 1)), nil, []string{"domctl"}},
	} {
		r := &Run{Benchmarks: []*Benchmark{{Where: Where{Arch: "amd64", Domain: "dom0"}, Name: "op", Costs: map[string]*Cost{"own": c.own, "other": c.other}}}}
		names := func(build, other string) (all []string) {
			for _, x := range r.CrossedOnly(Where{Arch: "amd64", Domain: "dom0"}.Is, build, other) {
				all = append(all, x.Hook)
			}
			return all
		}
		if d := cmp.Diff(c.want, names("own", "other")); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		if d := cmp.Diff(c.wantTheOthers, names("other", "own")); d != "" {
			t.Errorf("%s, the other way: %s", c.name, d)
		}
	}
}
