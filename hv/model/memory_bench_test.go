package model

import (
	"testing"

	"xsmbench/abi"
)

func BenchmarkPageHit(b *testing.B) {
	_, v := quiet(b)
	va := kva(firstFree(v))
	for _, bb := range []struct {
		name  string
		write bool
	}{{"read", false}, {"write", true}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v.Page(va, bb.write, false)
			}
		})
	}
}

func BenchmarkPageMiss(b *testing.B) {
	_, v := quiet(b)
	va := kva(firstFree(v))
	b.ReportAllocs()
	for b.Loop() {
		v.invlpgLocal(va)
		v.Page(va, true, false)
	}
}

func BenchmarkLoadStore64(b *testing.B) {
	_, v := quiet(b)
	va := kva(firstFree(v))
	b.ReportAllocs()
	for b.Loop() {
		v.Store64(va, v.Load64(va, false)+1, false)
	}
}

func BenchmarkUpdateVAMapping(b *testing.B) {
	_, v := quiet(b)
	free := firstFree(v)
	va := kva(free)
	entries := [2]uint64{abi.MkPte(dom0MFN(v, free), flagsRW), abi.MkPte(dom0MFN(v, free+1), flagsRW)}
	a := new(abi.Args)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		a.R = [4]uint64{va, entries[i&1], abi.UVMFINVLPG}
		if rc := v.Hypercall(abi.UpdateVAMapping, a); rc != 0 {
			b.Fatal(rc)
		}
	}
}

func BenchmarkMMUUpdate(b *testing.B) {
	_, v := quiet(b)
	free := firstFree(v)
	l1, slot, _ := v.guestL1E(kva(free))
	args := &abi.MMUUpdateArgs{Reqs: make([]abi.MMUUpdate, 1)}
	a := &abi.Args{R: [4]uint64{0, uint64(abi.DomSelf)}, H: args}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		args.Reqs[0] = abi.MMUUpdate{Ptr: pteAddr(l1, slot), Val: abi.MkPte(dom0MFN(v, free+i&1), flagsRW)}
		if rc := v.Hypercall(abi.MMUUpdateOp, a); rc != 0 {
			b.Fatal(rc)
		}
	}
}

func BenchmarkPTEWrite(b *testing.B) {
	_, v := quiet(b)
	free := firstFree(v)
	l1 := buildTable(b, v, free, only(0, 0))
	mmuExt(v, abi.DomSelf, abi.MMUExtOpEntry{Cmd: abi.PinL1Table, Arg1: uint64(l1)})
	e := abi.MkPte(dom0MFN(v, free+1), flagsRW)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		v.Store64(kva(free), e*uint64(i&1), false)
	}
}

func BenchmarkPinUnpin(b *testing.B) {
	_, v := quiet(b)
	free := firstFree(v)
	target := dom0MFN(v, free+1)
	l1 := buildTable(b, v, free, func(int) uint64 { return abi.MkPte(target, flagsRW) })
	args := &abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{
		{Cmd: abi.PinL1Table, Arg1: uint64(l1)}, {Cmd: abi.UnpinTable, Arg1: uint64(l1)},
	}}
	a := &abi.Args{R: [4]uint64{0, uint64(abi.DomSelf)}, H: args}
	b.ReportAllocs()
	for b.Loop() {
		if rc := v.Hypercall(abi.MMUExtOp, a); rc != 0 {
			b.Fatal(rc)
		}
	}
}

// The paths that every page fault and context switch take must not allocate.
func TestHotPathsDoNotAllocate(t *testing.T) {
	_, v := quiet(t)
	free := firstFree(v)
	va := kva(free)
	l1, slot, _ := v.guestL1E(va)
	root := uint64(v.mmu.base)
	update := &abi.MMUUpdateArgs{Reqs: make([]abi.MMUUpdate, 1)}
	ext := &abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: abi.NewBasePtr, Arg1: root}, {Cmd: abi.TLBFlushAll}}}
	a, ua, xa := new(abi.Args), &abi.Args{H: update}, &abi.Args{H: ext}
	ua.R[1], xa.R[1] = uint64(abi.DomSelf), uint64(abi.DomSelf)
	i := 0
	for name, f := range map[string]func(){
		"Page":       func() { v.Page(va, true, false) },
		"Page, miss": func() { v.invlpgLocal(va); v.Page(va, true, false) },
		"update_va_mapping": func() {
			a.R[0], a.R[1] = va, abi.MkPte(dom0MFN(v, free+i&1), flagsRW)
			v.Hypercall(abi.UpdateVAMapping, a)
		},
		"mmu_update": func() {
			update.Reqs[0] = abi.MMUUpdate{Ptr: pteAddr(l1, slot), Val: abi.MkPte(dom0MFN(v, free+i&1), flagsRW)}
			v.Hypercall(abi.MMUUpdateOp, ua)
		},
		"mmuext_op": func() { v.Hypercall(abi.MMUExtOp, xa) },
	} {
		if n := testing.AllocsPerRun(100, func() { f(); i++ }); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
