package model

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// domctl (common/domctl.c): the control domain's operations on other domains.
// Every command finds its domain, asks its hook, and then tests its arguments
// and does its work.

// domctl is the function behind a command.
type domctl func(*Machine, *VCPU, *Domain, *abi.Domctl) int64

var domctlTable map[abi.DomctlCmd]domctl

func init() {
	domctlTable = map[abi.DomctlCmd]domctl{
		abi.DomctlDestroyDomain:     destroyDomctl,
		abi.DomctlPauseDomain:       pauseDomctl,
		abi.DomctlUnpauseDomain:     unpauseDomctl,
		abi.DomctlResumeDomain:      resumeDomctl,
		abi.DomctlSetVCPUAffinity:   affinityDomctl,
		abi.DomctlGetVCPUAffinity:   affinityDomctl,
		abi.DomctlMaxMem:            maxMemDomctl,
		abi.DomctlSetVCPUContext:    setContextDomctl,
		abi.DomctlGetVCPUContext:    getContextDomctl,
		abi.DomctlGetVCPUInfo:       vcpuInfoDomctl,
		abi.DomctlMaxVCPUs:          maxVCPUsDomctl,
		abi.DomctlSchedulerOp:       schedulerDomctl,
		abi.DomctlSetDomainHandle:   handleDomctl,
		abi.DomctlSetDebugging:      debuggingDomctl,
		abi.DomctlIRQPermission:     irqDomctl,
		abi.DomctlIOMemPermission:   iomemDomctl,
		abi.DomctlSetTimeOffset:     timeOffsetDomctl,
		abi.DomctlShadowOp:          shadowDomctl,
		abi.DomctlIOPortPermission:  ioportDomctl,
		abi.DomctlGetPageFrameInfo2: pageInfo2Domctl,
		abi.DomctlGetMemList:        memListDomctl,
		abi.DomctlHypercallInit:     hypercallInitDomctl,
		abi.DomctlSetHVMContext:     setHVMContextDomctl,
		abi.DomctlGetHVMContext:     getHVMContextDomctl,
		abi.DomctlSetAddressSize:    setAddressSizeDomctl,
		abi.DomctlGetAddressSize:    getAddressSizeDomctl,
	}
}

// doDomctl is domctl's entry: the caller must be privileged and speak this
// version of the interface.
func doDomctl(m *Machine, v *VCPU, a *abi.Args) int64 {
	if !v.dom.Privileged {
		return eperm
	}
	op, _ := a.H.(*abi.Domctl)
	if op == nil {
		return efault
	}
	if op.Interface != abi.DomctlInterfaceVersion {
		return eacces
	}
	m.domctlLock.Lock()
	defer m.domctlLock.Unlock()
	switch op.Cmd {
	case abi.DomctlCreateDomain:
		return m.createDomctl(v, op)
	case abi.DomctlGetDomainInfo:
		return m.domainInfoDomctl(v, op)
	case abi.DomctlGetPageFrameInfo:
		return m.pageInfoDomctl(v, op)
	}
	work := domctlTable[op.Cmd]
	if work == nil {
		return enosys
	}
	if rc := checkDomctl(op); rc != 0 {
		return rc
	}
	d := m.domainByID(op.DomID)
	if d == nil {
		return esrch
	}
	return work(m, v, d, op)
}

// checkDomctl makes the tests that some commands make before they look for
// their domain.
func checkDomctl(op *abi.Domctl) int64 {
	switch op.Cmd {
	case abi.DomctlIRQPermission:
		// Any 8-bit number is an interrupt's; see nrIRQs.
	case abi.DomctlIOMemPermission:
		if op.IOMem.First+abi.MFN(op.IOMem.Nr)-1 < op.IOMem.First {
			return einval
		}
	case abi.DomctlIOPortPermission:
		if uint64(op.IOPort.First)+uint64(op.IOPort.Nr) > nrPorts {
			return einval
		}
	}
	return 0
}

// knownCreateFlags are the flags of createdomain: bit 0, an HVM guest.
const knownCreateFlags = 1

func (m *Machine) createDomctl(v *VCPU, op *abi.Domctl) int64 {
	if op.Create.Flags&^knownCreateFlags != 0 {
		return einval
	}
	id := op.DomID
	if id == 0 || id >= abi.DomFirstReserved {
		if id = m.freeDomainID(); id == 0 {
			return enomem
		}
	} else if m.domainByID(id) != nil {
		return einval
	}
	flags := uint32(0)
	if op.Create.Flags&1 != 0 {
		flags = createHVM
	}
	d := m.createDomain(&v.VCPU, id, flags, op.Create.SSIDRef)
	if d == nil {
		return enomem
	}
	handle := op.Create.Handle
	d.handle.Store(&handle)
	op.DomID = id
	return 0
}

