package flask

import (
	"errors"

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
	sid2 := targetSID(d, d2)
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
	peer1, peer2 := targetSID(d2, d1), targetSID(d1, d2)
	end1, rc := m.eventSID(sid1, peer2, d2)
	if rc != 0 {
		return rc
	}
	if rc := m.hasPerm(cur, sid1, end1, classEvent, eventCreate, nil); rc != 0 {
		return rc
	}
	end2, rc := m.eventSID(sid2, peer1, d1)
	if rc != 0 {
		return rc
	}
	if rc := m.hasPerm(cur, sid2, end2, classEvent, eventCreate, nil); rc != 0 {
		return rc
	}
	if rc := m.hasPerm(cur, end1, peer2, classEvent, eventBind, nil); rc != 0 {
		return rc
	}
	if rc := m.hasPerm(cur, end2, peer1, classEvent, eventBind, nil); rc != 0 {
		return rc
	}
	setEvtchnSID(chn1, end1)
	setEvtchnSID(chn2, end2)
	return 0
}

// eventSID returns the label of ssid's end of a channel to tsid, the label of
// remote.
func (m *Module) eventSID(ssid, tsid ss.SID, remote *xsm.Domain) (ss.SID, abi.Errno) {
	sid, err := m.server.TransitionSID(ssid, tsid, classEvent)
	if err == nil {
		return sid, 0
	}
	m.printf("security_transition_sid failed for domain %d: %v", remote.ID, err)
	if errors.Is(err, ss.ErrContext) {
		return 0, -abi.EACCES
	}
	return 0, errno(err)
}

// invalidContext says whether a context that the policy does not allow, made by
// its rules or by those of the policy before it, is used all the same: in
// permissive mode, as in 3.2.
func (m *Module) invalidContext(err error) bool {
	if m.enforcing.Load() {
		return false
	}
	m.printf("security:  %v", err)
	return true
}

func (m *Module) evtchnClosePost(_ *xsm.VCPU, chn *xsm.Evtchn) { setEvtchnSID(chn, sidUnlabeled) }

func (m *Module) evtchnSend(cur *xsm.VCPU, d *xsm.Domain, chn *xsm.Evtchn) abi.Errno {
	return m.domainHasEvent(cur, d, chn, eventSend)
}

func (m *Module) evtchnStatus(cur *xsm.VCPU, d *xsm.Domain, chn *xsm.Evtchn) abi.Errno {
	return m.domainHasEvent(cur, d, chn, eventStatus)
}

func (m *Module) evtchnReset(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
	return m.domainHasPerm(cur, d1, d2, classEvent, eventReset)
}
