package guest

import "xsmbench/abi"

// pfn is a frame of the domain in its own count (pseudo-physical). Frame 0
// belongs to the kernel image and is never handed out, so 0 means none.
type pfn uint32

// frame is what the kernel knows of one of its frames (struct page).
type frame struct {
	refs int32 // users: mappings, the page cache, the kernel
	next pfn   // in the free list
	anon bool  // belongs to no file: may be reused on a write fault
}

// frameList is the page allocator: single frames from a list, the frame
// freed last first, so that it is warm in the processor's caches.
type frameList struct {
	frames []frame
	free   pfn
	nfree  int
}

// add gives the allocator the frames from first up to, not including, end.
func (l *frameList) add(first, end pfn) {
	for f := end; f > first; f-- {
		l.release(f - 1)
	}
}

// release puts a frame without users onto the free list.
func (l *frameList) release(f pfn) {
	d := &l.frames[f]
	d.refs, d.anon = 0, false
	d.next = l.free
	l.free = f
	l.nfree++
}

// alloc takes a free frame with one user. Its contents are what they were. It
// returns 0 if there is none.
func (l *frameList) alloc() pfn {
	f := l.free
	if f == 0 {
		return 0
	}
	d := &l.frames[f]
	l.free = d.next
	d.next = 0
	d.refs = 1
	l.nfree--
	return f
}

// get adds a user to a frame, put removes one and frees it after the last.
func (l *frameList) get(f pfn) { l.frames[f].refs++ }

func (l *frameList) put(f pfn) {
	d := &l.frames[f]
	d.refs--
	if d.refs == 0 {
		l.release(f)
	}
}

// kva is where the kernel maps a frame of its own.
func kva(f pfn) uint64 { return abi.VirtBase + uint64(f)<<abi.PageShift }

// page is the memory of a frame, as the kernel's mapping allows it.
func (k *Kernel) page(f pfn, write bool) []byte { return k.cpu.Page(kva(f), write, false) }

// zeroed takes a free frame and clears it; 0 if there is none.
func (k *Kernel) zeroed() pfn {
	f := k.mem.alloc()
	if f != 0 {
		clear(k.page(f, true))
	}
	return f
}
