package guest

import "xsmbench/abi"

// addressSpace is a process's memory (struct mm_struct): regions, and the page
// tables that map what of them has been touched. One set of page tables
// serves user and kernel mode: on x86_64 both base pointers are the same, where
// XenLinux keeps a second top level for user mode, which hides the kernel.
type addressSpace struct {
	k       *Kernel
	regions []region // by address, none overlapping
	top     pfn      // top-level page table
	tables  []pfn    // the other page tables that are its own
	pinned  bool     // the hypervisor knows the tables as such

	lastFound int    // where the last search for a region ended
	stackTop  uint64 // the user's stack pointer
}

// newAddressSpace makes an address space that maps nothing but the kernel.
// It returns nil when the domain has no memory left.
func (k *Kernel) newAddressSpace() *addressSpace {
	var mm *addressSpace
	if n := len(k.freeSpaces); n > 0 {
		mm = k.freeSpaces[n-1]
		k.freeSpaces = k.freeSpaces[:n-1]
	} else {
		mm = &addressSpace{k: k}
	}
	mm.stackTop = stackTop
	mm.top = k.zeroed()
	if mm.top == 0 || !mm.mapKernel() {
		mm.discard()
		return nil
	}
	return mm
}

// mapKernel fills in the kernel's part: the entries of the initial page table
// at the top level, or a copy of the second-level table that PAE has for them.
// Entries of the hypervisor's own are left to it.
func (mm *addressSpace) mapKernel() bool {
	k := mm.k
	if kernelShared {
		from, to := k.page(k.initial.top, false), k.page(mm.top, true)
		for i := abi.PTIndex(abi.VirtBase, abi.PTLevels); i < abi.PTEntries; i++ {
			setEntry(to, i, entryAt(from, i))
		}
		return true
	}
	for i := range 4 {
		n := mm.addTable(mm.top, i, abi.PTLevels)
		if n == 0 {
			return false
		}
		if i != abi.PTIndex(abi.VirtBase, abi.PTLevels) {
			continue
		}
		last := k.frameOf(k.cpu.Load64(kva(k.initial.top)+uint64(i)*8, false))
		from, to := k.page(last, false), k.page(n, true)
		for j := abi.PTIndex(abi.VirtBase, 2); j < abi.PTIndex(abi.HypervisorStart, 2); j++ {
			setEntry(to, j, entryAt(from, j))
		}
	}
	return true
}

// pin tells the hypervisor of the page tables: each becomes read-only, four
// per multicall, the top level last with a flush of the TLB, and then one pin
// of the top level validates them all (mm_pin).
func (mm *addressSpace) pin() {
	k := mm.k
	k.protectTables(mm.tables, kernelRO)
	k.updateVAMapping(kva(mm.top), k.pte(mm.top, kernelRO), abi.UVMFTLBFlush)
	k.mmuext(pinTop, uint64(k.p2m[mm.top]))
	mm.pinned = true
	k.stats.Pins++
	k.stats.PinnedPages += uint64(len(mm.tables) + 1)
}

// unpin is the reverse.
func (mm *addressSpace) unpin() {
	k := mm.k
	k.mmuext(abi.UnpinTable, uint64(k.p2m[mm.top]))
	k.updateVAMapping(kva(mm.top), k.pte(mm.top, kernelRW), abi.UVMFNone)
	k.protectTables(mm.tables, kernelRW)
	mm.pinned = false
	k.stats.Unpinned += uint64(len(mm.tables) + 1)
	k.flushTLB()
}

// dup makes a copy of the address space for a child (dup_mmap). Private pages
// become shared until either side writes: their entries lose the write bit,
// the child's in memory that the hypervisor does not know of yet, the
// parent's by writes that it emulates.
func (mm *addressSpace) dup() (*addressSpace, error) {
	n := mm.k.newAddressSpace()
	if n == nil {
		return nil, abi.ENOMEM
	}
	n.stackTop = mm.stackTop
	n.regions = append(n.regions[:0], mm.regions...)
	ok := true
	for i := range n.regions {
		r := &n.regions[i]
		if r.node != nil {
			r.node.users++
		}
		if r.anon && ok {
			ok = mm.share(n, r)
		}
	}
	mm.k.flushTLB()
	if !ok {
		n.destroy()
		return nil, abi.ENOMEM
	}
	n.pin()
	return n, nil
}

