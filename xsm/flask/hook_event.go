package flask

import (
	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/ss"
)

// Hooks on event channels. A channel has a label of its own, made of its two
// domains' by a transition rule when it is set up.

// evtchnUnbound labels a channel that d keeps for domain id2: the current
// domain must be allowed to create such a channel, the channel to be bound to
// id2.
func (m *Module) evtchnUnbound(cur *xsm.VCPU, d *xsm.Domain, chn *xsm.Evtchn, id2 abi.DomID) abi.Errno {
	d2 := cur.Domain
	if id2 != abi.DomSelf {
		if cur.Domain.Domains == nil {
			return -abi.EPERM
		}
		if d2 = cur.Domain.Domains.Domain(id2); d2 == nil {
			return -abi.EPERM
		}
	}
	sid2 := domainSID(d2)
	sid, rc := m.eventSID(domainSID(d), sid2, d2)
	if rc != 0 {
		return rc
	}
	if rc := m.hasPerm(cur, domainSID(cur.Domain), sid, classEvent, eventCreate|eventAlloc, nil); rc != 0 {
		return rc
	}
	if rc := m.hasPerm(cur, sid, sid2, classEvent, eventBind, nil); rc != 0 {
		return rc
	}
	setEvtchnSID(chn, sid)
	return 0
}

// evtchnInterdomain labels both ends of a connection: each domain must be
// allowed to create its end, each end to be bound to the other domain.
func (m *Module) evtchnInterdomain(cur *xsm.VCPU, d1 *xsm.Domain, chn1 *xsm.Evtchn, d2 *xsm.Domain, chn2 *xsm.Evtchn) abi.Errno {
	sid1, sid2 := domainSID(d1), domainSID(d2)
	end1, rc := m.eventSID(sid1, sid2, d2)
	if rc != 0 {
		return rc
	}
	if rc := m.hasPerm(cur, sid1, end1, classEvent, eventCreate, nil); rc != 0 {
		return rc
	}
	end2, rc := m.eventSID(sid2, sid1, d1)
	if rc != 0 {
		return rc
	}
	if rc := m.hasPerm(cur, sid2, end2, classEvent, eventCreate, nil); rc != 0 {
		return rc
	}
	if rc := m.hasPerm(cur, end1, sid2, classEvent, eventBind, nil); rc != 0 {
		return rc
	}
	if rc := m.hasPerm(cur, end2, sid1, classEvent, eventBind, nil); rc != 0 {
		return rc
	}
	setEvtchnSID(chn1, end1)
	setEvtchnSID(chn2, end2)
	return 0
}

// eventSID returns the label of ssid's end of a channel to tsid, the label of
// remote. A context that the policy does not allow is refused when enforcing;
// otherwise the channel has none.
func (m *Module) eventSID(ssid, tsid ss.SID, remote *xsm.Domain) (ss.SID, abi.Errno) {
	sid, err := m.server.TransitionSID(ssid, tsid, classEvent)
	if err == nil {
		return sid, 0
	}
	m.printf("security_transition_sid failed for domain %d: %v", remote.ID, err)
	if !m.enforcing.Load() {
		return sidUnlabeled, 0
	}
	return 0, -abi.EACCES
}

func (m *Module) evtchnClosePost(_ *xsm.VCPU, chn *xsm.Evtchn) { setEvtchnSID(chn, sidUnlabeled) }

func (m *Module) evtchnSend(cur *xsm.VCPU, d *xsm.Domain, chn *xsm.Evtchn) abi.Errno {
	return m.hasPerm(cur, domainSID(d), evtchnSID(chn), classEvent, eventSend, nil)
}

func (m *Module) evtchnStatus(cur *xsm.VCPU, d *xsm.Domain, chn *xsm.Evtchn) abi.Errno {
	return m.hasPerm(cur, domainSID(d), evtchnSID(chn), classEvent, eventStatus, nil)
}

func (m *Module) evtchnReset(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, d1, d2, classEvent, eventReset)
}
