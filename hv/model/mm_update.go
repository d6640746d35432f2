package model

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// setForeigndom finds the domain whose frames a request is about
// (set_foreigndom): the caller itself for DOMID_SELF, DOMID_IO for anyone,
// other domains for privileged callers only; nil if there is none.
func (m *Machine) setForeigndom(d *Domain, id abi.DomID) *Domain {
	switch {
	case id == abi.DomSelf:
		return d
	case id == d.ID || d.mm.translated():
		return nil
	case id == abi.DomIO:
		return m.domIO
	case !d.Privileged:
		return nil
	case id == abi.DomXen:
		return m.domXen
	}
	return m.domainByID(id)
}

// doMMUUpdate is the hypercall mmu_update: checked updates of page-table
// entries and of the machine-to-physical table, one by one, with a hook for
// each (do_mmu_update in arch/x86/mm.c). It stops at the first that fails.
func doMMUUpdate(m *Machine, v *VCPU, a *abi.Args) int64 {
	args, ok := a.H.(*abi.MMUUpdateArgs)
	if !ok || args == nil {
		return int64(-abi.EFAULT)
	}
	d := v.dom
	foreign := m.setForeigndom(d, abi.DomID(a.R[1]))
	if foreign == nil {
		return int64(-abi.ESRCH)
	}

	d.bigLock.Lock()
	var rc abi.Errno
	i := 0
	for ; i < len(args.Reqs); i++ {
		if v.preemptWanted() {
			d.bigLock.Unlock()
			v.preempt()
			d.bigLock.Lock()
		}
		if rc = m.mmuUpdateOne(v, &args.Reqs[i], foreign); rc != 0 {
			break
		}
	}
	d.bigLock.Unlock()

	args.Done += uint32(i)
	return int64(rc)
}

// mmuUpdateOne makes one request of mmu_update.
func (m *Machine) mmuUpdateOne(v *VCPU, req *abi.MMUUpdate, foreign *Domain) abi.Errno {
	d := v.dom
	switch req.Ptr & 7 {
	case abi.MMUNormalPTUpdate:
		if rc := xsm.MMUNormalUpdate(&v.VCPU, &d.Domain, req.Val); rc != 0 {
			return rc
		}
		if !m.normalUpdate(v, req.Ptr, req.Val, foreign) {
			return -abi.EINVAL
		}
	case abi.MMUMachphysUpdate:
		mfn := abi.MFN(req.Ptr >> abi.PageShift)
		if rc := xsm.MMUMachphysUpdate(&v.VCPU, &d.Domain, mfn); rc != 0 {
			return rc
		}
		if foreign.mm.translated() || !m.getPage(mfn, foreign) {
			return -abi.EINVAL
		}
		m.setGPFN(mfn, abi.PFN(req.Val))
		m.markDirty(foreign, mfn)
		m.putPage(mfn)
	default:
		return -abi.ENOSYS
	}
	return 0
}

// normalUpdate writes an entry of a page table of whatever level the frame is,
// or a word of an ordinary frame.
func (m *Machine) normalUpdate(v *VCPU, ptr, val uint64, foreign *Domain) bool {
	d := v.dom
	mfn := abi.MFN(ptr >> abi.PageShift)
	if !m.getPage(mfn, d) {
		return false
	}
	defer m.putPage(mfn)

	slot := int(ptr&(abi.PageSize-1)) >> 3
	pg := &m.frames[mfn]
	typ := pg.typeInfo.Load()
	if level := tableLevel(typ); level != 0 && m.getPageType(mfn, typ&pgtTableBits) {
		defer m.putPageType(mfn)
		if level == 1 {
			return m.modL1Entry(d, mfn, slot, val, foreign)
		}
		return m.modEntry(d, level, typ, mfn, slot, val)
	}
	if !m.getPageType(mfn, pgtWritable) {
		return false
	}
	storePTE(&m.table(mfn)[slot], val)
	m.markDirty(d, mfn)
	m.putPageType(mfn)
	return true
}

// modL1Entry replaces an entry of an L1 table (mod_l1_entry). The new one maps
// a frame of foreign's.
func (m *Machine) modL1Entry(d *Domain, table abi.MFN, slot int, e uint64, foreign *Domain) bool {
	p := &m.table(table)[slot]
	old := loadPTE(p)
	if e&abi.PtePresent != 0 {
		if e&l1Disallow(d) != 0 {
			return false
		}
		e = adjustEntry(1, e)
		// The same frame with the same rights: the reference stays.
		if (old^e)&(abi.PteFrameMask|abi.PteRW|abi.PtePresent) == 0 {
			m.writePTE(d, table, p, old, e)
			return true
		}
		if !m.getPageFromL1E(e, foreign, d) {
			return false
		}
	}
	m.putPageFromL1E(m.writePTE(d, table, p, old, e), d)
	return true
}

