package kbench

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// packet is what grant_copy moves: an Ethernet frame, as netback does.
const packet = 1500

// registerGrants registers grant_table_op.
func registerGrants() {
	const source = "common/grant_table.c:"
	hypercall{
		op: "grant_query_size", doc: "query the size of the domain's grant table",
		source: source + "gnttab_query_size", hooks: crosses("grant_query_size"),
		ready: querySize,
	}.register()
	hypercall{
		op: "grant_setup_table", doc: "ask where the domain's grant table is; it has its size already",
		source: source + "gnttab_setup_table", hooks: crosses("grant_setup"), full: true,
		ready: setupTable,
	}.register()
	interval{
		op: "grant_transfer", doc: "transfer a page to a grant entry that accepts one; both are the domain's own",
		source: source + "gnttab_transfer", hooks: crosses("grant_transfer"),
		ready: transfer,
	}.register()
	hypercall{
		op: "grant_map_unmap", doc: "map a page that the peer granted and unmap it: two hypercalls",
		source: source + "gnttab_map_grant_ref", hooks: crosses("grant_mapref", "grant_unmapref"), peer: true,
		ready: mapAndUnmap,
	}.register()
	hypercall{
		op: "grant_copy", doc: fmt.Sprintf("copy %d bytes from a page that the peer granted", packet),
		source: source + "gnttab_copy", hooks: crosses("grant_copy"), peer: true,
		ready: grantCopy,
	}.register()
}

// grant makes grant_table_op's arguments for one operation.
func grant(cmd abi.GrantCmd, h any) *abi.Args {
	return &abi.Args{R: [4]uint64{uint64(cmd)}, H: h}
}

// okay checks the status that a grant operation leaves in its structure.
func okay(status *int16) func() error {
	return func() error {
		if *status != abi.GNTSTOkay {
			return fmt.Errorf("status %d", *status)
		}
		return nil
	}
}

func querySize(bench.Hypercalls) ([]step, func(), error) {
	q := &abi.GnttabQuerySize{Dom: abi.DomSelf}
	s := zero("query grant table size", abi.GrantTableOp, grant(abi.GNTTABOPQuerySize, q))
	s.after = okay(&q.Status)
	return []step{s}, nil, nil
}

func setupTable(bench.Hypercalls) ([]step, func(), error) {
	return []step{tableSetup(&abi.GnttabSetupTable{Dom: abi.DomSelf, NrFrames: abi.MaxGrantFrames, FrameList: make([]uint64, 0, abi.MaxGrantFrames)})}, nil, nil
}

func tableSetup(t *abi.GnttabSetupTable) step {
	s := zero("set up grant table", abi.GrantTableOp, grant(abi.GNTTABOPSetupTable, t))
	s.after = okay(&t.Status)
	return s
}

func peerAndScratch(hc bench.Hypercalls) (bench.Peer, bench.Scratch, error) {
	peer, err := hc.Peer()
	if err != nil {
		return peer, bench.Scratch{}, fmt.Errorf("find peer: %w", err)
	}
	scratch, err := hc.Scratch()
	if err != nil {
		return peer, scratch, fmt.Errorf("find scratch page: %w", err)
	}
	return peer, scratch, nil
}

func mapAndUnmap(hc bench.Hypercalls) ([]step, func(), error) {
	peer, scratch, err := peerAndScratch(hc)
	if err != nil {
		return nil, nil, err
	}
	m := &abi.GnttabMapGrantRef{HostAddr: scratch.FreeVA, Flags: abi.GNTMAPHostMap, Ref: peer.Grant, Dom: peer.Dom}
	u := &abi.GnttabUnmapGrantRef{HostAddr: scratch.FreeVA}
	mapping := zero("map grant", abi.GrantTableOp, grant(abi.GNTTABOPMapGrantRef, m))
	mapping.after = okay(&m.Status)
	unmapping := zero("unmap grant", abi.GrantTableOp, grant(abi.GNTTABOPUnmapGrantRef, u))
	unmapping.before = func() { u.Handle = m.Handle }
	unmapping.after = okay(&u.Status)
	return []step{mapping, unmapping}, nil, nil
}

func grantCopy(hc bench.Hypercalls) ([]step, func(), error) {
	peer, scratch, err := peerAndScratch(hc)
	if err != nil {
		return nil, nil, err
	}
	c := &abi.GnttabCopy{
		Source: abi.GnttabCopyPtr{UseRef: true, Ref: peer.Grant, Dom: peer.Dom},
		Dest:   abi.GnttabCopyPtr{GMFN: uint64(scratch.MFN), Dom: abi.DomSelf},
		Len:    packet,
	}
	s := zero("copy grant", abi.GrantTableOp, grant(abi.GNTTABOPCopy, c))
	s.after = okay(&c.Status)
	return []step{s}, nil, nil
}
