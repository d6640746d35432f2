package model

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// Grant tables (common/grant_table.c). A domain writes entries into its shared
// table, which lies in frames that the hypervisor shares with it, to let
// another domain map, copy or hand over a frame. What is in use is counted in
// the active entry of the same number, which the guest cannot reach, and told
// to the guest by flags in the shared one; who has mapped what is in the
// mapping domain's maptrack table.

const (
	initialGrantFrames = 1
	maxGrantOps        = 512 // in one hypercall
	maxMaptrack        = 4096
)

// Pins of an active entry: four counters of a byte each (GNTPIN_*).
const (
	pinDevRead   = 1 << 0
	pinDevWrite  = 1 << 8
	pinHostRead  = 1 << 16
	pinHostWrite = 1 << 24

	pinWriteMask    = 0xff<<8 | 0xff<<24
	pinOverflowMask = 0x80808080
)

// activeGrant is what Xen knows of an entry in use (struct active_grant_entry).
type activeGrant struct {
	pin   uint32
	domID abi.DomID
	frame abi.MFN
}

// maptrack is a mapping that a domain has made (struct grant_mapping). Flags
// are those of the mapping still in force, 0 for a free entry.
type maptrack struct {
	domID abi.DomID
	flags uint32
	ref   abi.GrantRef
}

// grantTable is a domain's table (struct grant_table).
type grantTable struct {
	mu     sync.Mutex
	shared []abi.MFN // frames of the shared table
	active []activeGrant

	maptrackLock sync.Mutex
	maptrack     []maptrack
	free         []abi.GrantHandle // entries of maptrack
}

// sharedGrant is an entry of a shared table in machine memory. The guest reads
// and writes it at any time: its halves are changed whole.
type sharedGrant struct {
	flagsDom uint32 // flags in the low half, domain in the high one
	frame    uint32
}

// entry returns an entry of the shared table; the reference is within it.
func (t *grantTable) entry(m *Machine, ref abi.GrantRef) *sharedGrant {
	mfn := t.shared[ref/abi.GrantsPerFrame]
	at := uintptr(mfn)<<abi.PageShift + uintptr(ref%abi.GrantsPerFrame)*unsafe.Sizeof(sharedGrant{})
	return (*sharedGrant)(unsafe.Pointer(&m.mem[at]))
}

// load returns flags and domain.
func (e *sharedGrant) load() (flags uint32, dom abi.DomID) {
	w := atomic.LoadUint32(&e.flagsDom)
	return w & 0xffff, abi.DomID(w >> 16)
}

// replace changes the flags if they and the domain are still what was read.
func (e *sharedGrant) replace(flags uint32, dom abi.DomID, to uint32) bool {
	high := uint32(dom) << 16
	return atomic.CompareAndSwapUint32(&e.flagsDom, high|flags, high|to)
}

func (e *sharedGrant) clearFlag(flag uint32) { atomic.AndUint32(&e.flagsDom, ^flag) }
func (e *sharedGrant) setFlag(flag uint32)   { atomic.OrUint32(&e.flagsDom, flag) }

// grantTableCreate gives a new domain its first frame of shared table
// (grant_table_create).
func (m *Machine) grantTableCreate(d *Domain) bool {
	return d.grant.grow(m, d, initialGrantFrames)
}

// grow makes the shared table some frames long (gnttab_grow_table). The table
// is locked or not yet in use.
func (t *grantTable) grow(m *Machine, d *Domain, frames int) bool {
	for len(t.shared) < frames {
		mfn, ok := m.allocXenheapPage()
		if !ok {
			return false
		}
		m.shareXenPageWithGuest(mfn, d, false)
		t.shared = append(t.shared, mfn)
		t.active = append(t.active, make([]activeGrant, abi.GrantsPerFrame)...)
	}
	return true
}

// grantTableDestroy frees the shared table of a domain that nobody refers to.
func (m *Machine) grantTableDestroy(d *Domain) {
	t := &d.grant
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, mfn := range t.shared {
		m.endXenPage(mfn)
	}
	t.shared, t.active = nil, nil
}

