package model

import (
	"xsmbench/abi"
	"xsmbench/xsm"
)

// doMMUExtOp is the hypercall mmuext_op: pinning, base pointers, flushes and
// the LDT (do_mmuext_op in arch/x86/mm.c). It stops at the first operation
// that fails. A pin that a hook denies is passed over, as in Xen 3.2, and its
// error returned at the end, or when something after it fails.
func doMMUExtOp(m *Machine, v *VCPU, a *abi.Args) int64 {
	args, ok := a.H.(*abi.MMUExtArgs)
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
	for ; i < len(args.Ops); i++ {
		if v.preemptWanted() {
			d.bigLock.Unlock()
			v.preempt()
			d.bigLock.Lock()
		}
		if !m.mmuExtOne(v, &args.Ops[i], foreign, &rc) {
			if rc == 0 {
				rc = -abi.EINVAL
			}
			break
		}
	}
	d.bigLock.Unlock()

	args.Done += uint32(i)
	return int64(rc)
}

// mmuExtOne makes one operation; false stops the batch.
func (m *Machine) mmuExtOne(v *VCPU, op *abi.MMUExtOpEntry, foreign *Domain, rc *abi.Errno) bool {
	d, mfn := v.dom, abi.MFN(op.Arg1)
	switch op.Cmd {
	case abi.PinL1Table, abi.PinL2Table, abi.PinL3Table, abi.PinL4Table:
		return m.pinTable(v, int(op.Cmd-abi.PinL1Table)+1, mfn, foreign, rc)
	case abi.UnpinTable:
		return m.unpinTable(mfn, d)
	case abi.NewBasePtr:
		return m.newGuestCR3(v, mfn)
	case abi.NewUserBasePtr:
		if abi.PTLevels == 4 {
			return m.newUserBase(v, mfn)
		}
	case abi.TLBFlushLocal:
		v.flushLocal()
		return true
	case abi.INVLPGLocal:
		v.invlpgLocal(op.Arg1)
		return true
	case abi.TLBFlushMulti:
		m.flushVCPUs(v, op.Arg2, 0, true)
		return true
	case abi.INVLPGMulti:
		m.flushVCPUs(v, op.Arg2, op.Arg1, false)
		return true
	case abi.TLBFlushAll:
		m.flushVCPUs(v, ^uint64(0), 0, true)
		return true
	case abi.INVLPGAll:
		m.flushVCPUs(v, ^uint64(0), op.Arg1, false)
		return true
	case abi.FlushCache:
		return d.cacheControlPermitted()
	case abi.SetLDT:
		return v.setLDT(op.Arg1, op.Arg2)
	}
	*rc = -abi.ENOSYS
	return false
}

// pinTable takes a reference to a page table that stays until it is unpinned,
// so that it need not be validated again when it is next used.
func (m *Machine) pinTable(v *VCPU, level int, mfn abi.MFN, foreign *Domain, rc *abi.Errno) bool {
	pg := m.page(mfn)
	if pg == nil {
		// Xen hands the hook a descriptor beyond its frame table here.
		return false
	}
	if *rc = xsm.MemoryPinPage(&v.VCPU, &v.dom.Domain, &pg.Page); *rc != 0 {
		return true
	}
	if level > abi.PTLevels {
		return true // a level that this processor does not have
	}
	if !m.getPageAndType(mfn, foreign, tableType(level)) {
		return false
	}
	if pg.typeInfo.Or(pgtPinned)&pgtPinned != 0 {
		m.putPageAndType(mfn)
		return false
	}
	m.markDirty(v.dom, mfn)

	// The other domain's destruction may have passed this frame already.
	if foreign != v.dom {
		foreign.pageLock.Lock()
		drop := foreign.dying.Load() != 0 && m.clearPinned(mfn)
		foreign.pageLock.Unlock()
		if drop {
			m.putPageAndType(mfn)
		}
	}
	return true
}

// clearPinned ends a frame's pinning and reports whether it was pinned; the
// reference is the caller's then.
func (m *Machine) clearPinned(mfn abi.MFN) bool {
	return m.frames[mfn].typeInfo.And(^pgtPinned)&pgtPinned != 0
}

// unpinTable drops the reference of pinTable.
func (m *Machine) unpinTable(mfn abi.MFN, d *Domain) bool {
	if !m.getPage(mfn, d) {
		return false
	}
	defer m.putPage(mfn)
	if !m.clearPinned(mfn) {
		return false
	}
	m.putPageAndType(mfn)
	m.markDirty(d, mfn)
	return true
}

// newGuestCR3 loads the base pointer (new_guest_cr3).
func (m *Machine) newGuestCR3(v *VCPU, mfn abi.MFN) bool {
	if !m.getPageAndType(mfn, v.dom, pgtRoot) {
		return false
	}
	v.invalidateShadowLDT()
	old := v.mmu.base
	v.setCR3(mfn)
	if old != 0 {
		m.putPageAndType(old)
	}
	return true
}

// newUserBase sets the table that is in force in user mode; 0 for none.
func (m *Machine) newUserBase(v *VCPU, mfn abi.MFN) bool {
	if mfn != 0 && !m.getPageAndType(mfn, v.dom, pgtRoot) {
		return false
	}
	old := v.mmu.userBase
	v.mmu.userBase = mfn
	v.flushLocal()
	if old != 0 {
		m.putPageAndType(old)
	}
	return true
}
