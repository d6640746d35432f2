package flask

import (
	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/avc"
)

// A method in a table of functions is called through a function that Go makes to
// pass the receiver on, which costs a quarter of a hit. Where data passes, the
// table has functions that give the usual answer themselves, and that leave what is
// not usual to the methods' own way.

// shorten puts them in.
func (m *Module) shorten(o *xsm.Operations) {
	o.EvtchnSend = m.onEvent()
	o.GrantUnmapref = m.onDomains(classGrant, grantUnmap)
	o.GrantCopy = m.onDomains(classGrant, grantCopy)
}

// onEvent returns domainHasEvent for sending.
//
//go:noinline
func (m *Module) onEvent() func(*xsm.VCPU, *xsm.Domain, *xsm.Evtchn) abi.Errno {
	return func(cur *xsm.VCPU, d *xsm.Domain, chn *xsm.Evtchn) abi.Errno {
		if labelled(d) && labelledEvtchn(chn) {
			t := avc.Tuple{Source: d.SSID.(*domainSecurity).sid, Class: classEvent}
			t.Target = chn.SSID.(*evtchnSecurity).sid.Load()
			if t.Target != m.unasked.Load() && m.cache.First(t).Hits(t, eventSend) {
				m.cache.Count(cur.CPU)
				return 0
			}
		}
		return m.askEvent(cur, d, chn, eventSend)
	}
}

// onDomains returns domainHasPerm for given permissions.
//
//go:noinline
func (m *Module) onDomains(class uint16, perms uint32) func(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
	return func(cur *xsm.VCPU, d1, d2 *xsm.Domain) abi.Errno {
		if labelled(d1) && labelled(d2) && d1 != d2 {
			t := avc.Tuple{Source: d1.SSID.(*domainSecurity).sid, Target: d2.SSID.(*domainSecurity).sid, Class: class}
			if m.cache.First(t).Hits(t, perms) {
				m.cache.Count(cur.CPU)
				return 0
			}
		}
		return m.askDomain(cur, d1, d2, class, perms)
	}
}