// grantFrame is a frame of the shared table for add_to_physmap, grown to it if
// it can be; 0 if it cannot.
func (m *Machine) grantFrame(d *Domain, idx uint64) abi.MFN {
	t := &d.grant
	t.mu.Lock()
	defer t.mu.Unlock()
	if idx >= abi.MaxGrantFrames || !t.grow(m, d, int(idx)+1) {
		return 0
	}
	return t.shared[idx]
}

// track takes a free maptrack entry (get_maptrack_handle).
func (t *grantTable) track() (abi.GrantHandle, bool) {
	t.maptrackLock.Lock()
	defer t.maptrackLock.Unlock()
	if n := len(t.free); n > 0 {
		h := t.free[n-1]
		t.free = t.free[:n-1]
		return h, true
	}
	if len(t.maptrack) == maxMaptrack {
		return 0, false
	}
	if t.maptrack == nil {
		t.maptrack = make([]maptrack, 0, maxMaptrack)
	}
	t.maptrack = append(t.maptrack, maptrack{})
	return abi.GrantHandle(len(t.maptrack) - 1), true
}

// untrack frees a maptrack entry.
func (t *grantTable) untrack(h abi.GrantHandle) {
	t.maptrackLock.Lock()
	defer t.maptrackLock.Unlock()
	t.maptrack[h].flags = 0
	t.free = append(t.free, h)
}

// tracked returns a mapping in force, nil if the handle names none. Only the
// domain's own operations, which its bigLock keeps apart, change it.
func (t *grantTable) tracked(h abi.GrantHandle) *maptrack {
	t.maptrackLock.Lock()
	defer t.maptrackLock.Unlock()
	if uint64(h) >= uint64(len(t.maptrack)) || t.maptrack[h].flags == 0 {
		return nil
	}
	return &t.maptrack[h]
}

// doGrantTableOp is grant_table_op: R[0] is the command. The calling domain's
// bigLock is held, as Xen's is. Results stand in the operations' status.
func doGrantTableOp(m *Machine, v *VCPU, a *abi.Args) int64 {
	d := v.dom
	switch abi.GrantCmd(a.R[0]) {
	case abi.GNTTABOPMapGrantRef:
		switch op := a.H.(type) {
		case *abi.GnttabMapGrantRef:
			return m.grantBatch(d, op != nil, 1, func(int) { m.grantMap(v, op) })
		case *abi.GnttabMapList:
			return m.grantBatch(d, op != nil, len(op.Ops), func(i int) { m.grantMap(v, &op.Ops[i]) })
		}
	case abi.GNTTABOPUnmapGrantRef:
		defer m.flushDomainTLB(d)
		switch op := a.H.(type) {
		case *abi.GnttabUnmapGrantRef:
			return m.grantBatch(d, op != nil, 1, func(int) { m.grantUnmap(v, op) })
		case *abi.GnttabUnmapList:
			return m.grantBatch(d, op != nil, len(op.Ops), func(i int) { m.grantUnmap(v, &op.Ops[i]) })
		}
	case abi.GNTTABOPUnmapReplace:
		defer m.flushDomainTLB(d)
		switch op := a.H.(type) {
		case *abi.GnttabUnmapReplace:
			return m.grantBatch(d, op != nil, 1, func(int) { m.grantReplace(v, op) })
		case *abi.GnttabReplaceList:
			return m.grantBatch(d, op != nil, len(op.Ops), func(i int) { m.grantReplace(v, &op.Ops[i]) })
		}
	case abi.GNTTABOPSetupTable:
		if op, _ := a.H.(*abi.GnttabSetupTable); op != nil {
			return m.grantBatch(d, true, 1, func(int) { m.grantSetup(v, op) })
		}
	case abi.GNTTABOPQuerySize:
		if op, _ := a.H.(*abi.GnttabQuerySize); op != nil {
			return m.grantBatch(d, true, 1, func(int) { m.grantQuerySize(v, op) })
		}
	case abi.GNTTABOPTransfer:
		switch op := a.H.(type) {
		case *abi.GnttabTransfer:
			return m.grantBatch(d, op != nil, 1, func(int) { m.grantTransfer(v, op) })
		case *abi.GnttabTransferList:
			return m.grantBatch(d, op != nil, len(op.Ops), func(i int) { m.grantTransfer(v, &op.Ops[i]) })
		}
	case abi.GNTTABOPCopy:
		switch op := a.H.(type) {
		case *abi.GnttabCopy:
			return m.grantBatch(d, op != nil, 1, func(int) { m.grantCopy(v, op) })
		case *abi.GnttabCopyList:
			return m.grantBatch(d, op != nil, len(op.Ops), func(i int) { m.grantCopy(v, &op.Ops[i]) })
		}
	default:
		return enosys
	}
	return efault
}

