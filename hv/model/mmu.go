package model

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"xsmbench/abi"
)

// mmu is a vCPU's view of memory as its processor has it: the base pointers of
// its page tables and a translation look-aside buffer. Only the vCPU itself
// uses it, but for what is atomic; others ask it to flush.
//
// A tag of the buffer is the page number of a linear address, the mode bit and
// the buffer's generation. A flush starts a new generation, so that it costs
// little itself and much in the misses that follow, as on a real processor.
type mmu struct {
	base     abi.MFN // top-level table of kernel mode; 0 for none
	userBase abi.MFN // of user mode, where the two differ (x86_64)

	flushWanted atomic.Uint32 // another vCPU wants the buffer flushed
	flushTime   atomic.Uint32 // TLB clock of the last flush

	trapFrame abi.TrapFrame // of the last fault

	gen uint64 // current generation, shifted into its place in a tag
	tlb [tlbEntries]tlbEntry

	ldtBase   uint64 // SET_LDT
	ldtEnts   uint64
	ldtFrames [ldtPages]abi.MFN // frames in use as LDT; 0 for none
	gdtFrames []abi.MFN         // set_gdt
}

// tlbEntry translates one page. The tags say for which addresses, apart for
// reads and writes; a page is written only after its dirty bit is set.
type tlbEntry struct {
	rtag, wtag uint64
	page       *[abi.PageSize]byte
}

const (
	tlbEntries  = 256 // direct-mapped
	tagUser     = uint64(1) << 52
	tagGenShift = 53
	tagGenOne   = uint64(1) << tagGenShift
)

// tlbClock orders flushes and type changes (tlbflush_clock): it ticks at every
// flush of a whole buffer.
type tlbClock struct{ clock atomic.Uint32 }

// flushLocal empties the vCPU's buffer.
func (v *VCPU) flushLocal() {
	mu := &v.mmu
	mu.gen += tagGenOne
	if mu.gen == 0 { // all generations used up: old tags would match again
		mu.tlb = [tlbEntries]tlbEntry{}
		mu.gen = tagGenOne
	}
	mu.flushTime.Store(v.machine.tlb.clock.Add(1))
}

// flushPending does what other vCPUs asked for.
func (v *VCPU) flushPending() {
	v.mmu.flushWanted.Store(0)
	v.flushLocal()
}

// invlpgLocal drops the translations of one page.
func (v *VCPU) invlpgLocal(va uint64) {
	e := &v.mmu.tlb[va>>abi.PageShift&(tlbEntries-1)]
	if (e.rtag^va>>abi.PageShift)&(tagUser-1) == 0 || (e.wtag^va>>abi.PageShift)&(tagUser-1) == 0 {
		*e = tlbEntry{}
	}
}

// flushDomainTLB flushes the buffers of all of a domain's vCPUs, before their
// next access to memory (flush_tlb_mask of domain_dirty_cpumask).
func (m *Machine) flushDomainTLB(d *Domain) {
	for i := range d.vcpus {
		v := d.vcpus[i].Load()
		if v == nil {
			return // they are numbered without gaps
		}
		v.mmu.flushWanted.Store(1)
	}
}

// flushStale flushes those of a domain's buffers that may hold translations
// from a frame's use as its last type (tlbflush_filter).
func (m *Machine) flushStale(d *Domain, pg *PageInfo) {
	stamp := pg.tlbStamp.Load()
	for i := range d.vcpus {
		v := d.vcpus[i].Load()
		if v == nil {
			return
		}
		if int32(stamp-v.mmu.flushTime.Load()) >= 0 {
			v.mmu.flushWanted.Store(1)
		}
	}
}

// Page returns the memory from a linear address to the end of its page, as the
// vCPU's page tables map it. The slice is good until the guest changes its
// mappings. If the access faults, the fault is handled first (by Xen, else by
// the guest's trap handler) and the access repeated.
func (v *VCPU) Page(va uint64, write, user bool) []byte {
	mu := &v.mmu
	if mu.flushWanted.Load() != 0 {
		v.flushPending()
	}
	key := va>>abi.PageShift | mu.gen
	if user {
		key |= tagUser
	}
	e := &mu.tlb[va>>abi.PageShift&(tlbEntries-1)]
	tag := e.rtag
	if write {
		tag = e.wtag
	}
	if tag == key {
		return e.page[va&(abi.PageSize-1):]
	}
	return v.access(va, write, user)[va&(abi.PageSize-1):]
}

