package kbench

import (
	"encoding/binary"
	"errors"
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// Entries that accept pages: the last of the table, where no kernel has come that
// gives out the lowest free one.
const (
	transfers                = 8 // in turn
	transferRef abi.GrantRef = abi.MaxGrantFrames*abi.GrantsPerFrame - transfers
)

// transfer transfers pages of the domain's to the domain itself, so that the
// pages that are gone are there again for the next time.
func transfer(hc bench.Hypercalls) (undone, error) {
	entries, unmap, err := ownEntries(hc, transferRef)
	if err != nil {
		return undone{}, err
	}
	var pages []step
	u := undone{
		ready: func() {
			for i := range transfers {
				setEntry(entries, i, uint32(hc.DomID())<<16|abi.GTFAcceptTransfer)
			}
		},
		cleanup: func() {
			for i := range transfers {
				setEntry(entries, i, 0)
			}
			unmap()
			undo(hc, pages...)()
		},
	}
	for i := range abi.GrantRef(transfers) {
		page, err := extraPage(hc)
		if err != nil {
			u.cleanup()
			return u, err
		}
		pages = append(pages, giveBack(page))
		t := &abi.GnttabTransfer{MFN: page, Dom: hc.DomID(), Ref: transferRef + i}
		s := zero("transfer page", abi.GrantTableOp, grant(abi.GNTTABOPTransfer, t))
		s.after = okay(&t.Status)
		u.items = append(u.items, item{op: s})
	}
	return u, nil
}

// setEntry writes flags and domain of an entry, and frame 0.
func setEntry(entries []byte, i int, flagsAndDomain uint32) {
	binary.LittleEndian.PutUint32(entries[8*i+4:], 0)
	binary.LittleEndian.PutUint32(entries[8*i:], flagsAndDomain)
}

// ownEntries maps the domain's grant table from an entry to the end of its frame.
func ownEntries(hc bench.Hypercalls, ref abi.GrantRef) (entries []byte, unmap func(), err error) {
	m, ok := hc.(bench.FrameMapper)
	if !ok {
		return nil, nil, fmt.Errorf("map grant table: a process cannot: %w", errors.ErrUnsupported)
	}
	t := &abi.GnttabSetupTable{Dom: abi.DomSelf, NrFrames: abi.MaxGrantFrames}
	if err := makeOnce(hc, []step{tableSetup(t)}); err != nil {
		return nil, nil, err
	}
	i := int(ref) / abi.GrantsPerFrame
	if i >= len(t.FrameList) {
		return nil, nil, fmt.Errorf("map grant table: it has %d frames, and entry %d is in frame %d", len(t.FrameList), ref, i)
	}
	page, unmap, err := m.MapFrame(abi.DomSelf, abi.MFN(t.FrameList[i]))
	if err != nil {
		return nil, nil, fmt.Errorf("map grant table: %w", err)
	}
	return page[int(ref)%abi.GrantsPerFrame*8:], unmap, nil
}

// extraPage gets a page that nothing maps from the hypervisor.
func extraPage(hc bench.Hypercalls) (abi.MFN, error) {
	r := &abi.MemoryReservation{ExtentStart: make([]uint64, 1), DomID: abi.DomSelf}
	steps := []step{one("get a page", abi.MemoryOp, memory(abi.XENMEMIncreaseReservation, r))}
	if err := makeOnce(hc, steps); err != nil {
		return 0, err
	}
	return abi.MFN(r.ExtentStart[0]), nil
}

// giveBack returns a page to the hypervisor.
func giveBack(page abi.MFN) step {
	r := &abi.MemoryReservation{ExtentStart: []uint64{uint64(page)}, DomID: abi.DomSelf}
	return one("give a page back", abi.MemoryOp, memory(abi.XENMEMDecreaseReservation, r))
}