// grantBatch does the operations of a hypercall under the domain's bigLock.
func (m *Machine) grantBatch(d *Domain, ok bool, n int, do func(int)) int64 {
	if !ok {
		return efault
	}
	if n > maxGrantOps {
		return einval
	}
	d.bigLock.Lock()
	defer d.bigLock.Unlock()
	for i := range n {
		do(i)
	}
	return 0
}

// pinGrant counts a use of an entry of rd's by the domain user, and marks the
// shared entry as read or written. The table is locked. inc is what to count.
func (m *Machine) pinGrant(rd *Domain, ref abi.GrantRef, user abi.DomID, readonly bool, inc uint32) (*activeGrant, int16) {
	t := &rd.grant
	if uint64(ref) >= uint64(len(t.active)) {
		return nil, abi.GNTSTBadGntref
	}
	act, sha := &t.active[ref], t.entry(m, ref)
	if act.pin != 0 && (act.domID != user || act.pin&pinOverflowMask != 0) {
		return nil, abi.GNTSTGeneralError
	}
	if act.pin == 0 || (!readonly && act.pin&pinWriteMask == 0) {
		if !sha.claim(user, readonly) {
			return nil, abi.GNTSTGeneralError
		}
		if act.pin == 0 {
			act.domID = user
			act.frame = m.gmfnToMFN(rd, uint64(atomic.LoadUint32(&sha.frame)))
		}
	}
	act.pin += inc
	return act, abi.GNTSTOkay
}

// claimRetries is how often a guest may change an entry under Xen's hands.
const claimRetries = 5

// claim marks a shared entry as in use for reading, and writing, if it grants
// the domain that.
func (e *sharedGrant) claim(user abi.DomID, readonly bool) bool {
	for range claimRetries {
		flags, dom := e.load()
		if flags&abi.GTFTypeMask != abi.GTFPermitAccess || dom != user {
			return false
		}
		to := flags | abi.GTFReading
		if !readonly {
			if flags&abi.GTFReadonly != 0 {
				return false
			}
			to |= abi.GTFWriting
		}
		if e.replace(flags, dom, to) {
			return true
		}
	}
	return false
}

// unpinGrant undoes pinGrant; the table is locked.
func (m *Machine) unpinGrant(rd *Domain, ref abi.GrantRef, readonly bool, inc uint32) {
	act, sha := &rd.grant.active[ref], rd.grant.entry(m, ref)
	act.pin -= inc
	if !readonly && act.pin&pinWriteMask == 0 {
		sha.clearFlag(abi.GTFWriting)
	}
	if act.pin == 0 {
		sha.clearFlag(abi.GTFReading)
	}
}

// mapPins is what a mapping counts: one for the processor's page tables, one
// for devices.
func mapPins(flags uint32) (inc uint32) {
	readonly := flags&abi.GNTMAPReadonly != 0
	if flags&abi.GNTMAPDeviceMap != 0 {
		inc += pick(readonly, pinDevRead, pinDevWrite)
	}
	if flags&abi.GNTMAPHostMap != 0 {
		inc += pick(readonly, pinHostRead, pinHostWrite)
	}
	return inc
}

func pick(first bool, a, b uint32) uint32 {
	if first {
		return a
	}
	return b
}

