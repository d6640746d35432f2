package model

import (
	"sync"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// platform is the machine's hardware besides memory and processors: clock,
// memory types, microcode, interrupts.
type platform struct {
	lock      sync.Mutex // guards what follows (xenpf_lock)
	wallSec   uint64     // wall-clock time at system time 0
	wallNSec  uint32
	memtypes  [nrMemtypes]memtype
	microcode microcodeState
	quirks    uint32

	irq  irqTable
	apic ioapic
}

// init sets the machine's hardware to what a reset leaves.
func (p *platform) init(*Machine) {
	p.microcode = microcodeState{signature: cpuSignature, flags: cpuFlags}
	p.apic.reset()
}

// Quirks that dom0 may report.
const (
	quirkNoIRQBalancing  = 1
	quirkIOAPICBadRegsel = 2
	quirkIOAPICGoodRegs  = 3
)

// doPlatformOp is platform_op (arch/x86/platform_hypercall.c).
func doPlatformOp(m *Machine, v *VCPU, a *abi.Args) int64 {
	if !v.dom.Privileged {
		return eperm
	}
	op, _ := a.H.(*abi.PlatformOpArgs)
	if op == nil {
		return efault
	}
	if op.Interface != abi.XENPFInterfaceVersion {
		return eacces
	}
	p := &m.platform
	p.lock.Lock()
	defer p.lock.Unlock()
	switch op.Cmd {
	case abi.XENPFSettime:
		if rc := xsm.XenSettime(&v.VCPU); rc != 0 {
			return int64(rc)
		}
		m.setTime(op)
	case abi.XENPFAddMemtype:
		if rc := xsm.Memtype(&v.VCPU, op.Cmd); rc != 0 {
			return int64(rc)
		}
		return p.addMemtype(op)
	case abi.XENPFDelMemtype:
		if rc := xsm.Memtype(&v.VCPU, op.Cmd); rc != 0 {
			return int64(rc)
		}
		return p.delMemtype(op)
	case abi.XENPFReadMemtype:
		if rc := xsm.Memtype(&v.VCPU, op.Cmd); rc != 0 {
			return int64(rc)
		}
		return p.readMemtype(op)
	case abi.XENPFMicrocodeUpdate:
		if rc := xsm.Microcode(&v.VCPU); rc != 0 {
			return int64(rc)
		}
		return p.microcode.update(op.Data)
	case abi.XENPFPlatformQuirk:
		if rc := xsm.PlatformQuirk(&v.VCPU, op.QuirkID); rc != 0 {
			return int64(rc)
		}
		if op.QuirkID < quirkNoIRQBalancing || op.QuirkID > quirkIOAPICGoodRegs {
			return einval
		}
		p.quirks |= 1 << op.QuirkID
	default:
		return enosys
	}
	return 0
}

// setTime sets the wall clock from the time at some system time (do_settime).
func (m *Machine) setTime(op *abi.PlatformOpArgs) {
	const second = 1_000_000_000
	at := uint64(op.Secs)*second + uint64(op.NSecs) - op.SystemTime
	m.platform.wallSec, m.platform.wallNSec = at/second, uint32(at%second)
	for _, d := range m.domainList() {
		d.writeWallclock(m.platform.wallSec, m.platform.wallNSec)
	}
}

// updateWallclock tells a domain the time of day (update_domain_wallclock_time).
func (d *Domain) updateWallclock() {
	p := &d.machine.platform
	p.lock.Lock()
	defer p.lock.Unlock()
	d.writeWallclock(p.wallSec, p.wallNSec)
}

func (d *Domain) writeWallclock(sec uint64, nsec uint32) {
	d.shared.WCSec.Store(uint32(sec) + uint32(d.timeOffset.Load()))
	d.shared.WCNSec.Store(nsec)
}

// Memory-type range registers (arch/x86/cpu/mtrr).
const (
	nrMemtypes   = 8 // variable ranges
	maxMemtype   = 7 // types are below
	firstMTRRMFN = 0x100
)

// memtype is a variable range.
type memtype struct {
	first abi.MFN
	nr    uint64
	typ   uint32
	users int
}

// delMemtype takes a range's type back from one of its users.
func (p *platform) delMemtype(op *abi.PlatformOpArgs) int64 {
	if op.Handle != 0 || op.Reg >= nrMemtypes || p.memtypes[op.Reg].users == 0 {
		return einval
	}
	if r := &p.memtypes[op.Reg]; r.users > 1 {
		r.users--
	} else {
		*r = memtype{}
	}
	return 0
}

func (p *platform) readMemtype(op *abi.PlatformOpArgs) int64 {
	if op.Reg >= nrMemtypes {
		return einval
	}
	r := p.memtypes[op.Reg]
	op.MFN, op.NrMFNs, op.Type = r.first, r.nr, r.typ
	return 0
}

// addMemtype gives a range a type (mtrr_add_page). The hardware takes ranges
// whose size is a power of two and whose start is a multiple of it; ranges
// must not overlap unless they are the same.
func (p *platform) addMemtype(op *abi.PlatformOpArgs) int64 {
	first, nr := op.MFN, op.NrMFNs
	if nr == 0 || op.Type >= maxMemtype || uint64(first)+nr < firstMTRRMFN ||
		nr&(nr-1) != 0 || uint64(first)&(nr-1) != 0 {
		return einval
	}
	free := -1
	for i := range p.memtypes {
		r := &p.memtypes[i]
		switch {
		case r.users == 0:
			if free < 0 {
				free = i
			}
		case first >= r.first+abi.MFN(r.nr) || first+abi.MFN(nr) <= r.first:
		case r.first != first || r.nr != nr || r.typ != op.Type:
			return einval
		default:
			r.users++
			op.Handle, op.Reg = 0, uint32(i)
			return 0
		}
	}
	if free < 0 {
		return -int64(abi.ENOSPC)
	}
	p.memtypes[free] = memtype{first, nr, op.Type, 1}
	op.Handle, op.Reg = 0, uint32(free)
	return 0
}
