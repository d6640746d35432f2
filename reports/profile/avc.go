package profile

import "slices"

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