// holdGranted takes the reference to a granted frame that a use of it needs,
// dropGranted gives it back.
func (m *Machine) holdGranted(mfn abi.MFN, rd *Domain, readonly bool) bool {
	if readonly {
		return m.getPage(mfn, rd)
	}
	return m.getPageAndType(mfn, rd, pgtWritable)
}

func (m *Machine) dropGranted(mfn abi.MFN, readonly bool) {
	if readonly {
		m.putPage(mfn)
	} else {
		m.putPageAndType(mfn)
	}
}

// grantMap maps an entry of another domain's (__gnttab_map_grant_ref).
func (m *Machine) grantMap(v *VCPU, op *abi.GnttabMapGrantRef) {
	ld := v.dom
	if op.Flags&(abi.GNTMAPDeviceMap|abi.GNTMAPHostMap) == 0 {
		op.Status = abi.GNTSTBadGntref
		return
	}
	rd := m.getDomain(op.Dom)
	if rd == nil {
		op.Status = abi.GNTSTBadDomain
		return
	}
	defer rd.put()
	if xsm.GrantMapref(&v.VCPU, &ld.Domain, &rd.Domain, op.Flags) != 0 {
		op.Status = abi.GNTSTPermissionDenied
		return
	}
	handle, ok := ld.grant.track()
	if !ok {
		op.Status = abi.GNTSTNoDeviceSpace
		return
	}
	readonly, inc := op.Flags&abi.GNTMAPReadonly != 0, mapPins(op.Flags)
	rd.grant.mu.Lock()
	act, status := m.pinGrant(rd, op.Ref, ld.ID, readonly, inc)
	var frame abi.MFN
	if act != nil {
		frame = act.frame
	}
	rd.grant.mu.Unlock()
	if status == abi.GNTSTOkay {
		if status = m.mapGranted(v, rd, frame, op); status != abi.GNTSTOkay {
			rd.grant.mu.Lock()
			m.unpinGrant(rd, op.Ref, readonly, inc)
			rd.grant.mu.Unlock()
		}
	}
	op.Status = status
	if status != abi.GNTSTOkay {
		ld.grant.untrack(handle)
		return
	}
	ld.grant.maptrackLock.Lock()
	ld.grant.maptrack[handle] = maptrack{op.Dom, op.Flags, op.Ref}
	ld.grant.maptrackLock.Unlock()
	op.Handle = handle
	op.DevBusAddr = uint64(frame) << abi.PageShift
}

// mapGranted takes the references for a pinned entry's frame and maps it.
func (m *Machine) mapGranted(v *VCPU, rd *Domain, frame abi.MFN, op *abi.GnttabMapGrantRef) int16 {
	readonly := op.Flags&abi.GNTMAPReadonly != 0
	if !m.holdGranted(frame, rd, readonly) {
		return abi.GNTSTGeneralError
	}
	if op.Flags&abi.GNTMAPHostMap == 0 {
		return abi.GNTSTOkay
	}
	if status := m.createGrantHostMapping(v, op.HostAddr, frame, op.Flags); status != abi.GNTSTOkay {
		m.dropGranted(frame, readonly)
		return status
	}
	if op.Flags&abi.GNTMAPDeviceMap != 0 {
		m.holdGranted(frame, rd, readonly) // a second use; it holds already
	}
	return abi.GNTSTOkay
}

// grantUnmap ends the parts of a mapping that the operation names.
func (m *Machine) grantUnmap(v *VCPU, op *abi.GnttabUnmapGrantRef) {
	op.Status = m.unmapCommon(v, op.Handle, op.HostAddr, op.DevBusAddr, 0)
}

// grantReplace ends a mapping and moves another into its place.
func (m *Machine) grantReplace(v *VCPU, op *abi.GnttabUnmapReplace) {
	op.Status = m.unmapCommon(v, op.Handle, op.HostAddr, 0, op.NewAddr)
}

