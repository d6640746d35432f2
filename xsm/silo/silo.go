// Package silo is the SILO module for XSM: it keeps unprivileged domains apart.
// Such a domain may share event channels and memory with a privileged one, and
// with itself, but with no other. Nothing else is denied, and there is no policy.
//
// The source is xen/xsm/silo.c of Xen 4.12 and later. Xen 3.2 had no SILO; here
// its rules stand in 3.2's hooks of the same names. Argo's, which 3.2 did not
// have, are left out. As in Xen, an event channel that exists is not
// asked about again: sending costs what it costs with the dummy.
package silo

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

func init() {
	xsm.AddModule(xsm.Module{
		Name:  "silo",
		Doc:   "the framework with SILO registered, which keeps unprivileged domains apart",
		Start: start,
	})
}

func start(b *xsm.Boot) abi.Errno {
	b.Printk("Initialising XSM SILO mode")
	return xsm.Register(&xsm.Operations{
		EvtchnUnbound:     evtchnUnbound,
		EvtchnInterdomain: evtchnInterdomain,
		GrantMapref:       grantMapref,
		GrantTransfer:     grantTransfer,
		GrantCopy:         grantCopy,
	})
}

// may says whether two domains may have to do with each other
// (silo_mode_dom_check): one of them, or who asks, is privileged, or they are
// one.
func may(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
	if cur.Domain.Privileged || d1.Privileged || d2.Privileged || d1 == d2 {
		return 0
	}
	return -abi.EPERM
}

// evtchnUnbound asks about the domain that an unbound port of d is for.
func evtchnUnbound(cur *xsm.VCPU, d *xsm.Domain, _ *xsm.Evtchn, id2 abi.DomID) abi.Errno {
	d2 := cur.Domain
	if id2 != abi.DomSelf {
		if d2 = cur.Domain.Domains.Domain(id2); d2 == nil {
			return -abi.ESRCH
		}
	}
	return may(cur, d, d2)
}

func evtchnInterdomain(cur *xsm.VCPU, d1 *xsm.Domain, _ *xsm.Evtchn, d2 *xsm.Domain, _ *xsm.Evtchn) abi.Errno {
	return may(cur, d1, d2)
}

func grantMapref(cur *xsm.VCPU, d1, d2 *xsm.Domain, _ uint32) abi.Errno { return may(cur, d1, d2) }

func grantTransfer(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno { return may(cur, d1, d2) }

func grantCopy(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno { return may(cur, d1, d2) }
