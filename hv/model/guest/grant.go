package guest

import (
	"encoding/binary"

	"xsmbench/abi"
)

// grantTable is the domain's table of the frames that it lets others use. It
// lies in frames of the hypervisor's that the kernel maps.
type grantTable struct {
	va    uint64
	pages map[abi.GrantRef]pfn // granted frames
}

// setUpGrants asks for the grant table and maps it (gnttab_init).
func (k *Kernel) setUpGrants() {
	op := abi.GnttabSetupTable{Dom: abi.DomSelf, NrFrames: abi.MaxGrantFrames, FrameList: make([]uint64, abi.MaxGrantFrames)}
	rc := k.cpu.Hypercall(abi.GrantTableOp, &abi.Args{R: [4]uint64{uint64(abi.GNTTABOPSetupTable)}, H: &op})
	k.must("grant table setup", rc)
	if op.Status != abi.GNTSTOkay {
		k.bug("grant table setup: status %d", op.Status)
	}
	first, err := k.window.reserve(len(op.FrameList))
	if err != nil {
		k.bug("grant table setup: %v", err)
	}
	for i, m := range op.FrameList {
		k.updateVAMapping(windowVA(first+i), abi.MkPte(abi.MFN(m), kernelRW), abi.UVMFNone)
	}
	k.grants = grantTable{va: windowVA(first), pages: map[abi.GrantRef]pfn{}}
}

// grant lets another domain use a frame, for reading and writing, by the
// lowest free reference, 0 if there is none (gnttab_grant_foreign_access). The
// entry's first word is written last and at once: it makes the entry valid.
func (k *Kernel) grant(dom abi.DomID, f pfn) abi.GrantRef {
	for ref := abi.GrantRef(abi.GnttabNrReserved); ref < abi.MaxGrantFrames*abi.GrantsPerFrame; ref++ {
		if k.grants.pages[ref] != 0 {
			continue
		}
		k.grants.pages[ref] = f
		entry := k.cpu.Page(k.grants.va+uint64(ref)*8, true, false)
		binary.LittleEndian.PutUint32(entry[4:], uint32(k.p2m[f]))
		word32(entry, 0).Store(uint32(dom)<<16 | abi.GTFPermitAccess)
		return ref
	}
	return 0
}

// ungrant takes a grant back and frees its frame, unless the other domain
// still uses it (gnttab_end_foreign_access).
func (k *Kernel) ungrant(ref abi.GrantRef) bool {
	f := k.grants.pages[ref]
	if f == 0 {
		return false
	}
	word := word32(k.cpu.Page(k.grants.va+uint64(ref)*8, true, false), 0)
	for {
		v := word.Load()
		if v&(abi.GTFReading|abi.GTFWriting) != 0 {
			return false
		}
		if word.CompareAndSwap(v, 0) {
			break
		}
	}
	delete(k.grants.pages, ref)
	k.mem.put(f)
	return true
}