// unmapCommon is __gnttab_unmap_common.
func (m *Machine) unmapCommon(v *VCPU, handle abi.GrantHandle, hostAddr, devAddr, newAddr uint64) int16 {
	ld := v.dom
	track := ld.grant.tracked(handle)
	if track == nil {
		return abi.GNTSTBadHandle
	}
	rd := m.getDomain(track.domID)
	if rd == nil {
		// The granter is gone, which mappings of its frames should have
		// kept from happening.
		ld.crash("unmap grant: the granting domain does not exist")
		return abi.GNTSTBadDomain
	}
	defer rd.put() // after the lock: the frame may be the last thing it has
	if xsm.GrantUnmapref(&v.VCPU, &ld.Domain, &rd.Domain) != 0 {
		return abi.GNTSTPermissionDenied
	}
	readonly := track.flags&abi.GNTMAPReadonly != 0
	rd.grant.mu.Lock()
	defer rd.grant.mu.Unlock()
	frame := rd.grant.active[track.ref].frame
	if devAddr != 0 {
		if abi.MFN(devAddr>>abi.PageShift) != frame {
			return abi.GNTSTGeneralError
		}
		if track.flags&abi.GNTMAPDeviceMap != 0 {
			m.endUse(rd, track, abi.GNTMAPDeviceMap, pick(readonly, pinDevRead, pinDevWrite), frame)
		}
	}
	if hostAddr != 0 && track.flags&abi.GNTMAPHostMap != 0 {
		if status := m.destroyGrantHostMapping(v, hostAddr, newAddr, frame, track.flags); status != abi.GNTSTOkay {
			return status
		}
		m.endUse(rd, track, abi.GNTMAPHostMap, pick(readonly, pinHostRead, pinHostWrite), frame)
	}
	if !readonly {
		m.markDirty(rd, frame)
	}
	if track.flags&(abi.GNTMAPDeviceMap|abi.GNTMAPHostMap) == 0 {
		ld.grant.untrack(handle)
	}
	return abi.GNTSTOkay
}

// endUse ends one of a mapping's two uses. The granter's table is locked.
func (m *Machine) endUse(rd *Domain, track *maptrack, use, inc uint32, frame abi.MFN) {
	readonly := track.flags&abi.GNTMAPReadonly != 0
	track.flags &^= use
	m.unpinGrant(rd, track.ref, readonly, inc)
	m.dropGranted(frame, readonly)
}

// grantReleaseMappings ends every mapping of a dying domain's
// (gnttab_release_mappings). Its page tables go with its memory.
func (m *Machine) grantReleaseMappings(d *Domain) {
	d.bigLock.Lock()
	defer d.bigLock.Unlock()
	for h := range d.grant.maptrack {
		track := d.grant.tracked(abi.GrantHandle(h))
		if track == nil {
			continue
		}
		rd := m.getDomain(track.domID)
		if rd == nil {
			continue
		}
		readonly := track.flags&abi.GNTMAPReadonly != 0
		rd.grant.mu.Lock()
		frame := rd.grant.active[track.ref].frame
		if track.flags&abi.GNTMAPDeviceMap != 0 {
			m.endUse(rd, track, abi.GNTMAPDeviceMap, pick(readonly, pinDevRead, pinDevWrite), frame)
		}
		if track.flags&abi.GNTMAPHostMap != 0 {
			m.endUse(rd, track, abi.GNTMAPHostMap, pick(readonly, pinHostRead, pinHostWrite), frame)
		}
		rd.grant.mu.Unlock()
		rd.put()
		d.grant.untrack(abi.GrantHandle(h))
	}
}

// grantDomain resolves the domain of setup_table and query_size.
func (m *Machine) grantDomain(v *VCPU, id abi.DomID) (*Domain, int16) {
	if id == abi.DomSelf {
		return v.dom, abi.GNTSTOkay
	}
	if !v.dom.Privileged {
		return nil, abi.GNTSTPermissionDenied
	}
	if d := m.domainByID(id); d != nil {
		return d, abi.GNTSTOkay
	}
	return nil, abi.GNTSTBadDomain
}

