package flask

import (
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// TestShortcuts: for all pairs of domains, one that has no label among them, with
// a cache that is empty and one that is not, the functions in the table answer,
// count and say what the methods do that have their names.
func TestShortcuts(t *testing.T) {
	table, methods := newHost(t, true), newHost(t, true)
	for _, h := range []*host{table, methods} {
		h.domains[200] = &xsm.Domain{ID: 200, Frames: h, Domains: h}
	}
	answers := map[abi.Errno]int{}
	for range 3 {
		for a := range table.domains {
			for b := range table.domains {
				want := methods.shortened(a, b, methods.m.evtchnSend, methods.m.grantUnmapref, methods.m.grantCopy)
				have := table.shortened(a, b, table.op.EvtchnSend, table.op.GrantUnmapref, table.op.GrantCopy)
				if have != want {
					t.Errorf("domain %d on %d: %v, want %v", a, b, have, want)
				}
				for _, rc := range have {
					answers[rc]++
				}
			}
		}
	}
	if answers[0] < 50 || answers[-abi.EACCES] < 50 {
		t.Errorf("answers %v", answers)
	}
	if have, want := table.m.cache.Total(), methods.m.cache.Total(); have != want {
		t.Errorf("counted %+v, want %+v", have, want)
	}
	if have, want := len(table.said()), len(methods.said()); have != want || have == 0 {
		t.Errorf("%d lines on the console, want %d", have, want)
	}
}

// shortened calls the hooks that have shortcuts for one domain on another, and
// sends on a channel that has a label and on one that has none.
func (h *host) shortened(a, b abi.DomID, send func(*xsm.VCPU, *xsm.Domain, *xsm.Evtchn) abi.Errno, grants ...func(*xsm.VCPU, *xsm.Domain, *xsm.Domain) abi.Errno) [4]abi.Errno {
	cur := h.cpu(a, 1)
	chn := h.evtchn()
	setEvtchnSID(chn, domainSID(h.domains[b]))
	return [4]abi.Errno{
		send(cur, cur.Domain, chn), send(cur, cur.Domain, &xsm.Evtchn{}),
		grants[0](cur, cur.Domain, h.domains[b]), grants[1](cur, cur.Domain, h.domains[b]),
	}
}
