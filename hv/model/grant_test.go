package model

import (
	"bytes"
	"sync/atomic"
	"testing"

	"xsmbench/abi"
)

// grantOp makes a grant operation and fails the test unless it has the status.
func grantOp(t *testing.T, v *VCPU, cmd abi.GrantCmd, op any, want int16) {
	t.Helper()
	a := abi.Args{R: [4]uint64{uint64(cmd)}, H: op}
	if rc := v.call(abi.GrantTableOp, &a); rc != 0 {
		t.Fatalf("grant command %d: %d", cmd, rc)
	}
	if got := statusOf(op); got != want {
		t.Errorf("grant command %d %+v: status %d, want %d", cmd, op, got, want)
	}
}

// offer writes an entry of the PV domain's table.
func (w *world) offer(ref abi.GrantRef, to abi.DomID, flags uint16, mfn abi.MFN) *sharedGrant {
	e := w.pv.grant.entry(w.m, ref)
	atomic.StoreUint32(&e.frame, uint32(mfn))
	atomic.StoreUint32(&e.flagsDom, uint32(to)<<16|uint32(flags))
	return e
}

func (e *sharedGrant) inUse() uint32 {
	flags, _ := e.load()
	return flags & (abi.GTFReading | abi.GTFWriting)
}

// TestGrantPins maps an entry several times and follows flags, pins and the
// frame's references.
func TestGrantPins(t *testing.T) {
	w := newWorld(t)
	mfn := w.pvFrames[5]
	e := w.offer(9, 0, abi.GTFPermitAccess, mfn)
	count := func() uint64 { return w.m.frames[mfn].countInfo.Load() & pgcCountMask }
	before := count()

	read := abi.GnttabMapGrantRef{Dom: idPV, Ref: 9, Flags: abi.GNTMAPDeviceMap | abi.GNTMAPReadonly}
	grantOp(t, w.dom0, abi.GNTTABOPMapGrantRef, &read, abi.GNTSTOkay)
	if e.inUse() != abi.GTFReading {
		t.Errorf("flags in use %#x after a read-only mapping", e.inUse())
	}
	if read.DevBusAddr != uint64(mfn)<<abi.PageShift {
		t.Errorf("bus address %#x", read.DevBusAddr)
	}
	write := abi.GnttabMapGrantRef{Dom: idPV, Ref: 9, Flags: abi.GNTMAPDeviceMap}
	grantOp(t, w.dom0, abi.GNTTABOPMapGrantRef, &write, abi.GNTSTOkay)
	if e.inUse() != abi.GTFReading|abi.GTFWriting {
		t.Errorf("flags in use %#x after a writable mapping", e.inUse())
	}
	if count() != before+2 {
		t.Errorf("%d references, want %d", count(), before+2)
	}
	if typ := w.m.frames[mfn].typeInfo.Load(); typ&pgtTypeMask != pgtWritable || typ&pgtCountMask == 0 {
		t.Errorf("type %#x: a writable mapping must keep the frame writable", typ)
	}
	// The frame is fixed while it is in use, whatever the guest writes.
	atomic.StoreUint32(&e.frame, uint32(w.pvFrames[7]))
	second := abi.GnttabMapGrantRef{Dom: idPV, Ref: 9, Flags: abi.GNTMAPDeviceMap | abi.GNTMAPReadonly}
	grantOp(t, w.dom0, abi.GNTTABOPMapGrantRef, &second, abi.GNTSTOkay)
	if second.DevBusAddr != read.DevBusAddr {
		t.Error("the granting domain changed the frame under a mapping")
	}

	grantOp(t, w.dom0, abi.GNTTABOPUnmapGrantRef, &abi.GnttabUnmapGrantRef{Handle: write.Handle, DevBusAddr: 1 << abi.PageShift}, abi.GNTSTGeneralError)
	for _, m := range []*abi.GnttabMapGrantRef{&write, &read, &second} {
		grantOp(t, w.dom0, abi.GNTTABOPUnmapGrantRef, &abi.GnttabUnmapGrantRef{Handle: m.Handle, DevBusAddr: m.DevBusAddr}, abi.GNTSTOkay)
		if m == &write && e.inUse() != abi.GTFReading {
			t.Errorf("flags in use %#x after the writer left", e.inUse())
		}
	}
	if e.inUse() != 0 || count() != before || w.pv.grant.active[9].pin != 0 {
		t.Errorf("after all left: flags %#x, %d references, pins %#x", e.inUse(), count(), w.pv.grant.active[9].pin)
	}
	grantOp(t, w.dom0, abi.GNTTABOPUnmapGrantRef, &abi.GnttabUnmapGrantRef{Handle: read.Handle, DevBusAddr: 1}, abi.GNTSTBadHandle)
}

