//go:build xsm && flask

package flasktest

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"xsmbench/abi"
	"xsmbench/hv/model"
	"xsmbench/hv/model/toolstack"
	"xsmbench/xsm/flask"
	"xsmbench/xsm/flask/policy"
)

// live is a world in which everything goes on at once, on vCPUs of their own.
type live struct {
	*setting
	t    *testing.T
	over atomic.Bool
	// state is what domU must get from maximum_gpfn: odd while that changes,
	// else a number that grows with each change, and bit 1 says that it is
	// denied.
	state   atomic.Uint64
	checked atomic.Uint64 // answers that were held against it
}

const liveDenied = 2

// TestLive has dom0 reload policies on one vCPU and make and end domains on
// another, while guests send events and map grants: what domU asks after a
// reload has returned is answered by the policy that was loaded, traffic that
// every policy allows goes on, and no memory is lost. With XSMBENCH_SIMULATE=1
// it goes on for three minutes.
func TestLive(t *testing.T) {
	l := &live{setting: furnish(t, newWorld(t, "", policy.Binary)), t: t}
	loader := l.secondCPU()
	free := l.free()
	strict := slices.Clone(policy.Binary)
	revoke(t, strict, avc{"stat", "domU_t", "domU_t", "mmu"})

	rounds, end := 10, time.Now()
	if os.Getenv("XSMBENCH_SIMULATE") == "1" {
		end = end.Add(3 * time.Minute)
	}
	var guests sync.WaitGroup
	l.until(&guests, l.domU, l.asks)
	l.until(&guests, l.isolated, l.copies)
	l.until(&guests, l.dom0, l.createsAndEnds)
	for i := 0; (i < rounds || time.Now().Before(end)) && !t.Failed(); i++ {
		l.change(loader, true, strict)
		l.change(loader, false, policy.Binary)
	}
	l.over.Store(true)
	guests.Wait()
	if now := l.free(); now != free {
		t.Errorf("%d frames free before, %d after", free, now)
	}
}

// until has a guest do something again and again until the test is over.
func (l *live) until(wg *sync.WaitGroup, g *guest, f func(*model.VCPU)) {
	wg.Go(func() {
		for !l.over.Load() && !l.t.Failed() {
			g.work <- f
			<-g.done
		}
	})
}

// secondCPU brings dom0's second vCPU up.
func (l *live) secondCPU() *guest {
	second := newGuest("dom0_t")
	l.dom0.do(l.t, func(v *model.VCPU) {
		ctx := &abi.VCPUContext{Flags: abi.VGCFInKernel, CR3: l.dom0.mfn(l.dom0.table()), Entry: second.entry}
		l.must("initialise dom0's second vCPU", call(v, abi.VCPUOp, abi.VCPUOPInitialise, ctx, 1))
		l.must("bring dom0's second vCPU up", call(v, abi.VCPUOp, abi.VCPUOPUp, nil, 1))
	})
	second.do(l.t, func(*model.VCPU) {})
	return second
}

// free is the number of frames that no domain has.
func (l *live) free() (n uint64) {
	l.dom0.do(l.t, func(v *model.VCPU) {
		info, err := toolstack.New(privcmd{v, va(dom0Frames - windowFrames)}).PhysInfo()
		if err != nil {
			l.t.Error(err)
		}
		n = uint64(info.FreePages)
	})
	return n
}

// change loads a policy and waits until domU has asked since.
func (l *live) change(loader *guest, denied bool, pol []byte) {
	next := (l.state.Load() | 3) + 1
	if denied {
		next |= liveDenied
	}
	l.state.Store(l.state.Load() | 1)
	loader.do(l.t, func(v *model.VCPU) {
		op := &abi.XSMOpArgs{Cmd: flask.OpLoad, Size: uint32(len(pol)), Buf: pol}
		if rc := call(v, abi.XSMOp, 0, op); rc != 0 {
			l.t.Errorf("reload: %s", number(rc))
		}
	})
	l.state.Store(next)
	for before := l.checked.Load(); l.checked.Load() == before && !l.t.Failed(); {
		time.Sleep(50 * time.Microsecond)
	}
}

// asks is domU's part: it checks an answer, sends, and maps a grant of dom0's.
func (l *live) asks(v *model.VCPU) {
	before := l.state.Load()
	rc := call(v, abi.MemoryOp, abi.XENMEMMaximumGPFN, &abi.MemoryDomain{DomID: abi.DomSelf})
	if before&1 == 0 && l.state.Load() == before {
		want := int64(guestFrames - 1)
		if before&liveDenied != 0 {
			want = -int64(abi.EACCES)
		}
		if rc != want {
			l.t.Errorf("state %d: %s, want %s", before, number(rc), number(want))
		}
		l.checked.Add(1)
	}
	port := abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: 0}
	l.must("alloc_unbound", evtchn(v, abi.EVTCHNOPAllocUnbound, &port))
	l.must("send", evtchn(v, abi.EVTCHNOPSend, &abi.EvtchnSend{Port: l.own}))
	l.must("close", evtchn(v, abi.EVTCHNOPClose, &abi.EvtchnClose{Port: port.Port}))
	grant := abi.GnttabMapGrantRef{Dom: 0, Ref: refDomU, Flags: abi.GNTMAPDeviceMap}
	l.must("map", call(v, abi.GrantTableOp, abi.GNTTABOPMapGrantRef, &grant)|int64(grant.Status))
	unmap := abi.GnttabUnmapGrantRef{Handle: grant.Handle, DevBusAddr: grant.DevBusAddr}
	l.must("unmap", call(v, abi.GrantTableOp, abi.GNTTABOPUnmapGrantRef, &unmap)|int64(unmap.Status))
}

// copies is isolated's part.
func (l *live) copies(v *model.VCPU) {
	a := copyFrom(dom0, refIsolated, func(s *setting) abi.MFN { return s.isolated.page(4) })(l.setting, v)
	l.must("copy", a.rc|int64(a.status))
}

// createsAndEnds is dom0's part: a domain that runs, and its end.
func (l *live) createsAndEnds(v *model.VCPU) {
	ts := toolstack.New(privcmd{v, va(dom0Frames - windowFrames)})
	d, err := ts.Create(toolstack.Spec{
		Name: "short", Frames: 64, VCPUs: 1, Label: label("domU_t"),
		Kernel: toolstack.Image{Data: make([]byte, abi.PageSize), Entry: newGuest("domU_t").entry},
	})
	if err == nil {
		err = ts.Unpause(d)
	}
	if err == nil {
		err = ts.Destroy(d)
	}
	if err != nil {
		l.t.Error(err)
	}
}

func (l *live) must(what string, rc int64) {
	if rc != 0 {
		l.t.Errorf("%s: %s", what, number(rc))
	}
}
