// Package flask is the FLASK module for XSM: mandatory access control by type
// enforcement. Every domain and event channel carries a label (a SID); a hook
// asks whether the current domain's label may do to the object's what is being
// done, and denies with -EACCES, with one line on the console, what the policy
// does not allow.
//
// Decisions come from the access vector cache (package avc) or, when it has
// none, from the security server (package ss), which reads them out of a
// policy (package policydb). Labels of frames are their owners'; labels of
// devices are the policy's.
//
// The source is Xen 3.2's xen/xsm/flask: hooks.c, flask_op.c, avc.c. Where it
// differs from Xen is listed in docs/flask.md.
package flask

import (
	"fmt"
	"sync"
	"sync/atomic"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/avc"
	"xsmbench/xsm/flask/ss"
)

//go:generate go run ./gen policy/source classes.go
//go:generate go run ../hook/gen -module

// Module is one instance of FLASK. Nobody else needs its name but those who
// read profiles, in which it stands before each hook.
type Module struct {
	server    *ss.Server
	enforcing atomic.Bool   // else denials are audited only
	unasked   atomic.Uint32 // label of channels that may be sent on unasked (domainHasEvent), 0 for none
	cache     avc.Cache
	printk    func(line string)

	load    sync.Mutex // sel_sem: one policy is loaded at a time, and guards
	pending []bool     // booleans' values that are to be committed
	// unregister takes the module out of use; nil if it was never registered.
	unregister func() abi.Errno
}

// newModule makes a module without a policy, which allows everything. unknown
// says what a policy may lack; printk prints a line on the console.
func newModule(enforcing bool, unknown ss.Unknown, printk func(line string)) *Module {
	m := &Module{printk: printk}
	m.server = ss.New(ss.Config{
		Classes:     classes,
		InitialSIDs: initialSIDs,
		Unlabeled:   sidUnlabeled,
		DomainClass: classDomain,
		Transition:  domainTransition,
		UseInvalid:  m.invalidContext,
		Vocabulary:  Vocabulary(),
		Unknown:     unknown,
	})
	m.cache.Init(m.server)
	m.enforcing.Store(enforcing)
	return m
}

// loadPolicy loads a policy, the first or another; its classes and permissions
// must include the hypervisor's. When it returns, nothing that begins is
// decided by an earlier policy. The processor is the one that the cache counts
// the reset for.
func (m *Module) loadPolicy(cpu int, policy []byte) error {
	m.load.Lock()
	defer m.load.Unlock()
	l, err := m.server.Load(policy)
	if err != nil {
		return err
	}
	for _, context := range l.Invalidated {
		m.printf("security:  invalidating context %s", context)
	}
	m.unasked.Store(0)
	if !m.server.Defines("event alloc") { // which 4.0 dropped
		m.unasked.Store(sidUnlabeled)
	}
	m.pending = nil
	for _, b := range m.server.Booleans() {
		m.pending = append(m.pending, b.Value)
	}
	m.cache.Reset(cpu, l.Seqno)
	return nil
}

func (m *Module) printf(format string, args ...any) { m.printk(fmt.Sprintf(format, args...)) }

