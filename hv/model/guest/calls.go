package guest

import (
	"errors"

	"xsmbench/abi"
	"xsmbench/bench"
)

// hypercalls is the domain's bench.Hypercalls: a process reaches them through
// the kernel (privcmd), the benchmarks without the way there.
type hypercalls struct {
	k       *Kernel
	scratch bench.Scratch
	peer    bench.Peer
	hasPeer bool
}

var _ bench.FrameMapper = (*hypercalls)(nil)

// DomID returns the domain's number. The hypervisor tells no domain its own;
// the toolstack hands it over with the command line, as the store would.
func (h *hypercalls) DomID() abi.DomID { return h.k.domID }

// Privileged reports whether the domain is dom0.
func (h *hypercalls) Privileged() bool { return h.k.si.Flags&abi.SIFPrivileged != 0 }

// Prepare readies a hypercall. The model reads the arguments where they are.
func (h *hypercalls) Prepare(op abi.Hypercall, a *abi.Args) (func() int64, error) {
	cpu := h.k.cpu
	return func() int64 { return cpu.Hypercall(op, a) }, nil
}

// Scratch gives memory for calls that need some; it is always the same.
func (h *hypercalls) Scratch() (bench.Scratch, error) {
	if h.scratch.VA != 0 {
		return h.scratch, nil
	}
	k := h.k
	page, table := k.zeroed(), k.zeroed()
	if page == 0 || table == 0 {
		return bench.Scratch{}, abi.ENOMEM
	}
	free, err := k.window.reserve(1)
	if err != nil {
		return bench.Scratch{}, err
	}
	// A page table must not be writable when the hypervisor takes it as one.
	k.updateVAMapping(kva(table), k.pte(table, kernelRO), abi.UVMFINVLPG)
	va := kva(page)
	h.scratch = bench.Scratch{
		MFN:    k.p2m[page],
		PFN:    abi.PFN(page),
		VA:     va,
		PTE:    k.machine(k.initial.leaf(va), abi.PTIndex(va, 1)),
		L1:     k.p2m[table],
		FreeVA: windowVA(free),
	}
	return h.scratch, nil
}

// Peer gives what the other domain offers.
func (h *hypercalls) Peer() (bench.Peer, error) {
	if !h.hasPeer {
		return bench.Peer{}, errors.New("find peer: there is no other domain")
	}
	return h.peer, nil
}

// MapFrame maps a frame among the kernel's own mappings.
func (h *hypercalls) MapFrame(dom abi.DomID, frame abi.MFN) (page []byte, unmap func(), err error) {
	va, err := h.k.mapFrames(dom, []abi.MFN{frame})
	if err != nil {
		return nil, nil, err
	}
	return h.k.cpu.Page(va, true, false), func() { h.k.unmapFrames(va, 1) }, nil
}
