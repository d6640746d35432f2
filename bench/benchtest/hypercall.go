package benchtest

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// hypervisor is the state behind the hypercalls: ports in use, frames that the
// domain got, grants mapped, whether the table is pinned and the peer paused.
type hypervisor struct {
	ports  map[abi.Port]bool
	frames map[uint64]bool
	next   uint64
	mapped bool
	pinned bool
	paused bool

	domains map[abi.DomID]*madeDomain
	changed map[string]bool // settings of the machine and of the own domain
	table   [abi.MaxGrantFrames][]byte
	windows int // frames that MapFrame has mapped
}

// The fake machine's scratch memory and peer.
var (
	scratch = bench.Scratch{MFN: 100, PFN: 10, VA: abi.VirtBase + 10<<abi.PageShift, PTE: 102 << abi.PageShift, L1: 101, FreeVA: abi.VirtBase + 1<<30}
	peer    = bench.Peer{Dom: 1, Grant: 8, Port: 3}
)

// handle is what a mapped grant gets.
const handle abi.GrantHandle = 5

type hypercalls struct{ dom *Domain }

func (h hypercalls) DomID() abi.DomID { return h.dom.ID }
func (h hypercalls) Privileged() bool { return h.dom.ID == 0 }

func (h hypercalls) Scratch() (bench.Scratch, error) { return scratch, nil }

func (h hypercalls) Peer() (bench.Peer, error) {
	if h.dom.Alone {
		return bench.Peer{}, abi.ESRCH
	}
	p := peer
	if h.dom.ID != 0 {
		p.Dom = 0
	}
	return p, nil
}

// Echo makes trips of a send only: the fake peer answers at once.
func (h hypercalls) Echo() (func() error, error) {
	p, err := h.Peer()
	if err != nil {
		return nil, err
	}
	send, err := h.Prepare(abi.EventChannelOp, &abi.Args{R: [4]uint64{uint64(abi.EVTCHNOPSend)}, H: &abi.EvtchnSend{Port: p.Port}})
	if err != nil {
		return nil, err
	}
	return func() error {
		if r := send(); r < 0 {
			return abi.Errno(-r)
		}
		return nil
	}, nil
}

func (h hypercalls) Prepare(op abi.Hypercall, a *abi.Args) (func() int64, error) {
	if op >= abi.NrHypercalls {
		return nil, fmt.Errorf("hypercall %d: %w", op, abi.ENOSYS)
	}
	return func() int64 {
		h.dom.charge()
		h.dom.mu.Lock()
		defer h.dom.mu.Unlock()
		return h.call(op, a)
	}, nil
}

func (h hypercalls) call(op abi.Hypercall, a *abi.Args) int64 {
	if err := h.dom.Fail[op]; err != 0 {
		return -int64(err)
	}
	switch op {
	case abi.EventChannelOp:
		return h.event(a)
	case abi.GrantTableOp:
		return h.grant(a)
	case abi.MemoryOp:
		return h.memory(a)
	case abi.MMUUpdateOp, abi.MMUExtOp, abi.UpdateVAMapping:
		return h.mmu(op, a)
	case abi.DomctlOp, abi.SysctlOp, abi.ConsoleIO, abi.PhysdevOp, abi.PlatformOp, abi.KexecOp, abi.XenoprofOp, abi.HVMOp:
		if h.dom.ID != 0 {
			return -int64(abi.EPERM)
		}
		return h.control(op, a)
	case abi.Multicall:
		for i := range a.H.(*abi.MulticallList).Calls {
			e := &a.H.(*abi.MulticallList).Calls[i]
			e.Result = h.call(e.Op, &e.Args)
		}
		return 0
	case abi.XenVersion:
		return 3<<16 | 2
	case abi.XSMOp:
		return -int64(abi.ENOSYS)
	case abi.VCPUOp:
		return h.vcpu(a)
	case abi.SchedOp:
		return h.sched(a)
	case abi.SetTimerOp, abi.FPUTaskSwitch, abi.StackSwitch, abi.GetDebugreg:
		return 0
	}
	return -int64(abi.ENOSYS)
}

func (h hypercalls) vcpu(a *abi.Args) int64 {
	if a.R[1] >= uint64(h.dom.VCPUs) {
		return -int64(abi.ENOENT)
	}
	if abi.VCPUCmd(a.R[0]) == abi.VCPUOPIsUp {
		return 1
	}
	return 0
}

// open finds the lowest free port, as get_free_port does.
func (h hypercalls) open() abi.Port {
	p := abi.Port(1)
	for h.dom.hyper.ports[p] || p == peer.Port {
		p++
	}
	h.dom.hyper.ports[p] = true
	return p
}

