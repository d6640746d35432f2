package model

import (
	"fmt"
	"testing"

	"xsmbench/abi"
)

func sprint(v any) string { return fmt.Sprint(v) }

// evtchnOp makes an event-channel operation and fails the test unless it
// returns want.
func evtchnOp(t *testing.T, v *VCPU, cmd abi.EvtchnCmd, op any, want int64) {
	t.Helper()
	a := abi.Args{R: [4]uint64{uint64(cmd)}, H: op}
	if rc := v.call(abi.EventChannelOp, &a); rc != want {
		t.Errorf("event channel command %d %+v: %d, want %d", cmd, op, rc, want)
	}
}

// pending lists the pending, unmasked ports of a domain.
func pending(d *Domain) (ports []abi.Port) {
	for p := range abi.Port(abi.NrEventChannels) {
		if (d.shared.Pending[p/64].Load()&^d.shared.Mask[p/64].Load())>>(p%64)&1 != 0 {
			ports = append(ports, p)
		}
	}
	return ports
}

// acknowledge takes all events, as a guest's callback does.
func acknowledge(d *Domain) {
	d.eachVCPU(func(v *VCPU) {
		v.info.UpcallPending.Store(0)
		v.info.PendingSel.Store(0)
	})
	for i := range d.shared.Pending {
		d.shared.Pending[i].Store(0)
	}
}

func portStatus(t *testing.T, v *VCPU, p abi.Port) abi.EvtchnStatus {
	t.Helper()
	op := abi.EvtchnStatus{Dom: abi.DomSelf, Port: p}
	evtchnOp(t, v, abi.EVTCHNOPStatus, &op, 0)
	return op
}

func TestInterdomainChannel(t *testing.T) {
	w := newWorld(t)
	dom0, domU := w.dom0, w.domU
	alloc := abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: 0}
	evtchnOp(t, domU, abi.EVTCHNOPAllocUnbound, &alloc, 0)
	if alloc.Port == 0 {
		t.Error("port 0 was given out")
	}
	if s := portStatus(t, domU, alloc.Port); s.Status != abi.EVTCHNSTATUnbound || s.RemoteDom != 0 {
		t.Errorf("status %+v", s)
	}
	// Sent while nobody is bound: lost without an error.
	evtchnOp(t, domU, abi.EVTCHNOPSend, &abi.EvtchnSend{Port: alloc.Port}, 0)

	bind := abi.EvtchnBindInterdomain{RemoteDom: idDomU, RemotePort: alloc.Port}
	evtchnOp(t, dom0, abi.EVTCHNOPBindInterdomain, &bind, 0)
	if got := pending(dom0.dom); sprint(got) != sprint([]abi.Port{bind.LocalPort}) {
		t.Errorf("pending after the binding: %v, want %d, an event may have been missed", got, bind.LocalPort)
	}
	acknowledge(dom0.dom)
	if s := portStatus(t, dom0, bind.LocalPort); s.Status != abi.EVTCHNSTATInterdomain || s.RemoteDom != idDomU || s.RemotePort != alloc.Port {
		t.Errorf("status %+v", s)
	}
	again := bind
	evtchnOp(t, dom0, abi.EVTCHNOPBindInterdomain, &again, einval)

	evtchnOp(t, domU, abi.EVTCHNOPSend, &abi.EvtchnSend{Port: alloc.Port}, 0)
	if got := pending(dom0.dom); sprint(got) != sprint([]abi.Port{bind.LocalPort}) {
		t.Errorf("pending in dom0: %v", got)
	}
	if dom0.info.UpcallPending.Load() != 1 || dom0.info.PendingSel.Load() != 1<<(bind.LocalPort/64) {
		t.Error("the upcall is not marked")
	}
	if got := pending(domU.dom); len(got) != 0 {
		t.Errorf("pending in the sender: %v", got)
	}
	acknowledge(dom0.dom)

	evtchnOp(t, dom0, abi.EVTCHNOPClose, &abi.EvtchnClose{Port: bind.LocalPort}, 0)
	if s := portStatus(t, domU, alloc.Port); s.Status != abi.EVTCHNSTATUnbound || s.RemoteDom != 0 {
		t.Errorf("after the other end closed: %+v", s)
	}
	evtchnOp(t, dom0, abi.EVTCHNOPSend, &abi.EvtchnSend{Port: bind.LocalPort}, einval)
}

// TestBindByAnother tries to bind to a port meant for someone else.
func TestBindByAnother(t *testing.T) {
	w := newWorld(t)
	alloc := abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: idPV}
	evtchnOp(t, w.dom0, abi.EVTCHNOPAllocUnbound, &alloc, 0)
	evtchnOp(t, w.domU, abi.EVTCHNOPBindInterdomain, &abi.EvtchnBindInterdomain{RemoteDom: 0, RemotePort: alloc.Port}, einval)
	evtchnOp(t, w.pv.vcpu(0), abi.EVTCHNOPBindInterdomain, &abi.EvtchnBindInterdomain{RemoteDom: 0, RemotePort: alloc.Port}, 0)
}

// TestMask sends to a masked port: nothing is told until it is unmasked.
func TestMask(t *testing.T) {
	w := newWorld(t)
	v, d := w.domU, w.domU.dom
	ipi := abi.EvtchnBindIPI{}
	evtchnOp(t, v, abi.EVTCHNOPBindIPI, &ipi, 0)
	d.shared.Mask[0].Store(^uint64(0))
	evtchnOp(t, v, abi.EVTCHNOPSend, &abi.EvtchnSend{Port: ipi.Port}, 0)
	if v.info.UpcallPending.Load() != 0 {
		t.Error("a masked port raises an upcall")
	}
	evtchnOp(t, v, abi.EVTCHNOPUnmask, &abi.EvtchnUnmask{Port: ipi.Port}, 0)
	if v.info.UpcallPending.Load() != 1 || sprint(pending(d)) != sprint([]abi.Port{ipi.Port}) {
		t.Error("unmasking does not deliver what is pending")
	}
}

