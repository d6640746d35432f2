//go:build xsm && flask

package flasktest

import (
	"encoding/binary"
	"testing"

	"xsmbench/abi"
	"xsmbench/hv/model"
)

// References of the grants that furnish makes, in each granter's table.
const (
	refIsolated   = abi.GnttabNrReserved + iota // a frame for isolated
	refDomU                                     // a frame for domU
	refDom0                                     // a frame for dom0
	refAccept                                   // takes a frame from isolated
	refAcceptDom0                               // takes a frame from dom0
)

// setting is what the domains of a world share: the policy's peers with its
// consent, the others because permissive mode let them.
type setting struct {
	*world
	own        abi.Port        // domU's, for its own IPIs
	forDom0    abi.Port        // domU keeps it for dom0
	forDomU    abi.Port        // isolated keeps it for domU
	spareDomU  abi.Port        // another one
	toIsolated abi.Port        // domU's end of a channel to isolated
	mapped     abi.GrantHandle // isolated's mapping of domU's frame
}

func furnish(t *testing.T, w *world) *setting {
	t.Helper()
	s := &setting{world: w}
	for _, g := range []*guest{w.dom0, w.domU, w.isolated} {
		g.do(t, func(v *model.VCPU) { shareGrants(t, w, g, v) })
	}
	unbound := func(at, remote *guest) (port abi.Port) {
		at.do(t, func(v *model.VCPU) {
			op := abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: remote.id}
			if rc := evtchn(v, abi.EVTCHNOPAllocUnbound, &op); rc != 0 {
				t.Errorf("%s keeps a port for %s: %s", at.label, remote.label, number(rc))
			}
			port = op.Port
		})
		return port
	}
	s.forDom0 = unbound(w.domU, w.dom0)
	enforcing := false
	w.dom0.do(t, func(v *model.VCPU) {
		text, _ := flaskOp(v, 2, "")
		enforcing = text == "1"
	})
	w.setEnforcing(t, false)
	s.forDomU, s.spareDomU = unbound(w.isolated, w.domU), unbound(w.isolated, w.domU)
	w.domU.do(t, func(v *model.VCPU) {
		ipi := abi.EvtchnBindIPI{}
		if rc := evtchn(v, abi.EVTCHNOPBindIPI, &ipi); rc != 0 {
			t.Errorf("bind_ipi: %s", number(rc))
		}
		s.own = ipi.Port
		op := abi.EvtchnBindInterdomain{RemoteDom: w.isolated.id, RemotePort: s.forDomU}
		if rc := evtchn(v, abi.EVTCHNOPBindInterdomain, &op); rc != 0 {
			t.Errorf("bind_interdomain in permissive mode: %s", number(rc))
		}
		s.toIsolated = op.LocalPort
	})
	s.forDomU = s.spareDomU
	w.isolated.do(t, func(v *model.VCPU) {
		op := abi.GnttabMapGrantRef{Dom: w.domU.id, Ref: refIsolated, Flags: abi.GNTMAPDeviceMap}
		if rc := call(v, abi.GrantTableOp, abi.GNTTABOPMapGrantRef, &op); rc != 0 || op.Status != 0 {
			t.Errorf("map a grant in permissive mode: %s, status %d", number(rc), op.Status)
		}
		s.mapped = op.Handle
	})
	w.setEnforcing(t, enforcing)
	if t.Failed() {
		t.FailNow()
	}
	w.screen.take()
	return s
}

// shareGrants has a guest map its grant table and fill it in.
func shareGrants(t *testing.T, w *world, g *guest, v *model.VCPU) {
	op := abi.GnttabSetupTable{Dom: abi.DomSelf, NrFrames: 1}
	if rc := call(v, abi.GrantTableOp, abi.GNTTABOPSetupTable, &op); rc != 0 || op.Status != 0 {
		t.Errorf("%s sets its grant table up: %s, status %d", g.label, number(rc), op.Status)
		return
	}
	at := va(g.free(0))
	if rc := call(v, abi.UpdateVAMapping, at, nil, own(abi.MFN(op.FrameList[0])), abi.UVMFINVLPG); rc != 0 {
		t.Errorf("%s maps its grant table: %s", g.label, number(rc))
		return
	}
	table := v.Page(at, true, false)
	for _, e := range []struct {
		ref   int
		flags uint16
		to    abi.DomID
		frame abi.MFN
	}{
		{refIsolated, abi.GTFPermitAccess, w.isolated.id, g.page(1)},
		{refDomU, abi.GTFPermitAccess, w.domU.id, g.page(1)},
		{refDom0, abi.GTFPermitAccess, 0, g.page(1)},
		{refAccept, abi.GTFAcceptTransfer, w.isolated.id, 60},
		{refAcceptDom0, abi.GTFAcceptTransfer, 0, 61},
	} {
		binary.LittleEndian.PutUint32(table[8*e.ref+4:], uint32(e.frame))
		binary.LittleEndian.PutUint32(table[8*e.ref:], uint32(e.to)<<16|uint32(e.flags))
	}
}
