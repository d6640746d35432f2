package guest

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"xsmbench/abi"
)

// window is where the kernel maps frames that its linear mapping does not
// have: grant tables, and frames of other domains (vmalloc space). One
// lowest-level table, made before the first process, serves it; every address
// space shares that.
type window struct {
	table pfn
	used  [abi.PTEntries]bool
}

// makeWindow adds the window's page table to the initial ones.
func (k *Kernel) makeWindow() {
	k.window.table = k.initial.makeLeaf(mapBase)
	if k.window.table == 0 {
		k.bug("no memory for page tables")
	}
	k.window.used[0] = true // keeps a hole below the first mapping
}

// reserve takes n adjacent pages of the window.
func (w *window) reserve(n int) (first int, err error) {
	run := 0
	for i, used := range w.used {
		if used {
			run = 0
			continue
		}
		if run++; run == n {
			first = i - n + 1
			for j := first; j <= i; j++ {
				w.used[j] = true
			}
			return first, nil
		}
	}
	return 0, fmt.Errorf("map %d frames: no addresses are free", n)
}

// windowVA is the address of a page of the window.
func windowVA(i int) uint64 { return mapBase + uint64(i)<<abi.PageShift }

// mapFrames maps machine frames of a domain, writable, at an address of the
// window: entries of the domain's own frames need no more than the right to
// them, those of another domain's the privilege over it.
func (k *Kernel) mapFrames(dom abi.DomID, mfns []abi.MFN) (va uint64, err error) {
	first, err := k.window.reserve(len(mfns))
	if err != nil {
		return 0, err
	}
	list := abi.MMUUpdateArgs{Reqs: make([]abi.MMUUpdate, len(mfns))}
	for i, m := range mfns {
		list.Reqs[i] = abi.MMUUpdate{
			Ptr: k.machine(k.window.table, first+i) | abi.MMUNormalPTUpdate,
			Val: abi.MkPte(m, kernelRW),
		}
	}
	rc := k.cpu.Hypercall(abi.MMUUpdateOp, &abi.Args{R: [4]uint64{0, uint64(dom)}, H: &list})
	if rc < 0 {
		k.unmapFrames(windowVA(first), len(mfns))
		return 0, fmt.Errorf("map %d frames of domain %d: %w", len(mfns), dom, abi.Errno(-rc))
	}
	return windowVA(first), nil
}

// unmapFrames ends what mapFrames began.
func (k *Kernel) unmapFrames(va uint64, n int) {
	for i := range n {
		a := va + uint64(i)<<abi.PageShift
		k.updateVAMapping(a, 0, abi.UVMFINVLPG)
		k.window.used[abi.PTIndex(a, 1)] = false
	}
}

// word32 is a 32-bit word of shared memory, for atomic access: another domain
// may change it at any time.
func word32(page []byte, off int) *atomic.Uint32 {
	return (*atomic.Uint32)(unsafe.Pointer(&page[off&^3]))
}
