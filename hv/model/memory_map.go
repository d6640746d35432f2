package model

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// maxE820 is the number of ranges that a domain's memory map can have.
const maxE820 = 3

// Types of a memory map's ranges.
const (
	e820RAM      = 1
	e820Reserved = 2
)

// e820 is the machine's memory map, as its firmware would report it.
func (m *Machine) e820() []abi.E820Entry {
	hole, end := uint64(firstHoleFrame)<<abi.PageShift, uint64(endHoleFrame)<<abi.PageShift
	return []abi.E820Entry{
		{Addr: 0, Size: hole, Type: e820RAM},
		{Addr: hole, Size: end - hole, Type: e820Reserved},
		{Addr: end, Size: uint64(len(m.mem)) - end, Type: e820RAM},
	}
}

// setMemoryMap sets a domain's memory map, for it to read.
func (m *Machine) setMemoryMap(v *VCPU, h any) abi.Errno {
	arg, _ := h.(*abi.MemoryMap)
	if arg == nil {
		return -abi.EFAULT
	}
	if len(arg.Entries) > maxE820 {
		return -abi.EINVAL
	}
	d, rc := m.foreignDomain(v, arg.DomID)
	if rc == 0 {
		rc = xsm.DomainMemoryMap(&v.VCPU, &d.Domain)
	}
	if rc != 0 {
		return rc
	}
	d.bigLock.Lock()
	d.mm.e820 = append([]abi.E820Entry(nil), arg.Entries...)
	d.bigLock.Unlock()
	return 0
}

// memoryMap reads the caller's memory map.
func (m *Machine) memoryMap(v *VCPU, h any) abi.Errno {
	d := v.dom
	d.bigLock.Lock()
	defer d.bigLock.Unlock()
	if len(d.mm.e820) == 0 {
		return -abi.ENOSYS
	}
	arg, _ := h.(*abi.MemoryMap)
	if arg == nil {
		return -abi.EFAULT
	}
	arg.Entries = arg.Entries[:copy(arg.Entries, d.mm.e820)]
	return 0
}

// machineMemoryMap reads the machine's. The buffer must have room for one
// range more than there are.
func (m *Machine) machineMemoryMap(v *VCPU, h any) abi.Errno {
	if !v.dom.Privileged {
		return -abi.EINVAL
	}
	if rc := xsm.MachineMemoryMap(&v.VCPU); rc != 0 {
		return rc
	}
	arg, _ := h.(*abi.MemoryMap)
	if arg == nil {
		return -abi.EFAULT
	}
	e820 := m.e820()
	if len(arg.Entries) < len(e820)+1 {
		return -abi.EINVAL
	}
	arg.Entries = arg.Entries[:copy(arg.Entries, e820)]
	return 0
}

// machphysMapping tells where guests read the machine-to-physical table.
func (m *Machine) machphysMapping(h any) abi.Errno {
	arg, _ := h.(*abi.MachphysMapping)
	if arg == nil {
		return -abi.EFAULT
	}
	arg.Start = abi.HypervisorStart
	arg.End = abi.HypervisorStart + uint64(m.xen.m2pFrames)<<abi.PageShift
	arg.MaxMFN = abi.MFN(len(m.m2p) - 1)
	return 0
}

// machphysMFNList lists the frames of the machine-to-physical table, for
// domains that map it themselves: the first of every 2 MiB of it.
func (m *Machine) machphysMFNList(h any) abi.Errno {
	arg, _ := h.(*abi.MachphysMFNList)
	if arg == nil {
		return -abi.EFAULT
	}
	n := 0
	for i := 0; i < m.xen.m2pFrames && n < len(arg.Extents); i += 512 {
		arg.Extents[n] = m.xen.m2pFirst + abi.MFN(i)
		n++
	}
	arg.Extents = arg.Extents[:n]
	return 0
}
