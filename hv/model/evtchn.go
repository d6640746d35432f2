package model

import (
	"sync/atomic"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// Event channels (common/event_channel.c). A port is one end: unbound, bound
// to another domain's port, to a virtual or physical interrupt, or to vCPUs of
// its own domain. Ports are allocated in buckets; each is labelled when its
// bucket is. A port's state changes under its domain's evtchnLock only.

// evtchnsPerBucket is EVTCHNS_PER_BUCKET.
const evtchnsPerBucket = 128

// evtchnState is a port's state (ECS_*).
type evtchnState uint8

const (
	evtchnFree evtchnState = iota
	evtchnReserved
	evtchnUnbound
	evtchnInterdomain
	evtchnPIRQ
	evtchnVIRQ
	evtchnIPI
)

// evtchn is a port (struct evtchn).
type evtchn struct {
	xsm.Evtchn
	state      evtchnState
	notifyVCPU atomic.Uint32 // the vCPU that is told of events; senders read it without the lock
	remoteDom  *Domain       // interdomain
	remoteID   abi.DomID     // unbound: who may bind to it
	remotePort abi.Port      // interdomain
	irq        uint32        // virq or pirq
}

type (
	evtchnBucket [evtchnsPerBucket]evtchn
	evtchnTable  struct {
		buckets [abi.NrEventChannels / evtchnsPerBucket]*evtchnBucket
		pirq    [nrIRQs]abi.Port // ports bound to physical interrupts
	}
)

// port returns the channel of a valid port, nil of any other: one outside the
// range or in a bucket that has not been allocated.
func (t *evtchnTable) port(p abi.Port) *evtchn {
	if p >= abi.NrEventChannels || t.buckets[p/evtchnsPerBucket] == nil {
		return nil
	}
	return &t.buckets[p/evtchnsPerBucket][p%evtchnsPerBucket]
}

// freePort finds a free port, allocating and labelling a bucket if it must
// (get_free_port). The domain's evtchnLock is held.
func (d *Domain) freePort(cur *xsm.VCPU) (abi.Port, *evtchn, int64) {
	if d.dying.Load() != domAlive {
		return 0, nil, einval
	}
	t := &d.evtchns
	for b := range t.buckets {
		if t.buckets[b] == nil {
			bucket := new(evtchnBucket)
			for i := range bucket {
				if xsm.AllocSecurityEvtchn(cur, &bucket[i].Evtchn) == 0 {
					continue
				}
				for j := range i {
					xsm.FreeSecurityEvtchn(cur, &bucket[j].Evtchn)
				}
				return 0, nil, enomem
			}
			t.buckets[b] = bucket
		}
		for i := range t.buckets[b] {
			if chn := &t.buckets[b][i]; chn.state == evtchnFree {
				return abi.Port(b*evtchnsPerBucket + i), chn, 0
			}
		}
	}
	return 0, nil, -int64(abi.ENOSPC)
}

// evtchnInit reserves port 0, so that 0 can stand for no port (evtchn_init).
func (m *Machine) evtchnInit(cur *xsm.VCPU, d *Domain) bool {
	d.evtchnLock.Lock()
	defer d.evtchnLock.Unlock()
	port, chn, rc := d.freePort(cur)
	if rc != 0 || port != 0 {
		return false
	}
	chn.state = evtchnReserved
	return true
}

// evtchnDestroy closes every port of a domain that ends (evtchn_destroy).
func (m *Machine) evtchnDestroy(cur *xsm.VCPU, d *Domain) {
	for p := range abi.Port(abi.NrEventChannels) {
		m.evtchnClose(cur, d, p)
	}
	d.evtchnLock.Lock()
	defer d.evtchnLock.Unlock()
	for i, b := range d.evtchns.buckets {
		if b != nil {
			// Xen frees the first label of each bucket, no other.
			xsm.FreeSecurityEvtchn(cur, &b[0].Evtchn)
			d.evtchns.buckets[i] = nil
		}
	}
}

// setPending makes a port's event pending and tells the vCPU
// (evtchn_set_pending). The lock of d, v's domain, is held.
func (v *VCPU) setPending(port abi.Port) {
	s := v.dom.shared
	word, bit := port/64, uint64(1)<<(port%64)
	if s.Pending[word].Or(bit)&bit != 0 {
		return
	}
	if s.Mask[word].Load()&bit == 0 {
		v.selectWord(word)
	}
	if v.dom.polling.Load() {
		v.dom.wakePollers()
	}
}

// selectWord marks a word of pending ports on the vCPU and kicks it.
func (v *VCPU) selectWord(word abi.Port) {
	if bit := uint64(1) << word; v.info.PendingSel.Or(bit)&bit == 0 {
		v.markEventsPending()
	}
}

// markEventsPending sets the vCPU's upcall flag and, if it was clear, wakes
// it (vcpu_mark_events_pending). A vCPU that runs sees the flag at its next
// exit to the guest.
func (v *VCPU) markEventsPending() {
	if v.info.UpcallPending.Swap(1) == 0 {
		v.unblock()
	}
}

// wakePollers wakes the vCPUs that poll for events; each looks for itself
// whether one was its own.
func (d *Domain) wakePollers() {
	d.polling.Store(false)
	d.eachVCPU(func(v *VCPU) {
		if v.polling.Swap(false) {
			v.unblock()
		}
	})
}

// sendVIRQ delivers one of a vCPU's virtual interrupts (send_guest_vcpu_virq).
func (v *VCPU) sendVIRQ(virq int) {
	if port := abi.Port(v.virqToEvtchn[virq].Load()); port != 0 {
		v.setPending(port)
	}
}

// sendGlobalVIRQ delivers a global virtual interrupt to dom0, the only domain
// that Xen 3.2 ever sends one to (send_guest_global_virq).
func (m *Machine) sendGlobalVIRQ(virq int) {
	d := m.dom0
	if d == nil || d.vcpu(0) == nil {
		return
	}
	port := abi.Port(d.vcpu(0).virqToEvtchn[virq].Load())
	if port == 0 {
		return
	}
	d.evtchnLock.Lock()
	defer d.evtchnLock.Unlock()
	if chn := d.evtchns.port(port); chn != nil && chn.state == evtchnVIRQ {
		d.vcpu(int(chn.notifyVCPU.Load())).setPending(port)
	}
}

func virqIsGlobal(virq uint32) bool {
	switch virq {
	case abi.VIRQTimer, abi.VIRQDebug, abi.VIRQXenoprof:
		return false
	}
	return true
}

// foreign resolves a domain identifier that only a privileged caller may use
// for another than itself, the rule of most operations: -EPERM comes before
// -ESRCH.
func (m *Machine) foreign(v *VCPU, id abi.DomID) (*Domain, int64) {
	if id == abi.DomSelf {
		return v.dom, 0
	}
	if !v.dom.Privileged {
		return nil, eperm
	}
	if d := m.domainByID(id); d != nil {
		return d, 0
	}
	return nil, esrch
}

// doEventChannelOp is event_channel_op: R[0] is the command.
func doEventChannelOp(m *Machine, v *VCPU, a *abi.Args) int64 {
	switch abi.EvtchnCmd(a.R[0]) {
	case abi.EVTCHNOPSend:
		if op, _ := a.H.(*abi.EvtchnSend); op != nil {
			return m.evtchnSend(v, v.dom, op.Port)
		}
	case abi.EVTCHNOPUnmask:
		if op, _ := a.H.(*abi.EvtchnUnmask); op != nil {
			return m.evtchnUnmask(v.dom, op.Port)
		}
	case abi.EVTCHNOPStatus:
		if op, _ := a.H.(*abi.EvtchnStatus); op != nil {
			return m.evtchnStatus(v, op)
		}
	case abi.EVTCHNOPAllocUnbound:
		if op, _ := a.H.(*abi.EvtchnAllocUnbound); op != nil {
			return m.evtchnAllocUnbound(v, op)
		}
	case abi.EVTCHNOPBindInterdomain:
		if op, _ := a.H.(*abi.EvtchnBindInterdomain); op != nil {
			return m.evtchnBindInterdomain(v, op)
		}
	case abi.EVTCHNOPBindVIRQ:
		if op, _ := a.H.(*abi.EvtchnBindVIRQ); op != nil {
			return m.evtchnBindVIRQ(v, op)
		}
	case abi.EVTCHNOPBindIPI:
		if op, _ := a.H.(*abi.EvtchnBindIPI); op != nil {
			return m.evtchnBindIPI(v, op)
		}
	case abi.EVTCHNOPBindPIRQ:
		if op, _ := a.H.(*abi.EvtchnBindPIRQ); op != nil {
			return m.evtchnBindPIRQ(v, op)
		}
	case abi.EVTCHNOPClose:
		if op, _ := a.H.(*abi.EvtchnClose); op != nil {
			return m.evtchnClose(&v.VCPU, v.dom, op.Port)
		}
	case abi.EVTCHNOPReset:
		if op, _ := a.H.(*abi.EvtchnReset); op != nil {
			return m.evtchnReset(v, op)
		}
	case abi.EVTCHNOPBindVCPU:
		if op, _ := a.H.(*abi.EvtchnBindVCPU); op != nil {
			return m.evtchnBindVCPU(v.dom, op)
		}
	default:
		return enosys
	}
	return efault
}

func (m *Machine) evtchnAllocUnbound(v *VCPU, op *abi.EvtchnAllocUnbound) int64 {
	d, rc := m.foreign(v, op.Dom)
	if rc != 0 {
		return rc
	}
	d.evtchnLock.Lock()
	defer d.evtchnLock.Unlock()
	port, chn, rc := d.freePort(&v.VCPU)
	if rc != 0 {
		return rc
	}
	if rc := xsm.EvtchnUnbound(&v.VCPU, &d.Domain, &chn.Evtchn, op.RemoteDom); rc != 0 {
		return int64(rc)
	}
	chn.state = evtchnUnbound
	chn.remoteID = op.RemoteDom
	if op.RemoteDom == abi.DomSelf {
		chn.remoteID = v.dom.ID
	}
	op.Port = port
	return 0
}

// lockPair takes two domains' evtchnLocks in the order of their identifiers.
func lockPair(a, b *Domain) (unlock func()) {
	if a == b {
		a.evtchnLock.Lock()
		return a.evtchnLock.Unlock
	}
	if a.ID > b.ID {
		a, b = b, a
	}
	a.evtchnLock.Lock()
	b.evtchnLock.Lock()
	return func() {
		b.evtchnLock.Unlock()
		a.evtchnLock.Unlock()
	}
}

func (m *Machine) evtchnBindInterdomain(v *VCPU, op *abi.EvtchnBindInterdomain) int64 {
	ld, id := v.dom, op.RemoteDom
	if id == abi.DomSelf {
		id = ld.ID
	}
	rd := m.domainByID(id)
	if rd == nil {
		return esrch
	}
	defer lockPair(ld, rd)()
	lport, lchn, rc := ld.freePort(&v.VCPU)
	if rc != 0 {
		return rc
	}
	rchn := rd.evtchns.port(op.RemotePort)
	if rchn == nil || rchn.state != evtchnUnbound || rchn.remoteID != ld.ID {
		return einval
	}
	if rc := xsm.EvtchnInterdomain(&v.VCPU, &ld.Domain, &lchn.Evtchn, &rd.Domain, &rchn.Evtchn); rc != 0 {
		return int64(rc)
	}
	lchn.remoteDom, lchn.remotePort, lchn.state = rd, op.RemotePort, evtchnInterdomain
	rchn.remoteDom, rchn.remotePort, rchn.state = ld, lport, evtchnInterdomain
	// Events may have been sent to the remote port while it was unbound.
	ld.vcpu(int(lchn.notifyVCPU.Load())).setPending(lport)
	op.LocalPort = lport
	return 0
}

func (m *Machine) evtchnBindVIRQ(v *VCPU, op *abi.EvtchnBindVIRQ) int64 {
	d := v.dom
	if op.VIRQ >= abi.NrVIRQs || (virqIsGlobal(op.VIRQ) && op.VCPU != 0) {
		return einval
	}
	target := d.vcpu(int(op.VCPU))
	if target == nil {
		return enoent
	}
	d.evtchnLock.Lock()
	defer d.evtchnLock.Unlock()
	if target.virqToEvtchn[op.VIRQ].Load() != 0 {
		return eexist
	}
	port, chn, rc := d.freePort(&v.VCPU)
	if rc != 0 {
		return rc
	}
	chn.state = evtchnVIRQ
	chn.notifyVCPU.Store(op.VCPU)
	chn.irq = op.VIRQ
	target.virqToEvtchn[op.VIRQ].Store(uint32(port))
	if op.VIRQ == abi.VIRQTimer && target == v {
		v.timer.scheduledIn(v)
	}
	op.Port = port
	return 0
}

func (m *Machine) evtchnBindIPI(v *VCPU, op *abi.EvtchnBindIPI) int64 {
	d := v.dom
	if d.vcpu(int(op.VCPU)) == nil {
		return enoent
	}
	d.evtchnLock.Lock()
	defer d.evtchnLock.Unlock()
	port, chn, rc := d.freePort(&v.VCPU)
	if rc != 0 {
		return rc
	}
	chn.state = evtchnIPI
	chn.notifyVCPU.Store(op.VCPU)
	op.Port = port
	return 0
}

func (m *Machine) evtchnBindPIRQ(v *VCPU, op *abi.EvtchnBindPIRQ) int64 {
	d := v.dom
	if op.PIRQ >= nrIRQs {
		return einval
	}
	if !d.arch.irqPermitted(op.PIRQ) {
		return eperm
	}
	d.evtchnLock.Lock()
	defer d.evtchnLock.Unlock()
	if d.evtchns.pirq[op.PIRQ] != 0 {
		return eexist
	}
	port, chn, rc := d.freePort(&v.VCPU)
	if rc != 0 {
		return rc
	}
	if rc := m.platform.bindIRQ(d, op.PIRQ, op.Flags); rc != 0 {
		return rc
	}
	d.evtchns.pirq[op.PIRQ] = port
	chn.state = evtchnPIRQ
	chn.irq = op.PIRQ
	op.Port = port
	return 0
}

// evtchnClose frees a port of d; the other end of an interdomain channel
// becomes unbound again (__evtchn_close).
func (m *Machine) evtchnClose(cur *xsm.VCPU, d *Domain, port abi.Port) int64 {
	for {
		d.evtchnLock.Lock()
		chn := d.evtchns.port(port)
		if chn == nil || chn.state == evtchnFree || chn.state == evtchnReserved {
			d.evtchnLock.Unlock()
			return einval
		}
		if chn.state != evtchnInterdomain {
			m.unbindLocal(d, chn)
			m.freeEvtchn(cur, d, port, chn)
			d.evtchnLock.Unlock()
			return 0
		}
		remote := chn.remoteDom
		d.evtchnLock.Unlock()
		// The locks of both have to be taken in order: the channel may
		// have changed when they are.
		unlock := lockPair(d, remote)
		if chn.state != evtchnInterdomain || chn.remoteDom != remote {
			unlock()
			continue
		}
		if other := remote.evtchns.port(chn.remotePort); other != nil {
			other.state = evtchnUnbound
			other.remoteDom = nil
			other.remoteID = d.ID
		}
		m.freeEvtchn(cur, d, port, chn)
		unlock()
		return 0
	}
}

// unbindLocal takes a port off the interrupt it is bound to.
func (m *Machine) unbindLocal(d *Domain, chn *evtchn) {
	switch chn.state {
	case evtchnPIRQ:
		m.platform.unbindIRQ(d, chn.irq)
		d.evtchns.pirq[chn.irq] = 0
	case evtchnVIRQ:
		d.eachVCPU(func(v *VCPU) {
			if p := v.virqToEvtchn[chn.irq].Load(); d.evtchns.port(abi.Port(p)) == chn {
				v.virqToEvtchn[chn.irq].Store(0)
			}
		})
	}
}

// freeEvtchn gives a port back and takes its label away.
func (m *Machine) freeEvtchn(cur *xsm.VCPU, d *Domain, port abi.Port, chn *evtchn) {
	d.shared.Pending[port/64].And(^(uint64(1) << (port % 64)))
	chn.state = evtchnFree
	chn.notifyVCPU.Store(0)
	chn.remoteDom = nil
	xsm.EvtchnClosePost(cur, &chn.Evtchn)
}

// evtchnSend sends an event through a port of ld (evtchn_send). As in Xen,
// the remote domain's lock is not taken.
func (m *Machine) evtchnSend(v *VCPU, ld *Domain, port abi.Port) int64 {
	ld.evtchnLock.Lock()
	lchn := ld.evtchns.port(port)
	if lchn == nil {
		ld.evtchnLock.Unlock()
		return einval
	}
	if rc := xsm.EvtchnSend(&v.VCPU, &ld.Domain, &lchn.Evtchn); rc != 0 {
		ld.evtchnLock.Unlock()
		return int64(rc)
	}
	var rc int64
	switch lchn.state {
	case evtchnInterdomain:
		rd := lchn.remoteDom
		// The remote port stays bound while our end is locked.
		rchn := rd.evtchns.port(lchn.remotePort)
		rd.vcpu(int(rchn.notifyVCPU.Load())).setPending(lchn.remotePort)
	case evtchnIPI:
		ld.vcpu(int(lchn.notifyVCPU.Load())).setPending(port)
	case evtchnUnbound:
		// Lost, until someone binds.
	default:
		rc = einval
	}
	ld.evtchnLock.Unlock()
	return rc
}

func (m *Machine) evtchnStatus(v *VCPU, op *abi.EvtchnStatus) int64 {
	d, rc := m.foreign(v, op.Dom)
	if rc != 0 {
		return rc
	}
	d.evtchnLock.Lock()
	defer d.evtchnLock.Unlock()
	chn := d.evtchns.port(op.Port)
	if chn == nil {
		return einval
	}
	if rc := xsm.EvtchnStatus(&v.VCPU, &d.Domain, &chn.Evtchn); rc != 0 {
		return int64(rc)
	}
	switch chn.state {
	case evtchnFree, evtchnReserved:
		op.Status = abi.EVTCHNSTATClosed
	case evtchnUnbound:
		op.Status, op.RemoteDom = abi.EVTCHNSTATUnbound, chn.remoteID
	case evtchnInterdomain:
		op.Status = abi.EVTCHNSTATInterdomain
		op.RemoteDom, op.RemotePort = chn.remoteDom.ID, chn.remotePort
	case evtchnPIRQ:
		op.Status, op.RemotePort = abi.EVTCHNSTATPIRQ, abi.Port(chn.irq)
	case evtchnVIRQ:
		op.Status, op.RemotePort = abi.EVTCHNSTATVIRQ, abi.Port(chn.irq)
	case evtchnIPI:
		op.Status = abi.EVTCHNSTATIPI
	}
	op.VCPU = chn.notifyVCPU.Load()
	return 0
}

// evtchnUnmask clears a port's mask and delivers what is pending behind it.
func (m *Machine) evtchnUnmask(d *Domain, port abi.Port) int64 {
	d.evtchnLock.Lock()
	defer d.evtchnLock.Unlock()
	chn := d.evtchns.port(port)
	if chn == nil {
		return einval
	}
	word, bit := port/64, uint64(1)<<(port%64)
	if d.shared.Mask[word].And(^bit)&bit != 0 && d.shared.Pending[word].Load()&bit != 0 {
		d.vcpu(int(chn.notifyVCPU.Load())).selectWord(word)
	}
	return 0
}

func (m *Machine) evtchnReset(v *VCPU, op *abi.EvtchnReset) int64 {
	d, rc := m.foreign(v, op.Dom)
	if rc != 0 {
		return rc
	}
	if rc := xsm.EvtchnReset(&v.VCPU, &v.dom.Domain, &d.Domain); rc != 0 {
		return int64(rc)
	}
	for p := range abi.Port(abi.NrEventChannels) {
		m.evtchnClose(&v.VCPU, d, p)
	}
	return 0
}

// evtchnBindVCPU chooses the vCPU that is told of a port's events.
func (m *Machine) evtchnBindVCPU(d *Domain, op *abi.EvtchnBindVCPU) int64 {
	if d.vcpu(int(op.VCPU)) == nil {
		return enoent
	}
	d.evtchnLock.Lock()
	defer d.evtchnLock.Unlock()
	chn := d.evtchns.port(op.Port)
	if chn == nil {
		return einval
	}
	switch chn.state {
	case evtchnVIRQ:
		if !virqIsGlobal(chn.irq) {
			return einval
		}
	case evtchnUnbound, evtchnInterdomain, evtchnPIRQ:
	default:
		return einval
	}
	chn.notifyVCPU.Store(op.VCPU)
	return 0
}
