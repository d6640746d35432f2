//go:build xsm && silo

package model

import (
	"testing"

	"xsmbench/abi"
	_ "xsmbench/xsm/silo"
)

// TestSILO has an unprivileged domain, and dom0, share event channels and pages
// with a second unprivileged domain, by each of SILO's hooks. Other tests of this
// package are about machines whose module allows everything.
func TestSILO(t *testing.T) {
	for _, c := range []struct {
		name    string
		caller  func(*world) *VCPU
		rc      int64
		refused int16 // or what grants say
	}{
		{"domU", func(w *world) *VCPU { return w.domU }, eperm, abi.GNTSTPermissionDenied},
		{"dom0", func(w *world) *VCPU { return w.dom0 }, 0, abi.GNTSTOkay},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.self = c.caller(w)
			me := w.self.dom.ID
			evtchnOp(t, w.self, abi.EVTCHNOPAllocUnbound, &abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: idPV}, c.rc)
			evtchnOp(t, w.self, abi.EVTCHNOPAllocUnbound, &abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: 0}, 0)
			evtchnOp(t, w.self, abi.EVTCHNOPAllocUnbound, &abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: me}, 0)
			evtchnOp(t, w.self, abi.EVTCHNOPAllocUnbound, &abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: idNone}, -int64(abi.ESRCH))
			evtchnOp(t, w.self, abi.EVTCHNOPBindInterdomain, &abi.EvtchnBindInterdomain{RemoteDom: idPV, RemotePort: w.unbound()}, c.rc)

			w.offer(9, me, abi.GTFPermitAccess, w.pvFrames[5])
			grantOp(t, w.self, abi.GNTTABOPMapGrantRef, &abi.GnttabMapGrantRef{Dom: idPV, Ref: 9, Flags: abi.GNTMAPDeviceMap}, c.refused)
			grantOp(t, w.self, abi.GNTTABOPCopy, &abi.GnttabCopy{
				Source: abi.GnttabCopyPtr{UseRef: true, Dom: idPV, Ref: 9},
				Dest:   abi.GnttabCopyPtr{Dom: abi.DomSelf, GMFN: uint64(w.frame())}, Len: 12,
			}, c.refused)
			w.offer(10, me, abi.GTFAcceptTransfer, 14)
			grantOp(t, w.self, abi.GNTTABOPTransfer, &abi.GnttabTransfer{MFN: w.frame(), Dom: idPV, Ref: 10}, c.refused)
		})
	}
}