// Load8 reads a byte.
func (v *VCPU) Load8(va uint64, user bool) byte { return v.Page(va, false, user)[0] }

// Store8 writes a byte. A write to a page table is not emulated: only whole
// entries are (Store64).
func (v *VCPU) Store8(va uint64, b byte, user bool) { v.Page(va, true, user)[0] = b }

// Load64 reads 8 bytes, atomically if they are aligned.
func (v *VCPU) Load64(va uint64, user bool) uint64 {
	p := v.Page(va, false, user)
	if va&7 == 0 {
		return atomic.LoadUint64((*uint64)(unsafe.Pointer(&p[0])))
	}
	var x uint64
	for i := range uint64(8) {
		x |= uint64(v.Load8(va+i, user)) << (8 * i)
	}
	return x
}

// Store64 writes 8 bytes, atomically if they are aligned. If a kernel writes
// so to an L1 page table that it has mapped read-only, Xen checks and makes
// the change (ptwr).
func (v *VCPU) Store64(va, x uint64, user bool) {
	if va&7 != 0 {
		for i := range uint64(8) {
			v.Store8(va+i, byte(x>>(8*i)), user)
		}
		return
	}
	mu := &v.mmu
	if mu.flushWanted.Load() != 0 {
		v.flushPending()
	}
	key := va>>abi.PageShift | mu.gen
	if user {
		key |= tagUser
	}
	e := &mu.tlb[va>>abi.PageShift&(tlbEntries-1)]
	p := e.page
	if e.wtag != key {
		if p = v.accessStore(va, x, user); p == nil {
			return
		}
	}
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&p[va&(abi.PageSize-1)])), x)
}

// access translates an address that the buffer does not have, and sees to
// faults until the access succeeds.
func (v *VCPU) access(va uint64, write, user bool) *[abi.PageSize]byte {
	for {
		page, code := v.translate(va, write, user)
		if page != nil {
			return page
		}
		v.pageFault(va, code, user)
	}
}

// accessStore is access for a store of 8 bytes; nil if Xen has emulated it.
func (v *VCPU) accessStore(va, x uint64, user bool) *[abi.PageSize]byte {
	for {
		page, code := v.translate(va, true, user)
		if page != nil {
			return page
		}
		if !user && code&abi.PFProt != 0 && v.emulatePTEWrite(va, x) {
			return nil
		}
		v.pageFault(va, code, user)
	}
}

// pageFault hands a fault to the guest's handler; without one the domain
// crashes, and the vCPU does not come back. The frame is good until the next
// fault, which may happen in the handler.
func (v *VCPU) pageFault(va uint64, code uint32, user bool) {
	if user {
		code |= abi.PFUser
	}
	tf := &v.mmu.trapFrame
	*tf = abi.TrapFrame{Vector: abi.TrapPageFault, Error: code, CR2: va, User: user}
	if !v.machine.reachable(va) {
		*tf = abi.TrapFrame{Vector: abi.TrapGP, CR2: va, User: user}
	}
	if !v.deliverTrap(tf) {
		v.crashSynchronous(fmt.Sprintf("no handler for trap %d, address %#x, error %#x", tf.Vector, va, tf.Error))
	}
}

// root is the top-level table in force.
func (v *VCPU) root(user bool) abi.MFN {
	if user && abi.PTLevels == 4 {
		return v.mmu.userBase
	}
	return v.mmu.base
}

