package benchtest

import (
	"encoding/binary"
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

var _ bench.FrameMapper = hypercalls{}

// firstTableFrame is the first frame of the domain's own grant table.
const firstTableFrame abi.MFN = 500

// MapFrame maps the domain's own grant table and the frames of domains that were
// made, whose contents nobody reads.
func (h hypercalls) MapFrame(dom abi.DomID, frame abi.MFN) ([]byte, func(), error) {
	h.dom.mu.Lock()
	defer h.dom.mu.Unlock()
	s := &h.dom.hyper
	page := make([]byte, abi.PageSize)
	if dom == abi.DomSelf {
		i := int(frame - firstTableFrame)
		if i < 0 || i >= len(s.table) || s.table[i] == nil {
			return nil, nil, fmt.Errorf("map frame %d: %w", frame, abi.EINVAL)
		}
		page = s.table[i]
	} else if d := h.made(dom); d == nil || !d.frames[uint64(frame)] {
		return nil, nil, fmt.Errorf("map frame %d of domain %d: %w", frame, dom, abi.EINVAL)
	}
	s.windows++
	return page, func() {
		h.dom.mu.Lock()
		s.windows--
		h.dom.mu.Unlock()
	}, nil
}

// setupTable makes the domain's grant table.
func (h hypercalls) setupTable(g *abi.GnttabSetupTable) {
	g.Status, g.FrameList = abi.GNTSTOkay, g.FrameList[:0]
	for i := range g.NrFrames {
		if t := &h.dom.hyper.table[i]; *t == nil {
			*t = make([]byte, abi.PageSize)
		}
		g.FrameList = append(g.FrameList, uint64(firstTableFrame)+uint64(i))
	}
}

// transfer hands a frame of the domain's to an own entry that accepts it.
func (h hypercalls) transfer(g *abi.GnttabTransfer) {
	s := &h.dom.hyper
	entry := s.table[int(g.Ref)/abi.GrantsPerFrame][int(g.Ref)%abi.GrantsPerFrame*8:]
	switch {
	case !s.frames[uint64(g.MFN)]:
		g.Status = abi.GNTSTBadPage
	case binary.LittleEndian.Uint32(entry) != uint32(g.Dom)<<16|abi.GTFAcceptTransfer:
		g.Status = abi.GNTSTGeneralError
	default:
		g.Status = abi.GNTSTOkay
		binary.LittleEndian.PutUint16(entry, abi.GTFAcceptTransfer|abi.GTFTransferCommitted|abi.GTFTransferCompleted)
	}
}

// sysctl does the commands that write something or change something.
func (h hypercalls) sysctl(c *abi.Sysctl) {
	switch c.Cmd {
	case abi.SysctlGetDomainInfoList:
		c.Domains = c.Domains[:2]
	case abi.SysctlReadConsole:
		c.Console = c.Console[:min(len(c.Console), 8)]
	case abi.SysctlTBufOp:
		if c.TBufCmd != 0 {
			h.dom.hyper.set("trace mask", c.TBufMask != 0)
		}
	}
}

// machine does what changes the machine.
func (h hypercalls) machine(op abi.Hypercall, a *abi.Args) int64 {
	s := &h.dom.hyper
	switch c := a.H.(type) {
	case *abi.PlatformOpArgs:
		switch c.Cmd {
		case abi.XENPFSettime:
			s.set("time", c.Secs != 0)
		case abi.XENPFAddMemtype:
			c.Reg = uint32(c.MFN)
			return s.memtype(c.Reg, true)
		case abi.XENPFDelMemtype:
			return s.memtype(c.Reg, false)
		}
	case *abi.PhysdevApic:
		if a.R[0] == abi.PHYSDEVOPApicWrite {
			s.set("interrupt controller", c.Value != 0)
		}
	case *abi.XenoprofArgs:
		return h.profile(a.R[0])
	case *abi.PhysdevIRQ, *abi.KexecArgs:
	default:
		return h.hvm(op, a)
	}
	return 0
}

// memtype gives the range that begins at a frame a type, or takes it back.
func (s *hypervisor) memtype(frame uint32, add bool) int64 {
	what := fmt.Sprintf("memory type of frame %#x", frame)
	if s.changed[what] == add {
		return -int64(abi.EINVAL)
	}
	s.set(what, add)
	return 0
}

// profile keeps the order of the profiler's commands.
func (h hypercalls) profile(cmd uint64) int64 {
	s := &h.dom.hyper
	started := s.changed["profiler"]
	switch {
	case cmd == abi.XENOPROFInit:
		s.set("profiler", true)
	case !started:
		return -int64(abi.EPERM)
	case cmd == abi.XENOPROFReserveCounters:
		s.set("performance counters", true)
	case cmd == abi.XENOPROFReleaseCounters:
		s.set("performance counters", false)
	case cmd == abi.XENOPROFShutdown && !s.changed["performance counters"]:
		s.set("profiler", false)
	}
	return 0
}

// hvm looks for the HVM domain that hvm_op names.
func (h hypercalls) hvm(op abi.Hypercall, a *abi.Args) int64 {
	var id abi.DomID
	switch c := a.H.(type) {
	case *abi.HVMParam:
		id = c.DomID
	case *abi.HVMIntxLevel:
		id = c.DomID
	case *abi.HVMISAIRQLevel:
		id = c.DomID
	case *abi.HVMLinkRoute:
		id = c.DomID
	default:
		return -int64(abi.EFAULT)
	}
	switch d := h.made(id); {
	case op != abi.HVMOp || d != nil && !d.hvm:
		return -int64(abi.EINVAL)
	case d == nil:
		return -int64(abi.ESRCH)
	}
	return 0
}
