package profile

import (
	"math"
	"testing"
)

// cached is a cost with decisions of FLASK.
func cached(total, lookups, misses float64, exact bool) *Cost {
	return &Cost{Total: total, Exact: exact, Hooks: []Hook{{Name: "evtchn_status", AVC: AVC{lookups, misses}}}}
}

// TestIfMissed: what a miss costs comes from the run's own benchmarks of both states,
// and is not known without them.
func TestIfMissed(t *testing.T) {
	nan := math.NaN()
	fork := cached(302000, 38, 0, true)
	for _, c := range []struct {
		name       string
		warm, cold *Cost
		of         *Cost
		more       float64
		known      bool
	}{
		{"all in the cache", cached(1265, 1, 0, true), cached(3060, 1, 1, true), fork, 38 * 1795, true},
		{"some missed already", cached(1265, 1, 0, true), cached(3060, 1, 1, true), cached(900, 3, 2, true), 1795, true},
		{"no decision", cached(1265, 1, 0, true), cached(3060, 1, 1, true), cached(678, 0, 0, true), 0, true},
		{"cold not exact", cached(1265, 1, 0, true), cached(3060, 1, 1, false), fork, 0, false},
		{"warm not exact", cached(1265, 1, 0, false), cached(3060, 1, 1, true), fork, 0, false},
		{"cold did not miss", cached(1265, 1, 0, true), cached(1265, 1, 0, true), fork, 0, false},
		{"no count", cached(1265, 1, 0, true), cached(nan, 1, 1, true), fork, 0, false},
		{"no warm one", nil, cached(3060, 1, 1, true), fork, 0, false},
		{"not in this build", cached(1265, 1, 0, true), cached(3060, 1, 1, true), nil, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := func(name, domain string, cost *Cost) *Benchmark {
				costs := map[string]*Cost{}
				if cost != nil {
					costs["flask"] = cost
				}
				return &Benchmark{Where: Where{Arch: "amd64", Domain: domain}, Name: name, Costs: costs}
			}
			r := &Run{Benchmarks: []*Benchmark{of(avcWarm, "dom0", c.warm), of(avcCold, "dom0", c.cold), of("fork", "dom0", c.of)}}
			r.misses = r.missCosts()
			if more, known := r.IfMissed(r.Benchmarks[2], "flask"); more != c.more || known != c.known {
				t.Errorf("%g, %t, want %g, %t", more, known, c.more, c.known)
			}
			if _, known := r.IfMissed(of("fork", "domU", fork), "flask"); known {
				t.Error("known in a domain that was not measured")
			}
		})
	}
}
