package kbench

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// registerMemory registers memory_op.
func registerMemory() {
	const source = "common/memory.c:do_memory_op"
	twice := []bench.Crossing{{Hook: "memory_adjust_reservation", PerOp: 2}}
	hypercall{
		op: "memory_increase_decrease", doc: "get a page from the hypervisor and return it: two hypercalls; the domain must not be at its maximum",
		source: source, hooks: twice,
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			return growAndShrink(abi.XENMEMIncreaseReservation, 0)
		},
	}.register()
	hypercall{
		op: "memory_populate_decrease", doc: "get a page at a pseudo-physical address, as a balloon driver does, and return it: two hypercalls",
		source: source, hooks: twice,
		ready: func(hc bench.Hypercalls) ([]step, func(), error) {
			scratch, err := hc.Scratch()
			if err != nil {
				return nil, nil, fmt.Errorf("find scratch page: %w", err)
			}
			return growAndShrink(abi.XENMEMPopulatePhysmap, uint64(scratch.PFN))
		},
	}.register()
	for _, q := range []struct {
		op, doc string
		cmd     abi.MemoryCmd
	}{
		{"memory_current_reservation", "query the domain's number of pages", abi.XENMEMCurrentReservation},
		{"memory_maximum_reservation", "query the domain's maximum number of pages", abi.XENMEMMaximumReservation},
	} {
		hypercall{
			op: q.op, doc: q.doc, source: source, hooks: crosses("memory_stat_reservation"),
			ready: func(bench.Hypercalls) ([]step, func(), error) {
				return []step{positive(q.doc, abi.MemoryOp, memory(q.cmd, &abi.MemoryDomain{DomID: abi.DomSelf}))}, nil, nil
			},
		}.register()
	}
	hypercall{
		op: "memory_maximum_ram_page", doc: "query the machine's last frame",
		source: source,
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			return []step{positive("ask for last frame", abi.MemoryOp, memory(abi.XENMEMMaximumRAMPage, nil))}, nil, nil
		},
	}.register()
}

func memory(cmd abi.MemoryCmd, h any) *abi.Args {
	return &abi.Args{R: [4]uint64{uint64(cmd)}, H: h}
}

// growAndShrink gets one page and gives it back. The two reservations share
// their list, so that the frame that came is the one that goes.
func growAndShrink(cmd abi.MemoryCmd, at uint64) ([]step, func(), error) {
	extent := []uint64{at}
	grow := &abi.MemoryReservation{ExtentStart: extent, DomID: abi.DomSelf}
	shrink := &abi.MemoryReservation{ExtentStart: extent, DomID: abi.DomSelf}
	getting := one("get a page", abi.MemoryOp, memory(cmd, grow))
	getting.before = func() { extent[0] = at }
	return []step{
		getting,
		one("give a page back", abi.MemoryOp, memory(abi.XENMEMDecreaseReservation, shrink)),
	}, nil, nil
}
