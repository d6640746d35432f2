package kbench

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// scratchDomain is a domain that dom0 makes for a benchmark of operations on
// domains: an empty one, paused, that never runs. It has the other domain's
// label, and dom0 may do with it what it may do with that.
type scratchDomain struct {
	hc     bench.Hypercalls
	id     abi.DomID
	create step     // makes the domain anew
	frames []uint64 // by pseudo-physical frame number
}

// scratchID is the first scratch domain's, above what a toolstack has given out by
// now. It is always the same: how long the hypervisor looks for a domain can
// depend on it.
const scratchID abi.DomID = 64

// Memory of a scratch domain: what it has, and what it may have.
const (
	scratchFrames = 16
	scratchKB     = 2 * scratchFrames * abi.PageSize / 1024
)

// createFlags are the kinds of domains.
type createFlags uint32

const (
	plain createFlags = 0
	hvm   createFlags = 1
)

// newScratchDomain makes a domain that has nothing yet.
func newScratchDomain(hc bench.Hypercalls, flags createFlags, id abi.DomID) (*scratchDomain, error) {
	create, err := creating(hc, flags, id)
	if err != nil {
		return nil, err
	}
	if err := makeOnce(hc, []step{create}); err != nil {
		return nil, err
	}
	return &scratchDomain{hc: hc, id: id, create: create}, nil
}

// newGuest makes a domain with one vCPU and a few frames.
func newGuest(hc bench.Hypercalls, id abi.DomID) (*scratchDomain, error) {
	return newGuestOf(plain, hc, id)
}

func newGuestOf(kind createFlags, hc bench.Hypercalls, id abi.DomID) (*scratchDomain, error) {
	d, err := newScratchDomain(hc, kind, id)
	if err != nil {
		return nil, err
	}
	if err := d.furnish(); err != nil {
		d.destroy()
		return nil, fmt.Errorf("furnish domain: %w", err)
	}
	return d, nil
}

func (d *scratchDomain) furnish() error {
	vcpus := d.domctl("set number of vCPUs", &abi.Domctl{Cmd: abi.DomctlMaxVCPUs, MaxVCPUs: 1})
	size := d.domctl("set maximum memory", &abi.Domctl{Cmd: abi.DomctlMaxMem, MaxMemKB: scratchKB})
	d.frames = make([]uint64, scratchFrames)
	for i := range d.frames {
		d.frames[i] = uint64(i)
	}
	populate := one("populate", abi.MemoryOp, memory(abi.XENMEMPopulatePhysmap, &abi.MemoryReservation{ExtentStart: d.frames, DomID: d.id}))
	populate.least, populate.most = scratchFrames, scratchFrames
	return makeOnce(d.hc, []step{vcpus, size, populate})
}

// creating is the step that makes a domain with the peer's label, or with none
// if there is no peer.
func creating(hc bench.Hypercalls, flags createFlags, id abi.DomID) (step, error) {
	var label uint32
	if peer, err := hc.Peer(); err == nil {
		info := &abi.Domctl{Cmd: abi.DomctlGetDomainInfo}
		if err := makeOnce(hc, []step{domctlOf("read the other domain's label", peer.Dom, info)}); err != nil {
			return step{}, err
		}
		label = info.Info.SSIDRef
	}
	return creatingAs(label, flags, id), nil
}

func creatingAs(label uint32, flags createFlags, id abi.DomID) step {
	return domctlOf("create domain", id, &abi.Domctl{Cmd: abi.DomctlCreateDomain, Create: abi.DomctlCreate{SSIDRef: label, Flags: uint32(flags)}})
}

// destroy ends the domain. An error would only hide the measurement's; what is
// left of the domain, the next one's creation finds.
func (d *scratchDomain) destroy() { undo(d.hc, destroying(d.id))() }

// renewed makes the domain anew. The old one's number is free when Xen has freed it.
func (d *scratchDomain) renewed() []step {
	return append(append([]step{destroying(d.id)}, freeing()...), d.create)
}

func destroying(id abi.DomID) step { return domctl("destroy domain", abi.DomctlDestroyDomain, id) }

// domctl is a step on the domain.
func (d *scratchDomain) domctl(name string, op *abi.Domctl) step { return domctlOf(name, d.id, op) }

func domctlOf(name string, dom abi.DomID, op *abi.Domctl) step {
	op.Interface, op.DomID = abi.DomctlInterfaceVersion, dom
	return zero(name, abi.DomctlOp, &abi.Args{H: op})
}

// making is how a scratch domain of some kind is made.
type making func(bench.Hypercalls, abi.DomID) (*scratchDomain, error)

func emptyDomain(hc bench.Hypercalls, id abi.DomID) (*scratchDomain, error) {
	return newScratchDomain(hc, plain, id)
}

// hvmDomain makes one with a vCPU, without which Xen 4 does not save a platform:
// it crashes.
func hvmDomain(hc bench.Hypercalls, id abi.DomID) (*scratchDomain, error) {
	return newGuestOf(hvm, hc, id)
}

// onScratch is the way in which operations on a domain become ready: with a
// domain that is destroyed at the end.
func onScratch(domain making, steps func(*scratchDomain) (undone, error)) func(bench.Hypercalls) (undone, error) {
	return func(hc bench.Hypercalls) (undone, error) {
		d, err := domain(hc, scratchID)
		if err != nil {
			return undone{}, err
		}
		u, err := steps(d)
		if err != nil {
			d.destroy()
			return u, err
		}
		more := u.cleanup
		u.cleanup = func() {
			if more != nil {
				more()
			}
			d.destroy()
		}
		return u, nil
	}
}

// scratchDomains is on how many domains an operation is done in turn that can be
// done once on each.
const scratchDomains = 8

// onEach is onScratch for such an operation.
func onEach(domain making, each func(*scratchDomain) item) func(bench.Hypercalls) (undone, error) {
	return func(hc bench.Hypercalls) (undone, error) {
		var made []*scratchDomain
		u := undone{cleanup: func() {
			for _, d := range made {
				d.destroy()
			}
		}}
		for i := range abi.DomID(scratchDomains) {
			d, err := domain(hc, scratchID+i)
			if err != nil {
				u.cleanup()
				return u, err
			}
			made = append(made, d)
			u.items = append(u.items, each(d))
		}
		return u, nil
	}
}
