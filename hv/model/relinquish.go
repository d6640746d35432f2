package model

import "xsmbench/abi"

// relinquishResources takes a dying domain's memory back
// (domain_relinquish_resources in arch/x86/domain.c): base pointers, then the
// frames, top-level tables first. What other domains still map stays until
// they let go. It returns -EAGAIN if it was interrupted and has to be called
// again; a nil caller is not interrupted.
func (m *Machine) relinquishResources(cur *VCPU, d *Domain) abi.Errno {
	d.eachVCPU((*VCPU).dropPageTables)
	d.eachVCPU(m.destroyGDT)
	for level := abi.PTLevels; level >= 2; level-- {
		for _, mfn := range d.xenPageMFNs() {
			m.relinquishPage(d, mfn, level)
		}
		for i, mfn := range d.pageMFNs() {
			m.relinquishPage(d, mfn, level)
			if i%256 == 255 && cur != nil && cur.preemptWanted() {
				return -abi.EAGAIN
			}
		}
	}
	return 0
}

// relinquishMemory is relinquishResources without interruption.
func (m *Machine) relinquishMemory(d *Domain) { m.relinquishResources(nil, d) }

// relinquishPage takes a frame back: its pinning, its owner's reference, and,
// if it is a page table of the level, whatever it still holds (relinquish_memory).
// Nobody uses a dead domain's page tables, so that a count means that tables
// refer to each other in a circle.
func (m *Machine) relinquishPage(d *Domain, mfn abi.MFN, level int) {
	if !m.getPage(mfn, d) {
		return // on its way to the heap already
	}
	if m.clearPinned(mfn) {
		m.putPageAndType(mfn)
	}
	if m.clearAllocated(mfn) {
		m.putPage(mfn)
	}
	pg := &m.frames[mfn]
	for {
		x := pg.typeInfo.Load()
		if x&(pgtTypeMask|pgtValidated) != tableType(level)|pgtValidated {
			break
		}
		if pg.typeInfo.CompareAndSwap(x, x&^pgtValidated) {
			m.freePageType(mfn, x)
			break
		}
	}
	m.putPage(mfn)
}

// xenPageMFNs lists the frames that Xen shares with the domain.
func (d *Domain) xenPageMFNs() []abi.MFN {
	d.pageLock.Lock()
	defer d.pageLock.Unlock()
	return d.mm.xenPages.mfns(d.machine.frames)
}

// preemptWanted reports whether the vCPU's processor has other work
// (hypercall_preempt_check).
func (v *VCPU) preemptWanted() bool { return v.pcpu.softirq.Load() != 0 }
