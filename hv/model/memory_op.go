package model

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// doMemoryOp is the hypercall memory_op: a domain's reservation of memory and
// the maps of memory (do_memory_op in common/memory.c, arch_memory_op in
// arch/x86/mm.c). The commands that change the reservation return the number
// of extents done, also when they may not be made at all.
func doMemoryOp(m *Machine, v *VCPU, a *abi.Args) int64 {
	switch cmd := abi.MemoryCmd(a.R[0]); cmd {
	case abi.XENMEMIncreaseReservation, abi.XENMEMDecreaseReservation, abi.XENMEMPopulatePhysmap:
		return m.adjustReservation(v, cmd, a.H)
	case abi.XENMEMMaximumRAMPage:
		return int64(len(m.frames))
	case abi.XENMEMCurrentReservation, abi.XENMEMMaximumReservation, abi.XENMEMMaximumGPFN:
		return m.statReservation(v, cmd, a.H)
	case abi.XENMEMTranslateGPFNList:
		return int64(m.translateGPFNList(v, a.H))
	case abi.XENMEMAddToPhysmap:
		return int64(m.addToPhysmap(v, a.H))
	case abi.XENMEMSetMemoryMap:
		return int64(m.setMemoryMap(v, a.H))
	case abi.XENMEMMemoryMap:
		return int64(m.memoryMap(v, a.H))
	case abi.XENMEMMachineMemoryMap:
		return int64(m.machineMemoryMap(v, a.H))
	case abi.XENMEMMachphysMapping:
		return int64(m.machphysMapping(a.H))
	case abi.XENMEMMachphysMFNList:
		return int64(m.machphysMFNList(a.H))
	}
	return int64(-abi.ENOSYS)
}

// foreignDomain finds the domain that a memory_op names: -EPERM for an
// unprivileged caller's other domain, -ESRCH for none.
func (m *Machine) foreignDomain(v *VCPU, id abi.DomID) (*Domain, abi.Errno) {
	if id == abi.DomSelf {
		return v.dom, 0
	}
	if !v.dom.Privileged {
		return nil, -abi.EPERM
	}
	d := m.domainByID(id)
	if d == nil {
		return nil, -abi.ESRCH
	}
	return d, 0
}

// adjustReservation is increase_reservation, decrease_reservation and
// populate_physmap.
func (m *Machine) adjustReservation(v *VCPU, cmd abi.MemoryCmd, h any) int64 {
	r, _ := h.(*abi.MemoryReservation)
	if r == nil {
		return 0
	}
	if r.AddressBits != 0 && r.AddressBits <= abi.PageShift {
		return 0
	}
	d, rc := m.foreignDomain(v, r.DomID)
	if rc != 0 {
		return 0
	}
	if rc := xsm.MemoryAdjustReservation(&v.VCPU, &v.dom.Domain, &d.Domain); rc != 0 {
		return int64(rc)
	}
	if r.ExtentOrder > maxOrder || cmd != abi.XENMEMDecreaseReservation &&
		r.ExtentOrder != 0 && !v.dom.multipagePermitted() {
		return 0
	}
	for i := range r.ExtentStart {
		v.preemptCheck()
		var ok bool
		switch cmd {
		case abi.XENMEMIncreaseReservation:
			ok = m.increaseReservation(d, r, i)
		case abi.XENMEMDecreaseReservation:
			ok = m.decreaseReservation(d, r, i)
		default:
			ok = m.populatePhysmap(d, r, i)
		}
		if !ok {
			return int64(i)
		}
	}
	return int64(len(r.ExtentStart))
}

// reserve takes an extent whose addresses have no more than AddressBits bits.
func (m *Machine) reserve(d *Domain, r *abi.MemoryReservation) (abi.MFN, bool) {
	mfn, ok := m.allocDomheapPages(d, int(r.ExtentOrder))
	if !ok {
		return 0, false
	}
	end := (uint64(mfn) + 1<<r.ExtentOrder) << abi.PageShift
	if r.AddressBits != 0 && r.AddressBits < 64 && end > 1<<r.AddressBits {
		for i := range abi.MFN(1) << r.ExtentOrder {
			m.removePage(d, mfn+i)
		}
		return 0, false
	}
	return mfn, true
}

func (m *Machine) increaseReservation(d *Domain, r *abi.MemoryReservation, i int) bool {
	mfn, ok := m.reserve(d, r)
	if ok {
		r.ExtentStart[i] = uint64(mfn)
	}
	return ok
}

