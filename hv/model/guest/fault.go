package guest

import (
	"xsmbench/abi"
	"xsmbench/bench"
)

// protNone marks an entry whose page is there but may not be touched. The
// processor does not look at an entry that is not present.
const protNone = abi.PteGlobal

// limit takes from an entry the rights that the region does not give.
func (r *region) limit(e uint64) uint64 {
	if r.prot&(bench.PROT_READ|bench.PROT_WRITE) == 0 {
		return e&^(abi.PtePresent|abi.PteRW) | protNone
	}
	e = e&^protNone | abi.PtePresent
	if r.prot&bench.PROT_WRITE == 0 {
		e &^= abi.PteRW
	}
	return e
}

// pageFault is the trap handler for page faults (do_page_fault). The access
// is tried again when it returns.
func (k *Kernel) pageFault(f *abi.TrapFrame) {
	p := k.current
	if p == nil || p.mm == nil || f.CR2 >= abi.UserEnd {
		k.bug("page fault at %#x, error %#x, in the kernel", f.CR2, f.Error)
	}
	k.stats.Faults++
	p.usage.MinorFaults++
	if p.accounted {
		p.book(&p.usage.User)
		defer p.book(&p.usage.System)
	}
	va := f.CR2 &^ (abi.PageSize - 1)
	result := p.mm.fault(va, f.Error&abi.PFWrite != 0)
	if result == faultDone {
		k.returnToUser()
		return
	}
	k.enableEvents()
	switch result {
	case faultBadAccess:
		p.force(bench.SIGSEGV)
	case faultNoPage:
		p.force(sigBus)
	case faultNoMemory:
		p.leaveCode(128 + int(sigKill))
	}
}

// faultResult says how a fault was resolved.
type faultResult uint8

const (
	faultDone      faultResult = iota
	faultBadAccess             // nothing mapped, or no right to the access
	faultNoPage                // beyond the end of the file
	faultNoMemory
)

// fault resolves a page fault (handle_mm_fault).
func (mm *addressSpace) fault(va uint64, write bool) faultResult {
	i, ok := mm.find(va)
	if !ok {
		return faultBadAccess
	}
	r := &mm.regions[i]
	if r.prot&(bench.PROT_READ|bench.PROT_WRITE) == 0 || write && r.prot&bench.PROT_WRITE == 0 {
		return faultBadAccess
	}
	leaf := mm.makeLeaf(va)
	if leaf == 0 {
		return faultNoMemory
	}
	e := mm.k.cpu.Load64(kva(leaf)+uint64(abi.PTIndex(va, 1))*8, false)
	switch {
	case e == 0:
		return mm.fill(r, va, write)
	case e&abi.PtePresent == 0:
		mm.k.updateVAMapping(va, r.limit(e), abi.UVMFNone)
		return faultDone
	case write && e&abi.PteRW == 0:
		return mm.unshare(r, va, e)
	}
	return faultDone
}

// fill maps a page where there was none: one update_va_mapping
// (do_anonymous_page, do_no_page).
func (mm *addressSpace) fill(r *region, va uint64, write bool) faultResult {
	k := mm.k
	if r.node == nil {
		return mm.fillAnonymous(r, va, write)
	}
	i := r.filePage(va)
	if int64(i)<<abi.PageShift >= r.node.size {
		return faultNoPage
	}
	c := r.node.pageAt(k, i)
	if c == 0 {
		return faultNoMemory
	}
	if write && !r.shared {
		return mm.mapCopy(r, va, c, abi.UVMFNone)
	}
	flags := userRO
	if r.shared && r.prot&bench.PROT_WRITE != 0 {
		flags = userRW
	}
	k.mem.get(c)
	k.updateVAMapping(va, k.pte(c, flags), abi.UVMFNone)
	return faultDone
}

// fillAnonymous maps the shared page of zeroes for reading, a page of its own
// for writing.
func (mm *addressSpace) fillAnonymous(r *region, va uint64, write bool) faultResult {
	k := mm.k
	r.anon = true
	if !write {
		k.mem.get(k.zeroPage)
		k.updateVAMapping(va, k.pte(k.zeroPage, userRO), abi.UVMFNone)
		return faultDone
	}
	f := k.zeroed()
	if f == 0 {
		return faultNoMemory
	}
	k.mem.frames[f].anon = true
	k.updateVAMapping(va, k.pte(f, userRW), abi.UVMFNone)
	return faultDone
}

// unshare resolves a write to a page that is mapped for reading only
// (do_wp_page): a shared file's page and the last use of a private one become
// writable, anything else is copied. One update_va_mapping with INVLPG.
func (mm *addressSpace) unshare(r *region, va, e uint64) faultResult {
	k := mm.k
	f := k.frameOf(e)
	if d := &k.mem.frames[f]; r.shared || d.anon && d.refs == 1 {
		k.updateVAMapping(va, k.pte(f, userRW), abi.UVMFINVLPG)
		return faultDone
	}
	res := mm.mapCopy(r, va, f, abi.UVMFINVLPG)
	if res == faultDone {
		k.mem.put(f)
		k.stats.Copies++
	}
	return res
}

// mapCopy maps a private copy of a frame, writable.
func (mm *addressSpace) mapCopy(r *region, va uint64, from pfn, flush uint64) faultResult {
	k := mm.k
	f := k.mem.alloc()
	if f == 0 {
		return faultNoMemory
	}
	k.mem.frames[f].anon = true
	if from == k.zeroPage {
		clear(k.page(f, true))
	} else {
		copy(k.page(f, true), k.page(from, false))
	}
	r.anon = true
	k.updateVAMapping(va, k.pte(f, userRW), flush)
	return faultDone
}

// userAddress is an address that a process may use. The kernel's are kept from
// it here, since on x86_64 the page table in force in user mode has them too.
func (p *Process) userAddress(a bench.Addr) uint64 {
	for uint64(a) >= abi.UserEnd {
		p.force(bench.SIGSEGV)
	}
	return uint64(a)
}

// Load reads a byte of the process's memory.
func (p *Process) Load(a bench.Addr) byte { return p.k.cpu.Load8(p.userAddress(a), true) }

// Store writes a byte of the process's memory.
func (p *Process) Store(a bench.Addr, b byte) { p.k.cpu.Store8(p.userAddress(a), b, true) }

// Page returns the memory from a to the end of its page.
func (p *Process) Page(a bench.Addr, write bool) []byte {
	return p.k.cpu.Page(p.userAddress(a), write, true)
}
