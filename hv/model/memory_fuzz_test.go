package model

import (
	"sync"
	"testing"

	"xsmbench/abi"
)

// FuzzMemory has two domains do what the input says, lawful or not, and then
// recounts everything: whatever guests do, no count is wrong and no page table
// writable.
func FuzzMemory(f *testing.F) {
	for kind := range byte(10) {
		f.Add([]byte{kind, 1, 2, 0, kind, 3, 4, 1, kind + 1, 1, 7, 2, 7, 1, 1, 0})
	}
	f.Add([]byte{2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 8, 1, 0, 0, 8, 1, 0, 2})
	f.Fuzz(func(t *testing.T, input []byte) {
		m, v := quiet(t, func(c *Config) { c.Frames, c.Dom0Frames = MinFrames, 256 })
		_, u, theirs := newDomain(t, m, 1, 40)
		m.buildTables(theirs, 20, tableCounts(40))
		if !m.newGuestCR3(u, theirs[20]) {
			t.Fatal("the second domain's page tables are not valid")
		}
		fuzz := fuzzGuest{m: m, cpus: [2]*VCPU{v, u}, theirs: theirs, first: firstFree(v)}
		for len(input) >= 4 {
			fuzz.step(input[0], input[1], input[2], input[3])
			input = input[4:]
		}
		audit(t, m)
		for _, d := range []*Domain{m.dom0, u.dom} {
			d.dying.Store(domDying)
			m.relinquishMemory(d)
			audit(t, m)
		}
		if m.dom0.totPages != 0 || u.dom.totPages != 0 {
			t.Errorf("%d and %d frames left", m.dom0.totPages, u.dom.totPages)
		}
	})
}

// fuzzGuest turns bytes into a guest's doings.
type fuzzGuest struct {
	m      *Machine
	cpus   [2]*VCPU
	theirs []abi.MFN
	first  int // of dom0's free PFNs
}

// frame picks a frame: dom0's page tables and memory, the other's, Xen's.
func (g *fuzzGuest) frame(x byte) abi.MFN {
	switch {
	case x < 160:
		return dom0MFN(g.cpus[0], g.first-6+int(x)%32)
	case x < 224:
		return g.theirs[int(x)%len(g.theirs)]
	case x < 240:
		return g.m.xen.m2pFirst
	}
	return abi.MFN(x)
}

func (g *fuzzGuest) step(kind, a, b, c byte) {
	v := g.cpus[kind>>6&1]
	flags := [...]uint64{0, flagsRO, flagsRW, flagsRW | abi.PteUser, abi.PtePresent, flagsRO | abi.PteUser, flagsRW | abi.PtePSE, flagsRO | abi.PteAvail0}
	e := abi.MkPte(g.frame(b), flags[c&7])
	dom := [...]abi.DomID{abi.DomSelf, 1, abi.DomIO, abi.DomXen}[c>>6]
	va := kva(g.first - 6 + int(a)%40)
	slot := [...]int{0, 1, abi.PTIndex(abi.VirtBase, abi.PTLevels), 300, 511, firstXenSlot, 2, 3}[c>>3&7]
	switch kind % 12 {
	case 0, 1:
		updateVA(v, va, e, abi.UVMFTLBFlush)
	case 2, 3:
		mmuUpdate(v, dom, abi.MMUUpdate{Ptr: pteAddr(g.frame(a), slot), Val: e})
	case 4, 5:
		mmuExt(v, dom, abi.MMUExtOpEntry{Cmd: abi.MMUExtCmd(c & 15), Arg1: uint64(g.frame(a)), Arg2: uint64(b)})
	case 6:
		mmuExt(v, dom, abi.MMUExtOpEntry{Cmd: abi.PinL1Table + abi.MMUExtCmd(c&3), Arg1: uint64(g.frame(a))})
	case 7:
		mmuExt(v, dom, abi.MMUExtOpEntry{Cmd: abi.UnpinTable, Arg1: uint64(g.frame(a))})
	case 8, 9:
		// A fault without a handler ends the hand-driven access only.
		crashes(func() { v.Store64(va+uint64(slot)*8, e, false) })
	case 10:
		memoryOp(v, abi.XENMEMDecreaseReservation, &abi.MemoryReservation{ExtentStart: []uint64{uint64(g.frame(a))}, DomID: dom})
	case 11:
		memoryOp(v, abi.XENMEMPopulatePhysmap, &abi.MemoryReservation{ExtentStart: []uint64{uint64(b)}, DomID: dom})
	}
}

// TestConcurrentUse has two vCPUs of a domain, and another domain that maps
// its memory, work on the same frames at once.
func TestConcurrentUse(t *testing.T) {
	m, v, w := twoVCPUs(t)
	_, u, theirs := newDomain(t, m, 1, 40)
	free := firstFree(v)
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	var group sync.WaitGroup
	work := func(cpu *VCPU, seed uint32, f func(cpu *VCPU, x uint32)) {
		group.Go(func() {
			x := seed
			for range rounds {
				x = x*1664525 + 1013904223
				f(cpu, x>>16)
			}
		})
	}
	pages := func(cpu *VCPU, x uint32) {
		pfn, flags := free+int(x&3), [...]uint64{0, flagsRO, flagsRW}[x>>2%3]
		updateVA(cpu, kva(pfn), abi.MkPte(dom0MFN(v, free+int(x>>4&3)), flags), abi.UVMFINVLPG|abi.UVMFAll)
		cmd := abi.PinL1Table
		if x&64 != 0 {
			cmd = abi.UnpinTable
		}
		mmuExt(cpu, abi.DomSelf, abi.MMUExtOpEntry{Cmd: cmd, Arg1: uint64(dom0MFN(v, free+int(x>>7&3)))})
		l1, slot, _ := v.guestL1E(kva(free + 8 + int(x&7) + 8*cpu.ID))
		mmuUpdate(cpu, 1, abi.MMUUpdate{Ptr: pteAddr(l1, slot), Val: abi.MkPte(theirs[x>>9&15], flags)})
		if x&3 == 0 {
			cpu.Load64(kva(free+100+int(x&31)), false)
		}
	}
	work(v, 1, pages)
	work(w, 2, pages)
	work(u, 3, func(cpu *VCPU, x uint32) {
		r := &abi.MemoryReservation{ExtentStart: []uint64{uint64(x & 63)}, DomID: abi.DomSelf}
		if memoryOp(cpu, abi.XENMEMIncreaseReservation, r) == 1 {
			memoryOp(cpu, abi.XENMEMDecreaseReservation, r)
		}
		mmuExt(cpu, abi.DomSelf, abi.MMUExtOpEntry{Cmd: abi.PinL1Table, Arg1: uint64(theirs[x&15])})
		mmuExt(cpu, abi.DomSelf, abi.MMUExtOpEntry{Cmd: abi.UnpinTable, Arg1: uint64(theirs[x&15])})
	})
	group.Wait()
	audit(t, m)
}