func (m *Machine) populatePhysmap(d *Domain, r *abi.MemoryReservation, i int) bool {
	pfn := abi.PFN(r.ExtentStart[i])
	mfn, ok := m.reserve(d, r)
	if !ok {
		return false
	}
	for j := range abi.MFN(1) << r.ExtentOrder {
		m.physmapAdd(d, pfn+abi.PFN(j), mfn+j)
	}
	if !d.mm.translated() {
		r.ExtentStart[i] = uint64(mfn)
	}
	return true
}

func (m *Machine) decreaseReservation(d *Domain, r *abi.MemoryReservation, i int) bool {
	for j := range uint64(1) << r.ExtentOrder {
		g := r.ExtentStart[i] + j
		mfn := m.gmfnToMFN(d, g)
		if !m.removePage(d, mfn) {
			return false
		}
		m.physmapRemove(d, abi.PFN(g), mfn)
	}
	return true
}

// removePage takes a frame out of a domain's memory (guest_remove_page); it is
// free when nothing maps it any more.
func (m *Machine) removePage(d *Domain, mfn abi.MFN) bool {
	if !m.getPage(mfn, d) {
		return false
	}
	if m.clearPinned(mfn) {
		m.putPageAndType(mfn)
	}
	if m.clearAllocated(mfn) {
		m.putPage(mfn)
	}
	m.putPage(mfn)
	return true
}

// statReservation is current_reservation, maximum_reservation and
// maximum_gpfn.
func (m *Machine) statReservation(v *VCPU, cmd abi.MemoryCmd, h any) int64 {
	arg, _ := h.(*abi.MemoryDomain)
	if arg == nil {
		return int64(-abi.EFAULT)
	}
	d, rc := m.foreignDomain(v, arg.DomID)
	if rc == 0 {
		rc = xsm.MemoryStatReservation(&v.VCPU, &v.dom.Domain, &d.Domain)
	}
	if rc != 0 {
		return int64(rc)
	}
	if cmd == abi.XENMEMMaximumGPFN {
		return int64(m.maxGPFN(d))
	}
	d.pageLock.Lock()
	defer d.pageLock.Unlock()
	if cmd == abi.XENMEMCurrentReservation {
		return int64(d.totPages)
	}
	return int64(d.maxPages)
}

// translateGPFNList translates the memory of a domain in translated mode, with
// a hook for each frame.
func (m *Machine) translateGPFNList(v *VCPU, h any) abi.Errno {
	arg, _ := h.(*abi.TranslateGPFNList)
	if arg == nil || len(arg.MFNs) < len(arg.GPFNs) {
		return -abi.EFAULT
	}
	d, rc := m.foreignDomain(v, arg.DomID)
	if rc != 0 {
		return rc
	}
	if !d.mm.translated() {
		return -abi.EINVAL
	}
	for i, pfn := range arg.GPFNs {
		v.preemptCheck()
		mfn := m.gmfnToMFN(d, uint64(pfn))
		if rc := xsm.TranslateGPFNList(&v.VCPU, &v.dom.Domain, mfn); rc != 0 {
			return rc
		}
		arg.MFNs[i] = mfn
	}
	return 0
}

// Spaces of add_to_physmap.
const (
	mapSpaceSharedInfo = 0
	mapSpaceGrantTable = 1
)

// addToPhysmap puts a frame of Xen's into the memory of a domain in translated
// mode.
func (m *Machine) addToPhysmap(v *VCPU, h any) abi.Errno {
	arg, _ := h.(*abi.AddToPhysmap)
	if arg == nil {
		return -abi.EFAULT
	}
	d, rc := m.foreignDomain(v, arg.DomID)
	if rc != 0 {
		return rc
	}
	if xsm.AddToPhysmap(&v.VCPU, &v.dom.Domain, &d.Domain) != 0 {
		return -abi.EPERM
	}
	var mfn abi.MFN
	switch {
	case arg.Space == mapSpaceSharedInfo && arg.Idx == 0:
		mfn = d.sharedMFN
	case arg.Space == mapSpaceGrantTable:
		mfn = m.grantFrame(d, arg.Idx)
	}
	if !d.mm.translated() || mfn == 0 {
		return -abi.EINVAL
	}
	// Memory that is there already is given up; Xen's own frames only move.
	if prev := m.gmfnToMFN(d, uint64(arg.GPFN)); m.validMFN(prev) {
		if m.frames[prev].countInfo.Load()&pgcXenHeap == 0 {
			m.removePage(d, prev)
		}
		m.physmapRemove(d, arg.GPFN, prev)
	}
	if pfn := m.gpfn(mfn); pfn != invalidPFN {
		m.physmapRemove(d, pfn, mfn)
	}
	m.physmapAdd(d, arg.GPFN, mfn)
	return 0
}
