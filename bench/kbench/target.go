package kbench

import (
	"errors"
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// registerTargets registers what a device model does to its domain's memory: dom0
// maps a frame of an HVM domain in the name of the domain of its device model.
func registerTargets() {
	bench.Register(bench.Benchmark{
		Suite: suite, Name: "vm/op=map_target",
		Doc:    "map a frame of an HVM domain's grant table in the name of its device model's domain, and unmap it",
		Source: "arch/x86/mm.c:get_page_from_l1e", Unit: "ns/op",
		Hooks:    []bench.Crossing{{Hook: "priv_mapping", PerOp: 1}, {Hook: "mmu_update", Note: "of the kernel's"}, {Hook: "mmuext_op", Note: "of the kernel's"}},
		Dom0Only: true, Full: true, Later: true,
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return mapTarget(d.Hypercalls()) },
	})
}

func mapTarget(hc bench.Hypercalls) (bench.Loop, func(), error) {
	m, ok := hc.(bench.FrameMapper)
	if !ok {
		return nil, nil, fmt.Errorf("map frame: a process cannot: %w", errors.ErrUnsupported)
	}
	model, err := deviceModel(hc, scratchID)
	if err != nil {
		return nil, nil, err
	}
	u, err := setTarget(model)
	if err != nil {
		model.destroy()
		return nil, nil, err
	}
	cleanup := func() { model.destroy(); u.cleanup() }
	var frame uint64
	err = makeOnce(hc, []step{u.items[0].op, grantFrame(scratchID+1, &frame)})
	loop := func(n int64) error {
		for ; n > 0; n-- {
			_, unmap, err := m.MapFrame(model.id, abi.MFN(frame))
			if err != nil {
				return err
			}
			unmap()
		}
		return nil
	}
	if err == nil {
		err = loop(1)
	}
	if err != nil {
		cleanup()
	}
	return loop, cleanup, err
}

// grantFrame asks for the first frame of a domain's grant table.
func grantFrame(dom abi.DomID, frame *uint64) step {
	list := &abi.Block{Words: []abi.Word{abi.Variable(frame)}}
	return named("ask for the grant table's frame", abi.MemoryOp, abi.Command("XENMEM_acquire_resource", abi.Struct("xen_mem_acquire_resource",
		abi.Member("domid", abi.Number(uint64(dom))), abi.Member("type", abi.Constant("XENMEM_resource_grant_table")),
		abi.Member("nr_frames", abi.Number(1)), abi.Member("frame_list", abi.Address(list)))), 0)
}
