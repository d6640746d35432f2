package model

import (
	"fmt"
	"math/bits"
	"sync"
	"unsafe"

	"xsmbench/abi"
)

// maxOrder is the largest extent of the heap, as a power of two of frames.
const maxOrder = 18

// heap hands out machine frames in extents of a power of two (the buddy
// allocator of Xen's common/page_alloc.c). Xen's own frames and the guests'
// come from the same heap; a flag in the frame's descriptor tells them apart.
type heap struct {
	mu     sync.Mutex
	frames frameTable
	free   [maxOrder + 1]abi.MFN // first frame of the free extents of an order
	order  []int8                // order of the free extent that starts here, or -1
	avail  int                   // free frames
}

// init makes an empty heap over the frames.
func (h *heap) init(frames frameTable) {
	h.frames = frames
	h.order = make([]int8, len(frames))
	for i := range h.order {
		h.order[i] = -1
	}
	for i := range h.free {
		h.free[i] = abi.InvalidMFN
	}
}

// add gives the frames [first, end) to the heap, in extents as large as their
// alignment allows (init_heap_pages).
func (h *heap) add(first, end abi.MFN) {
	for first < end {
		order := bits.TrailingZeros64(uint64(first) | 1<<maxOrder)
		for first+1<<order > end {
			order--
		}
		h.release(first, order)
		first += 1 << order
	}
}

// alloc takes an extent (alloc_heap_pages): the smallest that is large enough
// is split until it fits.
func (h *heap) alloc(order int) (abi.MFN, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if order < 0 || order > maxOrder {
		return 0, false
	}
	o := order
	for h.free[o] == abi.InvalidMFN {
		if o++; o > maxOrder {
			return 0, false
		}
	}
	mfn := h.free[o]
	h.unlink(mfn)
	for o > order {
		o--
		h.link(mfn+1<<o, o)
	}
	h.avail -= 1 << order
	return mfn, true
}

// release gives an extent back and merges it with its buddies
// (free_heap_pages).
func (h *heap) release(mfn abi.MFN, order int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.avail += 1 << order
	for ; order < maxOrder; order++ {
		buddy := mfn ^ 1<<order
		if buddy >= abi.MFN(len(h.order)) || h.order[buddy] != int8(order) {
			break
		}
		h.unlink(buddy)
		mfn &^= 1 << order
	}
	h.link(mfn, order)
}

// available returns the number of free frames.
func (h *heap) available() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.avail
}

func (h *heap) link(mfn abi.MFN, order int) {
	head := h.free[order]
	h.frames[mfn].next, h.frames[mfn].prev = head, abi.InvalidMFN
	if head != abi.InvalidMFN {
		h.frames[head].prev = mfn
	}
	h.free[order], h.order[mfn] = mfn, int8(order)
}

func (h *heap) unlink(mfn abi.MFN) {
	pg := &h.frames[mfn]
	if pg.prev == abi.InvalidMFN {
		h.free[h.order[mfn]] = pg.next
	} else {
		h.frames[pg.prev].next = pg.next
	}
	if pg.next != abi.InvalidMFN {
		h.frames[pg.next].prev = pg.prev
	}
	h.order[mfn] = -1
}

// MinFrames is the least machine memory: Xen's own tables and a small dom0.
const MinFrames = 1024

// Frames of the first mebibyte that are device memory: the hole between
// conventional memory and the BIOS.
const (
	firstHoleFrame = abi.MFN(0xa0)
	endHoleFrame   = abi.MFN(0x100)
)

// initMemory makes the machine's memory of cfg.Frames frames, the frame table,
// the machine-to-physical table, the heap and Xen's own mappings
// (arch_init_memory). Frame 0 is never given out, so that 0 can stand for "no
// page table".
func (m *Machine) initMemory() error {
	n := m.cfg.Frames
	if n < MinFrames {
		return fmt.Errorf("make machine memory: %d frames, need at least %d", n, MinFrames)
	}
	words := make([]uint64, n*(abi.PageSize/8))
	m.mem = unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), n*abi.PageSize)
	m.frames = make(frameTable, n)
	m.heap.init(m.frames)
	m.heap.add(1, firstHoleFrame)
	m.heap.add(endHoleFrame, abi.MFN(n))
	m.tlb.clock.Store(1)

	if err := m.makeM2P(); err != nil {
		return err
	}
	return m.makeXenMappings()
}