// grantSetup grows a domain's shared table and tells where it is
// (gnttab_setup_table).
func (m *Machine) grantSetup(v *VCPU, op *abi.GnttabSetupTable) {
	if op.NrFrames > abi.MaxGrantFrames {
		op.Status = abi.GNTSTGeneralError
		return
	}
	d, status := m.grantDomain(v, op.Dom)
	if status != abi.GNTSTOkay {
		op.Status = status
		return
	}
	if xsm.GrantSetup(&v.VCPU, &v.dom.Domain, &d.Domain) != 0 {
		op.Status = abi.GNTSTPermissionDenied
		return
	}
	t := &d.grant
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.grow(m, d, int(op.NrFrames)) {
		op.Status = abi.GNTSTGeneralError
		return
	}
	op.FrameList = op.FrameList[:0]
	for _, mfn := range t.shared[:op.NrFrames] {
		op.FrameList = append(op.FrameList, uint64(mfn))
	}
	op.Status = abi.GNTSTOkay
}

// grantQuerySize tells how long a domain's shared table is and can become.
func (m *Machine) grantQuerySize(v *VCPU, op *abi.GnttabQuerySize) {
	d, status := m.grantDomain(v, op.Dom)
	if status != abi.GNTSTOkay {
		op.Status = status
		return
	}
	if xsm.GrantQuerySize(&v.VCPU, &v.dom.Domain, &d.Domain) != 0 {
		op.Status = abi.GNTSTPermissionDenied
		return
	}
	d.grant.mu.Lock()
	defer d.grant.mu.Unlock()
	op.NrFrames = uint32(len(d.grant.shared))
	op.MaxNrFrames = abi.MaxGrantFrames
	op.Status = abi.GNTSTOkay
}

// grantTransfer hands a frame of the caller's over to a domain that has an
// entry for it (gnttab_transfer). From the moment that the frame has been
// taken from the caller, it is lost to it, whatever happens.
func (m *Machine) grantTransfer(v *VCPU, op *abi.GnttabTransfer) {
	d := v.dom
	mfn := m.gmfnToMFN(d, uint64(op.MFN))
	if !m.validMFN(mfn) || !m.stealPage(d, mfn) {
		op.Status = abi.GNTSTBadPage
		return
	}
	e := m.getDomain(op.Dom)
	if e == nil {
		m.freeDomheapPage(mfn)
		op.Status = abi.GNTSTBadDomain
		return
	}
	defer e.put()
	if xsm.GrantTransfer(&v.VCPU, &d.Domain, &e.Domain) != 0 {
		m.freeDomheapPage(mfn)
		op.Status = abi.GNTSTPermissionDenied
		return
	}
	if !e.hasRoom() || !m.commitTransfer(e, d.ID, op.Ref) {
		m.freeDomheapPage(mfn)
		op.Status = abi.GNTSTGeneralError
		return
	}
	t := &e.grant
	t.mu.Lock()
	sha := t.entry(m, op.Ref)
	t.mu.Unlock()
	if !m.assignPage(e, mfn) {
		sha.clearFlag(abi.GTFTransferCommitted)
		m.freeDomheapPage(mfn)
		op.Status = abi.GNTSTGeneralError
		return
	}
	m.physmapAdd(e, abi.PFN(atomic.LoadUint32(&sha.frame)), mfn)
	atomic.StoreUint32(&sha.frame, uint32(mfn))
	sha.setFlag(abi.GTFTransferCompleted)
	op.Status = abi.GNTSTOkay
}

// hasRoom reports whether a domain lives and may have one more frame.
func (d *Domain) hasRoom() bool {
	d.pageLock.Lock()
	defer d.pageLock.Unlock()
	return d.dying.Load() == domAlive && d.totPages < d.maxPages
}

// commitTransfer marks an entry that accepts a frame from a domain as about to
// receive it (gnttab_prepare_for_transfer).
func (m *Machine) commitTransfer(e *Domain, from abi.DomID, ref abi.GrantRef) bool {
	t := &e.grant
	t.mu.Lock()
	defer t.mu.Unlock()
	if uint64(ref) >= uint64(len(t.active)) {
		return false
	}
	sha := t.entry(m, ref)
	for range claimRetries {
		flags, dom := sha.load()
		if flags != abi.GTFAcceptTransfer || dom != from {
			return false
		}
		if sha.replace(flags, dom, flags|abi.GTFTransferCommitted) {
			return true
		}
	}
	return false
}

