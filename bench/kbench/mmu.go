package kbench

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// registerMMU registers what changes page tables.
func registerMMU() {
	const source = "arch/x86/mm.c:"
	for _, entries := range []int{1, 16} {
		name := "mmu_update"
		if entries > 1 {
			name = fmt.Sprintf("mmu_update/entries=%d", entries)
		}
		hypercall{
			op: name, doc: fmt.Sprintf("update %d entries of a pinned page table with one hypercall; sets and clears them alternately", entries),
			source: source + "do_mmu_update", ops: 2,
			hooks: []bench.Crossing{{Hook: "mmu_normal_update", PerOp: float64(entries)}},
			ready: func(hc bench.Hypercalls) ([]step, func(), error) { return updateEntries(hc, entries) },
		}.register()
	}
	hypercall{
		op: "mmu_update_machphys", doc: "update the machine-to-physical entry of one of the domain's frames",
		source: source + "do_mmu_update", hooks: crosses("mmu_machphys_update"),
		ready: machphys,
	}.register()
	hypercall{
		op: "update_va_mapping", doc: "map one of the domain's frames at an address without flushing, or unmap it with INVLPG, alternately",
		source: source + "do_update_va_mapping", ops: 2, hooks: crosses("update_va_mapping"),
		ready: updateVA,
	}.register()
	hypercall{
		op: "mmuext_pin_unpin", doc: "pin an empty L1 page table and unpin it, by one hypercall",
		source: source + "do_mmuext_op", hooks: crosses("memory_pin_page"),
		ready: pinAndUnpin,
	}.register()
	hypercall{
		op: "mmuext_invlpg", doc: "flush one address from the domain's TLB",
		source: source + "do_mmuext_op",
		ready: func(hc bench.Hypercalls) ([]step, func(), error) {
			scratch, err := hc.Scratch()
			if err != nil {
				return nil, nil, fmt.Errorf("find scratch page: %w", err)
			}
			return extended("flush address", abi.MMUExtOpEntry{Cmd: abi.INVLPGLocal, Arg1: scratch.VA})
		},
	}.register()
	hypercall{
		op: "mmuext_tlb_flush", doc: "flush the domain's TLB",
		source: source + "do_mmuext_op",
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			return extended("flush TLB", abi.MMUExtOpEntry{Cmd: abi.TLBFlushLocal})
		},
	}.register()
}

// pageFlags are those of the pages that the benchmarks map.
const pageFlags = abi.PtePresent | abi.PteRW | abi.PteUser | abi.PteAccessed | abi.PteDirty

// foreign makes the arguments of mmu_update and mmuext_op.
func foreign(h any) *abi.Args {
	return &abi.Args{R: [4]uint64{0, uint64(abi.DomSelf)}, H: h}
}

func extended(name string, ops ...abi.MMUExtOpEntry) ([]step, func(), error) {
	return []step{extendedStep(name, ops...)}, nil, nil
}

func extendedStep(name string, ops ...abi.MMUExtOpEntry) step {
	return zero(name, abi.MMUExtOp, foreign(&abi.MMUExtArgs{Ops: ops}))
}

// emptyTable finds the scratch memory with its empty L1 table.
func emptyTable(hc bench.Hypercalls) (bench.Scratch, error) {
	scratch, err := hc.Scratch()
	if err != nil {
		return scratch, fmt.Errorf("find scratch page: %w", err)
	}
	if scratch.L1 == abi.InvalidMFN {
		return scratch, fmt.Errorf("find scratch page: the target gives no empty page table")
	}
	return scratch, nil
}

// updateEntries maps the scratch page in entries of the pinned table and
// clears them again.
func updateEntries(hc bench.Hypercalls, count int) ([]step, func(), error) {
	scratch, err := emptyTable(hc)
	if err != nil {
		return nil, nil, err
	}
	pin := foreign(&abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: abi.PinL1Table, Arg1: uint64(scratch.L1)}}})
	if err := do(hc, "pin table", abi.MMUExtOp, pin); err != nil {
		return nil, nil, err
	}
	unpin := func() {
		do(hc, "unpin table", abi.MMUExtOp, foreign(&abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: abi.UnpinTable, Arg1: uint64(scratch.L1)}}}))
	}
	set, reset := make([]abi.MMUUpdate, count), make([]abi.MMUUpdate, count)
	for i := range count {
		entry := uint64(scratch.L1)<<abi.PageShift + uint64(i)*8
		set[i] = abi.MMUUpdate{Ptr: entry | abi.MMUNormalPTUpdate, Val: abi.MkPte(scratch.MFN, pageFlags)}
		reset[i] = abi.MMUUpdate{Ptr: entry | abi.MMUNormalPTUpdate}
	}
	return []step{
		zero("set entries", abi.MMUUpdateOp, foreign(&abi.MMUUpdateArgs{Reqs: set})),
		zero("clear entries", abi.MMUUpdateOp, foreign(&abi.MMUUpdateArgs{Reqs: reset})),
	}, unpin, nil
}

func machphys(hc bench.Hypercalls) ([]step, func(), error) {
	scratch, err := hc.Scratch()
	if err != nil {
		return nil, nil, fmt.Errorf("find scratch page: %w", err)
	}
	req := abi.MMUUpdate{Ptr: uint64(scratch.MFN)<<abi.PageShift | abi.MMUMachphysUpdate, Val: uint64(scratch.PFN)}
	return []step{zero("set machine-to-physical entry", abi.MMUUpdateOp, foreign(&abi.MMUUpdateArgs{Reqs: []abi.MMUUpdate{req}}))}, nil, nil
}

func updateVA(hc bench.Hypercalls) ([]step, func(), error) {
	scratch, err := hc.Scratch()
	if err != nil {
		return nil, nil, fmt.Errorf("find scratch page: %w", err)
	}
	return []step{
		zero("map page", abi.UpdateVAMapping, &abi.Args{R: [4]uint64{scratch.FreeVA, abi.MkPte(scratch.MFN, pageFlags), abi.UVMFNone}}),
		zero("unmap page", abi.UpdateVAMapping, &abi.Args{R: [4]uint64{scratch.FreeVA, 0, abi.UVMFINVLPG | abi.UVMFLocal}}),
	}, nil, nil
}

func pinAndUnpin(hc bench.Hypercalls) ([]step, func(), error) {
	scratch, err := emptyTable(hc)
	if err != nil {
		return nil, nil, err
	}
	return extended("pin and unpin table",
		abi.MMUExtOpEntry{Cmd: abi.PinL1Table, Arg1: uint64(scratch.L1)},
		abi.MMUExtOpEntry{Cmd: abi.UnpinTable, Arg1: uint64(scratch.L1)})
}