// TestGrantRefused tries entries that do not grant what is asked.
func TestGrantRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		to    abi.DomID
		flags uint16
		ask   uint32
	}{
		{"invalid", 0, abi.GTFInvalid, abi.GNTMAPDeviceMap},
		{"another's", idDomU, abi.GTFPermitAccess, abi.GNTMAPDeviceMap},
		{"for a transfer", 0, abi.GTFAcceptTransfer, abi.GNTMAPDeviceMap},
		{"read-only", 0, abi.GTFPermitAccess | abi.GTFReadonly, abi.GNTMAPDeviceMap},
	} {
		w := newWorld(t)
		e := w.offer(9, c.to, c.flags, w.pvFrames[5])
		grantOp(t, w.dom0, abi.GNTTABOPMapGrantRef, &abi.GnttabMapGrantRef{Dom: idPV, Ref: 9, Flags: c.ask}, abi.GNTSTGeneralError)
		if e.inUse() != 0 || w.pv.grant.active[9].pin != 0 {
			t.Errorf("%s: refused, but in use", c.name)
		}
	}
	// A frame that is not the granting domain's.
	w := newWorld(t)
	e := w.offer(9, 0, abi.GTFPermitAccess, w.domUFrames[0])
	grantOp(t, w.dom0, abi.GNTTABOPMapGrantRef, &abi.GnttabMapGrantRef{Dom: idPV, Ref: 9, Flags: abi.GNTMAPDeviceMap}, abi.GNTSTGeneralError)
	if e.inUse() != 0 || w.pv.grant.active[9].pin != 0 {
		t.Error("another's frame: refused, but in use")
	}
	if len(w.dom0.dom.grant.free) != 1 {
		t.Error("a refused mapping keeps its handle")
	}
}

func TestGrantCopy(t *testing.T) {
	w := newWorld(t)
	src, dst := w.pvFrames[5], w.domUFrames[4]
	copy(w.m.frame(src)[100:], "granted data")
	e := w.offer(9, idDomU, abi.GTFPermitAccess|abi.GTFReadonly, src)
	op := abi.GnttabCopy{
		Source: abi.GnttabCopyPtr{UseRef: true, Dom: idPV, Ref: 9, Offset: 100},
		Dest:   abi.GnttabCopyPtr{Dom: abi.DomSelf, GMFN: uint64(dst), Offset: 4000}, Len: 12,
	}
	grantOp(t, w.domU, abi.GNTTABOPCopy, &op, abi.GNTSTOkay)
	if got := w.m.frame(dst)[4000:4012]; !bytes.Equal(got, []byte("granted data")) {
		t.Errorf("copied %q", got)
	}
	if e.inUse() != 0 || w.pv.grant.active[9].pin != 0 {
		t.Error("still in use after the copy")
	}
	back := abi.GnttabCopy{Source: op.Dest, Dest: op.Source, Len: 12}
	grantOp(t, w.domU, abi.GNTTABOPCopy, &back, abi.GNTSTGeneralError) // it is read-only
	w.offer(9, idDomU, abi.GTFPermitAccess, src)
	copy(w.m.frame(dst)[4000:], "and returned")
	grantOp(t, w.domU, abi.GNTTABOPCopy, &back, abi.GNTSTOkay)
	if got := w.m.frame(src)[100:112]; !bytes.Equal(got, []byte("and returned")) {
		t.Errorf("copied back %q", got)
	}
	// Batches report each operation by itself.
	list := abi.GnttabCopyList{Ops: []abi.GnttabCopy{op, {Len: 5000}, op}}
	list.Ops[2].Source.Dom = idNone
	a := abi.Args{R: [4]uint64{uint64(abi.GNTTABOPCopy)}, H: &list}
	if rc := w.domU.call(abi.GrantTableOp, &a); rc != 0 {
		t.Errorf("batch: %d", rc)
	}
	for i, want := range []int16{abi.GNTSTOkay, abi.GNTSTBadCopyArg, abi.GNTSTBadDomain} {
		if got := list.Ops[i].Status; got != want {
			t.Errorf("operation %d of the batch: status %d, want %d", i, got, want)
		}
	}
}