// operations returns the module's table for xsm.Register. Hooks that FLASK
// does not have are nil.
func (m *Module) operations() *xsm.Operations {
	o := &xsm.Operations{
		SecurityDomainInfo:      m.securityDomainInfo,
		SetVCPUContext:          m.setVCPUContext,
		PauseDomain:             m.pauseDomain,
		UnpauseDomain:           m.unpauseDomain,
		ResumeDomain:            m.resumeDomain,
		DomainCreate:            m.domainCreate,
		MaxVCPUs:                m.maxVCPUs,
		DestroyDomain:           m.destroyDomain,
		VCPUAffinity:            m.vcpuAffinity,
		Scheduler:               m.scheduler,
		GetDomainInfo:           m.getDomainInfo,
		GetVCPUContext:          m.getVCPUContext,
		GetVCPUInfo:             m.getVCPUInfo,
		DomainSettime:           m.domainSettime,
		TBufControl:             m.tbufControl,
		ReadConsole:             m.readConsole,
		SchedID:                 m.schedID,
		SetDomainMaxMem:         m.setDomainMaxMem,
		SetDomainHandle:         m.setDomainHandle,
		SetDebugging:            m.setDebugging,
		IRQPermission:           m.irqPermission,
		IOMemPermission:         m.iomemPermission,
		PerfControl:             m.perfControl,
		EvtchnUnbound:           m.evtchnUnbound,
		EvtchnInterdomain:       m.evtchnInterdomain,
		EvtchnClosePost:         m.evtchnClosePost,
		EvtchnSend:              m.evtchnSend,
		EvtchnStatus:            m.evtchnStatus,
		EvtchnReset:             m.evtchnReset,
		GrantMapref:             m.grantMapref,
		GrantUnmapref:           m.grantUnmapref,
		GrantSetup:              m.grantSetup,
		GrantTransfer:           m.grantTransfer,
		GrantCopy:               m.grantCopy,
		GrantQuerySize:          m.grantQuerySize,
		AllocSecurityDomain:     m.allocSecurityDomain,
		FreeSecurityDomain:      m.freeSecurityDomain,
		AllocSecurityEvtchn:     m.allocSecurityEvtchn,
		FreeSecurityEvtchn:      m.freeSecurityEvtchn,
		TranslateGPFNList:       m.translateGPFNList,
		MemoryAdjustReservation: m.memoryAdjustReservation,
		MemoryStatReservation:   m.memoryStatReservation,
		MemoryPinPage:           m.memoryPinPage,
		ConsoleIO:               m.consoleIO,
		Profile:                 m.profile,
		Kexec:                   m.kexec,
		SchedopShutdown:         m.schedopShutdown,
		DoXSMOp:                 m.doFlaskOp,
		CompleteInit:            m.completeInit,
		ShadowControl:           m.shadowControl,
		IOPortPermission:        m.ioportPermission,
		GetPageFrameInfo:        m.getPageFrameInfo,
		GetMemList:              m.getMemList,
		HypercallInit:           m.hypercallInit,
		HVMContext:              m.hvmContext,
		AddressSize:             m.addressSize,
		HVMParam:                m.hvmParam,
		HVMSetPCIIntxLevel:      m.hvmSetPCIIntxLevel,
		HVMSetISAIRQLevel:       m.hvmSetISAIRQLevel,
		HVMSetPCILinkRoute:      m.hvmSetPCILinkRoute,
		APIC:                    m.apic,
		AssignVector:            m.assignVector,
		XenSettime:              m.xenSettime,
		Memtype:                 m.memtype,
		Microcode:               m.microcode,
		PhysInfo:                m.physInfo,
		PlatformQuirk:           m.platformQuirk,
		MachineMemoryMap:        m.machineMemoryMap,
		DomainMemoryMap:         m.domainMemoryMap,
		MMUNormalUpdate:         m.mmuNormalUpdate,
		MMUMachphysUpdate:       m.mmuMachphysUpdate,
		UpdateVAMapping:         m.updateVAMapping,
		AddToPhysmap:            m.addToPhysmap,
	}
	m.shorten(o)
	return o
}

// Four functions ask: about labels, for a domain on another, on an event channel,
// and on the hypervisor. The usual answer is the first entry of its chain in the
// cache, and yes. Each of the four gives it itself, so that it takes one call
// from the hook, and on a straight way: what is not usual is for ask.

// hasPerm asks whether ssid may do what perms says to tsid (avc_has_perm).
func (m *Module) hasPerm(cur *xsm.VCPU, ssid, tsid ss.SID, class uint16, perms uint32, at *resource) abi.Errno {
	t := avc.Tuple{Source: ssid, Target: tsid, Class: class}
	if m.cache.First(t).Hits(t, perms) && perms != 0 {
		m.cache.Count(cur.CPU)
		return 0
	}
	return m.ask(cur, t, perms, at)
}