// modEntry replaces an entry of a table of level 2 or more (mod_l2_entry…).
func (m *Machine) modEntry(d *Domain, level int, typ uint64, table abi.MFN, slot int, e uint64) bool {
	if !guestSlot(level, typ, slot) || slot >= tableEntries(level) || !rootUpdateAllowed(level, slot) {
		return false
	}
	p := &m.table(table)[slot]
	old := loadPTE(p)
	if e&abi.PtePresent != 0 {
		if e&disallowMask(level) != 0 {
			return false
		}
		e = adjustEntry(level, e)
		// The same table with the same rights: the reference stays. Xen 3.2
		// lets the rights change here too, which made linear tables
		// writable (XSA-182).
		if (old^e)&^pteFreeBits == 0 {
			m.writePTE(d, table, p, old, e)
			return true
		}
		if !m.getPageFromEntry(level, e, table, d) {
			return false
		}
	}
	old = m.writePTE(d, table, p, old, e)
	m.rootUpdated(level, table, d)
	m.putPageFromEntry(old, table)
	return true
}

// doUpdateVAMapping is the hypercall update_va_mapping: it sets the entry that
// maps an address in the caller's address space (do_update_va_mapping).
func doUpdateVAMapping(m *Machine, v *VCPU, a *abi.Args) int64 {
	return int64(m.updateVAMapping(v, a.R[0], a.R[1], a.R[2], v.dom))
}

// doUpdateVAMappingOther is update_va_mapping_otherdomain: the entry maps
// another domain's frame.
func doUpdateVAMappingOther(m *Machine, v *VCPU, a *abi.Args) int64 {
	if !v.dom.Privileged {
		return int64(-abi.EPERM)
	}
	foreign := m.setForeigndom(v.dom, abi.DomID(a.R[3]))
	if foreign == nil {
		return int64(-abi.ESRCH)
	}
	return int64(m.updateVAMapping(v, a.R[0], a.R[1], a.R[2], foreign))
}

func (m *Machine) updateVAMapping(v *VCPU, va, e, flags uint64, foreign *Domain) abi.Errno {
	if !addressOK(va) {
		return -abi.EINVAL
	}
	d := v.dom
	if rc := xsm.UpdateVAMapping(&v.VCPU, &d.Domain, e); rc != 0 {
		return rc
	}

	var rc abi.Errno
	d.bigLock.Lock()
	l1, slot, ok := v.guestL1E(va)
	// A table mapped as one of a lower level is no place to write.
	if !ok || m.frames[l1].typeInfo.Load()&pgtTypeMask != pgtL1 || !m.modL1Entry(d, l1, slot, e, foreign) {
		rc = -abi.EINVAL
	}
	d.bigLock.Unlock()

	if flags&abi.UVMFFlushMask != 0 && !v.flushAfterUpdate(va, flags) {
		rc = -abi.EFAULT
	}
	return rc
}

// flushAfterUpdate makes the flush that update_va_mapping's flags ask for:
// here, on all vCPUs, or on those of a mask in guest memory. False means that
// the mask cannot be read.
func (v *VCPU) flushAfterUpdate(va, flags uint64) bool {
	m := v.machine
	whole := flags&abi.UVMFFlushMask == abi.UVMFTLBFlush
	switch where := flags &^ abi.UVMFFlushMask; where {
	case abi.UVMFLocal:
		m.flushVCPUs(v, 1<<uint(v.ID), va, whole)
	case abi.UVMFAll:
		m.flushVCPUs(v, ^uint64(0), va, whole)
	default:
		mask, ok := v.readGuest64(where)
		if !ok {
			return false
		}
		m.flushVCPUs(v, mask, va, whole)
	}
	return true
}

// flushVCPUs flushes the buffers of the caller's domain's vCPUs in a mask,
// wholly or of one page.
func (m *Machine) flushVCPUs(v *VCPU, mask, va uint64, whole bool) {
	for i := range v.dom.vcpus {
		w := v.dom.vcpus[i].Load()
		switch {
		case w == nil:
			return
		case mask&(1<<uint(i)) == 0:
		case w != v:
			w.mmu.flushWanted.Store(1)
		case whole:
			v.flushLocal()
		default:
			v.invlpgLocal(va)
		}
	}
}
