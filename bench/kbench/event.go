package kbench

import (
	"errors"
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// registerEvents registers event_channel_op.
func registerEvents() {
	const source = "common/event_channel.c:"
	hypercall{
		op: "evtchn_send", doc: "send to one of the domain's inter-processor ports; it stays pending, so only the first send delivers",
		source: source + "evtchn_send", hooks: crosses("evtchn_send"),
		ready: onPort(func(p abi.Port) (abi.EvtchnCmd, any) { return abi.EVTCHNOPSend, &abi.EvtchnSend{Port: p} }),
	}.register()
	hypercall{
		op: "evtchn_send_peer", doc: "send to the other domain",
		source: source + "evtchn_send", hooks: crosses("evtchn_send"), peer: true,
		ready: func(hc bench.Hypercalls) ([]step, func(), error) {
			peer, err := hc.Peer()
			if err != nil {
				return nil, nil, fmt.Errorf("find peer: %w", err)
			}
			return []step{zero("send", abi.EventChannelOp, event(abi.EVTCHNOPSend, &abi.EvtchnSend{Port: peer.Port}))}, nil, nil
		},
	}.register()
	hypercall{
		op: "evtchn_status", doc: "query the state of one of the domain's unbound ports",
		source: source + "evtchn_status", hooks: crosses("evtchn_status"),
		ready: statusOfUnbound,
	}.register()
	hypercall{
		op: "evtchn_unmask", doc: "unmask one of the domain's ports that is not pending",
		source: source + "evtchn_unmask",
		ready:  onPort(func(p abi.Port) (abi.EvtchnCmd, any) { return abi.EVTCHNOPUnmask, &abi.EvtchnUnmask{Port: p} }),
	}.register()
	hypercall{
		op: "evtchn_alloc_close", doc: "allocate an unbound port and close it: two hypercalls",
		source: source + "evtchn_alloc_unbound", hooks: crosses("evtchn_unbound", "evtchn_close_post"),
		ready: allocAndClose,
	}.register()
	hypercall{
		op: "evtchn_bind_ipi_close", doc: "bind an inter-processor port and close it: two hypercalls",
		source: source + "evtchn_bind_ipi", hooks: crosses("evtchn_close_post"),
		ready: bindAndClose,
	}.register()
	hypercall{
		op: "evtchn_bind_vcpu", doc: "bind one of the domain's inter-domain ports to vCPU 0",
		source: source + "evtchn_bind_vcpu", peer: true,
		ready: func(hc bench.Hypercalls) ([]step, func(), error) {
			peer, err := hc.Peer()
			if err != nil {
				return nil, nil, fmt.Errorf("find peer: %w", err)
			}
			return []step{zero("bind vcpu", abi.EventChannelOp, event(abi.EVTCHNOPBindVCPU, &abi.EvtchnBindVCPU{Port: peer.Port}))}, nil, nil
		},
	}.register()
	interval{
		op: "evtchn_bind_interdomain", doc: "bind a port to another that waits for it; both are the domain's own",
		source: source + "evtchn_bind_interdomain", hooks: crosses("evtchn_interdomain"),
		ready: bindInterdomain,
	}.register()
	interval{
		op: "evtchn_reset", doc: fmt.Sprintf("close all ports of a domain made for it, which are %d", resetPorts),
		source: source + "evtchn_reset", dom0: true,
		hooks: []bench.Crossing{{Hook: "evtchn_reset", PerOp: 1}, {Hook: "evtchn_close_post", PerOp: resetPorts}},
		ready: resetEvents,
	}.register()
	registerRoundTrip()
}

// resetPorts is how many ports evtchn_reset finds open.
const resetPorts = 8

// registerRoundTrip registers the one benchmark that two domains take part in.
// Both send, and what each crosses is the same hook.
func registerRoundTrip() {
	bench.Register(bench.Benchmark{
		Suite: suite, Name: "hypercall/op=evtchn_roundtrip",
		Doc:    "send to the other domain and wait for the event that it sends back",
		Source: "common/event_channel.c:evtchn_send", Unit: "ns/op",
		Hooks:     []bench.Crossing{{Hook: "evtchn_send", PerOp: 2}},
		NeedsPeer: true, NeedsEcho: true,
		Setup: roundTrip,
	})
}

// roundTrip makes the trip once before anything is timed, as setup does.
func roundTrip(d bench.Domain) (bench.Loop, func(), error) {
	echoer, ok := d.Hypercalls().(bench.Echoer)
	if !ok {
		return nil, nil, fmt.Errorf("find echo: the other domain answers no events: %w", errors.ErrUnsupported)
	}
	trip, err := echoer.Echo()
	if err != nil {
		return nil, nil, fmt.Errorf("find echo: %w", err)
	}
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if err := trip(); err != nil {
				return fmt.Errorf("make round trip: %w", err)
			}
		}
		return nil
	}
	if err := loop(1); err != nil {
		return nil, nil, err
	}
	return loop, nil, nil
}

