package profile

import (
	"math"
	"slices"
)

// AVC is what FLASK's access vector cache did, per operation: decisions that
// were looked up, and those that were not in it.
type AVC struct{ Lookups, Misses float64 }

// Functions of FLASK by what their entries count: Xen's (xsm/flask/avc.c,
// ss/services.c), and the model's (xsm/flask, xsm/flask/ss), which begins a look-up
// in one of six functions and has the cache inlined in them.
var (
	avcLookups = []string{"avc_has_perm_noaudit",
		"flask.(*Module).hasPerm", "flask.(*Module).domainHasPerm", "flask.(*Module).domainHasEvent", "flask.(*Module).domainHasXen",
		"flask.(*Module).onEvent.func1", "flask.(*Module).onDomains.func1"}
	avcMisses = []string{"security_compute_av", "ss.(*Server).ComputeAV"}
)

// avcOf counts them in a hook's functions.
func avcOf(functions []Path) AVC {
	var a AVC
	for _, f := range functions {
		switch {
		case slices.Contains(avcLookups, f.Function):
			a.Lookups += f.Calls
		case slices.Contains(avcMisses, f.Function):
			a.Misses += f.Calls
		}
	}
	return a
}

// AVC is what it did in all hooks of the operation.
func (c *Cost) AVC() AVC {
	var a AVC
	for _, h := range c.Hooks {
		a.Lookups += h.AVC.Lookups
		a.Misses += h.AVC.Misses
	}
	return a
}

// Benchmarks of which one finds its only decision in the cache and the other misses
// it (bench/kbench).
const (
	avcWarm = "Kbench/avc/state=warm/op=evtchn_status"
	avcCold = "Kbench/avc/state=cold/op=evtchn_status"
)

// cacheAt is where a build's cache was measured.
type cacheAt struct {
	Where
	build string
}

// missCosts finds what a decision that is not in the cache executes more,
// instructions, where both benchmarks were counted exactly.
func (r *Run) missCosts() map[cacheAt]float64 {
	all := map[cacheAt]float64{}
	for _, b := range r.Benchmarks {
		if b.Name != avcCold {
			continue
		}
		for build, cold := range b.Costs {
			warm := r.Cost(b.Where, avcWarm, build)
			if warm == nil || !warm.Exact || !cold.Exact {
				continue
			}
			misses, more := cold.AVC().Misses-warm.AVC().Misses, cold.Total-warm.Total
			if misses > 0 && !math.IsNaN(more) {
				all[cacheAt{b.Where, build}] = more / misses
			}
		}
	}
	return all
}

// IfMissed is what one operation would execute more if the cache had none of its
// decisions, instructions. It is not known unless the run counted what a miss costs in
// that build and domain.
func (r *Run) IfMissed(b *Benchmark, build string) (more float64, known bool) {
	each, known := r.misses[cacheAt{b.Where, build}]
	cost := b.Costs[build]
	if cost == nil || !known {
		return 0, false
	}
	a := cost.AVC()
	return (a.Lookups - a.Misses) * each, true
}