// makeM2P puts the machine-to-physical table into frames of its own, where
// guests read it through Xen's mappings.
func (m *Machine) makeM2P() error {
	entries := (len(m.frames) + 511) &^ 511
	order := bits.Len(uint(entries/512 - 1))
	first, ok := m.heap.alloc(order)
	if !ok {
		return fmt.Errorf("make machine-to-physical table: no %d contiguous frames", 1<<order)
	}
	m.xen.m2pFirst, m.xen.m2pFrames = first, entries/512
	if extra := 1<<order - m.xen.m2pFrames; extra > 0 {
		m.heap.add(first+abi.MFN(m.xen.m2pFrames), first+1<<order)
	}
	m.m2p = unsafe.Slice((*abi.PFN)(unsafe.Pointer(&m.mem[uintptr(first)<<abi.PageShift])), entries)
	for i := range m.m2p {
		m.m2p[i] = invalidPFN
	}
	for i := 0; i < m.xen.m2pFrames; i++ {
		m.frames[first+abi.MFN(i)].countInfo.Store(pgcXenHeap)
	}
	return nil
}

// initSpecialPages gives the device memory to DOMID_IO and the
// machine-to-physical table, read-only, to DOMID_XEN. The two domains must
// exist.
func (m *Machine) initSpecialPages() {
	io := func(mfn abi.MFN) {
		pg := &m.frames[mfn]
		pg.Owner = &m.domIO.Domain
		pg.typeInfo.Store(pgtWritable | pgtValidated | 1)
		pg.countInfo.Store(pgcIOMem | pgcAllocated | 1)
	}
	io(0) // what a cleared page-table entry names; Xen gives the first MiB to DOMID_IO
	for mfn := firstHoleFrame; mfn < endHoleFrame; mfn++ {
		io(mfn)
	}
	for i := 0; i < m.xen.m2pFrames; i++ {
		m.shareXenPageWithGuest(m.xen.m2pFirst+abi.MFN(i), m.domXen, true)
	}
}

// allocXenheapPage takes a zeroed frame for Xen's own use (alloc_xenheap_page).
func (m *Machine) allocXenheapPage() (abi.MFN, bool) {
	mfn, ok := m.heap.alloc(0)
	if !ok {
		return 0, false
	}
	pg := &m.frames[mfn]
	pg.typeInfo.Store(0)
	pg.countInfo.Store(pgcXenHeap)
	clear(m.frame(mfn))
	return mfn, true
}

// freeXenheapPage gives back a frame of Xen's that no guest refers to.
func (m *Machine) freeXenheapPage(mfn abi.MFN) {
	pg := &m.frames[mfn]
	if c := pg.countInfo.Load(); c&pgcXenHeap == 0 || c&pgcCountMask != 0 {
		panic(fmt.Sprintf("free Xen's frame %#x: in use, count %#x", mfn, c))
	}
	pg.countInfo.Store(0)
	m.heap.release(mfn, 0)
}

// allocDomheapPages takes an extent of 1<<order frames for a domain and assigns
// them (alloc_domheap_pages); with a nil domain they stay anonymous.
func (m *Machine) allocDomheapPages(d *Domain, order int) (abi.MFN, bool) {
	mfn, ok := m.heap.alloc(order)
	if !ok {
		return 0, false
	}
	for i := range abi.MFN(1) << order {
		m.frames[mfn+i].typeInfo.Store(0)
	}
	if d != nil && !m.assignPages(d, mfn, order) {
		m.heap.release(mfn, order)
		return 0, false
	}
	return mfn, true
}

// assignPage gives an anonymous frame to a domain (assign_pages). It fails for
// a dying domain and beyond the domain's maximum.
func (m *Machine) assignPage(d *Domain, mfn abi.MFN) bool { return m.assignPages(d, mfn, 0) }