// event makes event_channel_op's arguments.
func event(cmd abi.EvtchnCmd, h any) *abi.Args {
	return &abi.Args{R: [4]uint64{uint64(cmd)}, H: h}
}

// onPort is a benchmark of one operation on an own inter-processor port.
func onPort(op func(abi.Port) (abi.EvtchnCmd, any)) func(bench.Hypercalls) ([]step, func(), error) {
	return func(hc bench.Hypercalls) ([]step, func(), error) {
		bind := &abi.EvtchnBindIPI{}
		if err := do(hc, "bind port", abi.EventChannelOp, event(abi.EVTCHNOPBindIPI, bind)); err != nil {
			return nil, nil, err
		}
		shut := func() {
			do(hc, "close port", abi.EventChannelOp, event(abi.EVTCHNOPClose, &abi.EvtchnClose{Port: bind.Port}))
		}
		cmd, h := op(bind.Port)
		return []step{zero("event channel operation", abi.EventChannelOp, event(cmd, h))}, shut, nil
	}
}

// statusOfUnbound asks for an unbound port, not for an inter-processor port:
// Xen gives those no label of their own, and the policies of later releases
// than 3.2 allow nothing on what has none.
func statusOfUnbound(hc bench.Hypercalls) ([]step, func(), error) {
	alloc := &abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: abi.DomSelf}
	if err := do(hc, "allocate unbound port", abi.EventChannelOp, event(abi.EVTCHNOPAllocUnbound, alloc)); err != nil {
		return nil, nil, err
	}
	shut := func() {
		do(hc, "close port", abi.EventChannelOp, event(abi.EVTCHNOPClose, &abi.EvtchnClose{Port: alloc.Port}))
	}
	status := &abi.EvtchnStatus{Dom: abi.DomSelf, Port: alloc.Port}
	return []step{zero("ask for port", abi.EventChannelOp, event(abi.EVTCHNOPStatus, status))}, shut, nil
}

func allocAndClose(bench.Hypercalls) ([]step, func(), error) {
	alloc := &abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: abi.DomSelf}
	shut := &abi.EvtchnClose{}
	return []step{
		zero("allocate unbound port", abi.EventChannelOp, event(abi.EVTCHNOPAllocUnbound, alloc)),
		closing(shut, &alloc.Port),
	}, nil, nil
}

func bindAndClose(bench.Hypercalls) ([]step, func(), error) {
	bind := &abi.EvtchnBindIPI{}
	shut := &abi.EvtchnClose{}
	return []step{
		zero("bind port", abi.EventChannelOp, event(abi.EVTCHNOPBindIPI, bind)),
		closing(shut, &bind.Port),
	}, nil, nil
}

// closing closes the port that the step before it has opened.
func closing(shut *abi.EvtchnClose, port *abi.Port) step {
	s := zero("close port", abi.EventChannelOp, event(abi.EVTCHNOPClose, shut))
	s.before = func() { shut.Port = *port }
	return s
}

// channels is how many are bound in turn.
const channels = 8

// bindInterdomain connects the domain to itself, which any domain may and which
// takes nobody else: the hook labels two ends and asks as often as between two
// domains.
func bindInterdomain(hc bench.Hypercalls) (undone, error) {
	var u undone
	var ports []*abi.Port
	for range channels {
		alloc := &abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: abi.DomSelf}
		bind := &abi.EvtchnBindInterdomain{RemoteDom: abi.DomSelf}
		binding := zero("bind port", abi.EventChannelOp, event(abi.EVTCHNOPBindInterdomain, bind))
		binding.before = func() { bind.RemotePort = alloc.Port }
		u.items = append(u.items, item{
			before: []step{zero("allocate unbound port", abi.EventChannelOp, event(abi.EVTCHNOPAllocUnbound, alloc))},
			op:     binding,
			after:  []step{closingOnce(&bind.LocalPort), closingOnce(&alloc.Port)},
		})
		ports = append(ports, &bind.LocalPort, &alloc.Port)
	}
	u.cleanup = func() {
		for _, port := range ports {
			if *port != 0 {
				makeOnce(hc, []step{closingOnce(port)})
			}
		}
	}
	return u, nil
}

// closingOnce closes a port and forgets it.
func closingOnce(port *abi.Port) step {
	s := closing(&abi.EvtchnClose{}, port)
	s.after = func() error { *port = 0; return nil }
	return s
}

// resetEvents resets a domain made for it: one that runs would lose its ports.
func resetEvents(hc bench.Hypercalls) (undone, error) {
	return onScratch(emptyDomain, func(d *scratchDomain) (undone, error) {
		it := item{op: zero("reset event channels", abi.EventChannelOp, event(abi.EVTCHNOPReset, &abi.EvtchnReset{Dom: d.id}))}
		for range resetPorts {
			alloc := &abi.EvtchnAllocUnbound{Dom: d.id, RemoteDom: hc.DomID()}
			it.before = append(it.before, zero("allocate unbound port", abi.EventChannelOp, event(abi.EVTCHNOPAllocUnbound, alloc)))
		}
		return undone{items: []item{it}}, nil
	})(hc)
}
