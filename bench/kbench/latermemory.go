package kbench

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// registerLaterMemory registers memory_op's later commands.
func registerLaterMemory() {
	const source = "common/memory.c:do_memory_op"
	for _, l := range []later{
		{
			op: "memory_get_vnumainfo", doc: "ask for the domain's virtual NUMA, of which it has none", source: source, hook: "get_vnumainfo",
			args:   abi.Command("XENMEM_get_vnumainfo", abi.Struct("xen_vnuma_topology_info", abi.Member("domid", abi.Number(uint64(abi.DomSelf))))),
			result: unavailable,
		},
	} {
		l.call = abi.MemoryOp
		l.register()
	}
	onDomain{
		op: "memory_claim_pages", doc: "claim memory for a domain that does not have it yet", source: source, hooks: crosses("claim_pages"), later: true,
		domain: newGuest, steps: claim,
	}.register()
	hypercall{
		op: "memory_acquire_resource", doc: "ask how large the other domain's grant table may become, as a resource that can be mapped",
		source: "common/memory.c:acquire_resource", hooks: crosses("domain_resource_map"), dom0: true, full: true, later: true, peer: true,
		ready: func(hc bench.Hypercalls) ([]step, func(), error) {
			peer, err := hc.Peer()
			if err != nil {
				return nil, nil, fmt.Errorf("find peer: %w", err)
			}
			ask := abi.Command("XENMEM_acquire_resource", abi.Struct("xen_mem_acquire_resource",
				abi.Member("domid", abi.Number(uint64(peer.Dom))), abi.Member("type", abi.Constant("XENMEM_resource_grant_table"))))
			return []step{named("ask for resource", abi.MemoryOp, ask, 0)}, nil, nil
		},
	}.register()
	interval{
		op: "memory_exchange", doc: "exchange a page for another", source: "common/memory.c:memory_exchange",
		hooks: crosses("memory_exchange"), later: true, ready: exchange,
	}.register()
}

// exchange exchanges a page that nothing uses, and returns at the end what the
// last exchange gave.
func exchange(hc bench.Hypercalls) (undone, error) {
	page, err := extraPage(hc)
	if err != nil {
		return undone{}, err
	}
	mine := uint64(page)
	in, out := &abi.Block{Words: []abi.Word{abi.Variable(&mine)}}, &abi.Block{Words: []abi.Word{abi.Variable(&mine)}}
	one, self := abi.Number(1), abi.Number(uint64(abi.DomSelf))
	swap := abi.Command("XENMEM_exchange", abi.Struct("xen_memory_exchange",
		abi.Member("in.extent_start", abi.Address(in)), abi.Member("in.nr_extents", one), abi.Member("in.domid", self),
		abi.Member("out.extent_start", abi.Address(out)), abi.Member("out.nr_extents", one), abi.Member("out.domid", self)))
	u := reading(named("exchange page", abi.MemoryOp, swap, 0))
	u.cleanup = func() { undo(hc, giveBack(abi.MFN(mine)))() }
	return u, nil
}

// claim claims twice as much as the domain has, and then nothing.
func claim(d *scratchDomain) (undone, error) {
	set := func(pages uint64) step {
		return named("claim", abi.MemoryOp, abi.Command("XENMEM_claim_pages", abi.Struct("xen_memory_reservation",
			abi.Member("domid", abi.Number(uint64(d.id))), abi.Member("nr_extents", abi.Number(pages)))), 0)
	}
	return undone{items: single(set(2*scratchFrames), set(0))}, nil
}
