package guest

import (
	"math/bits"

	"xsmbench/abi"
	"xsmbench/hv/model"
)

// events are the domain's event channels: what runs when one is notified.
type events struct {
	handlers [abi.NrEventChannels]func()
	// mine are the ports that a processor serves (cpu_evtchn_mask). A
	// processor's are all bound before it comes up, but for the first's.
	mine [abi.MaxVCPUs][abi.NrEventChannels / 64]uint64
}

// upcall is the event callback of one processor (evtchn_do_upcall): it clears
// what is pending, two levels of bits deep, and runs the handlers.
func (k *Kernel) upcall(cpu *model.VCPU) {
	shared := k.shared
	info := &shared.VCPU[cpu.ID]
	mine := &k.events.mine[cpu.ID]
	for {
		info.UpcallPending.Store(0)
		for sel := info.PendingSel.Swap(0); sel != 0; sel &= sel - 1 {
			w := bits.TrailingZeros64(sel)
			for {
				ready := shared.Pending[w].Load() & mine[w] &^ shared.Mask[w].Load()
				if ready == 0 {
					break
				}
				bit := bits.TrailingZeros64(ready)
				shared.Pending[w].And(^(uint64(1) << bit))
				if h := k.events.handlers[w*64+bit]; h != nil {
					h()
				}
			}
		}
		if info.UpcallPending.Load() == 0 {
			break
		}
	}
	// The way out opens the mask; the hypervisor looks for events that came
	// since.
	if iretReturns {
		cpu.Hypercall(abi.Iret, &eventReturn)
	} else {
		info.UpcallMask.Store(0)
	}
}

// maskAll keeps every port from interrupting until it has a handler
// (init_IRQ).
func (k *Kernel) maskAll() {
	for w := range k.shared.Mask {
		k.shared.Mask[w].Store(^uint64(0))
	}
}

// bind sets what runs on a processor when a port is notified, and lets it. An
// event from before is forgotten: to bind a port to another domain's raises
// one, in case any was lost.
func (k *Kernel) bind(vcpu uint32, port abi.Port, h func()) {
	w, bit := port/64, uint64(1)<<(port%64)
	k.events.handlers[port] = h
	k.events.mine[vcpu][w] |= bit
	k.shared.Pending[w].And(^bit)
	k.shared.Mask[w].And(^bit)
}

// unbind masks a port of the first processor's.
func (k *Kernel) unbind(port abi.Port) {
	w, bit := port/64, uint64(1)<<(port%64)
	k.shared.Mask[w].Or(bit)
	k.events.mine[0][w] &^= bit
	k.events.handlers[port] = nil
}

// evtchn does an operation on event channels.
func (k *Kernel) evtchn(cmd abi.EvtchnCmd, op any) int64 {
	return k.cpu.Hypercall(abi.EventChannelOp, &abi.Args{R: [4]uint64{uint64(cmd)}, H: op})
}

// notify notifies the other end of a port.
func (k *Kernel) notify(port abi.Port) {
	op := abi.EvtchnSend{Port: port}
	k.must("evtchn_send", k.evtchn(abi.EVTCHNOPSend, &op))
}

// bindVIRQ binds a virtual interrupt of a processor.
func (k *Kernel) bindVIRQ(virq, vcpu uint32, h func()) abi.Port {
	op := abi.EvtchnBindVIRQ{VIRQ: virq, VCPU: vcpu}
	k.must("bind_virq", k.evtchn(abi.EVTCHNOPBindVIRQ, &op))
	k.bind(vcpu, op.Port, h)
	return op.Port
}

// bindIPI makes a port by which processors interrupt each other.
func (k *Kernel) bindIPI(vcpu uint32, h func()) abi.Port {
	op := abi.EvtchnBindIPI{VCPU: vcpu}
	k.must("bind_ipi", k.evtchn(abi.EVTCHNOPBindIPI, &op))
	k.bind(vcpu, op.Port, h)
	return op.Port
}

// eventReturn returns from the event callback to what it interrupted.
var eventReturn = abi.Args{H: &abi.IretFrame{EventsOn: true}}