// freeDomainID finds the next free identifier after the last one given out, so
// that identifiers are not soon used again. It returns 0 if there is none.
func (m *Machine) freeDomainID() abi.DomID {
	all := *m.domains.Load()
	for range abi.DomFirstReserved {
		if m.lastID++; m.lastID >= abi.DomFirstReserved {
			m.lastID = 1
		}
		if all[m.lastID] == nil {
			return m.lastID
		}
	}
	return 0
}

func destroyDomctl(m *Machine, v *VCPU, d *Domain, _ *abi.Domctl) int64 {
	if rc := xsm.DestroyDomain(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	if d == v.dom {
		return einval
	}
	return int64(d.kill(v))
}

func pauseDomctl(m *Machine, v *VCPU, d *Domain, _ *abi.Domctl) int64 {
	if rc := xsm.PauseDomain(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	if d == v.dom {
		return einval
	}
	d.pauseByController()
	return 0
}

func unpauseDomctl(m *Machine, v *VCPU, d *Domain, _ *abi.Domctl) int64 {
	if rc := xsm.UnpauseDomain(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	d.unpauseByController()
	return 0
}

func resumeDomctl(m *Machine, v *VCPU, d *Domain, _ *abi.Domctl) int64 {
	if rc := xsm.ResumeDomain(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	if d == v.dom {
		return einval // it would wait for itself to stop
	}
	d.resume()
	return 0
}

func affinityDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.VCPUAffinity(&v.VCPU, int(op.Cmd), &d.Domain); rc != 0 {
		return int64(rc)
	}
	if op.VCPU >= abi.MaxVCPUs {
		return einval
	}
	t := d.vcpu(int(op.VCPU))
	if t == nil {
		return esrch
	}
	if op.Cmd == abi.DomctlSetVCPUAffinity {
		return int64(t.setAffinity(cpuMask(op.Affinity)))
	}
	op.Affinity = t.affinity.Load()
	return 0
}

func maxMemDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.SetDomainMaxMem(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	pages := op.MaxMemKB >> (abi.PageShift - 10)
	d.pageLock.Lock()
	defer d.pageLock.Unlock()
	if pages < d.totPages {
		return einval
	}
	d.maxPages = pages
	return 0
}

func setContextDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.SetVCPUContext(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	t := d.vcpu(int(op.VCPU))
	if d == v.dom || t == nil {
		return einval
	}
	d.pause()
	defer d.unpause()
	if op.Context == nil {
		return t.reset()
	}
	if rc := t.setContext(op.Context); rc != 0 {
		return rc
	}
	// The first vCPU is on-line once it has a context; the others wait for
	// VCPUOP_up if the context does not say otherwise.
	if t.ID == 0 || op.Context.Flags&abi.VGCFOnline != 0 {
		t.pauseFlags.And(^uint32(pauseDown))
	}
	return 0
}

func getContextDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.GetVCPUContext(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	if op.VCPU >= abi.MaxVCPUs {
		return einval
	}
	t := d.vcpu(int(op.VCPU))
	switch {
	case t == nil:
		return esrch
	case !t.initialised.Load():
		return -int64(abi.ENODATA)
	}
	if t != v {
		t.pauseSync()
		defer t.unpause()
	}
	op.Context = t.context()
	return 0
}

func vcpuInfoDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.GetVCPUInfo(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	if op.VCPU >= abi.MaxVCPUs {
		return einval
	}
	t := d.vcpu(int(op.VCPU))
	if t == nil {
		return esrch
	}
	flags := t.pauseFlags.Load()
	op.VCPUInfo = abi.DomctlVCPUInfo{
		Online:  flags&pauseDown == 0,
		Blocked: flags&pauseBlocked != 0,
		Running: t.isRunning(),
		CPUTime: t.runstateNow().Time[abi.RunstateRunning],
		CPU:     uint32(t.processor.Load()),
	}
	return 0
}

func maxVCPUsDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.MaxVCPUs(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	most := int(op.MaxVCPUs)
	if d == v.dom || op.MaxVCPUs > abi.MaxVCPUs {
		return einval
	}
	d.pause()
	defer d.unpause()
	if d.vcpu(most) != nil {
		return einval // there cannot be fewer than there are
	}
	for id := range most {
		if d.vcpu(id) != nil {
			continue
		}
		cpu := m.leastLoaded()
		if id > 0 {
			cpu = (int(d.vcpu(id-1).processor.Load()) + 1) % len(m.cpus)
		}
		m.newVCPU(d, id, cpu)
	}
	return 0
}

// leastLoaded is the processor that the fewest vCPUs belong to, the last of
// several (default_vcpu0_location).
func (m *Machine) leastLoaded() int {
	load := make([]int, len(m.cpus))
	for _, d := range m.domainList() {
		d.eachVCPU(func(v *VCPU) {
			if v.pauseFlags.Load()&pauseDown == 0 {
				load[v.processor.Load()]++
			}
		})
	}
	best := 0
	for cpu := range load {
		if load[cpu] <= load[best] {
			best = cpu
		}
	}
	return best
}

func schedulerDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.Scheduler(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	if op.Sched.SchedID != schedulerCredit {
		return einval
	}
	return int64(m.sched.adjust(d, &op.Sched))
}

// domainInfoDomctl describes the first domain whose identifier is not below
// the one given.
func (m *Machine) domainInfoDomctl(v *VCPU, op *abi.Domctl) int64 {
	for _, d := range m.domainList() {
		if d.ID < op.DomID {
			continue
		}
		if rc := xsm.GetDomainInfo(&v.VCPU, &d.Domain); rc != 0 {
			return int64(rc)
		}
		m.domainInfo(v, d, &op.Info)
		op.DomID = op.Info.Domain
		return 0
	}
	return esrch
}

// domainInfo describes a domain (getdomaininfo); the label is the module's to
// fill in.
func (m *Machine) domainInfo(v *VCPU, d *Domain, info *abi.DomainInfo) {
	*info = abi.DomainInfo{Domain: d.ID, SharedInfoMFN: uint64(d.sharedMFN), Handle: *d.handle.Load()}
	flags := uint32(abi.DomInfBlocked)
	d.eachVCPU(func(t *VCPU) {
		info.MaxVCPUID = uint32(t.ID)
		state := t.runstateNow()
		info.CPUTime += state.Time[abi.RunstateRunning]
		paused := t.pauseFlags.Load()
		if paused&pauseDown != 0 {
			return
		}
		if paused&pauseBlocked == 0 {
			flags &^= abi.DomInfBlocked
		}
		if state.State == abi.RunstateRunning {
			flags |= abi.DomInfRunning
		}
		info.NrOnlineVCPUs++
	})
	if d.dying.Load() == domDead {
		flags |= abi.DomInfDying
	}
	if d.shutdown.down.Load() {
		flags |= abi.DomInfShutdown
	}
	if d.pausedByController.Load() {
		flags |= abi.DomInfPaused
	}
	if d.hvm {
		flags |= abi.DomInfHVM
	}
	d.shutdown.lock.Lock()
	info.Flags = flags | d.shutdown.code<<abi.DomInfShutdownShift
	d.shutdown.lock.Unlock()
	xsm.SecurityDomainInfo(&v.VCPU, &d.Domain, info)
	d.pageLock.Lock()
	info.TotPages, info.MaxPages = d.totPages, d.maxPages
	d.pageLock.Unlock()
}

func handleDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.SetDomainHandle(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	handle := op.Handle
	d.handle.Store(&handle)
	return 0
}

func debuggingDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.SetDebugging(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	if d == v.dom {
		return einval
	}
	d.pause()
	d.arch.debugging.Store(op.Enable != 0)
	d.unpause()
	return 0
}

func irqDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.IRQPermission(&v.VCPU, &d.Domain, op.IRQ.PIRQ, op.IRQ.Allow); rc != 0 {
		return int64(rc)
	}
	d.arch.permitIRQ(uint32(op.IRQ.PIRQ), op.IRQ.Allow != 0)
	return 0
}

func iomemDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	r := &op.IOMem
	if rc := xsm.IOMemPermission(&v.VCPU, &d.Domain, r.First, r.Allow); rc != 0 {
		return int64(rc)
	}
	d.permitIOMem(r.First, r.First+abi.MFN(r.Nr)-1, r.Allow != 0)
	return 0
}

func timeOffsetDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.DomainSettime(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	d.timeOffset.Store(op.TimeOffset)
	d.updateWallclock()
	return 0
}