func (h hypercalls) event(a *abi.Args) int64 {
	known := func(p abi.Port) int64 {
		if h.dom.hyper.ports[p] || p == peer.Port && !h.dom.Alone {
			return 0
		}
		return -int64(abi.EINVAL)
	}
	switch e := a.H.(type) {
	case *abi.EvtchnAllocUnbound:
		if e.Dom != abi.DomSelf {
			return h.openOf(e)
		}
		e.Port = h.open()
	case *abi.EvtchnBindInterdomain:
		if r := known(e.RemotePort); r != 0 {
			return r
		}
		e.LocalPort = h.open()
	case *abi.EvtchnReset:
		return h.reset(e)
	case *abi.EvtchnBindIPI:
		e.Port = h.open()
	case *abi.EvtchnClose:
		if r := known(e.Port); r != 0 {
			return r
		}
		delete(h.dom.hyper.ports, e.Port)
	case *abi.EvtchnSend:
		return known(e.Port)
	case *abi.EvtchnStatus:
		return known(e.Port)
	case *abi.EvtchnUnmask:
		return known(e.Port)
	case *abi.EvtchnBindVCPU:
		return known(e.Port)
	default:
		return -int64(abi.EFAULT)
	}
	return 0
}

func (h hypercalls) grant(a *abi.Args) int64 {
	s := &h.dom.hyper
	switch g := a.H.(type) {
	case *abi.GnttabQuerySize:
		g.NrFrames, g.Status = 4, abi.GNTSTOkay
	case *abi.GnttabSetupTable:
		h.setupTable(g)
	case *abi.GnttabTransfer:
		h.transfer(g)
	case *abi.GnttabMapGrantRef:
		if s.mapped || g.Ref != peer.Grant {
			g.Status = abi.GNTSTGeneralError
			return 0
		}
		s.mapped, g.Handle, g.Status = true, handle, abi.GNTSTOkay
	case *abi.GnttabUnmapGrantRef:
		if !s.mapped || g.Handle != handle {
			g.Status = abi.GNTSTBadHandle
			return 0
		}
		s.mapped, g.Status = false, abi.GNTSTOkay
	case *abi.GnttabCopy:
		g.Status = abi.GNTSTOkay
		if g.Source.Ref != peer.Grant {
			g.Status = abi.GNTSTBadGntref
		}
	default:
		return -int64(abi.EFAULT)
	}
	return 0
}

func (h hypercalls) memory(a *abi.Args) int64 {
	s := &h.dom.hyper
	if s.frames == nil {
		s.frames = map[uint64]bool{}
	}
	r, _ := a.H.(*abi.MemoryReservation)
	if r != nil && r.DomID != abi.DomSelf || r == nil && abi.MemoryCmd(a.R[0]) > abi.XENMEMMaximumReservation {
		return h.memoryOf(a)
	}
	switch abi.MemoryCmd(a.R[0]) {
	case abi.XENMEMIncreaseReservation, abi.XENMEMPopulatePhysmap:
		s.next++
		r.ExtentStart[0] = 1000 + s.next
		s.frames[r.ExtentStart[0]] = true
	case abi.XENMEMDecreaseReservation:
		if !s.frames[r.ExtentStart[0]] {
			return 0
		}
		delete(s.frames, r.ExtentStart[0])
	case abi.XENMEMCurrentReservation, abi.XENMEMMaximumReservation, abi.XENMEMMaximumRAMPage:
		return 4096
	default:
		return -int64(abi.ENOSYS)
	}
	return 1
}

func (h hypercalls) mmu(op abi.Hypercall, a *abi.Args) int64 {
	if op == abi.UpdateVAMapping {
		if a.R[0] != scratch.FreeVA {
			return -int64(abi.EINVAL)
		}
		return 0
	}
	if abi.DomID(a.R[1]) != abi.DomSelf {
		return -int64(abi.ESRCH)
	}
	s := &h.dom.hyper
	switch m := a.H.(type) {
	case *abi.MMUUpdateArgs:
		for _, r := range m.Reqs {
			if r.Ptr&3 == abi.MMUNormalPTUpdate && !s.pinned {
				return -int64(abi.EINVAL)
			}
		}
	case *abi.MMUExtArgs:
		for _, o := range m.Ops {
			switch {
			case o.Cmd == abi.PinL1Table && s.pinned, o.Cmd == abi.UnpinTable && !s.pinned:
				return -int64(abi.EINVAL)
			case o.Cmd == abi.PinL1Table, o.Cmd == abi.UnpinTable:
				s.pinned = o.Cmd == abi.PinL1Table
			}
		}
	}
	return 0
}

func (h hypercalls) control(op abi.Hypercall, a *abi.Args) int64 {
	switch c := a.H.(type) {
	case *abi.Domctl:
		if c.Interface != abi.DomctlInterfaceVersion {
			return -int64(abi.EACCES)
		}
		switch c.Cmd {
		case abi.DomctlPauseDomain:
			h.dom.hyper.paused = true
		case abi.DomctlUnpauseDomain:
			if !h.dom.hyper.paused {
				return -int64(abi.EINVAL)
			}
			h.dom.hyper.paused = false
		case abi.DomctlGetDomainInfo:
		default:
			return h.domctl(c)
		}
	case *abi.Sysctl:
		if c.Interface != abi.SysctlInterfaceVersion {
			return -int64(abi.EACCES)
		}
		h.sysctl(c)
	case *abi.ConsoleBuf, *abi.PhysdevIRQStatus:
	default:
		return h.machine(op, a)
	}
	return 0
}
