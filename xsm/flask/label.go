package flask

import (
	"sync/atomic"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/ss"
)

// domainSecurity is a domain's label (struct domain_security_struct).
// createSID is the label of the next domain that it creates; none of it is
// locked: a label is set before other processors see the domain, and only one
// domain is created at a time.
type domainSecurity struct {
	domain *xsm.Domain
	sid    ss.SID
	// selfSID is the label that the domain has where it acts on itself: what a
	// type transition for its class makes of it, and without one its own. 3.2
	// has no such thing; policies for 4.3 and later rely on it.
	selfSID   ss.SID
	createSID ss.SID
}

// evtchnSecurity is an event channel's label (struct evtchn_security_struct).
// It changes when the channel is bound or closed, while a sender may read it.
type evtchnSecurity struct {
	channel *xsm.Evtchn
	sid     atomic.Uint32
}

// domainSID returns a domain's label: unlabeled for one that was allocated
// before the module was there.
func domainSID(d *xsm.Domain) ss.SID {
	if s, ok := d.SSID.(*domainSecurity); ok {
		return s.sid
	}
	return sidUnlabeled
}

// labelled says whether a domain has a label of the module's.
func labelled(d *xsm.Domain) bool {
	_, ok := d.SSID.(*domainSecurity)
	return ok
}

// targetSID returns the label that d2 has for d1 (domain_target_sid).
func targetSID(d1, d2 *xsm.Domain) ss.SID {
	if s, ok := d2.SSID.(*domainSecurity); ok {
		if d1 == d2 {
			return s.selfSID
		}
		return s.sid
	}
	return sidUnlabeled
}

// label gives a domain its label.
func (m *Module) label(s *domainSecurity, sid ss.SID) {
	s.sid, s.selfSID = sid, sid
	if self, err := m.server.TransitionSID(sid, sid, classDomain); err == nil {
		s.selfSID = self
	}
}

// evtchnSID returns an event channel's label.
func evtchnSID(chn *xsm.Evtchn) ss.SID {
	if s, ok := chn.SSID.(*evtchnSecurity); ok {
		return s.sid.Load()
	}
	return sidUnlabeled
}

// labelledEvtchn says whether an event channel has a label of the module's.
func labelledEvtchn(chn *xsm.Evtchn) bool {
	_, ok := chn.SSID.(*evtchnSecurity)
	return ok
}

func setEvtchnSID(chn *xsm.Evtchn, sid ss.SID) {
	if s, ok := chn.SSID.(*evtchnSecurity); ok {
		s.sid.Store(sid)
	}
}

// allocSecurityDomain labels a new domain. The idle domain is Xen's own and
// creates dom0, whose label it is given to pass on here, since complete_init
// has no caller in 3.2.
func (m *Module) allocSecurityDomain(_ *xsm.VCPU, d *xsm.Domain) abi.Errno {
	s := &domainSecurity{domain: d, sid: sidUnlabeled, selfSID: sidUnlabeled}
	if d.ID == abi.DomIdle {
		s.createSID = sidDom0
		m.label(s, m.bootSID())
	}
	d.SSID = s
	return 0
}

// bootSID is the hypervisor's label until it has created dom0: in policies for
// 4.17 and later one of its own.
func (m *Module) bootSID() ss.SID {
	if sid, ok := m.server.InitialSID(sidNameXenBoot); ok {
		return sid
	}
	return sidXen
}

func (m *Module) freeSecurityDomain(_ *xsm.VCPU, d *xsm.Domain) { d.SSID = nil }

func (m *Module) allocSecurityEvtchn(_ *xsm.VCPU, chn *xsm.Evtchn) abi.Errno {
	s := &evtchnSecurity{channel: chn}
	s.sid.Store(sidUnlabeled)
	chn.SSID = s
	return 0
}

func (m *Module) freeSecurityEvtchn(_ *xsm.VCPU, chn *xsm.Evtchn) {
	if chn != nil {
		chn.SSID = nil
	}
}

// pageSID returns the label that a frame has for d: its owner's. A frame
// without owner is looked up among the policy's I/O memory under mfn
// (get_page_sid).
func (m *Module) pageSID(d *xsm.Domain, p *xsm.Page, mfn abi.MFN) (ss.SID, abi.Errno) {
	if p.Owner == nil {
		return m.iomemSID(mfn)
	}
	switch p.Owner.ID {
	case abi.DomIO:
		return sidDomio, 0
	case abi.DomXen:
		return sidDomxen, 0
	}
	return targetSID(d, p.Owner), 0
}

// mfnSID returns the label of a frame that need not exist (get_mfn_sid).
func (m *Module) mfnSID(cur *xsm.VCPU, d *xsm.Domain, mfn abi.MFN) (ss.SID, abi.Errno) {
	if p := cur.Domain.Frames.Page(mfn); p != nil {
		return m.pageSID(d, p, mfn)
	}
	return m.iomemSID(mfn)
}

func (m *Module) iomemSID(mfn abi.MFN) (ss.SID, abi.Errno) {
	sid, err := m.server.IOMemSID(uint64(mfn), sidIomem)
	return sid, errno(err)
}
