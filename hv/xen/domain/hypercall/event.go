package hypercall

import "xsmbench/abi"

// event plans event_channel_op.
func (p *planner) event(a *abi.Args) (plan, error) {
	switch cmd := abi.EvtchnCmd(a.R[0]); cmd {
	case abi.EVTCHNOPAllocUnbound:
		return p.allocUnbound(a)
	case abi.EVTCHNOPBindIPI:
		return p.bindIPI(a)
	case abi.EVTCHNOPClose:
		return p.closePort(a)
	case abi.EVTCHNOPSend:
		h, err := handle[abi.EvtchnSend](abi.EventChannelOp, a)
		return onPort(cmd, func() abi.Port { return h.Port }, p.ports.hasOrPeer), err
	case abi.EVTCHNOPUnmask:
		h, err := handle[abi.EvtchnUnmask](abi.EventChannelOp, a)
		return onPort(cmd, func() abi.Port { return h.Port }, p.ports.has), err
	case abi.EVTCHNOPStatus:
		return portStatus(a)
	case abi.EVTCHNOPBindVCPU:
		return p.bindVCPU(a)
	case abi.EVTCHNOPBindInterdomain:
		return p.bindInterdomain(a)
	case abi.EVTCHNOPReset:
		return p.resetPorts(a)
	default:
		return plan{}, unknown(abi.EventChannelOp, uint64(cmd))
	}
}

func eventArgs(cmd abi.EvtchnCmd) func(uint64) [5]uint64 { return pointer(uint64(cmd)) }

// onPort is an operation whose structure is the port alone, allowed on some.
func onPort(cmd abi.EvtchnCmd, port func() abi.Port, allowed func(abi.Port) bool) plan {
	return plan{args: eventArgs(cmd), size: 4, encode: func(m memory) abi.Errno {
		if !allowed(port()) {
			return abi.EBADF
		}
		m.put32(0, uint32(port()))
		return 0
	}}
}

// allocUnbound plans on struct evtchn_alloc_unbound: dom, remote_dom, port. A
// port of another domain's does not become the process's.
func (p *planner) allocUnbound(a *abi.Args) (plan, error) {
	h, err := handle[abi.EvtchnAllocUnbound](abi.EventChannelOp, a)
	if err != nil {
		return plan{}, err
	}
	return plan{
		args: eventArgs(abi.EVTCHNOPAllocUnbound), size: 8,
		encode: func(m memory) abi.Errno {
			m.put16(0, uint16(h.Dom))
			m.put16(2, uint16(h.RemoteDom))
			m.put32(4, 0)
			return 0
		},
		decode: func(m memory, _ int64) {
			h.Port = abi.Port(m.get32(4))
			if h.Dom == abi.DomSelf {
				p.ports.add(h.Port)
			}
		},
	}, nil
}

// bindIPI plans on struct evtchn_bind_ipi: vcpu, port.
func (p *planner) bindIPI(a *abi.Args) (plan, error) {
	h, err := handle[abi.EvtchnBindIPI](abi.EventChannelOp, a)
	if err != nil {
		return plan{}, err
	}
	return plan{
		args: eventArgs(abi.EVTCHNOPBindIPI), size: 8,
		encode: func(m memory) abi.Errno {
			m.put32(0, h.VCPU)
			m.put32(4, 0)
			return 0
		},
		decode: func(m memory, _ int64) {
			h.Port = abi.Port(m.get32(4))
			p.ports.add(h.Port)
		},
	}, nil
}

// closePort plans on struct evtchn_close. The port bound to the peer is the
// kernel's to close.
func (p *planner) closePort(a *abi.Args) (plan, error) {
	h, err := handle[abi.EvtchnClose](abi.EventChannelOp, a)
	if err != nil {
		return plan{}, err
	}
	close := onPort(abi.EVTCHNOPClose, func() abi.Port { return h.Port }, p.ports.has)
	close.decode = func(memory, int64) { p.ports.remove(h.Port) }
	return close, nil
}

// bindVCPU plans on struct evtchn_bind_vcpu: port, vcpu.
func (p *planner) bindVCPU(a *abi.Args) (plan, error) {
	h, err := handle[abi.EvtchnBindVCPU](abi.EventChannelOp, a)
	if err != nil {
		return plan{}, err
	}
	return plan{args: eventArgs(abi.EVTCHNOPBindVCPU), size: 8, encode: func(m memory) abi.Errno {
		if !p.ports.hasOrPeer(h.Port) {
			return abi.EBADF
		}
		m.put32(0, uint32(h.Port))
		m.put32(4, h.VCPU)
		return 0
	}}, nil
}

// portStatus plans on struct evtchn_status: dom, port at 4, status, vcpu, and
// a union of a domain at 16 and a port at 20, or a number at 16. Asking
// changes nothing, so that any port will do.
func portStatus(a *abi.Args) (plan, error) {
	h, err := handle[abi.EvtchnStatus](abi.EventChannelOp, a)
	if err != nil {
		return plan{}, err
	}
	return plan{
		args: eventArgs(abi.EVTCHNOPStatus), size: 24,
		encode: func(m memory) abi.Errno {
			m.clear()
			m.put16(0, uint16(h.Dom))
			m.put32(4, uint32(h.Port))
			return 0
		},
		decode: func(m memory, _ int64) {
			h.Status, h.VCPU = m.get32(8), m.get32(12)
			h.RemoteDom, h.RemotePort = 0, 0
			switch h.Status {
			case abi.EVTCHNSTATUnbound:
				h.RemoteDom = abi.DomID(m.get16(16))
			case abi.EVTCHNSTATInterdomain:
				h.RemoteDom, h.RemotePort = abi.DomID(m.get16(16)), abi.Port(m.get32(20))
			case abi.EVTCHNSTATPIRQ, abi.EVTCHNSTATVIRQ:
				h.RemotePort = abi.Port(m.get32(16))
			}
		},
	}, nil
}

// bindInterdomain plans on struct evtchn_bind_interdomain: remote_dom, remote_port
// at 4, local_port at 8.
func (p *planner) bindInterdomain(a *abi.Args) (plan, error) {
	h, err := handle[abi.EvtchnBindInterdomain](abi.EventChannelOp, a)
	if err != nil {
		return plan{}, err
	}
	return plan{
		args: eventArgs(abi.EVTCHNOPBindInterdomain), size: 12,
		encode: func(m memory) abi.Errno {
			m.clear()
			m.put16(0, uint16(h.RemoteDom))
			m.put32(4, uint32(h.RemotePort))
			return 0
		},
		decode: func(m memory, _ int64) {
			h.LocalPort = abi.Port(m.get32(8))
			p.ports.add(h.LocalPort)
		},
	}, nil
}

// resetPorts plans on struct evtchn_reset, which is a domain's number. Only a domain
// that the process made has no ports of anybody else's.
func (p *planner) resetPorts(a *abi.Args) (plan, error) {
	h, err := handle[abi.EvtchnReset](abi.EventChannelOp, a)
	if err != nil {
		return plan{}, err
	}
	return plan{args: eventArgs(abi.EVTCHNOPReset), size: 2, encode: func(m memory) abi.Errno {
		if !p.domains[h.Dom] {
			return abi.EPERM
		}
		m.put16(0, uint16(h.Dom))
		return 0
	}}, nil
}