// copySide is one side of a copy, held until the copy is done.
type copySide struct {
	dom      *Domain
	ref      abi.GrantRef
	granted  bool
	readonly bool
	frame    abi.MFN
}

// grantCopy copies within a frame from one domain to another (__gnttab_copy).
func (m *Machine) grantCopy(v *VCPU, op *abi.GnttabCopy) {
	op.Status = m.copyGranted(v, op)
}

func (m *Machine) copyGranted(v *VCPU, op *abi.GnttabCopy) int16 {
	src, dst := &op.Source, &op.Dest
	if uint32(src.Offset)+uint32(op.Len) > abi.PageSize || uint32(dst.Offset)+uint32(op.Len) > abi.PageSize {
		return abi.GNTSTBadCopyArg
	}
	// By frame number only what is the caller's own.
	if (src.Dom != abi.DomSelf && !src.UseRef) || (dst.Dom != abi.DomSelf && !dst.UseRef) {
		return abi.GNTSTPermissionDenied
	}
	sd := m.copyDomain(v, src.Dom)
	if sd == nil {
		return abi.GNTSTBadDomain
	}
	defer sd.put()
	dd := m.copyDomain(v, dst.Dom)
	if dd == nil {
		return abi.GNTSTBadDomain
	}
	defer dd.put()
	if xsm.GrantCopy(&v.VCPU, &sd.Domain, &dd.Domain) != 0 {
		return abi.GNTSTPermissionDenied
	}
	from := copySide{dom: sd, ref: src.Ref, granted: src.UseRef, readonly: true}
	if status := m.holdSide(v, &from, src.GMFN); status != abi.GNTSTOkay {
		return status
	}
	defer m.dropSide(&from)
	to := copySide{dom: dd, ref: dst.Ref, granted: dst.UseRef}
	if status := m.holdSide(v, &to, dst.GMFN); status != abi.GNTSTOkay {
		return status
	}
	defer m.dropSide(&to)
	copy(m.frame(to.frame)[dst.Offset:dst.Offset+op.Len], m.frame(from.frame)[src.Offset:src.Offset+op.Len])
	m.markDirty(dd, to.frame)
	return abi.GNTSTOkay
}

func (m *Machine) copyDomain(v *VCPU, id abi.DomID) *Domain {
	if id == abi.DomSelf {
		v.dom.getKnownalive()
		return v.dom
	}
	return m.getDomain(id)
}

// holdSide finds the frame of one side and takes the references to it: a pin
// of the grant, if it is granted, and the frame's own.
func (m *Machine) holdSide(v *VCPU, s *copySide, gmfn uint64) int16 {
	if s.granted {
		s.dom.grant.mu.Lock()
		act, status := m.pinGrant(s.dom, s.ref, v.dom.ID, s.readonly, pick(s.readonly, pinHostRead, pinHostWrite))
		if act != nil {
			s.frame = act.frame
		}
		s.dom.grant.mu.Unlock()
		if status != abi.GNTSTOkay {
			return status
		}
	} else {
		s.frame = m.gmfnToMFN(s.dom, gmfn)
	}
	if !m.holdGranted(s.frame, s.dom, s.readonly) {
		m.unpinSide(s)
		return abi.GNTSTGeneralError
	}
	return abi.GNTSTOkay
}

func (m *Machine) dropSide(s *copySide) {
	m.dropGranted(s.frame, s.readonly)
	m.unpinSide(s)
}

func (m *Machine) unpinSide(s *copySide) {
	if !s.granted {
		return
	}
	s.dom.grant.mu.Lock()
	m.unpinGrant(s.dom, s.ref, s.readonly, pick(s.readonly, pinHostRead, pinHostWrite))
	s.dom.grant.mu.Unlock()
}
