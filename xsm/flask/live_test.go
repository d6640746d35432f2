package flask

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// live are policies that take turns: what they say of domU_t resuming dom0_t,
// they number types differently.
type live struct {
	*host
	allowing, denying []byte
	// state is what the hook must answer: odd while that changes, else a
	// number that grows by 4 with each change, and 2 if it is allowed.
	state atomic.Uint64
	// asked counts answers that were checked, by processor.
	asked [4]atomic.Uint64
}

const liveAllowed = 2

// answers checks a hook's answer for a domU that resumes dom0, unless what it
// must be changed meanwhile.
func (l *live) answers(domU *xsm.VCPU) bool {
	before := l.state.Load()
	rc := l.op.ResumeDomain(domU, l.dom0.Domain)
	if before&1 != 0 || l.state.Load() != before {
		return true
	}
	want := -abi.EACCES
	if before&liveAllowed != 0 {
		want = 0
	}
	if rc != want {
		l.t.Errorf("state %d: %v, want %v", before, rc, want)
	}
	l.asked[domU.CPU].Add(1)
	return rc == want
}

// change makes a change after which the hook must answer as allowed says, and
// waits until all processors have asked.
func (l *live) change(allowed bool, f func()) {
	next := (l.state.Load() | 3) + 1
	if allowed {
		next |= liveAllowed
	}
	l.state.Store(l.state.Load() | 1)
	f()
	l.state.Store(next)
	for cpu := 1; cpu < len(l.asked); cpu++ {
		for before := l.asked[cpu].Load(); l.asked[cpu].Load() == before && !l.t.(*testing.T).Failed(); {
			runtime.Gosched()
		}
	}
}

// TestLive reloads policies and commits booleans while other processors ask,
// make and end domains, and label channels: no hook that begins after a change
// has returned is answered by what was before it, and nothing is left over.
// With XSMBENCH_SIMULATE=1 it goes on for three minutes.
func TestLive(t *testing.T) {
	const boolean = "bool resuming true; if (resuming) { allow domU_t dom0_t:domain resume; }"
	l := &live{allowing: variant(t, boolean), denying: variant(t, "type more_t; type yet_more_t;", "type domU_t,", "type before_t; type domU_t,")}
	l.host = bootHost(t, l.allowing)
	l.state.Store(liveAllowed)
	var stop atomic.Bool
	var wg sync.WaitGroup
	var domUs []*xsm.VCPU
	for cpu := 1; cpu < len(l.asked); cpu++ {
		domUs = append(domUs, l.domU())
		domUs[cpu-1].CPU = cpu
	}
	for _, domU := range domUs {
		wg.Go(func() {
			for !stop.Load() && l.answers(domU) && l.connects(domU) {
				runtime.Gosched()
			}
		})
	}
	wg.Go(func() {
		for id := abi.DomID(1000); !stop.Load() && l.createAndEnd(id, 4); id++ {
			runtime.Gosched()
		}
	})
	rounds, end := 12, time.Now()
	if os.Getenv("XSMBENCH_SIMULATE") == "1" {
		end = end.Add(3 * time.Minute)
	}
	sids := 0
	for i := 0; (i < rounds || time.Now().Before(end)) && !t.Failed(); i++ {
		l.change(false, func() { l.reload(l.denying) })
		l.change(true, func() { l.reload(l.allowing) })
		xsmOp(t, l.host, l.dom0, OpSetBool, "0 0", 0, "")
		l.change(false, func() { xsmOp(t, l.host, l.dom0, OpCommitBools, "1", 0, "") })
		xsmOp(t, l.host, l.dom0, OpSetBool, "0 1", 0, "")
		l.change(true, func() { xsmOp(t, l.host, l.dom0, OpCommitBools, "1", 0, "") })
		if i == rounds/2 {
			sids = l.m.server.SIDs()
		}
		l.said()
	}
	stop.Store(true)
	wg.Wait()
	if n := l.m.server.SIDs(); n > sids {
		t.Errorf("%d SIDs after half of the rounds, %d after all", sids, n)
	}
	l.m.cache.Reset(0, 0)
	if s := l.m.cache.Total(); s.Allocations != s.Frees || l.m.cache.HashStats().Entries != 0 {
		t.Errorf("entries left over: %+v", s)
	}
}

// connects binds a channel from a domU to dom0, sends, and closes it. Every
// policy here allows it.
func (l *live) connects(domU *xsm.VCPU) bool {
	c1, c2 := &xsm.Evtchn{}, &xsm.Evtchn{}
	for _, c := range []*xsm.Evtchn{c1, c2} {
		l.op.AllocSecurityEvtchn(domU, c)
		defer l.op.FreeSecurityEvtchn(domU, c)
	}
	for what, rc := range map[string]abi.Errno{
		"unbound":     l.op.EvtchnUnbound(domU, domU.Domain, c1, 0),
		"interdomain": l.op.EvtchnInterdomain(domU, domU.Domain, c1, l.dom0.Domain, c2),
		"send":        l.op.EvtchnSend(domU, domU.Domain, c1),
		"map":         l.op.GrantMapref(domU, domU.Domain, l.dom0.Domain, 0),
		"unmap":       l.op.GrantUnmapref(domU, domU.Domain, l.dom0.Domain),
	} {
		if rc != 0 {
			l.t.Errorf("%s: %v", what, rc)
			return false
		}
	}
	l.op.EvtchnClosePost(domU, c1)
	return true
}

// createAndEnd has dom0 make a domain that nobody else knows, and end it.
func (l *live) createAndEnd(id abi.DomID, cpu int) bool {
	dom0 := &xsm.VCPU{Domain: l.dom0.Domain, CPU: cpu}
	d := &xsm.Domain{ID: id, Frames: l, Domains: l}
	for what, rc := range map[string]abi.Errno{
		"alloc":   l.op.AllocSecurityDomain(dom0, d),
		"create":  l.op.DomainCreate(dom0, d, sidDomU),
		"pause":   l.op.PauseDomain(dom0, d),
		"destroy": l.op.DestroyDomain(dom0, d),
	} {
		if rc != 0 {
			l.t.Errorf("%s domain %d: %v", what, id, rc)
			return false
		}
	}
	l.op.FreeSecurityDomain(dom0, d)
	return true
}