// translate walks the page tables as the processor does, setting accessed and
// dirty bits, and fills the buffer. Without a translation it returns the
// fault's error code.
func (v *VCPU) translate(va uint64, write, user bool) (*[abi.PageSize]byte, uint32) {
	m := v.machine
	var code uint32
	if write {
		code = abi.PFWrite
	}
	mfn := v.root(user)
	if mfn == 0 || !m.reachable(va) {
		return nil, code
	}
again:
	rights := abi.PteRW | abi.PteUser
	mfn = v.root(user)
	for level := abi.PTLevels; level > 0; level-- {
		p := &m.table(mfn)[abi.PTIndex(va, level)]
		e := loadPTE(p)
		if e&abi.PtePresent == 0 {
			return nil, code
		}
		rights &= walkFlags(level, e)
		set := uint64(abi.PteAccessed)
		if level == 1 {
			if write && rights&abi.PteRW == 0 || needUser(user) && rights&abi.PteUser == 0 {
				return nil, code | abi.PFProt
			}
			if write {
				set |= abi.PteDirty
			}
		}
		if (level != 3 || abi.PTLevels == 4) && !setPTEBits(p, e, set) {
			goto again
		}
		mfn = abi.PteMFN(e)
		if level > 1 && !m.validMFN(mfn) {
			return nil, code
		}
	}
	return v.fill(va, mfn, write, user), 0
}

// fill puts a translation into the buffer and returns the page.
func (v *VCPU) fill(va uint64, mfn abi.MFN, write, user bool) *[abi.PageSize]byte {
	m, mu := v.machine, &v.mmu
	if !m.validMFN(mfn) {
		return openBus()
	}
	if write {
		if d := m.frames[mfn].owner(); d != nil {
			m.markDirty(d, mfn)
		}
	}
	key := va>>abi.PageShift | mu.gen
	if user {
		key |= tagUser
	}
	e := &mu.tlb[va>>abi.PageShift&(tlbEntries-1)]
	if e.rtag != key || e.wtag != key {
		*e = tlbEntry{rtag: key, page: m.pageArray(mfn)}
	}
	if write {
		e.wtag = key
	}
	return e.page
}

// readGuest64 reads an aligned word of the guest kernel's memory for Xen, which
// takes no fault (copy_from_guest).
func (v *VCPU) readGuest64(va uint64) (uint64, bool) {
	page, _ := v.translate(va, false, false)
	if page == nil || va&7 != 0 {
		return 0, false
	}
	return atomic.LoadUint64((*uint64)(unsafe.Pointer(&page[va&(abi.PageSize-1)]))), true
}

// openBus is what a mapping of device memory without a device shows: reads
// give ones, writes are lost.
func openBus() *[abi.PageSize]byte {
	p := new([abi.PageSize]byte)
	for i := range p {
		p[i] = 0xff
	}
	return p
}

// guestL1E finds the L1 entry that maps an address in the vCPU's kernel page
// tables (guest_map_l1e): the table and the entry's index, or false without a
// page table for the address.
func (v *VCPU) guestL1E(va uint64) (abi.MFN, int, bool) {
	m := v.machine
	mfn := v.mmu.base
	if mfn == 0 || !m.reachable(va) {
		return 0, 0, false
	}
	for level := abi.PTLevels; level > 1; level-- {
		e := loadPTE(&m.table(mfn)[abi.PTIndex(va, level)])
		mfn = abi.PteMFN(e)
		if e&abi.PtePresent == 0 || e&abi.PtePSE != 0 || !m.validMFN(mfn) {
			return 0, 0, false
		}
	}
	return mfn, abi.PTIndex(va, 1), true
}

// setCR3 makes a validated top-level table, with the reference that the caller
// took for it, the vCPU's base pointer.
func (v *VCPU) setCR3(mfn abi.MFN) {
	v.mmu.base = mfn
	v.ctx.CR3 = mfn
	v.flushLocal()
}

// dropPageTables gives up the vCPU's base pointers (vcpu_destroy_pagetables).
func (v *VCPU) dropPageTables() {
	v.invalidateShadowLDT()
	for _, p := range []*abi.MFN{&v.mmu.base, &v.mmu.userBase} {
		if *p != 0 {
			v.machine.putPageAndType(*p)
			*p = 0
		}
	}
	v.ctx.CR3 = 0
	v.flushLocal()
}
