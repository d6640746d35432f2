package model

import (
	"fmt"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// quiet builds a machine whose domains do not run: a test moves dom0's vCPU 0
// by hand, in its own goroutine.
func quiet(t testing.TB, with ...func(*Config)) (*Machine, *VCPU) {
	t.Helper()
	RegisterKernel("quiet", func(any, *abi.StartInfo) {})
	cfg := Config{
		Frames: testFrames, Dom0Frames: testDom0Frames, CPUs: 2,
		Modules: []xsm.BootModule{{Name: "kernel", Data: KernelImage("quiet", 3*abi.PageSize+1)}},
	}
	for _, w := range with {
		w(&cfg)
	}
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.build(); err != nil {
		t.Fatal(err)
	}
	// dom0 may use every device; tests give it back what they need.
	m.dom0.permitIOMem(0, ^abi.MFN(0)>>abi.PageShift, false)
	m.dom0.permitIOPorts(0, nrPorts-1, false)
	v := m.dom0.vcpu(0)
	v.pcpu = m.cpus[0]
	return m, v
}

// newDomain adds an unprivileged domain with one vCPU and memory, its frames
// in order of PFN.
func newDomain(t testing.TB, m *Machine, id abi.DomID, frames int) (*Domain, *VCPU, []abi.MFN) {
	t.Helper()
	d := m.createDomain(m.hookCPU(), id, 0, 0)
	if d == nil {
		t.Fatalf("domain %d is not created", id)
	}
	v := m.newVCPU(d, 0, 0)
	v.pcpu = m.cpus[0]
	d.maxPages = uint64(frames)
	p2m, err := m.populate(d, frames)
	if err != nil {
		t.Fatal(err)
	}
	return d, v, p2m
}

// audit recounts every reference and type of the machine from its page tables,
// base pointers and owners, and compares.
func audit(t testing.TB, m *Machine) {
	t.Helper()
	refs := make([]uint64, len(m.frames))
	types := make([]uint64, len(m.frames))
	hold := func(mfn abi.MFN, typed bool) {
		refs[mfn]++
		if typed {
			types[mfn]++
		}
	}
	for i := range m.frames {
		mfn, pg := abi.MFN(i), &m.frames[i]
		c, ti := pg.countInfo.Load(), pg.typeInfo.Load()
		if c&pgcAllocated != 0 {
			hold(mfn, c&(pgcXenHeap|pgcIOMem) != 0)
		}
		if ti&pgtPinned != 0 {
			hold(mfn, true)
		}
		level := tableLevel(ti)
		if level == 0 || ti&pgtCountMask == 0 {
			continue
		}
		if ti&pgtValidated == 0 {
			t.Errorf("frame %#x: in use as a level-%d table but not validated", mfn, level)
			continue
		}
		for slot, e := range m.table(mfn) {
			target := abi.PteMFN(e)
			switch {
			case slot >= tableEntries(level) || !guestSlot(level, ti, slot) || e&abi.PtePresent == 0:
			case level == 1 && m.isIOMem(target):
			case level == 1:
				hold(target, e&abi.PteRW != 0)
				if typ := m.frames[target].typeInfo.Load() & pgtTypeMask; e&abi.PteRW != 0 && typ != pgtWritable {
					t.Errorf("frame %#x maps %#x writable, whose type is %#x", mfn, target, typ>>29)
				}
			case target != mfn:
				hold(target, true)
			}
		}
	}
	for _, d := range m.domainList() {
		d.eachVCPU(func(v *VCPU) {
			held := append([]abi.MFN{v.mmu.base, v.mmu.userBase}, v.mmu.ldtFrames[:]...)
			for _, mfn := range append(held, v.mmu.gdtFrames...) {
				if mfn != 0 {
					hold(mfn, true)
				}
			}
		})
	}
	bad := 0
	for i := range m.frames {
		c, ti := m.frames[i].countInfo.Load()&pgcCountMask, m.frames[i].typeInfo.Load()
		if c != refs[i] || ti&pgtCountMask != types[i] {
			if bad++; bad < 10 {
				t.Errorf("frame %#x, type %d: %d references and %d uses counted, %d and %d found",
					i, ti>>29, c, ti&pgtCountMask, refs[i], types[i])
			}
		}
	}
}

// Hypercalls made by hand.

func updateVA(v *VCPU, va, e, flags uint64) int64 {
	return doUpdateVAMapping(v.machine, v, &abi.Args{R: [4]uint64{va, e, flags}})
}

func mmuUpdate(v *VCPU, dom abi.DomID, reqs ...abi.MMUUpdate) (int64, uint32) {
	args := &abi.MMUUpdateArgs{Reqs: reqs}
	rc := doMMUUpdate(v.machine, v, &abi.Args{R: [4]uint64{0, uint64(dom)}, H: args})
	return rc, args.Done
}

func mmuExt(v *VCPU, dom abi.DomID, ops ...abi.MMUExtOpEntry) (int64, uint32) {
	args := &abi.MMUExtArgs{Ops: ops}
	rc := doMMUExtOp(v.machine, v, &abi.Args{R: [4]uint64{0, uint64(dom)}, H: args})
	return rc, args.Done
}

func memoryOp(v *VCPU, cmd abi.MemoryCmd, h any) int64 {
	return doMemoryOp(v.machine, v, &abi.Args{R: [4]uint64{uint64(cmd)}, H: h})
}

// Addresses and frames of dom0, whose P2M a test reads from its start
// information.

func dom0MFN(v *VCPU, pfn int) abi.MFN { return v.ctx.StartInfo.MFNList[pfn] }
func kva(pfn int) uint64               { return abi.VirtBase + uint64(pfn)<<abi.PageShift }

// pteAddr is the machine address of an entry.
func pteAddr(table abi.MFN, slot int) uint64 {
	return uint64(table)<<abi.PageShift | uint64(slot)<<3
}

const (
	flagsRO = abi.PtePresent | abi.PteAccessed | abi.PteDirty
	flagsRW = flagsRO | abi.PteRW
)

// firstFree is the first PFN of dom0 after its page tables.
func firstFree(v *VCPU) int {
	si := v.ctx.StartInfo
	return int((si.PTBase-abi.VirtBase)>>abi.PageShift + si.NrPTFrames)
}

// crashes reports whether f crashes the vCPU's domain.
func crashes(f func()) (crashed bool) {
	defer func() {
		if r := recover(); r != nil {
			if !IsStop(r) {
				panic(r)
			}
			crashed = true
		}
	}()
	f()
	return false
}

func TestDom0Layout(t *testing.T) {
	m, v := quiet(t, func(c *Config) {
		c.Modules = append(c.Modules, xsm.BootModule{Name: "initrd", Data: []byte("the initial file system")})
	})
	si := v.ctx.StartInfo
	if got := string(v.Page(si.ModStart, false, false)[:len(si.Module)]); got != string(si.Module) {
		t.Errorf("at ModStart: %q, want the module", got)
	}
	first := int((si.PTBase - abi.VirtBase) >> abi.PageShift)
	for pfn := range int(si.NrPages) {
		mfn := dom0MFN(v, pfn)
		if m.gpfn(mfn) != abi.PFN(pfn) {
			t.Fatalf("PFN %d: M2P says %d", pfn, m.gpfn(mfn))
		}
		if &v.Page(kva(pfn), false, false)[0] != &m.frame(mfn)[0] {
			t.Fatalf("PFN %d is not mapped at its address", pfn)
		}
		if got := v.Load64(abi.HypervisorStart+uint64(mfn)*8, false); got != uint64(pfn) {
			t.Fatalf("the guest reads M2P entry %#x as %d, want %d", mfn, got, pfn)
		}
		isTable := pfn >= first && pfn < first+int(si.NrPTFrames)
		typ := m.frames[mfn].typeInfo.Load()
		if isTable != (tableLevel(typ) != 0) || isTable == (typ&pgtTypeMask == pgtWritable) {
			t.Fatalf("PFN %d has type %d", pfn, typ>>29)
		}
	}
	if v.mmu.base != dom0MFN(v, first) || m.frames[v.mmu.base].typeInfo.Load()&pgtPinned == 0 {
		t.Error("the table at PTBase is not the pinned base pointer")
	}
	audit(t, m)
}

func TestUpdateVAMapping(t *testing.T) {
	m, v := quiet(t)
	_, _, other := newDomain(t, m, 1, 8)
	free := firstFree(v)
	va := kva(free)
	l1, slot, _ := v.guestL1E(va)
	ours, theirs, table := dom0MFN(v, free+1), other[0], v.mmu.base
	outside := abi.MFN(len(m.frames) + 7)
	for _, tt := range []struct {
		name string
		va   uint64
		e    uint64
		want abi.Errno
	}{
		{"own frame", va, abi.MkPte(ours, flagsRW), 0},
		{"same frame again", va, abi.MkPte(ours, flagsRW), 0},
		{"same frame, read-only", va, abi.MkPte(ours, flagsRO), 0},
		{"page table, read-only", va, abi.MkPte(table, flagsRO), 0},
		{"page table, writable", va, abi.MkPte(table, flagsRW), -abi.EINVAL},
		{"lowest page table, writable", va, abi.MkPte(l1, flagsRW), -abi.EINVAL},
		{"another domain's frame", va, abi.MkPte(theirs, flagsRO), -abi.EINVAL},
		{"another domain's frame, writable", va, abi.MkPte(theirs, flagsRW), -abi.EINVAL},
		{"a free frame", va, abi.MkPte(m.freeFrame(), flagsRO), -abi.EINVAL},
		{"own shared page", va, abi.MkPte(m.dom0.sharedMFN, flagsRW), 0},
		{"the machine-to-physical table", va, abi.MkPte(m.xen.m2pFirst, flagsRO), -abi.EINVAL},
		{"device memory without the right to it", va, abi.MkPte(firstHoleFrame, flagsRW), -abi.EINVAL},
		{"device memory beyond memory without the right to it", va, abi.MkPte(outside, flagsRW), -abi.EINVAL},
		{"large page", va, abi.MkPte(ours, flagsRW|abi.PtePSE), -abi.EINVAL},
		{"uncached without devices", va, abi.MkPte(ours, flagsRW|abi.PtePCD), -abi.EINVAL},
		{"nothing", va, 0, 0},
		{"address of Xen's", abi.HypervisorStart, abi.MkPte(ours, flagsRW), -abi.EINVAL},
		{"address without a page table", abi.VirtBase + 1<<30 - 1<<28, abi.MkPte(ours, flagsRW), -abi.EINVAL},
	} {
		before := m.table(l1)[slot]
		if got := updateVA(v, tt.va, tt.e, abi.UVMFINVLPG); got != int64(tt.want) {
			t.Errorf("%s: %d, want %v", tt.name, got, tt.want)
		}
		if after := m.table(l1)[slot]; tt.want != 0 && after != before {
			t.Errorf("%s: refused, but the entry became %#x", tt.name, after)
		}
		audit(t, m)
		if t.Failed() {
			t.FailNow()
		}
	}
}

// freeFrame names a frame that is in the heap.
func (m *Machine) freeFrame() abi.MFN {
	for order := range m.heap.free {
		if mfn := m.heap.free[order]; mfn != abi.InvalidMFN {
			return mfn
		}
	}
	return 0
}

func TestDeviceMemory(t *testing.T) {
	m, v := quiet(t)
	va := kva(firstFree(v))
	m.dom0.permitIOMem(firstHoleFrame, firstHoleFrame+3, true)
	m.dom0.permitIOMem(1<<20, 1<<20, true)
	for mfn, want := range map[abi.MFN]abi.Errno{
		firstHoleFrame: 0, firstHoleFrame + 3: 0, firstHoleFrame + 4: -abi.EINVAL, 1 << 20: 0, 1<<20 + 1: -abi.EINVAL,
	} {
		if got := updateVA(v, va, abi.MkPte(mfn, flagsRW|abi.PtePCD), abi.UVMFINVLPG); got != int64(want) {
			t.Errorf("frame %#x: %d, want %v", mfn, got, want)
		}
	}
	updateVA(v, va, abi.MkPte(1<<20, flagsRW), abi.UVMFINVLPG)
	if v.Store64(va, 1, false); v.Load64(va, false) != ^uint64(0) {
		t.Error("memory answers where there is no device")
	}
	audit(t, m)
}

// buildTable makes dom0's PFN a page table whose entries f gives, unmapped for
// writing, and returns its frame.
func buildTable(t testing.TB, v *VCPU, pfn int, f func(slot int) uint64) abi.MFN {
	t.Helper()
	for i := range abi.PTEntries {
		v.Store64(kva(pfn)+uint64(i)*8, f(i), false)
	}
	mfn := dom0MFN(v, pfn)
	if rc := updateVA(v, kva(pfn), abi.MkPte(mfn, flagsRO), abi.UVMFINVLPG); rc != 0 {
		t.Fatalf("make PFN %d read-only: %d", pfn, rc)
	}
	return mfn
}

func only(at int, e uint64) func(int) uint64 {
	return func(slot int) uint64 {
		if slot == at {
			return e
		}
		return 0
	}
}

func TestPinL1(t *testing.T) {
	m, v := quiet(t)
	_, _, other := newDomain(t, m, 1, 8)
	free := firstFree(v)
	m.dom0.permitIOMem(firstHoleFrame, firstHoleFrame, true)
	ours := dom0MFN(v, free+20)
	for i, tt := range []struct {
		name string
		e    uint64
		want abi.Errno
	}{
		{"empty", 0, 0},
		{"absent, with another's frame", uint64(other[0]) << abi.PageShift, 0},
		{"own frame", abi.MkPte(ours, flagsRW), 0},
		{"itself, read-only", abi.MkPte(dom0MFN(v, free+3), flagsRO), 0},
		{"itself, writable", abi.MkPte(dom0MFN(v, free+4), flagsRW), -abi.EINVAL},
		{"a page table, writable", abi.MkPte(v.mmu.base, flagsRW), -abi.EINVAL},
		{"another's frame", abi.MkPte(other[0], flagsRO), -abi.EINVAL},
		{"device memory", abi.MkPte(firstHoleFrame, flagsRW), 0},
		{"device memory without the right", abi.MkPte(firstHoleFrame+1, flagsRW), -abi.EINVAL},
	} {
		mfn := buildTable(t, v, free+i, func(slot int) uint64 {
			switch slot {
			case 3:
				return abi.MkPte(ours, flagsRW) // undone if a later one fails
			case 400:
				return tt.e
			}
			return 0
		})
		pin := abi.MMUExtOpEntry{Cmd: abi.PinL1Table, Arg1: uint64(mfn)}
		rc, done := mmuExt(v, abi.DomSelf, pin)
		if rc != int64(tt.want) || done != uint32(btoi(tt.want == 0)) {
			t.Errorf("%s: %d, %d done, want %v", tt.name, rc, done, tt.want)
		}
		audit(t, m)
		if rc == 0 {
			if rc, _ := mmuExt(v, abi.DomSelf, pin); rc != int64(-abi.EINVAL) {
				t.Errorf("%s: pinned twice: %d", tt.name, rc)
			}
			unpin := abi.MMUExtOpEntry{Cmd: abi.UnpinTable, Arg1: uint64(mfn)}
			if rc, _ := mmuExt(v, abi.DomSelf, unpin); rc != 0 {
				t.Errorf("%s: unpin: %d", tt.name, rc)
			}
			if rc, _ := mmuExt(v, abi.DomSelf, unpin); rc != int64(-abi.EINVAL) {
				t.Errorf("%s: unpinned twice: %d", tt.name, rc)
			}
			audit(t, m)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// secondSpace builds a second address space for dom0 from the PFNs at free:
// dom0's own kernel mappings and one page of user memory at userVA.
func secondSpace(t testing.TB, v *VCPU, free int, user abi.MFN) (top abi.MFN) {
	t.Helper()
	flags := flagsRW | abi.PteUser
	l1 := buildTable(t, v, free, only(abi.PTIndex(userVA, 1), abi.MkPte(user, flags)))
	l2 := buildTable(t, v, free+1, only(abi.PTIndex(userVA, 2), abi.MkPte(l1, flags)))
	m := v.machine
	if abi.PTLevels == 4 {
		l3 := buildTable(t, v, free+2, only(abi.PTIndex(userVA, 3), abi.MkPte(l2, flags)))
		old := m.table(v.mmu.base)
		return buildTable(t, v, free+3, func(slot int) uint64 {
			switch {
			case slot == abi.PTIndex(userVA, 4):
				return abi.MkPte(l3, flags)
			case slot > abi.PTIndex(abi.HypervisorStart, 4):
				return old[slot]
			}
			return 0
		})
	}
	old := m.table(abi.PteMFN(m.table(v.mmu.base)[3]))
	kernel := buildTable(t, v, free+2, func(slot int) uint64 {
		if slot < abi.PTIndex(abi.HypervisorStart, 2) {
			return old[slot]
		}
		return 0
	})
	return buildTable(t, v, free+3, func(slot int) uint64 {
		switch slot {
		case 0:
			return abi.MkPte(l2, abi.PtePresent)
		case 3:
			return abi.MkPte(kernel, abi.PtePresent)
		}
		return 0
	})
}

const (
	userVA = 0x40_0000
	pinTop = abi.PinL1Table + abi.MMUExtCmd(abi.PTLevels) - 1
)

func TestAddressSpaces(t *testing.T) {
	m, v := quiet(t)
	free := firstFree(v)
	user := dom0MFN(v, free+10)
	first := v.mmu.base
	top := secondSpace(t, v, free, user)
	ops := []abi.MMUExtOpEntry{{Cmd: pinTop, Arg1: uint64(top)}, {Cmd: abi.NewBasePtr, Arg1: uint64(top)}}
	if abi.PTLevels == 4 {
		ops = append(ops, abi.MMUExtOpEntry{Cmd: abi.NewUserBasePtr, Arg1: uint64(top)})
	}
	if rc, done := mmuExt(v, abi.DomSelf, ops...); rc != 0 || done != uint32(len(ops)) {
		t.Fatalf("pin and load: %d after %d of %d", rc, done, len(ops))
	}
	audit(t, m)
	v.Store64(userVA+8, 42, true)
	if got := v.Load64(kva(free+10)+8, false); got != 42 {
		t.Errorf("the kernel reads %d where the process wrote 42", got)
	}
	if e := m.table(dom0MFN(v, free))[abi.PTIndex(userVA, 1)]; e&pteAccessBits != pteAccessBits {
		t.Errorf("entry %#x has no accessed and dirty bits", e)
	}

	// Back, and the second space is taken apart.
	ops = []abi.MMUExtOpEntry{{Cmd: abi.NewBasePtr, Arg1: uint64(first)}, {Cmd: abi.UnpinTable, Arg1: uint64(top)}}
	if abi.PTLevels == 4 {
		ops = append(ops, abi.MMUExtOpEntry{Cmd: abi.NewUserBasePtr})
	}
	if rc, _ := mmuExt(v, abi.DomSelf, ops...); rc != 0 {
		t.Fatalf("go back: %d", rc)
	}
	audit(t, m)
	for pfn := free; pfn < free+4; pfn++ {
		if rc := updateVA(v, kva(pfn), abi.MkPte(dom0MFN(v, pfn), flagsRW), 0); rc != 0 {
			t.Errorf("PFN %d is no page table any more, but not writable: %d", pfn, rc)
		}
	}
	audit(t, m)
}

func TestUserMode(t *testing.T) {
	m, v := quiet(t)
	free := firstFree(v)
	top := secondSpace(t, v, free, dom0MFN(v, free+10))
	userTop := top
	if abi.PTLevels == 4 {
		// In user mode a table without the kernel's mappings is in force.
		l4 := m.table(top)[abi.PTIndex(userVA, 4)]
		userTop = buildTable(t, v, free+4, only(abi.PTIndex(userVA, 4), l4))
	}
	if rc, _ := mmuExt(v, abi.DomSelf, abi.MMUExtOpEntry{Cmd: abi.NewBasePtr, Arg1: uint64(top)}); rc != 0 {
		t.Fatal(rc)
	}
	rc, _ := mmuExt(v, abi.DomSelf, abi.MMUExtOpEntry{Cmd: abi.NewUserBasePtr, Arg1: uint64(userTop)})
	if want := map[bool]abi.Errno{true: 0, false: -abi.ENOSYS}[abi.PTLevels == 4]; rc != int64(want) {
		t.Fatalf("new user base pointer: %d, want %v", rc, want)
	}
	var faults []abi.TrapFrame
	v.setTraps([]abi.TrapInfo{
		{Vector: abi.TrapPageFault, Handler: func(f *abi.TrapFrame) { faults = append(faults, *f); panic("fault") }},
		{Vector: abi.TrapGP, Handler: func(f *abi.TrapFrame) { faults = append(faults, *f); panic("fault") }},
	})
	access := func(va uint64, write, user bool) (fault *abi.TrapFrame) {
		faults = nil
		defer func() {
			if recover() != nil {
				fault = &faults[0]
			}
		}()
		v.Page(va, write, user)
		return nil
	}
	for _, tt := range []struct {
		name        string
		va          uint64
		write, user bool
		vector      uint8 // 0 for none
		errorCode   uint32
	}{
		{"process, own memory", userVA, true, true, 0, 0},
		{"kernel, process's memory", userVA, true, false, 0, 0},
		{"process, kernel's memory", kva(free + 9), false, true, abi.TrapPageFault, abi.PFUser},
		{"process writes kernel's memory", kva(free + 9), true, true, abi.TrapPageFault, abi.PFUser | abi.PFWrite},
		{"process, nothing there", userVA + 1<<12, true, true, abi.TrapPageFault, abi.PFUser | abi.PFWrite},
		{"kernel, nothing there", userVA + 1<<12, false, false, abi.TrapPageFault, 0},
		{"kernel writes a page table", kva(free), true, false, abi.TrapPageFault, abi.PFProt | abi.PFWrite},
		{"kernel reads M2P", abi.HypervisorStart, false, false, 0, 0},
		{"kernel writes M2P", abi.HypervisorStart, true, false, abi.TrapPageFault, abi.PFProt | abi.PFWrite},
	} {
		f := access(tt.va, tt.write, tt.user)
		code := tt.errorCode
		if abi.PTLevels == 3 && tt.user && tt.va >= abi.UserEnd {
			code |= abi.PFProt // one table for both modes: there, but not for it
		}
		switch {
		case f == nil && tt.vector == 0:
		case f == nil:
			t.Errorf("%s: no fault", tt.name)
		case f.Vector != tt.vector || f.Error != code || f.CR2 != tt.va || f.User != tt.user:
			t.Errorf("%s: %+v, want vector %d error %#x", tt.name, *f, tt.vector, code)
		}
	}
	unreachable := abi.HypervisorEnd - 1<<20
	if abi.PTLevels == 4 {
		unreachable = 1 << 50
	}
	if f := access(unreachable, false, false); f == nil || f.Vector != abi.TrapGP {
		t.Errorf("address %#x: %+v, want a general protection fault", unreachable, f)
	}
}

func TestFaultWithoutHandlerCrashes(t *testing.T) {
	m, v := quiet(t)
	if !crashes(func() { v.Load8(userVA, true) }) {
		t.Error("a fault without a handler returns")
	}
	if !m.dom0.shutdown.down.Load() {
		t.Error("the domain has not crashed")
	}
}

func TestMMUUpdate(t *testing.T) {
	m, v := quiet(t)
	_, otherCPU, theirs := newDomain(t, m, 1, 8)
	free := firstFree(v)
	l1, slot, _ := v.guestL1E(kva(free))
	top, ours := v.mmu.base, dom0MFN(v, free+1)
	var l2 abi.MFN
	for l, mfn := abi.PTLevels, top; l > 1; l-- {
		l2 = mfn
		mfn = abi.PteMFN(m.table(mfn)[abi.PTIndex(abi.VirtBase, l)])
	}
	xenSlot := pteAddr(top, firstXenSlot)
	if abi.PTLevels == 3 {
		xenSlot = pteAddr(l2, firstXenSlot)
	}
	const emptySlot = 300 // of the L2
	for _, tt := range []struct {
		name string
		cpu  *VCPU
		dom  abi.DomID
		ptr  uint64
		val  uint64
		want abi.Errno
	}{
		{"L1 entry", v, abi.DomSelf, pteAddr(l1, slot), abi.MkPte(ours, flagsRW), 0},
		{"L1 entry, page table writable", v, abi.DomSelf, pteAddr(l1, slot), abi.MkPte(top, flagsRW), -abi.EINVAL},
		{"L1 entry of another's table", otherCPU, abi.DomSelf, pteAddr(l1, slot), 0, -abi.EINVAL},
		{"foreign frame without naming its owner", v, abi.DomSelf, pteAddr(l1, slot), abi.MkPte(theirs[0], flagsRW), -abi.EINVAL},
		{"foreign frame", v, 1, pteAddr(l1, slot), abi.MkPte(theirs[0], flagsRW), 0},
		{"own frame, another named", v, 1, pteAddr(l1, slot), abi.MkPte(ours, flagsRW), -abi.EINVAL},
		{"Xen's frame, read-only", v, abi.DomXen, pteAddr(l1, slot), abi.MkPte(m.xen.m2pFirst, flagsRO), 0},
		{"Xen's frame, writable", v, abi.DomXen, pteAddr(l1, slot), abi.MkPte(m.xen.m2pFirst, flagsRW), -abi.EINVAL},
		{"L1 entry cleared", v, abi.DomSelf, pteAddr(l1, slot), 0, 0},
		{"oneself as foreign domain", v, 0, pteAddr(l1, slot), 0, -abi.ESRCH},
		{"foreign domain without privilege", otherCPU, 0, pteAddr(l1, slot), 0, -abi.ESRCH},
		{"DOMID_XEN without privilege", otherCPU, abi.DomXen, pteAddr(l1, slot), 0, -abi.ESRCH},
		{"no such domain", v, 77, pteAddr(l1, slot), 0, -abi.ESRCH},
		{"L2 entry", v, abi.DomSelf, pteAddr(l2, emptySlot), abi.MkPte(l1, flagsRW|abi.PteUser), 0},
		{"L2 entry, linear", v, abi.DomSelf, pteAddr(l2, emptySlot), abi.MkPte(l2, flagsRO), 0},
		{"L2 entry, linear and writable", v, abi.DomSelf, pteAddr(l2, emptySlot), abi.MkPte(l2, flagsRW), -abi.EINVAL},
		{"L2 entry, page in use", v, abi.DomSelf, pteAddr(l2, emptySlot), abi.MkPte(ours, flagsRW), -abi.EINVAL},
		{"L2 entry cleared", v, abi.DomSelf, pteAddr(l2, emptySlot), 0, 0},
		{"L2 entry, large page", v, abi.DomSelf, pteAddr(l2, emptySlot), abi.MkPte(ours, flagsRW|abi.PtePSE), -abi.EINVAL},
		{"slot of Xen's", v, abi.DomSelf, xenSlot, 0, -abi.EINVAL},
		{"word of an ordinary frame", v, abi.DomSelf, pteAddr(ours, 5), 0x1234, 0},
		{"frame that does not exist", v, abi.DomSelf, 1 << 50, 0, -abi.EINVAL},
		{"M2P entry", v, abi.DomSelf, uint64(ours)<<abi.PageShift | abi.MMUMachphysUpdate, 99, 0},
		{"M2P entry of another's frame", v, abi.DomSelf, uint64(theirs[0])<<abi.PageShift | abi.MMUMachphysUpdate, 99, -abi.EINVAL},
		{"M2P entry of a foreign frame", v, 1, uint64(theirs[0])<<abi.PageShift | abi.MMUMachphysUpdate, 98, 0},
		{"command of later versions", v, abi.DomSelf, pteAddr(l1, slot) | abi.MMUPTUpdatePreserve, 0, -abi.ENOSYS},
	} {
		rc, done := mmuUpdate(tt.cpu, tt.dom, abi.MMUUpdate{Ptr: tt.ptr, Val: tt.val})
		if rc != int64(tt.want) || done != uint32(btoi(tt.want == 0)) {
			t.Errorf("%s: %d, %d done, want %v", tt.name, rc, done, tt.want)
		}
		audit(t, m)
		if t.Failed() {
			t.FailNow()
		}
	}
	if m.frame(ours)[5*8] != 0x34 || m.gpfn(ours) != 99 || m.gpfn(theirs[0]) != 98 {
		t.Error("updates that succeeded were not made")
	}
	if rc := doMMUUpdate(m, v, &abi.Args{R: [4]uint64{0, uint64(abi.DomSelf)}}); rc != efault {
		t.Errorf("no list: %d", rc)
	}
	rc, done := mmuUpdate(v, abi.DomSelf,
		abi.MMUUpdate{Ptr: pteAddr(ours, 6), Val: 1}, abi.MMUUpdate{Ptr: 1 << 50}, abi.MMUUpdate{Ptr: pteAddr(ours, 7), Val: 1})
	if rc != einval || done != 1 || m.frame(ours)[6*8] != 1 || m.frame(ours)[7*8] != 0 {
		t.Errorf("batch with an error in the middle: %d, %d done", rc, done)
	}
	if rc := doUpdateVAMappingOther(m, otherCPU, &abi.Args{R: [4]uint64{kva(free), 0, 0, 0}}); rc != eperm {
		t.Errorf("update_va_mapping_otherdomain without privilege: %d", rc)
	}
	for dom, want := range map[abi.DomID]int64{1: 0, 77: esrch, 0: esrch} {
		a := abi.Args{R: [4]uint64{kva(free), abi.MkPte(theirs[1], flagsRW), abi.UVMFTLBFlush | abi.UVMFAll, uint64(dom)}}
		if rc := doUpdateVAMappingOther(m, v, &a); rc != want {
			t.Errorf("update_va_mapping_otherdomain for %d: %d, want %d", dom, rc, want)
		}
	}
	v.Store64(kva(free), 7, false)
	if m.frame(theirs[1])[0] != 7 {
		t.Error("a foreign mapping does not reach the foreign frame")
	}
	audit(t, m)
}

func TestWritablePageTables(t *testing.T) {
	m, v := quiet(t)
	_, _, other := newDomain(t, m, 1, 4)
	free := firstFree(v)
	ours := dom0MFN(v, free+5)
	l1 := buildTable(t, v, free, only(3, abi.MkPte(ours, flagsRW)))
	var faults int
	v.setTraps([]abi.TrapInfo{{Vector: abi.TrapPageFault, Handler: func(f *abi.TrapFrame) {
		faults++
		panic(stopSignal{})
	}}})
	store := func(va, e uint64, user bool) (faulted bool) {
		return crashes(func() { v.Store64(va, e, user) })
	}
	// Not a page table yet: the page is simply read-only.
	if !store(kva(free)+8, 0, false) {
		t.Error("a read-only page that is no page table was written")
	}
	if rc, _ := mmuExt(v, abi.DomSelf, abi.MMUExtOpEntry{Cmd: abi.PinL1Table, Arg1: uint64(l1)}); rc != 0 {
		t.Fatal(rc)
	}
	for _, tt := range []struct {
		name  string
		slot  uint64
		e     uint64
		fault bool
	}{
		{"clear an entry", 3, 0, false},
		{"set an entry", 4, abi.MkPte(ours, flagsRW), false},
		{"change rights", 4, abi.MkPte(ours, flagsRO), false},
		{"map the page table writable", 5, abi.MkPte(l1, flagsRW), true},
		{"map another's frame", 5, abi.MkPte(other[0], flagsRO), true},
	} {
		if got := store(kva(free)+tt.slot*8, tt.e, false); got != tt.fault {
			t.Errorf("%s: fault %v, want %v", tt.name, got, tt.fault)
		}
		if got := m.table(l1)[tt.slot]; !tt.fault && got != adjustEntry(1, tt.e) {
			t.Errorf("%s: entry is %#x, want %#x", tt.name, got, adjustEntry(1, tt.e))
		}
		audit(t, m)
	}
	if !store(kva(free)+8, 0, true) {
		t.Error("a process wrote a page table")
	}
	if !crashes(func() { v.Store8(kva(free), 1, false) }) {
		t.Error("a byte of a page table was written")
	}
	l2 := v.mmu.base
	if !store(kva(int((v.ctx.StartInfo.PTBase-abi.VirtBase)>>abi.PageShift)), 0, false) {
		t.Errorf("a table above the lowest level (%#x) was written by emulation", l2)
	}
	if faults == 0 {
		t.Error("the guest's handler saw no fault")
	}
	audit(t, m)
}

// twoVCPUs gives dom0 a second vCPU on the first one's page tables.
func twoVCPUs(t *testing.T) (*Machine, *VCPU, *VCPU) {
	m, v := quiet(t, func(c *Config) { c.Dom0VCPUs = 2 })
	w := m.dom0.vcpu(1)
	w.pcpu = m.cpus[1]
	if !m.newGuestCR3(w, v.mmu.base) {
		t.Fatal("load base pointer of vCPU 1")
	}
	return m, v, w
}

func TestTLBCoherence(t *testing.T) {
	m, v, w := twoVCPUs(t)
	free := firstFree(v)
	va := kva(free)
	a, b := dom0MFN(v, free), dom0MFN(v, free+1)
	copy(m.frame(a), "a")
	copy(m.frame(b), "b")
	maps := func(cpu *VCPU, want string) {
		t.Helper()
		if got := string(cpu.Page(va, false, false)[:1]); got != want {
			t.Errorf("vCPU %d reads %q, want %q", cpu.ID, got, want)
		}
	}
	set := func(mfn abi.MFN, flags uint64) {
		t.Helper()
		if rc := updateVA(v, va, abi.MkPte(mfn, flagsRW), flags); rc != 0 {
			t.Fatal(rc)
		}
	}
	ext := func(cmd abi.MMUExtCmd, arg1, arg2 uint64) {
		t.Helper()
		if rc, _ := mmuExt(v, abi.DomSelf, abi.MMUExtOpEntry{Cmd: cmd, Arg1: arg1, Arg2: arg2}); rc != 0 {
			t.Fatal(rc)
		}
	}
	maps(v, "a")
	maps(w, "a")
	set(b, abi.UVMFNone)
	// Without a flush both may go on using what they have.
	maps(v, "a")
	ext(abi.INVLPGLocal, va, 0)
	maps(v, "b")
	maps(w, "a")
	ext(abi.INVLPGAll, va, 0)
	maps(w, "b")

	set(a, abi.UVMFINVLPG)
	maps(v, "a")
	maps(w, "b")
	ext(abi.TLBFlushMulti, 0, 1<<1)
	maps(w, "a")

	set(b, abi.UVMFTLBFlush|abi.UVMFAll)
	maps(v, "b")
	maps(w, "b")

	// A mask in guest memory.
	mask := kva(free + 3)
	v.Store64(mask, 1<<1, false)
	set(a, abi.UVMFINVLPG|mask)
	maps(v, "b")
	maps(w, "a")
	if rc := updateVA(v, va, abi.MkPte(a, flagsRW), abi.UVMFTLBFlush|userVA); rc != efault {
		t.Errorf("mask that cannot be read: %d", rc)
	}

	// A frame that becomes a page table is not writable through any stale
	// translation.
	pfn := free + 4
	w.Store64(kva(pfn), 0, false)
	if rc := updateVA(v, kva(pfn), abi.MkPte(dom0MFN(v, pfn), flagsRO), abi.UVMFNone); rc != 0 {
		t.Fatal(rc)
	}
	ext(abi.PinL1Table, uint64(dom0MFN(v, pfn)), 0)
	if !crashes(func() { w.Store8(kva(pfn), 1, false) }) {
		t.Error("a page table was written through a stale translation")
	}
}

func TestTLBGenerationsWrap(t *testing.T) {
	_, v := quiet(t)
	va := kva(firstFree(v))
	v.Store64(va, 1, false)
	for range 1 << 12 {
		v.flushLocal()
		if v.mmu.gen == 0 {
			t.Fatal("generation 0 would match empty entries")
		}
	}
	if got := v.Load64(va, false); got != 1 {
		t.Errorf("read %d, want 1", got)
	}
}

func TestUnalignedAccess(t *testing.T) {
	_, v := quiet(t)
	free := firstFree(v)
	va := kva(free+1) - 3 // crosses into the next page
	v.Store64(va, 0x0102030405060708, false)
	if got := v.Load64(va, false); got != 0x0102030405060708 {
		t.Errorf("read %#x", got)
	}
	if got := v.Load8(kva(free+1), false); got != 0x05 {
		t.Errorf("first byte of the next page is %#x", got)
	}
}

func TestMemoryOp(t *testing.T) {
	m, v := quiet(t)
	d, u, theirs := newDomain(t, m, 1, 8)
	d.maxPages = 11
	avail := m.heap.available()

	r := &abi.MemoryReservation{ExtentStart: make([]uint64, 5), DomID: abi.DomSelf}
	if got := memoryOp(u, abi.XENMEMIncreaseReservation, r); got != 3 {
		t.Errorf("increase beyond the maximum: %d extents, want 3", got)
	}
	for _, mfn := range r.ExtentStart[:3] {
		if m.frames[mfn].owner() != d {
			t.Errorf("frame %#x is not the domain's", mfn)
		}
	}
	if got := memoryOp(u, abi.XENMEMCurrentReservation, &abi.MemoryDomain{DomID: abi.DomSelf}); got != 11 {
		t.Errorf("current reservation %d, want 11", got)
	}
	r.ExtentStart = append(r.ExtentStart[:3], uint64(v.mmu.base)) // the last is dom0's
	if got := memoryOp(u, abi.XENMEMDecreaseReservation, r); got != 3 {
		t.Errorf("decrease: %d extents, want 3", got)
	}
	if got := m.heap.available(); got != avail {
		t.Errorf("%d frames free, want %d", got, avail)
	}

	p := &abi.MemoryReservation{ExtentStart: []uint64{100, 101}, DomID: 1}
	if got := memoryOp(v, abi.XENMEMPopulatePhysmap, p); got != 2 {
		t.Errorf("populate: %d extents, want 2", got)
	}
	for i, mfn := range p.ExtentStart {
		if m.gpfn(abi.MFN(mfn)) != abi.PFN(100+i) || m.frames[mfn].owner() != d {
			t.Errorf("extent %d: frame %#x, PFN %d", i, mfn, m.gpfn(abi.MFN(mfn)))
		}
	}
	audit(t, m)

	self, one := &abi.MemoryDomain{DomID: abi.DomSelf}, &abi.MemoryDomain{DomID: 1}
	other := func(order uint32) *abi.MemoryReservation {
		return &abi.MemoryReservation{ExtentStart: make([]uint64, 1), DomID: abi.DomSelf, ExtentOrder: order}
	}
	pinned := uint64(theirs[0])
	for _, tt := range []struct {
		name string
		cpu  *VCPU
		cmd  abi.MemoryCmd
		h    any
		want int64
	}{
		{"reservation of another without privilege", u, abi.XENMEMIncreaseReservation,
			&abi.MemoryReservation{ExtentStart: make([]uint64, 1), DomID: 0}, 0},
		{"no argument", u, abi.XENMEMIncreaseReservation, nil, 0},
		{"reservation of no domain", v, abi.XENMEMDecreaseReservation,
			&abi.MemoryReservation{ExtentStart: make([]uint64, 1), DomID: 77}, 0},
		{"contiguous frames without devices", u, abi.XENMEMIncreaseReservation, other(1), 0},
		{"extents larger than any", v, abi.XENMEMIncreaseReservation, other(63), 0},
		{"addresses within a page", u, abi.XENMEMIncreaseReservation,
			&abi.MemoryReservation{ExtentStart: make([]uint64, 1), DomID: abi.DomSelf, AddressBits: 12}, 0},
		{"decrease", u, abi.XENMEMDecreaseReservation,
			&abi.MemoryReservation{ExtentStart: []uint64{pinned}, DomID: abi.DomSelf}, 1},
		{"decrease again", u, abi.XENMEMDecreaseReservation,
			&abi.MemoryReservation{ExtentStart: []uint64{pinned}, DomID: abi.DomSelf}, 0},
		{"maximum RAM page", u, abi.XENMEMMaximumRAMPage, nil, testFrames},
		{"current reservation", u, abi.XENMEMCurrentReservation, self, 9},
		{"current reservation of another", v, abi.XENMEMCurrentReservation, one, 9},
		{"current reservation of another without privilege", u, abi.XENMEMCurrentReservation, &abi.MemoryDomain{}, eperm},
		{"current reservation of no domain", v, abi.XENMEMCurrentReservation, &abi.MemoryDomain{DomID: 77}, esrch},
		{"current reservation, no argument", v, abi.XENMEMCurrentReservation, nil, efault},
		{"maximum reservation", u, abi.XENMEMMaximumReservation, self, 11},
		{"maximum PFN", v, abi.XENMEMMaximumGPFN, one, 101},
		{"translation of a domain that is not translated", u, abi.XENMEMTranslateGPFNList,
			&abi.TranslateGPFNList{DomID: abi.DomSelf}, einval},
		{"translation of another without privilege", u, abi.XENMEMTranslateGPFNList, &abi.TranslateGPFNList{}, eperm},
		{"add to a map that is not translated", u, abi.XENMEMAddToPhysmap, &abi.AddToPhysmap{DomID: abi.DomSelf}, einval},
		{"add to another's map without privilege", u, abi.XENMEMAddToPhysmap, &abi.AddToPhysmap{}, eperm},
		{"memory map that was never set", u, abi.XENMEMMemoryMap, &abi.MemoryMap{}, enosys},
		{"set memory map, too long", v, abi.XENMEMSetMemoryMap,
			&abi.MemoryMap{DomID: 1, Entries: make([]abi.E820Entry, 4)}, einval},
		{"set memory map without privilege", u, abi.XENMEMSetMemoryMap, &abi.MemoryMap{DomID: 0}, eperm},
		{"set memory map", v, abi.XENMEMSetMemoryMap,
			&abi.MemoryMap{DomID: 1, Entries: []abi.E820Entry{{Size: 1 << 20, Type: 1}}}, 0},
		{"memory map", u, abi.XENMEMMemoryMap, &abi.MemoryMap{Entries: make([]abi.E820Entry, 8)}, 0},
		{"machine memory map without privilege", u, abi.XENMEMMachineMemoryMap,
			&abi.MemoryMap{Entries: make([]abi.E820Entry, 8)}, einval},
		{"machine memory map, buffer too small", v, abi.XENMEMMachineMemoryMap,
			&abi.MemoryMap{Entries: make([]abi.E820Entry, 3)}, einval},
		{"machine memory map", v, abi.XENMEMMachineMemoryMap, &abi.MemoryMap{Entries: make([]abi.E820Entry, 4)}, 0},
		{"machine-to-physical mapping", u, abi.XENMEMMachphysMapping, &abi.MachphysMapping{}, 0},
		{"machine-to-physical frames", u, abi.XENMEMMachphysMFNList, &abi.MachphysMFNList{Extents: make([]abi.MFN, 4)}, 0},
		{"no such command", v, 99, nil, enosys},
	} {
		if got := memoryOp(tt.cpu, tt.cmd, tt.h); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	audit(t, m)
}

func TestContiguousExtents(t *testing.T) {
	m, v := quiet(t)
	m.dom0.permitIOPorts(0, 0xffff, true)
	m.dom0.maxPages += 64
	r := &abi.MemoryReservation{ExtentStart: make([]uint64, 3), ExtentOrder: 4, DomID: abi.DomSelf}
	if got := memoryOp(v, abi.XENMEMIncreaseReservation, r); got != 3 {
		t.Fatalf("%d extents, want 3", got)
	}
	for _, first := range r.ExtentStart {
		if first%16 != 0 {
			t.Errorf("extent at %#x is not aligned", first)
		}
	}
	audit(t, m)
	if got := memoryOp(v, abi.XENMEMDecreaseReservation, r); got != 3 {
		t.Errorf("%d extents given back, want 3", got)
	}
	audit(t, m)
}

func TestTranslatedDomain(t *testing.T) {
	m, v := quiet(t)
	d, _, p2m := newDomain(t, m, 1, 4)
	d.maxPages = 8
	if rc := m.shadowOp(v, d, &abi.DomctlShadow{Op: abi.ShadowOpEnableTranslate}); rc != 0 {
		t.Fatal(rc)
	}
	l := &abi.TranslateGPFNList{DomID: 1, GPFNs: []abi.PFN{2, 0, 99}, MFNs: make([]abi.MFN, 3)}
	if rc := memoryOp(v, abi.XENMEMTranslateGPFNList, l); rc != 0 {
		t.Fatal(rc)
	}
	if l.MFNs[0] != p2m[2] || l.MFNs[1] != p2m[0] || l.MFNs[2] != abi.InvalidMFN {
		t.Errorf("translated to %#x", l.MFNs)
	}
	if rc := memoryOp(v, abi.XENMEMAddToPhysmap, &abi.AddToPhysmap{DomID: 1, GPFN: 2}); rc != 0 {
		t.Fatal(rc)
	}
	if got := m.gmfnToMFN(d, 2); got != d.sharedMFN {
		t.Errorf("PFN 2 is frame %#x, want the shared page", got)
	}
	if d.totPages != 3 {
		t.Errorf("%d frames left, want 3: the one that was there is given up", d.totPages)
	}
	r := &abi.MemoryReservation{ExtentStart: []uint64{0}, DomID: 1}
	if got := memoryOp(v, abi.XENMEMDecreaseReservation, r); got != 1 || m.gmfnToMFN(d, 0) != abi.InvalidMFN {
		t.Errorf("decrease by PFN: %d", got)
	}
	audit(t, m)
}

func TestRelinquish(t *testing.T) {
	for _, tt := range []struct {
		name string
		work func(t *testing.T, m *Machine, v *VCPU)
	}{
		{"as built", func(*testing.T, *Machine, *VCPU) {}},
		{"second address space", func(t *testing.T, m *Machine, v *VCPU) {
			top := secondSpace(t, v, firstFree(v), dom0MFN(v, firstFree(v)+10))
			mmuExt(v, abi.DomSelf, abi.MMUExtOpEntry{Cmd: pinTop, Arg1: uint64(top)}, abi.MMUExtOpEntry{Cmd: abi.NewBasePtr, Arg1: uint64(top)})
		}},
		{"linear page table", func(t *testing.T, m *Machine, v *VCPU) {
			l2 := v.mmu.base
			for l := abi.PTLevels; l > 2; l-- {
				l2 = abi.PteMFN(m.table(l2)[abi.PTIndex(abi.VirtBase, l)])
			}
			if rc, _ := mmuUpdate(v, abi.DomSelf, abi.MMUUpdate{Ptr: pteAddr(l2, 300), Val: abi.MkPte(l2, flagsRO)}); rc != 0 {
				t.Error(rc)
			}
		}},
		{"two tables that map each other", func(t *testing.T, m *Machine, v *VCPU) {
			free := firstFree(v)
			a := buildTable(t, v, free, only(0, 0))
			b := buildTable(t, v, free+1, only(0, abi.MkPte(a, flagsRO)))
			pin := func(mfn abi.MFN) abi.MMUExtOpEntry { return abi.MMUExtOpEntry{Cmd: abi.PinL2Table, Arg1: uint64(mfn)} }
			if rc, _ := mmuExt(v, abi.DomSelf, pin(a), pin(b)); rc != 0 {
				t.Error(rc)
			}
			if rc, _ := mmuUpdate(v, abi.DomSelf, abi.MMUUpdate{Ptr: pteAddr(a, 0), Val: abi.MkPte(b, flagsRO)}); rc != 0 {
				t.Error(rc)
			}
		}},
		{"descriptor tables", func(t *testing.T, m *Machine, v *VCPU) {
			free := firstFree(v)
			for i := range 2 {
				updateVA(v, kva(free+i), abi.MkPte(dom0MFN(v, free+i), flagsRO), abi.UVMFINVLPG)
			}
			if rc := m.setGDT(v, []abi.MFN{dom0MFN(v, free)}, 512); rc != 0 {
				t.Error(rc)
			}
			if rc, _ := mmuExt(v, abi.DomSelf, abi.MMUExtOpEntry{Cmd: abi.SetLDT, Arg1: kva(free + 1), Arg2: 16}); rc != 0 {
				t.Error(rc)
			}
			if v.mmu.ldtFrames[0] != dom0MFN(v, free+1) {
				t.Error("the LDT is not in use")
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, v := quiet(t)
			avail := m.heap.available()
			tt.work(t, m, v)
			audit(t, m)
			d := m.dom0
			copy(m.frame(dom0MFN(v, firstFree(v)+100)), "a secret")
			d.dying.Store(domDying)
			m.relinquishMemory(d)
			audit(t, m)
			if d.totPages != 0 || d.pages.n != 0 {
				t.Errorf("%d frames left", d.totPages)
			}
			if got := m.heap.available(); got != avail+testDom0Frames {
				t.Errorf("%d frames came back, want %d", got-avail, testDom0Frames)
			}
			if got := m.frame(dom0MFN(v, firstFree(v)+100))[0]; got != 0 {
				t.Error("a dead domain's memory was not erased")
			}
		})
	}
}

func TestForeignMappingOutlivesDomain(t *testing.T) {
	m, v := quiet(t)
	d, _, theirs := newDomain(t, m, 1, 4)
	va := kva(firstFree(v))
	l1, slot, _ := v.guestL1E(va)
	if rc, _ := mmuUpdate(v, 1, abi.MMUUpdate{Ptr: pteAddr(l1, slot), Val: abi.MkPte(theirs[0], flagsRW)}); rc != 0 {
		t.Fatal(rc)
	}
	d.dying.Store(domDying)
	m.relinquishMemory(d)
	if d.totPages != 1 {
		t.Errorf("%d frames left, want the one that dom0 maps", d.totPages)
	}
	audit(t, m)
	avail := m.heap.available()
	if rc := updateVA(v, va, 0, abi.UVMFINVLPG); rc != 0 {
		t.Fatal(rc)
	}
	if d.totPages != 0 || m.heap.available() != avail+1 {
		t.Error("the last mapping is gone, but not the frame")
	}
	audit(t, m)
}

func TestStealPage(t *testing.T) {
	m, v := quiet(t)
	d, _, theirs := newDomain(t, m, 1, 4)
	mapped := dom0MFN(v, firstFree(v))
	if m.stealPage(m.dom0, mapped) {
		t.Error("a mapped frame was stolen")
	}
	if m.stealPage(m.dom0, theirs[0]) {
		t.Error("another domain's frame was stolen")
	}
	if !m.stealPage(d, theirs[0]) || d.totPages != 3 {
		t.Fatal("an unused frame is not stolen")
	}
	if m.getPage(theirs[0], d) {
		t.Error("an anonymous frame gives references")
	}
	m.dom0.maxPages++
	if !m.assignPage(m.dom0, theirs[0]) || !m.getPage(theirs[0], m.dom0) {
		t.Error("the frame is not its new owner's")
	}
	m.putPage(theirs[0])
	audit(t, m)
}

func TestGrantHostMapping(t *testing.T) {
	m, v := quiet(t)
	d, _, theirs := newDomain(t, m, 1, 4)
	free := firstFree(v)
	va, va2 := kva(free), kva(free+1)
	l1, slot, _ := v.guestL1E(va)
	mfn := theirs[0]
	take := func() {
		if !m.getPageAndType(mfn, d, pgtWritable) {
			t.Fatal("no reference to the granted frame")
		}
	}
	release := func() { m.putPageAndType(mfn); m.flushDomainTLB(m.dom0) }
	check := func(what string, got, want int16) {
		t.Helper()
		if got != want {
			t.Fatalf("%s: %d, want %d", what, got, want)
		}
		audit(t, m)
	}
	take()
	check("map at an address", m.createGrantHostMapping(v, va, mfn, abi.GNTMAPHostMap), abi.GNTSTOkay)
	m.flushDomainTLB(m.dom0)
	v.Store64(va, 77, false)
	if m.frame(mfn)[0] != 77 {
		t.Error("the mapping does not reach the granted frame")
	}
	check("unmap another frame", m.destroyGrantHostMapping(v, va, 0, theirs[1], abi.GNTMAPHostMap), abi.GNTSTGeneralError)
	check("unmap elsewhere", m.destroyGrantHostMapping(v, va2, 0, mfn, abi.GNTMAPHostMap), abi.GNTSTGeneralError)
	if rc := m.destroyGrantHostMapping(v, va, 0, mfn, abi.GNTMAPHostMap); rc != abi.GNTSTOkay {
		t.Fatal(rc)
	}
	release()
	audit(t, m)

	take()
	flags := uint32(abi.GNTMAPHostMap | abi.GNTMAPContainsPTE)
	check("map in an entry", m.createGrantHostMapping(v, pteAddr(l1, slot), mfn, flags), abi.GNTSTOkay)
	check("map in what is no page table", m.createGrantHostMapping(v, pteAddr(dom0MFN(v, free+3), 0), mfn, flags), abi.GNTSTGeneralError)
	check("replace through an entry", m.destroyGrantHostMapping(v, pteAddr(l1, slot), va2, mfn, flags), abi.GNTSTGeneralError)
	if rc := m.destroyGrantHostMapping(v, pteAddr(l1, slot), 0, mfn, flags); rc != abi.GNTSTOkay {
		t.Fatal(rc)
	}
	release()
	audit(t, m)

	take()
	check("map again", m.createGrantHostMapping(v, va, mfn, abi.GNTMAPHostMap), abi.GNTSTOkay)
	if rc := m.destroyGrantHostMapping(v, va, va2, mfn, abi.GNTMAPHostMap); rc != abi.GNTSTOkay {
		t.Fatal(rc)
	}
	release()
	audit(t, m)
	copy(m.frame(dom0MFN(v, free+1)), "moved")
	if got := string(v.Page(va, false, false)[:5]); got != "moved" {
		t.Errorf("replaced by %q, want what was mapped at the other address", got)
	}
	check("map without a page table", m.createGrantHostMapping(v, userVA, mfn, abi.GNTMAPHostMap), abi.GNTSTGeneralError)
	check("map over Xen", m.createGrantHostMapping(v, abi.HypervisorStart, mfn, abi.GNTMAPHostMap), abi.GNTSTGeneralError)
}

func TestLogDirty(t *testing.T) {
	m, v := quiet(t)
	d, u, p2m := newDomain(t, m, 1, 64)
	// The domain's page tables, built by hand, map its first frames.
	counts := tableCounts(40)
	m.buildTables(p2m[:40], 20, counts)
	if !m.newGuestCR3(u, p2m[20]) {
		t.Fatal("page tables are not valid")
	}
	audit(t, m)
	u.Store64(kva(1), 1, false) // before the log begins

	sc := &abi.DomctlShadow{Op: abi.ShadowOpClean, Dirty: make([]uint64, 1), Pages: 64}
	if rc := m.shadowOp(v, d, sc); rc != -abi.EINVAL {
		t.Errorf("clean without log-dirty mode: %v", rc)
	}
	enable := &abi.DomctlShadow{Op: abi.ShadowOpEnableLogdirty}
	for _, want := range []abi.Errno{0, -abi.EINVAL} {
		if rc := m.shadowOp(v, d, enable); rc != want {
			t.Errorf("enable: %v, want %v", rc, want)
		}
	}
	if rc := m.shadowOp(v, m.dom0, enable); rc != -abi.EINVAL {
		t.Errorf("log-dirty mode on oneself: %v", rc)
	}
	u.Load64(kva(2), false)
	u.Store64(kva(3), 1, false)
	u.Store64(kva(3), 2, false)
	u.Store8(kva(5), 2, false)
	read := func(op uint32, want uint64) {
		t.Helper()
		sc := &abi.DomctlShadow{Op: op, Dirty: make([]uint64, 1), Pages: 64}
		if rc := m.shadowOp(v, d, sc); rc != 0 {
			t.Fatal(rc)
		}
		if got := sc.Dirty[0] & (1<<20 - 1); got != want {
			t.Errorf("op %d: dirty %#x, want %#x", op, got, want)
		}
	}
	read(abi.ShadowOpPeek, 1<<3|1<<5)
	read(abi.ShadowOpClean, 1<<3|1<<5)
	read(abi.ShadowOpPeek, 0)
	u.Store64(kva(3), 3, false)
	if rc := updateVA(u, kva(6), abi.MkPte(p2m[6], flagsRO), 0); rc != 0 {
		t.Fatal(rc)
	}
	read(abi.ShadowOpPeek, 1<<3)
	if rc := m.shadowOp(v, d, &abi.DomctlShadow{Op: abi.ShadowOpOff}); rc != 0 {
		t.Error(rc)
	}
	if rc := m.shadowOp(v, d, &abi.DomctlShadow{Op: abi.ShadowOpPeek}); rc != -abi.EINVAL {
		t.Errorf("peek when off: %v", rc)
	}
}

func TestHeap(t *testing.T) {
	m, _ := quiet(t)
	h := &m.heap
	avail := h.available()
	var got []struct {
		mfn   abi.MFN
		order int
	}
	used := map[abi.MFN]bool{}
	for i := range 200 {
		order := i % 5
		mfn, ok := h.alloc(order)
		if !ok {
			break
		}
		if mfn%(1<<order) != 0 {
			t.Errorf("extent of order %d at %#x is not aligned", order, mfn)
		}
		for j := range abi.MFN(1) << order {
			if used[mfn+j] || mfn+j == 0 || mfn+j >= firstHoleFrame && mfn+j < endHoleFrame {
				t.Fatalf("frame %#x handed out wrongly", mfn+j)
			}
			used[mfn+j] = true
		}
		got = append(got, struct {
			mfn   abi.MFN
			order int
		}{mfn, order})
	}
	if h.available() != avail-len(used) {
		t.Errorf("%d free, want %d", h.available(), avail-len(used))
	}
	for _, e := range got {
		h.release(e.mfn, e.order)
	}
	if h.available() != avail {
		t.Errorf("%d free after all came back, want %d", h.available(), avail)
	}
	if _, ok := h.alloc(maxOrder); ok {
		t.Error("an extent larger than memory")
	}
	// What came back has merged: the largest extent is there again.
	if _, ok := h.alloc(10); !ok {
		t.Error("free frames have not merged")
	}
}

func TestRangeSet(t *testing.T) {
	var s rangeSet
	check := func(want string) {
		t.Helper()
		if got := fmt.Sprint(s); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	s.set(10, 20, true)
	s.set(30, 40, true)
	check("[{10 20} {30 40}]")
	s.set(15, 34, false)
	check("[{10 14} {35 40}]")
	s.set(0, 100, true)
	check("[{0 100}]")
	s.set(50, 50, false)
	check("[{0 49} {51 100}]")
	s.set(60, 50, true)
	if s.contains(50) || !s.contains(49) || !s.contains(51) || s.contains(101) {
		t.Error("contains the wrong numbers")
	}
	// As rangeset_add_range, it leaves no two ranges side by side.
	s.set(50, 50, true)
	check("[{0 100}]")
	s.set(101, 200, true)
	check("[{0 200}]")
}

func TestBuildErrors(t *testing.T) {
	for _, tt := range []struct {
		name               string
		frames, dom0Frames int
		want               string
	}{
		{"no room for Xen", MinFrames - 1, 256, "need at least"},
		{"dom0 smaller than its image", testFrames, 4, "its image needs"},
		{"dom0 larger than memory", MinFrames, MinFrames, "out of memory after"},
		{"dom0 larger than its addresses", testFrames, maxDirectMap + 1, "do not fit"},
	} {
		RegisterKernel("quiet", func(any, *abi.StartInfo) {})
		m, err := New(Config{
			Frames: tt.frames, Dom0Frames: tt.dom0Frames,
			Modules: []xsm.BootModule{{Name: "kernel", Data: KernelImage("quiet", 3*abi.PageSize+1)}},
		})
		if err == nil {
			err = m.Start()
			m.Stop()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}
