package model

import (
	"maps"
	"sync"
	"sync/atomic"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// Domain is one guest (struct domain). Locks are taken in the order bigLock,
// grant.mu, evtchnLock, pageLock; of two domains' evtchnLocks, the one of the
// domain with the lower identifier first.
type Domain struct {
	xsm.Domain // ID, Privileged, SSID

	machine    *Machine
	vcpus      [abi.MaxVCPUs]atomic.Pointer[VCPU] // filled by max_vcpus
	shared     *abi.SharedInfo
	sharedMFN  abi.MFN
	handle     atomic.Pointer[[16]byte] // its UUID, the toolstack's to set
	timeOffset atomic.Int32             // s, of its wall clock
	hvm        bool                     // created as an HVM guest

	bigLock sync.Mutex // memory management (LOCK_BIGLOCK)

	pageLock sync.Mutex // guards the page list and the counts below
	pages    pageList
	totPages uint64
	maxPages uint64
	mm       domainMM // Xen's frames shared with it, memory map, log-dirty

	evtchnLock sync.Mutex
	evtchns    evtchnTable
	polling    atomic.Bool // some vCPU is in sched_op poll
	grant      grantTable

	refs               atomic.Int64 // references (get_domain)
	pauseCount         atomic.Int32
	pausedByController atomic.Bool
	shutdown           domainShutdown
	dying              atomic.Int32 // 0 alive, 1 dying, 2 dead
	sched              domainSched
	arch               domainArch // privileges on I/O, parameters, debugging, log-dirty
}

// Stages of a domain's end (enum domdying in Xen's sched.h).
const (
	domAlive = iota
	domDying
	domDead
)

// refsDestroyed is the reference count of a domain that is being freed.
const refsDestroyed = -1 << 31

// domainShutdown is where a domain stands between SCHEDOP_shutdown and its
// resumption or destruction.
type domainShutdown struct {
	lock         sync.Mutex
	shuttingDown bool
	down         atomic.Bool // every vCPU has been paused for it
	code         uint32      // abi.ShutdownPoweroff…
	why          string      // of a crash, for people
}

// Flags of domainCreate (DOMCRF_*).
const createHVM = 1 << 0

// domainByID finds a domain (rcu_lock_domain_by_id). The list is replaced as
// a whole when it changes, so that a look-up takes no lock; the collector does
// what RCU does for Xen. A dying domain is found until it is freed.
func (m *Machine) domainByID(id abi.DomID) *Domain {
	return (*m.domains.Load())[id]
}

// getDomain finds a domain and takes a reference to it (get_domain_by_id), nil
// if there is none.
func (m *Machine) getDomain(id abi.DomID) *Domain {
	if d := m.domainByID(id); d != nil && d.get() {
		return d
	}
	return nil
}

// Domain implements xsm.DomainTable; the special domains are found too.
func (m *Machine) Domain(id abi.DomID) *xsm.Domain {
	for _, d := range []*Domain{m.domainByID(id), m.domXen, m.domIO, m.idle} {
		if d != nil && d.ID == id {
			return &d.Domain
		}
	}
	return nil
}

// domainList returns all domains of the list by rising identifier.
func (m *Machine) domainList() []*Domain {
	all := *m.domains.Load()
	list := make([]*Domain, 0, len(all))
	for id := abi.DomID(0); len(list) < len(all) && id < abi.DomFirstReserved; id++ {
		if d := all[id]; d != nil {
			list = append(list, d)
		}
	}
	return list
}

// changeDomains replaces the list by a changed copy.
func (m *Machine) changeDomains(change func(map[abi.DomID]*Domain)) {
	m.domlist.Lock()
	defer m.domlist.Unlock()
	list := maps.Clone(*m.domains.Load())
	change(list)
	m.domains.Store(&list)
}

// vcpu returns a domain's vCPU, nil if there is none of that number.
func (d *Domain) vcpu(id int) *VCPU {
	if id < 0 || id >= len(d.vcpus) {
		return nil
	}
	return d.vcpus[id].Load()
}

// eachVCPU calls f for every vCPU in order.
func (d *Domain) eachVCPU(f func(*VCPU)) {
	for i := range d.vcpus {
		v := d.vcpus[i].Load()
		if v == nil {
			return
		}
		f(v)
	}
}

// get takes a reference and reports whether the domain may still be used
// (get_domain).
func (d *Domain) get() bool {
	for {
		n := d.refs.Load()
		if n < 0 {
			return false
		}
		if d.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// getKnownalive takes a reference when the caller already has one.
func (d *Domain) getKnownalive() { d.refs.Add(1) }

// put gives a reference back; the last one frees the domain (put_domain).
func (d *Domain) put() {
	if d.refs.Add(-1) == 0 {
		d.machine.destroyDomain(d)
	}
}

// allocDomain makes a domain that is on no list (alloc_domain).
func (m *Machine) allocDomain(id abi.DomID) (*Domain, abi.Errno) {
	d := &Domain{machine: m}
	d.handle.Store(new([16]byte))
	d.ID = id
	d.Frames = m.frames
	d.Domains = m
	d.refs.Store(1)
	if rc := xsm.AllocSecurityDomain(m.hookCPU(), &d.Domain); rc != 0 {
		m.freeDomain(d)
		return nil, rc
	}
	return d, 0
}

// freeDomain ends what allocDomain began (free_domain).
func (m *Machine) freeDomain(d *Domain) {
	xsm.FreeSecurityDomain(m.hookCPU(), &d.Domain)
}

// hookCPU is what hooks get as the running vCPU where Xen has none of a
// guest's: the idle vCPU of the first processor.
func (m *Machine) hookCPU() *xsm.VCPU { return &m.cpus[0].idle.VCPU }

// createDomain makes a domain, paused, without memory and vCPUs
// (domain_create). Xen returns NULL for every failure, and its callers -ENOMEM.
func (m *Machine) createDomain(cur *xsm.VCPU, id abi.DomID, flags uint32, ssidref uint32) *Domain {
	d, rc := m.allocDomain(id)
	if rc != 0 {
		return nil
	}
	d.hvm = flags&createHVM != 0
	m.sched.initDomain(d)
	if id == abi.DomIdle {
		return d
	}
	if xsm.DomainCreate(cur, &d.Domain, ssidref) != 0 {
		d.dying.Store(domDead)
		m.freeDomain(d)
		return nil
	}
	d.pausedByController.Store(true)
	d.pauseCount.Add(1)
	if !m.furnishDomain(cur, d) {
		d.dying.Store(domDead)
		m.evtchnDestroy(cur, d)
		m.grantTableDestroy(d)
		m.archDomainDestroy(d)
		m.freeDomain(d)
		return nil
	}
	m.changeDomains(func(list map[abi.DomID]*Domain) { list[id] = d })
	return d
}

// furnishDomain gives a new domain its shared page, event channels and grant
// table.
func (m *Machine) furnishDomain(cur *xsm.VCPU, d *Domain) bool {
	return m.archDomainCreate(d) && m.evtchnInit(cur, d) && m.grantTableCreate(d)
}

// pauseNosync keeps a domain's vCPUs from running (domain_pause without its
// wait).
func (d *Domain) pauseNosync() {
	d.pauseCount.Add(1)
	d.eachVCPU(d.machine.sleep)
}

// pause keeps a domain's vCPUs from running and returns when none does. The
// caller must not be one of them.
func (d *Domain) pause() {
	d.pauseCount.Add(1)
	d.eachVCPU((*VCPU).sleepSync)
}

func (d *Domain) unpause() {
	if d.pauseCount.Add(-1) == 0 {
		d.eachVCPU(d.machine.wake)
	}
}

// pauseByController and unpauseByController are the toolstack's: repeating
// them changes nothing (domain_pause_by_systemcontroller).
func (d *Domain) pauseByController() {
	d.pause()
	if d.pausedByController.Swap(true) {
		d.unpause()
	}
}

func (d *Domain) unpauseByController() {
	if d.pausedByController.Swap(false) {
		d.unpause()
	}
}

// shutDown takes a domain down for one of the reasons of SCHEDOP_shutdown
// (domain_shutdown): its vCPUs are paused until it is resumed or destroyed.
// The caller may be one of them; it stops at its next exit to the guest.
func (d *Domain) shutDown(reason uint32, why string) {
	s := &d.shutdown
	s.lock.Lock()
	if s.shuttingDown {
		s.lock.Unlock()
		return
	}
	s.shuttingDown = true
	s.code = reason
	s.why = why
	d.eachVCPU(func(v *VCPU) {
		v.pauseNosync()
		v.pausedForShutdown = true
	})
	s.down.Store(true)
	s.lock.Unlock()
	if d == d.machine.dom0 {
		d.machine.halt(reason, why)
		return
	}
	d.machine.sendGlobalVIRQ(abi.VIRQDomExc)
}

// crash takes a domain down after an error of its own (domain_crash) and ends
// its vCPUs for good: they unwind at their next exit to the guest. The caller
// may hold locks and be one of them.
func (d *Domain) crash(why string) {
	if d.machine.stopping.Load() {
		return
	}
	d.machine.printf("Domain %d crashed: %s\n", d.ID, why)
	d.shutDown(abi.ShutdownCrash, why)
	d.eachVCPU((*VCPU).kill)
}

// resume undoes a shutdown (domain_resume). A domain that has crashed has no
// vCPUs left to resume.
func (d *Domain) resume() {
	d.pause()
	s := &d.shutdown
	s.lock.Lock()
	s.shuttingDown = false
	s.down.Store(false)
	d.eachVCPU(func(v *VCPU) {
		if v.pausedForShutdown {
			v.pausedForShutdown = false
			v.unpause()
		}
	})
	s.lock.Unlock()
	d.unpause()
}

// kill ends a domain (domain_kill): its vCPUs, its event channels and grant
// mappings, then its memory; what others still refer to outlives it. The
// caller holds domctlLock and is another domain's vCPU. It may have to be
// called again, -EAGAIN, to go on.
func (d *Domain) kill(cur *VCPU) abi.Errno {
	m := d.machine
	switch d.dying.Load() {
	case domAlive:
		d.pause()
		d.dying.Store(domDying)
		d.eachVCPU((*VCPU).kill)
		d.eachVCPU((*VCPU).join)
		m.evtchnDestroy(&cur.VCPU, d)
		m.grantReleaseMappings(d)
		fallthrough
	case domDying:
		if rc := m.relinquishResources(cur, d); rc != 0 {
			return rc
		}
		d.dying.Store(domDead)
		d.put()
		m.sendGlobalVIRQ(abi.VIRQDomExc)
	}
	return 0
}

// destroyDomain frees a domain when its last reference is gone
// (domain_destroy and complete_domain_destroy).
func (m *Machine) destroyDomain(d *Domain) {
	if !d.refs.CompareAndSwap(0, refsDestroyed) {
		return
	}
	m.changeDomains(func(list map[abi.DomID]*Domain) { delete(list, d.ID) })
	d.eachVCPU(func(v *VCPU) {
		m.sleep(v)
		v.stopTimers() // of one that never ran, too
		m.sched.destroyVCPU(v)
	})
	m.grantTableDestroy(d)
	m.archDomainDestroy(d)
	m.freeDomain(d)
	m.sendGlobalVIRQ(abi.VIRQDomExc)
}

// crashSynchronous crashes the calling vCPU's domain and does not return. The
// caller holds no lock.
func (v *VCPU) crashSynchronous(why string) {
	v.dom.crash(why)
	panic(stopSignal{})
}
