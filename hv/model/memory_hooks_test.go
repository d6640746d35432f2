//go:build xsm && !flask

package model

import (
	"fmt"
	"slices"
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// recorder is a module that notes the memory hooks it is asked, with their
// arguments, and denies those named.
type recorder struct {
	asked []string
	deny  string
}

func (r *recorder) hook(name string, args ...any) abi.Errno {
	r.asked = append(r.asked, fmt.Sprint(append([]any{name}, args...)...))
	if name == r.deny {
		return -abi.EACCES
	}
	return 0
}

// register puts the recorder in use until the test ends.
func (r *recorder) register(t *testing.T) {
	ops := &xsm.Operations{
		MMUNormalUpdate: func(_ *xsm.VCPU, d *xsm.Domain, e uint64) abi.Errno {
			return r.hook("mmu_normal_update", " ", d.ID)
		},
		MMUMachphysUpdate: func(_ *xsm.VCPU, d *xsm.Domain, _ abi.MFN) abi.Errno {
			return r.hook("mmu_machphys_update", " ", d.ID)
		},
		UpdateVAMapping: func(_ *xsm.VCPU, d *xsm.Domain, _ uint64) abi.Errno {
			return r.hook("update_va_mapping", " ", d.ID)
		},
		MemoryPinPage: func(_ *xsm.VCPU, d *xsm.Domain, p *xsm.Page) abi.Errno {
			return r.hook("memory_pin_page", " ", d.ID, " ", p.Owner.ID)
		},
		MemoryAdjustReservation: func(_ *xsm.VCPU, a, b *xsm.Domain) abi.Errno {
			return r.hook("memory_adjust_reservation", " ", a.ID, " ", b.ID)
		},
		MemoryStatReservation: func(_ *xsm.VCPU, a, b *xsm.Domain) abi.Errno {
			return r.hook("memory_stat_reservation", " ", a.ID, " ", b.ID)
		},
		TranslateGPFNList: func(_ *xsm.VCPU, d *xsm.Domain, _ abi.MFN) abi.Errno {
			return r.hook("translate_gpfn_list", " ", d.ID)
		},
		AddToPhysmap: func(_ *xsm.VCPU, a, b *xsm.Domain) abi.Errno {
			return r.hook("add_to_physmap", " ", a.ID, " ", b.ID)
		},
		MachineMemoryMap: func(*xsm.VCPU) abi.Errno { return r.hook("machine_memory_map") },
		DomainMemoryMap: func(_ *xsm.VCPU, d *xsm.Domain) abi.Errno {
			return r.hook("domain_memory_map", " ", d.ID)
		},
		ShadowControl: func(_ *xsm.VCPU, d *xsm.Domain, op uint32) abi.Errno {
			return r.hook("shadow_control", " ", d.ID, " ", op)
		},
	}
	if rc := xsm.Register(ops); rc != 0 {
		t.Fatal(rc)
	}
	t.Cleanup(func() { xsm.Unregister(ops) })
}

// TestMemoryHooks checks which hooks each operation asks, how often and about
// whom, and what comes back when they deny.
func TestMemoryHooks(t *testing.T) {
	m, v := quiet(t)
	d, u, theirs := newDomain(t, m, 1, 8)
	d2, _, _ := newDomain(t, m, 2, 8)
	if rc := m.shadowOp(v, d2, &abi.DomctlShadow{Op: abi.ShadowOpEnableTranslate}); rc != 0 {
		t.Fatal(rc)
	}
	free := firstFree(v)
	va := kva(free)
	l1, slot, _ := v.guestL1E(va)
	table := buildTable(t, v, free+1, only(0, 0))
	entry := abi.MMUUpdate{Ptr: pteAddr(l1, slot), Val: abi.MkPte(dom0MFN(v, free), flagsRW)}
	m2p := abi.MMUUpdate{Ptr: uint64(dom0MFN(v, free))<<abi.PageShift | abi.MMUMachphysUpdate, Val: uint64(free)}
	pin := abi.MMUExtOpEntry{Cmd: abi.PinL1Table, Arg1: uint64(table)}
	unpin := abi.MMUExtOpEntry{Cmd: abi.UnpinTable, Arg1: uint64(table)}
	flush := abi.MMUExtOpEntry{Cmd: abi.TLBFlushAll}
	rc := func(rc int64, _ uint32) int64 { return rc }
	self := &abi.MemoryDomain{DomID: abi.DomSelf}
	rep := func(n int, s string) []string { return slices.Repeat([]string{s}, n) }

	r := &recorder{}
	r.register(t)
	const allowed, denied = int64(0), -int64(abi.EACCES)
	for _, tt := range []struct {
		name   string
		do     func() int64
		want   int64
		hooks  []string
		denied int64 // result when the hook denies; 1 if there is none
	}{
		{"mmu_update of 3 entries", func() int64 { return rc(mmuUpdate(v, abi.DomSelf, entry, entry, entry)) },
			allowed, rep(3, "mmu_normal_update 0"), denied},
		{"mmu_update of a foreign frame", func() int64 {
			return rc(mmuUpdate(v, 1, abi.MMUUpdate{Ptr: entry.Ptr, Val: abi.MkPte(theirs[0], flagsRO)}))
		}, allowed, rep(1, "mmu_normal_update 0"), denied},
		{"mmu_update, M2P", func() int64 { return rc(mmuUpdate(v, abi.DomSelf, m2p, m2p)) },
			allowed, rep(2, "mmu_machphys_update 0"), denied},
		{"mmu_update without privilege", func() int64 { return rc(mmuUpdate(u, 0, entry)) }, esrch, nil, 1},
		{"update_va_mapping", func() int64 { return updateVA(v, va, entry.Val, abi.UVMFINVLPG) },
			allowed, rep(1, "update_va_mapping 0"), denied},
		{"update_va_mapping of Xen's address", func() int64 { return updateVA(v, abi.HypervisorStart, 0, 0) }, einval, nil, 1},
		{"write to a page table", func() int64 {
			mmuExt(v, abi.DomSelf, pin)
			r.asked = nil
			v.Store64(kva(free+1)+16, entry.Val, false)
			return rc(mmuExt(v, abi.DomSelf, unpin))
		}, allowed, nil, 1},
		{"pin, flush, unpin", func() int64 { return rc(mmuExt(v, abi.DomSelf, pin, flush, unpin)) },
			allowed, rep(1, "memory_pin_page 0 0"), denied},
		{"flush", func() int64 { return rc(mmuExt(v, abi.DomSelf, flush)) }, allowed, nil, 1},
		{"increase, decrease", func() int64 {
			res := &abi.MemoryReservation{ExtentStart: []uint64{uint64(theirs[4])}, DomID: 1}
			if got := memoryOp(v, abi.XENMEMDecreaseReservation, res); got < 0 {
				return got
			}
			return memoryOp(v, abi.XENMEMIncreaseReservation, res) - 1
		}, allowed, rep(2, "memory_adjust_reservation 0 1"), denied},
		{"reservation without privilege", func() int64 {
			return memoryOp(u, abi.XENMEMDecreaseReservation, &abi.MemoryReservation{ExtentStart: []uint64{0}, DomID: 0})
		}, 0, nil, 1},
		{"current reservation", func() int64 { return min(0, memoryOp(u, abi.XENMEMCurrentReservation, self)) },
			allowed, rep(1, "memory_stat_reservation 1 1"), denied},
		{"translate 3 frames", func() int64 {
			return memoryOp(v, abi.XENMEMTranslateGPFNList, &abi.TranslateGPFNList{DomID: 2, GPFNs: make([]abi.PFN, 3), MFNs: make([]abi.MFN, 3)})
		}, allowed, rep(3, "translate_gpfn_list 0"), denied},
		{"add to physmap", func() int64 { return memoryOp(v, abi.XENMEMAddToPhysmap, &abi.AddToPhysmap{DomID: 2, GPFN: 50}) },
			allowed, rep(1, "add_to_physmap 0 2"), eperm},
		{"machine memory map", func() int64 {
			return memoryOp(v, abi.XENMEMMachineMemoryMap, &abi.MemoryMap{Entries: make([]abi.E820Entry, 8)})
		}, allowed, rep(1, "machine_memory_map"), denied},
		{"machine memory map without privilege", func() int64 {
			return memoryOp(u, abi.XENMEMMachineMemoryMap, &abi.MemoryMap{Entries: make([]abi.E820Entry, 8)})
		}, einval, nil, 1},
		{"set memory map", func() int64 { return memoryOp(v, abi.XENMEMSetMemoryMap, &abi.MemoryMap{DomID: 1}) },
			allowed, rep(1, "domain_memory_map 1"), denied},
		{"shadow op", func() int64 { return int64(m.shadowOp(v, d, &abi.DomctlShadow{Op: abi.ShadowOpGetAllocation})) },
			allowed, rep(1, "shadow_control 1 30"), denied},
		{"shadow op on oneself", func() int64 { return int64(m.shadowOp(v, m.dom0, &abi.DomctlShadow{})) }, einval, nil, 1},
	} {
		r.asked, r.deny = nil, ""
		if got := tt.do(); got != tt.want || !slices.Equal(r.asked, tt.hooks) {
			t.Errorf("%s: %d, hooks %q, want %d, %q", tt.name, got, r.asked, tt.want, tt.hooks)
		}
		audit(t, m)
		if tt.denied == 1 {
			continue
		}
		var name string
		fmt.Sscan(tt.hooks[0], &name)
		r.asked, r.deny = nil, name
		if got := tt.do(); got != tt.denied {
			t.Errorf("%s, denied: %d, want %d", tt.name, got, tt.denied)
		}
		audit(t, m)
	}
}

// A pin that is denied does not stop the batch, as in Xen 3.2: later
// operations are made, and the error is returned if they all succeed.
func TestDeniedPinGoesOn(t *testing.T) {
	m, v := quiet(t)
	table := buildTable(t, v, firstFree(v), only(0, 0))
	r := &recorder{deny: "memory_pin_page"}
	r.register(t)
	rc, done := mmuExt(v, abi.DomSelf,
		abi.MMUExtOpEntry{Cmd: abi.PinL1Table, Arg1: uint64(table)}, abi.MMUExtOpEntry{Cmd: abi.TLBFlushAll})
	if rc != -int64(abi.EACCES) || done != 2 {
		t.Errorf("%d after %d operations, want -EACCES after 2", rc, done)
	}
	if m.frames[table].typeInfo.Load()&pgtPinned != 0 {
		t.Error("a denied pin was made")
	}
	audit(t, m)
}