// domainHasPerm asks for one domain on another (domain_has_perm).
func (m *Module) domainHasPerm(cur *xsm.VCPU, d1, d2 *xsm.Domain, class uint16, perms uint32) abi.Errno {
	if labelled(d1) && labelled(d2) {
		t := avc.Tuple{Source: d1.SSID.(*domainSecurity).sid, Class: class}
		if s2 := d2.SSID.(*domainSecurity); d1 != d2 {
			t.Target = s2.sid
		} else {
			t.Target = s2.selfSID
		}
		if m.cache.First(t).Hits(t, perms) {
			m.cache.Count(cur.CPU)
			return 0
		}
	}
	return m.askDomain(cur, d1, d2, class, perms)
}

// domainHasEvent asks for a domain on an event channel. It does not ask about
// sending to one without a remote end, which has no label, if the policy is for a
// release that does not (4.0 and later).
func (m *Module) domainHasEvent(cur *xsm.VCPU, d *xsm.Domain, chn *xsm.Evtchn, perms uint32) abi.Errno {
	if labelled(d) && labelledEvtchn(chn) {
		t := avc.Tuple{Source: d.SSID.(*domainSecurity).sid, Class: classEvent}
		t.Target = chn.SSID.(*evtchnSecurity).sid.Load()
		if perms != eventSend || t.Target != m.unasked.Load() {
			if m.cache.First(t).Hits(t, perms) {
				m.cache.Count(cur.CPU)
				return 0
			}
		}
	}
	return m.askEvent(cur, d, chn, perms)
}

// domainHasXen asks for a domain on the hypervisor (domain_has_xen).
func (m *Module) domainHasXen(cur *xsm.VCPU, d *xsm.Domain, perms uint32) abi.Errno {
	if labelled(d) {
		t := avc.Tuple{Source: d.SSID.(*domainSecurity).sid, Target: sidXen, Class: classXen}
		if m.cache.First(t).Hits(t, perms) {
			m.cache.Count(cur.CPU)
			return 0
		}
	}
	return m.ask(cur, avc.Tuple{Source: domainSID(d), Target: sidXen, Class: classXen}, perms, nil)
}

// askEvent is domainHasEvent where the answer is not the usual one.
func (m *Module) askEvent(cur *xsm.VCPU, d *xsm.Domain, chn *xsm.Evtchn, perms uint32) abi.Errno {
	t := avc.Tuple{Source: domainSID(d), Target: evtchnSID(chn), Class: classEvent}
	if perms == eventSend && t.Target == m.unasked.Load() {
		return 0
	}
	return m.ask(cur, t, perms, nil)
}

// askDomain is domainHasPerm where the answer is not the usual one.
func (m *Module) askDomain(cur *xsm.VCPU, d1, d2 *xsm.Domain, class uint16, perms uint32) abi.Errno {
	return m.ask(cur, avc.Tuple{Source: domainSID(d1), Target: targetSID(d1, d2), Class: class}, perms, nil)
}

// ask looks a tuple up, and has decided what the cache does not grant.
func (m *Module) ask(cur *xsm.VCPU, t avc.Tuple, perms uint32, at *resource) abi.Errno {
	found := m.cache.Find(cur.CPU, t)
	if found != nil && found.Allows(perms) {
		return 0
	}
	return m.decide(cur, found, t, perms, at)
}

// decide handles what is not in the cache, denied, or granted and to be
// audited. In permissive mode, or of a permissive type, a denial is written
// into the cache as granted, so that it is audited once. A request for nothing
// is a denial, as in Xen.
func (m *Module) decide(cur *xsm.VCPU, found *avc.Entry, t avc.Tuple, perms uint32, at *resource) abi.Errno {
	d, err := m.cache.Decide(cur.CPU, found, t, perms)
	if err != nil {
		return -abi.EINVAL
	}
	var rc abi.Errno
	if perms == 0 || perms&^d.Allowed != 0 {
		if m.enforcing.Load() && !d.Permissive {
			rc = -abi.EACCES
		} else {
			m.cache.Grant(cur.CPU, t, d, perms)
		}
	}
	m.audit(cur, t, perms, d, rc, at)
	return rc
}
