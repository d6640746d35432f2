package model

import (
	"sync/atomic"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// dirtyLog is log-dirty mode: a bit for every frame of the domain's memory, by
// PFN, that was written since the log was last cleaned (arch/x86/mm/paging.c).
// Xen write-protects its shadow page tables to see writes; here a processor
// marks a frame as it takes a writable translation into its TLB, and cleaning
// the log flushes the TLBs.
type dirtyLog struct {
	bits   []atomic.Uint64
	dirty  atomic.Uint64 // bits set since the last cleaning
	faults atomic.Uint64 // writes that were noticed
}

// markDirty records a write to a frame of the domain's (paging_mark_dirty).
func (m *Machine) markDirty(d *Domain, mfn abi.MFN) {
	if d == nil {
		return
	}
	if log := d.mm.dirty.Load(); log != nil {
		log.mark(m.gpfn(mfn))
	}
}

func (l *dirtyLog) mark(pfn abi.PFN) {
	if pfn >= abi.PFN(len(l.bits)*64) {
		return
	}
	l.faults.Add(1)
	if bit := uint64(1) << (pfn % 64); l.bits[pfn/64].Or(bit)&bit == 0 {
		l.dirty.Add(1)
	}
}

// shadowOp is the domctl shadow_op (paging_domctl): log-dirty mode on a domain
// that is not the caller's.
func (m *Machine) shadowOp(v *VCPU, d *Domain, sc *abi.DomctlShadow) abi.Errno {
	switch {
	case d == v.dom:
		return -abi.EINVAL
	case d.dying.Load() != 0:
		return 0
	case d.vcpu(0) == nil:
		return -abi.EINVAL
	}
	if rc := xsm.ShadowControl(&v.VCPU, &d.Domain, sc.Op); rc != 0 {
		return rc
	}
	switch sc.Op {
	case abi.ShadowOpEnableLogdirty:
		return m.enableDirtyLog(d)
	case abi.ShadowOpEnable:
		if sc.Mode&shadowEnableLogDirty != 0 {
			return m.enableDirtyLog(d)
		}
		return -abi.EINVAL
	case abi.ShadowOpOff:
		m.disableDirtyLog(d)
		return 0
	case abi.ShadowOpClean, abi.ShadowOpPeek:
		return m.readDirtyLog(d, sc)
	case abi.ShadowOpEnableTranslate:
		return m.enableTranslation(d)
	case abi.ShadowOpGetAllocation:
		sc.MB = 0 // there are no shadow page tables
		return 0
	}
	return -abi.EINVAL
}

const shadowEnableLogDirty = 1 << 1 // XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY

// enableDirtyLog starts with a clean log (paging_log_dirty_enable).
func (m *Machine) enableDirtyLog(d *Domain) abi.Errno {
	d.pause()
	defer d.unpause()
	if d.mm.dirty.Load() != nil {
		return -abi.EINVAL
	}
	d.mm.dirty.Store(&dirtyLog{bits: make([]atomic.Uint64, (m.maxGPFN(d)+64)/64)})
	m.flushDomainTLB(d)
	return 0
}

func (m *Machine) disableDirtyLog(d *Domain) {
	d.pause()
	d.mm.dirty.Store(nil)
	d.unpause()
}

// maxGPFN is the highest PFN of a domain's frames (domain_get_maximum_gpfn).
func (m *Machine) maxGPFN(d *Domain) abi.PFN {
	var top abi.PFN
	for _, mfn := range d.pageMFNs() {
		if pfn := m.gpfn(mfn); pfn < abi.PFN(len(m.frames)) && pfn > top {
			top = pfn
		}
	}
	return top
}

// readDirtyLog copies the log out, for clean also clearing it
// (paging_log_dirty_op). Pages is in the number of bits wanted, out the number
// copied.
func (m *Machine) readDirtyLog(d *Domain, sc *abi.DomctlShadow) abi.Errno {
	log := d.mm.dirty.Load()
	if log == nil {
		return -abi.EINVAL
	}
	d.pause()
	defer d.unpause()
	clean := sc.Op == abi.ShadowOpClean
	sc.FaultStat, sc.DirtyStat = log.faults.Load(), log.dirty.Load()
	if clean {
		log.faults.Store(0)
		log.dirty.Store(0)
	}
	if sc.Dirty != nil {
		sc.Pages = min(sc.Pages, uint64(len(log.bits)*64), uint64(len(sc.Dirty)*64))
		for i := range (sc.Pages + 63) / 64 {
			sc.Dirty[i] = log.bits[i].Load()
		}
	}
	if clean {
		for i := range log.bits {
			log.bits[i].Store(0)
		}
		m.flushDomainTLB(d)
	}
	return 0
}