// share copies the entries of one region to the child's tables.
func (mm *addressSpace) share(n *addressSpace, r *region) bool {
	k := mm.k
	for va := r.start; va < r.end; {
		next := min((va+span(2))&^(span(2)-1), r.end)
		from := mm.leaf(va)
		if from == 0 {
			va = next
			continue
		}
		src := k.page(from, false)
		var dst []byte
		for ; va < next; va += abi.PageSize {
			i := abi.PTIndex(va, 1)
			e := entryAt(src, i)
			if e == 0 {
				continue
			}
			if dst == nil {
				to := n.makeLeaf(va)
				if to == 0 {
					return false
				}
				dst = k.page(to, true)
			}
			if !r.shared && e&abi.PteRW != 0 {
				e &^= abi.PteRW
				k.cpu.Store64(kva(from)+uint64(i)*8, e, false)
			}
			k.mem.get(k.frameOf(e))
			setEntry(dst, i, e)
		}
	}
	return true
}

// destroy frees an address space that no processor uses (exit_mmap).
func (mm *addressSpace) destroy() {
	if mm.pinned {
		mm.unpin()
	}
	for i := range mm.regions {
		r := &mm.regions[i]
		mm.zap(r.start, r.end)
		if r.node != nil {
			mm.k.fs.release(r.node)
		}
	}
	mm.discard()
}

// discard frees the tables of an address space that maps nothing.
func (mm *addressSpace) discard() {
	for _, t := range mm.tables {
		mm.k.mem.put(t)
	}
	if mm.top != 0 {
		mm.k.mem.put(mm.top)
	}
	mm.tables = mm.tables[:0]
	clear(mm.regions)
	mm.regions = mm.regions[:0]
	mm.top = 0
	mm.lastFound = 0
	mm.k.freeSpaces = append(mm.k.freeSpaces, mm)
}

// dropAddressSpace ends a process's use of its memory. The processor keeps
// running on the initial page tables until another process is resumed
// (leave_active_mm).
func (k *Kernel) dropAddressSpace(p *Process) {
	mm := p.mm
	if mm == nil {
		return
	}
	p.mm = nil
	k.use(&k.initial)
	mm.destroy()
}

// use makes an address space the processor's, unless it is already.
func (k *Kernel) use(mm *addressSpace) {
	if k.active == mm {
		return
	}
	k.active = mm
	k.newBase(k.p2m[mm.top])
}

// zap removes the entries of a range and the uses of their frames
// (unmap_vmas). Tables that are pinned are read-only, and each write to them
// is emulated by the hypervisor. The caller flushes the TLB.
func (mm *addressSpace) zap(start, end uint64) {
	k := mm.k
	for va := start; va < end; {
		next := min((va+span(2))&^(span(2)-1), end)
		t := mm.leaf(va)
		if t == 0 {
			va = next
			continue
		}
		table := k.page(t, !mm.pinned)
		for ; va < next; va += abi.PageSize {
			i := abi.PTIndex(va, 1)
			e := entryAt(table, i)
			if e == 0 {
				continue
			}
			if mm.pinned {
				k.cpu.Store64(kva(t)+uint64(i)*8, 0, false)
			} else {
				setEntry(table, i, 0)
			}
			k.mem.put(k.frameOf(e))
		}
	}
}

// reprotect makes the entries of a region agree with its protection: they
// lose rights at once, and gain the right to write at the next fault.
func (mm *addressSpace) reprotect(r *region) {
	k := mm.k
	for va := r.start; va < r.end; {
		next := min((va+span(2))&^(span(2)-1), r.end)
		t := mm.leaf(va)
		if t == 0 {
			va = next
			continue
		}
		table := k.page(t, false)
		for ; va < next; va += abi.PageSize {
			old := entryAt(table, abi.PTIndex(va, 1))
			if old == 0 {
				continue
			}
			if e := r.limit(old); e != old {
				k.updateVAMapping(va, e, abi.UVMFNone)
				k.stats.Reprotected++
			}
		}
	}
}

// unmapFile removes every mapping of a file's pages from page first on.
func (k *Kernel) unmapFile(n *inode, first int) {
	for _, p := range k.all {
		if p.mm == nil {
			continue
		}
		for i := range p.mm.regions {
			r := &p.mm.regions[i]
			if r.node != n {
				continue
			}
			start := r.start
			if first > r.first {
				start += uint64(first-r.first) << abi.PageShift
			}
			if start < r.end {
				p.mm.zap(start, r.end)
			}
		}
	}
	k.flushTLB()
}
