package benchtest

import (
	"fmt"

	"xsmbench/abi"
)

// madeDomain is a domain that dom0 has made by a hypercall. It never runs.
type madeDomain struct {
	hvm         bool
	vcpus       uint32
	initialised bool
	translated  bool
	down        bool
	dirtyLog    bool
	frames      map[uint64]bool
	ports       int
}

// made finds a domain that was made.
func (h hypercalls) made(id abi.DomID) *madeDomain { return h.dom.hyper.domains[id] }

func (h hypercalls) create(c *abi.Domctl) int64 {
	s := &h.dom.hyper
	if s.domains == nil {
		s.domains = map[abi.DomID]*madeDomain{}
	}
	if s.domains[c.DomID] != nil || c.DomID == peer.Dom || c.DomID == 0 {
		return -int64(abi.EINVAL)
	}
	s.domains[c.DomID] = &madeDomain{hvm: c.Create.Flags&1 != 0, frames: map[uint64]bool{}}
	return 0
}

// domctl does the commands on domains that were made, and the permissions of
// the own domain.
func (h hypercalls) domctl(c *abi.Domctl) int64 {
	switch c.Cmd {
	case abi.DomctlCreateDomain:
		return h.create(c)
	case abi.DomctlIRQPermission, abi.DomctlIOMemPermission, abi.DomctlIOPortPermission:
		allow := c.IRQ.Allow + c.IOMem.Allow + c.IOPort.Allow
		which := uint64(c.IRQ.PIRQ) + uint64(c.IOMem.First) + uint64(c.IOPort.First)
		h.dom.hyper.set(fmt.Sprintf("permission %d of command %d", which, c.Cmd), allow == 0)
		return 0
	}
	d := h.made(c.DomID)
	if d == nil {
		return -int64(abi.ESRCH)
	}
	switch c.Cmd {
	case abi.DomctlDestroyDomain:
		delete(h.dom.hyper.domains, c.DomID)
		return 0
	case abi.DomctlMaxVCPUs:
		if c.MaxVCPUs < d.vcpus || c.MaxVCPUs > abi.MaxVCPUs {
			return -int64(abi.EINVAL)
		}
		d.vcpus = c.MaxVCPUs
		return 0
	case abi.DomctlSetDomainHandle, abi.DomctlSetTimeOffset, abi.DomctlMaxMem, abi.DomctlResumeDomain:
		d.down = false
		return 0
	case abi.DomctlGetHVMContext, abi.DomctlSetHVMContext:
		return d.hvmContext(c)
	}
	if d.vcpus == 0 {
		return -int64(abi.ESRCH)
	}
	return d.domctl(c)
}

// hvmContext is 32 bytes long.
func (d *madeDomain) hvmContext(c *abi.Domctl) int64 {
	switch {
	case !d.hvm || c.Cmd == abi.DomctlSetHVMContext && len(c.HVM) == 0:
		return -int64(abi.EINVAL)
	case c.HVM == nil:
		c.HVM = make([]byte, 32)
	}
	return 0
}

// domctl does what needs a vCPU, or memory.
func (d *madeDomain) domctl(c *abi.Domctl) int64 {
	switch c.Cmd {
	case abi.DomctlSetVCPUContext:
		if c.Context != nil && (c.Context.Entry == nil || !d.frames[uint64(c.Context.CR3)]) {
			return -int64(abi.EINVAL)
		}
		d.initialised = c.Context != nil
	case abi.DomctlGetVCPUContext:
		if !d.initialised {
			return -int64(abi.ENODATA)
		}
	case abi.DomctlShadowOp:
		return d.shadow(c.Shadow.Op)
	case abi.DomctlGetPageFrameInfo:
		return d.has(c.PageInfo.GMFN)
	case abi.DomctlHypercallInit:
		return d.has(c.HyperGMFN)
	case abi.DomctlGetMemList:
		c.MemList.Num = min(c.MemList.MaxPFNs, uint64(len(d.frames)))
	case abi.DomctlSetVCPUAffinity, abi.DomctlGetVCPUAffinity, abi.DomctlGetVCPUInfo, abi.DomctlSchedulerOp,
		abi.DomctlSetDebugging, abi.DomctlGetAddressSize, abi.DomctlSetAddressSize:
	default:
		return -int64(abi.ENOSYS)
	}
	return 0
}

func (d *madeDomain) has(frame uint64) int64 {
	if !d.frames[frame] {
		return -int64(abi.EINVAL)
	}
	return 0
}

func (d *madeDomain) shadow(op uint32) int64 {
	switch op {
	case abi.ShadowOpEnableLogdirty:
		if d.dirtyLog {
			return -int64(abi.EINVAL)
		}
		d.dirtyLog = true
	case abi.ShadowOpOff:
		d.dirtyLog = false
	case abi.ShadowOpEnableTranslate:
		d.translated = true
	}
	return 0
}

// memoryOf does memory_op on domains that were made, and on the machine.
func (h hypercalls) memoryOf(a *abi.Args) int64 {
	if h.dom.ID != 0 {
		return -int64(abi.EPERM)
	}
	switch m := a.H.(type) {
	case *abi.MemoryReservation:
		d := h.made(m.DomID)
		if d == nil {
			return 0
		}
		for i := range m.ExtentStart {
			h.dom.hyper.next++
			m.ExtentStart[i] = 1000 + h.dom.hyper.next
			d.frames[m.ExtentStart[i]] = true
		}
		return int64(len(m.ExtentStart))
	case *abi.MemoryMap:
		return 0
	case *abi.TranslateGPFNList:
		return h.translated(m.DomID)
	case *abi.AddToPhysmap:
		return h.translated(m.DomID)
	}
	return 4096
}

func (h hypercalls) translated(id abi.DomID) int64 {
	if d := h.made(id); d == nil || !d.translated {
		return -int64(abi.EINVAL)
	}
	return 0
}

// openOf allocates a port of another domain's, reset closes them.
func (h hypercalls) openOf(e *abi.EvtchnAllocUnbound) int64 {
	d := h.made(e.Dom)
	if d == nil || h.dom.ID != 0 {
		return -int64(abi.EPERM)
	}
	d.ports++
	e.Port = abi.Port(d.ports)
	return 0
}

func (h hypercalls) reset(e *abi.EvtchnReset) int64 {
	d := h.made(e.Dom)
	if d == nil || h.dom.ID != 0 {
		return -int64(abi.EPERM)
	}
	d.ports = 0
	return 0
}

// sched shuts domains down that were made. A domain is down until it is
// resumed.
func (h hypercalls) sched(a *abi.Args) int64 {
	r, _ := a.H.(*abi.SchedRemoteShutdown)
	if r == nil {
		return 0
	}
	d := h.made(r.Dom)
	switch {
	case h.dom.ID != 0:
		return -int64(abi.EPERM)
	case d == nil:
		return -int64(abi.ESRCH)
	}
	d.down = true
	return 0
}