func TestGrantTransfer(t *testing.T) {
	w := newWorld(t)
	mfn := w.domUFrames[4]
	copy(w.m.frame(mfn), "a page's content")
	e := w.offer(9, idDomU, abi.GTFAcceptTransfer, 14)
	given, taken := w.domU.dom.totPages, w.pv.totPages
	grantOp(t, w.domU, abi.GNTTABOPTransfer, &abi.GnttabTransfer{MFN: mfn, Dom: idPV, Ref: 9}, abi.GNTSTOkay)
	if w.m.frames[mfn].owner() != w.pv {
		t.Error("the frame has not changed hands")
	}
	if w.domU.dom.totPages != given-1 || w.pv.totPages != taken+1 {
		t.Errorf("frames: giver %d of %d, taker %d of %d", w.domU.dom.totPages, given, w.pv.totPages, taken)
	}
	flags, _ := e.load()
	if flags != abi.GTFAcceptTransfer|abi.GTFTransferCommitted|abi.GTFTransferCompleted || abi.MFN(e.frame) != mfn {
		t.Errorf("entry: flags %#x, frame %#x", flags, e.frame)
	}
	if w.m.gpfn(mfn) != 14 {
		t.Errorf("it lies at PFN %d, want 14", w.m.gpfn(mfn))
	}
	// An entry serves once; what is refused after it was taken is lost.
	lost := w.domUFrames[6]
	free := w.m.heap.available()
	grantOp(t, w.domU, abi.GNTTABOPTransfer, &abi.GnttabTransfer{MFN: lost, Dom: idPV, Ref: 9}, abi.GNTSTGeneralError)
	if w.m.frames[lost].owner() != nil || w.m.heap.available() != free+1 {
		t.Error("a frame that was taken and refused did not go back to the heap")
	}
	// A domain at its maximum takes none.
	w.pv.maxPages = w.pv.totPages
	w.offer(10, idDomU, abi.GTFAcceptTransfer, 15)
	grantOp(t, w.domU, abi.GNTTABOPTransfer, &abi.GnttabTransfer{MFN: w.domUFrames[7], Dom: idPV, Ref: 10}, abi.GNTSTGeneralError)
}

func TestGrantTableGrows(t *testing.T) {
	w := newWorld(t)
	setup := abi.GnttabSetupTable{Dom: abi.DomSelf, NrFrames: abi.MaxGrantFrames}
	grantOp(t, w.domU, abi.GNTTABOPSetupTable, &setup, abi.GNTSTOkay)
	if len(setup.FrameList) != abi.MaxGrantFrames {
		t.Fatalf("%d frames", len(setup.FrameList))
	}
	for _, f := range setup.FrameList {
		if w.m.frames[f].owner() != w.domU.dom {
			t.Errorf("frame %#x of the table is not shared with the domain", f)
		}
	}
	size := abi.GnttabQuerySize{Dom: abi.DomSelf}
	grantOp(t, w.domU, abi.GNTTABOPQuerySize, &size, abi.GNTSTOkay)
	if size.NrFrames != abi.MaxGrantFrames || size.MaxNrFrames != abi.MaxGrantFrames {
		t.Errorf("size %+v", size)
	}
	last := abi.GrantRef(abi.MaxGrantFrames*abi.GrantsPerFrame - 1)
	w.domU.dom.grant.entry(w.m, last) // within the frames
}

// TestGrantsOfTheDead destroys a domain that has mapped another's frames, and
// one whose frames are mapped.
func TestGrantsOfTheDead(t *testing.T) {
	w := newWorld(t)
	free := w.m.heap.available()
	w.offer(9, idDomU, abi.GTFPermitAccess, w.pvFrames[5])
	op := abi.GnttabMapGrantRef{Dom: idPV, Ref: 9, Flags: abi.GNTMAPDeviceMap}
	grantOp(t, w.domU, abi.GNTTABOPMapGrantRef, &op, abi.GNTSTOkay)
	destroy := func(id abi.DomID) {
		a := abi.Args{H: &abi.Domctl{Cmd: abi.DomctlDestroyDomain, Interface: abi.DomctlInterfaceVersion, DomID: id}}
		if rc := w.dom0.call(abi.DomctlOp, &a); rc != 0 {
			t.Fatalf("destroy domain %d: %d", id, rc)
		}
	}
	destroy(idDomU)
	if w.pv.grant.active[9].pin != 0 || w.m.domainByID(idDomU) != nil {
		t.Error("a dead domain's mapping is still in force")
	}
	w.offer(9, 0, abi.GTFPermitAccess, w.pvFrames[5])
	op = abi.GnttabMapGrantRef{Dom: idPV, Ref: 9, Flags: abi.GNTMAPDeviceMap}
	grantOp(t, w.dom0, abi.GNTTABOPMapGrantRef, &op, abi.GNTSTOkay)
	destroy(idPV)
	if w.m.domainByID(idPV) == nil {
		t.Fatal("the domain is gone while its frame is mapped")
	}
	if w.m.frames[w.pvFrames[5]].owner() != w.pv {
		t.Error("a mapped frame has lost its owner")
	}
	grantOp(t, w.dom0, abi.GNTTABOPUnmapGrantRef, &abi.GnttabUnmapGrantRef{Handle: op.Handle, DevBusAddr: op.DevBusAddr}, abi.GNTSTOkay)
	if w.m.domainByID(idPV) != nil {
		t.Error("the domain outlives the last mapping of its frames")
	}
	// Two domains of 16 frames, their shared page and grant table each.
	if got := w.m.heap.available(); got != free+2*18 {
		t.Errorf("%d frames came back, want %d", got-free, 2*18)
	}
}
