package silo

import (
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// domains is a machine's table of domains.
type domains map[abi.DomID]*xsm.Domain

func (t domains) Domain(id abi.DomID) *xsm.Domain { return t[id] }

// TestRules asks every hook of SILO's for every pair of three domains, on behalf
// of each.
func TestRules(t *testing.T) {
	all := domains{}
	for id := range abi.DomID(3) {
		all[id] = &xsm.Domain{ID: id, Privileged: id == 0, Domains: all}
	}
	chn := &xsm.Evtchn{}
	hooks := map[string]func(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno{
		"evtchn_unbound": func(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno { return evtchnUnbound(cur, d1, chn, d2.ID) },
		"evtchn_interdomain": func(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
			return evtchnInterdomain(cur, d1, chn, d2, chn)
		},
		"grant_mapref":   func(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno { return grantMapref(cur, d1, d2, 0) },
		"grant_transfer": grantTransfer,
		"grant_copy":     grantCopy,
	}
	for name, hook := range hooks {
		for _, who := range all {
			for _, d1 := range all {
				for _, d2 := range all {
					want := -abi.EPERM
					if who.ID == 0 || d1.ID == 0 || d2.ID == 0 || d1.ID == d2.ID {
						want = 0
					}
					if got := hook(&xsm.VCPU{Domain: who}, d1, d2); got != want {
						t.Errorf("%s of domain %d, %d and %d: %v, want %v", name, who.ID, d1.ID, d2.ID, got, want)
					}
				}
			}
		}
	}
}

// TestUnboundFor tells the domains apart that an unbound port may be for.
func TestUnboundFor(t *testing.T) {
	all := domains{}
	one := &xsm.Domain{ID: 1, Domains: all}
	two := &xsm.Domain{ID: 2, Domains: all}
	all[1], all[2] = one, two
	for _, c := range []struct {
		of   *xsm.Domain
		to   abi.DomID
		want abi.Errno
	}{
		{one, abi.DomSelf, 0},
		{two, abi.DomSelf, -abi.EPERM}, // its port for who asks
		{one, 2, -abi.EPERM},
		{one, 3, -abi.ESRCH},
	} {
		if got := evtchnUnbound(&xsm.VCPU{Domain: one}, c.of, &xsm.Evtchn{}, c.to); got != c.want {
			t.Errorf("domain 1 allocates a port of %d for %#x: %v, want %v", c.of.ID, c.to, got, c.want)
		}
	}
}