func TestVIRQ(t *testing.T) {
	w := newWorld(t)
	dom0 := w.dom0
	bind := abi.EvtchnBindVIRQ{VIRQ: abi.VIRQDomExc}
	evtchnOp(t, dom0, abi.EVTCHNOPBindVIRQ, &bind, 0)
	evtchnOp(t, dom0, abi.EVTCHNOPBindVIRQ, &abi.EvtchnBindVIRQ{VIRQ: abi.VIRQDomExc}, eexist)
	evtchnOp(t, dom0, abi.EVTCHNOPSend, &abi.EvtchnSend{Port: bind.Port}, einval)
	w.pv.shutDown(abi.ShutdownPoweroff, "")
	if sprint(pending(dom0.dom)) != sprint([]abi.Port{bind.Port}) {
		t.Errorf("pending after a shutdown: %v", pending(dom0.dom))
	}
	acknowledge(dom0.dom)
	evtchnOp(t, dom0, abi.EVTCHNOPClose, &abi.EvtchnClose{Port: bind.Port}, 0)
	w.m.sendGlobalVIRQ(abi.VIRQDomExc)
	if len(pending(dom0.dom)) != 0 {
		t.Error("delivered after the port was closed")
	}
	evtchnOp(t, dom0, abi.EVTCHNOPBindVIRQ, &abi.EvtchnBindVIRQ{VIRQ: abi.VIRQDomExc}, 0)
}

// TestBindVCPU directs ports to another vCPU.
func TestBindVCPU(t *testing.T) {
	w := newWorld(t)
	d := w.domU.dom
	second := w.m.newVCPU(d, 1, 1)
	alloc := abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: abi.DomSelf}
	evtchnOp(t, w.domU, abi.EVTCHNOPAllocUnbound, &alloc, 0)
	bind := abi.EvtchnBindInterdomain{RemoteDom: abi.DomSelf, RemotePort: alloc.Port}
	evtchnOp(t, w.domU, abi.EVTCHNOPBindInterdomain, &bind, 0)
	acknowledge(d)
	evtchnOp(t, w.domU, abi.EVTCHNOPBindVCPU, &abi.EvtchnBindVCPU{Port: alloc.Port, VCPU: 1}, 0)
	evtchnOp(t, w.domU, abi.EVTCHNOPSend, &abi.EvtchnSend{Port: bind.LocalPort}, 0)
	if w.domU.info.UpcallPending.Load() != 0 || second.info.UpcallPending.Load() != 1 {
		t.Error("the event went to the wrong vCPU")
	}
	ipi := abi.EvtchnBindIPI{}
	evtchnOp(t, w.domU, abi.EVTCHNOPBindIPI, &ipi, 0)
	evtchnOp(t, w.domU, abi.EVTCHNOPBindVCPU, &abi.EvtchnBindVCPU{Port: ipi.Port, VCPU: 1}, einval)
}

func TestPortsRunOut(t *testing.T) {
	w := newWorld(t)
	for i := 1; i < abi.NrEventChannels; i++ {
		op := abi.EvtchnBindIPI{}
		if rc := w.m.evtchnBindIPI(w.domU, &op); rc != 0 || op.Port != abi.Port(i) {
			t.Fatalf("port %d: %d, got %d", i, rc, op.Port)
		}
	}
	evtchnOp(t, w.domU, abi.EVTCHNOPBindIPI, &abi.EvtchnBindIPI{}, -int64(abi.ENOSPC))
	evtchnOp(t, w.domU, abi.EVTCHNOPClose, &abi.EvtchnClose{Port: 500}, 0)
	op := abi.EvtchnBindIPI{}
	evtchnOp(t, w.domU, abi.EVTCHNOPBindIPI, &op, 0)
	if op.Port != 500 {
		t.Errorf("the port that was closed is 500, the next one %d", op.Port)
	}
	evtchnOp(t, w.domU, abi.EVTCHNOPReset, &abi.EvtchnReset{Dom: abi.DomSelf}, 0)
	op = abi.EvtchnBindIPI{}
	evtchnOp(t, w.domU, abi.EVTCHNOPBindIPI, &op, 0)
	if op.Port != 1 {
		t.Errorf("first port after a reset: %d", op.Port)
	}
}

func TestPIRQ(t *testing.T) {
	w := newWorld(t)
	bind := abi.EvtchnBindPIRQ{PIRQ: 5}
	evtchnOp(t, w.dom0, abi.EVTCHNOPBindPIRQ, &bind, 0)
	evtchnOp(t, w.dom0, abi.EVTCHNOPBindPIRQ, &abi.EvtchnBindPIRQ{PIRQ: 5}, eexist)
	w.domU.dom.arch.permitIRQ(5, true)
	evtchnOp(t, w.domU, abi.EVTCHNOPBindPIRQ, &abi.EvtchnBindPIRQ{PIRQ: 5, Flags: pirqShare}, ebusy)
	evtchnOp(t, w.dom0, abi.EVTCHNOPClose, &abi.EvtchnClose{Port: bind.Port}, 0)
	evtchnOp(t, w.domU, abi.EVTCHNOPBindPIRQ, &abi.EvtchnBindPIRQ{PIRQ: 5, Flags: pirqShare}, 0)
	evtchnOp(t, w.dom0, abi.EVTCHNOPBindPIRQ, &abi.EvtchnBindPIRQ{PIRQ: 5, Flags: pirqShare}, 0)
}