func (m *Machine) assignPages(d *Domain, mfn abi.MFN, order int) bool {
	n := uint64(1) << order
	d.pageLock.Lock()
	defer d.pageLock.Unlock()
	if d.dying.Load() != 0 || d.totPages+n > d.maxPages {
		return false
	}
	if d.totPages == 0 {
		d.refs.Add(1)
	}
	d.totPages += n
	for i := range abi.MFN(n) {
		pg := &m.frames[mfn+i]
		pg.Owner = &d.Domain
		d.pages.append(m.frames, mfn+i)
		pg.countInfo.Store(pgcAllocated | 1)
	}
	return true
}

// freeDomheapPage gives back a frame whose last reference is gone
// (free_domheap_page). What a dead domain leaves is erased.
func (m *Machine) freeDomheapPage(mfn abi.MFN) {
	pg := &m.frames[mfn]
	d := pg.owner()
	if pg.countInfo.Load()&pgcXenHeap != 0 {
		m.unshareXenPage(d, mfn)
		return
	}
	if t := pg.typeInfo.Load(); t&pgtCountMask != 0 {
		panic(fmt.Sprintf("free frame %#x: type still in use, %#x", mfn, t))
	}
	if d == nil {
		m.heap.release(mfn, 0)
		return
	}
	m.flushDomainTLB(d) // also of read-only translations, which have no stamp
	if d.dying.Load() != 0 {
		clear(m.frame(mfn))
	}
	d.pageLock.Lock()
	d.pages.remove(m.frames, mfn)
	d.totPages--
	drop := d.totPages == 0
	pg.Owner = nil
	pg.countInfo.Store(0)
	d.pageLock.Unlock()
	m.heap.release(mfn, 0)
	if drop {
		d.put()
	}
}

// shareXenPageWithGuest lets a domain map a frame of Xen's: the frame's owner
// is the domain from now on, its type fixed by a count that Xen keeps
// (share_xen_page_with_guest).
func (m *Machine) shareXenPageWithGuest(mfn abi.MFN, d *Domain, readonly bool) {
	pg := &m.frames[mfn]
	if pg.Owner == &d.Domain {
		return
	}
	m.setGPFN(mfn, invalidPFN)
	d.pageLock.Lock()
	defer d.pageLock.Unlock()
	typ := pgtWritable
	if readonly {
		typ = pgtNone
	}
	pg.typeInfo.Store(typ | pgtValidated | 1)
	pg.Owner = &d.Domain
	if d.dying.Load() != 0 {
		return
	}
	if d.mm.xenPages.n == 0 {
		d.refs.Add(1)
	}
	d.mm.xenPages.append(m.frames, mfn)
	pg.countInfo.Store(pgcXenHeap | pgcAllocated | 1)
}

// unshareXenPage ends the sharing when the last reference is gone; the frame
// stays Xen's, for its user to free.
func (m *Machine) unshareXenPage(d *Domain, mfn abi.MFN) {
	m.flushDomainTLB(d)
	d.pageLock.Lock()
	d.mm.xenPages.remove(m.frames, mfn)
	drop := d.mm.xenPages.n == 0
	m.frames[mfn].Owner = nil
	m.frames[mfn].typeInfo.Store(0)
	m.frames[mfn].countInfo.Store(pgcXenHeap)
	d.pageLock.Unlock()
	if drop {
		d.put()
	}
}

// stealPage takes a frame away from a domain, to which it must hold the only
// reference; the frame is anonymous then, for assignPage or freeDomheapPage
// (steal_page).
func (m *Machine) stealPage(d *Domain, mfn abi.MFN) bool {
	pg := m.page(mfn)
	if pg == nil {
		return false
	}
	d.pageLock.Lock()
	defer d.pageLock.Unlock()
	x := pg.countInfo.Load()
	// With the count at zero nobody takes a reference or reads the owner;
	// it stays there until the frame is assigned or freed.
	if x&pgcCountAllocated != pgcAllocated|1 || x&pgcXenHeap != 0 ||
		!pg.countInfo.CompareAndSwap(x, x&^pgcCountMask) {
		return false
	}
	if pg.Owner != &d.Domain {
		pg.countInfo.Store(x)
		return false
	}
	pg.Owner = nil
	d.totPages--
	d.pages.remove(m.frames, mfn)
	pg.countInfo.Store(0)
	return true
}
