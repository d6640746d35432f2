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
	domain    *xsm.Domain
	sid       ss.SID
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

// evtchnSID returns an event channel's label.
func evtchnSID(chn *xsm.Evtchn) ss.SID {
	if s, ok := chn.SSID.(*evtchnSecurity); ok {
		return s.sid.Load()
	}
	return sidUnlabeled
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
	s := &domainSecurity{domain: d, sid: sidUnlabeled}
	if d.ID == abi.DomIdle {
		s.sid, s.createSID = sidXen, sidDom0
	}
	d.SSID = s
	return 0
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

// pageSID returns a frame's label: its owner's. A frame without owner is
// looked up among the policy's I/O memory under mfn (get_page_sid).
func (m *Module) pageSID(p *xsm.Page, mfn abi.MFN) (ss.SID, abi.Errno) {
	if p.Owner == nil {
		return m.iomemSID(mfn)
	}
	switch p.Owner.ID {
	case abi.DomIO:
		return sidDomio, 0
	case abi.DomXen:
		return sidDomxen, 0
	}
	return domainSID(p.Owner), 0
}

// mfnSID returns the label of a frame that need not exist (get_mfn_sid).
func (m *Module) mfnSID(cur *xsm.VCPU, mfn abi.MFN) (ss.SID, abi.Errno) {
	if p := cur.Domain.Frames.Page(mfn); p != nil {
		return m.pageSID(p, mfn)
	}
	return m.iomemSID(mfn)
}

func (m *Module) iomemSID(mfn abi.MFN) (ss.SID, abi.Errno) {
	sid, err := m.server.IOMemSID(uint64(mfn), sidIomem)
	return sid, errno(err)
}
