package model

import (
	"encoding/binary"
	"hash/maphash"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// FuzzDomU has a domU make hypercalls: each is a row of the table of calls with
// some of its arguments replaced. Whatever it asks for, it gets no hold of
// another's frames and does not write to them, no count and no type is wrong, nobody
// else's state changes, it has no more privileges than before, and its end gives all
// its memory back.
func FuzzDomU(f *testing.F) {
	for row := range calls {
		f.Add(binary.LittleEndian.AppendUint16(nil, uint16(row)))
	}
	for row := 0; row+8 < len(calls); row += 8 {
		var input []byte
		for i := range 8 {
			input = append(binary.LittleEndian.AppendUint16(input, uint16(row+i)), byte(2<<5|i), byte(row), byte(3*i))
		}
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		w := newWorld(t)
		w.self = w.domU
		before, contents := fixedState(w), others(w)
		all := frames(w.m)
		g := domUFuzz{world: w, input: input}
		for range 32 {
			if len(g.input) < 2 || w.domU.dom.shutdown.down.Load() {
				break
			}
			crashes(g.step)
		}
		foreign(t, w)
		if changed := Changed(before, fixedState(w)); len(changed) != 0 {
			t.Errorf("domU changed what is not its to change:\n%s", strings.Join(changed, "\n"))
		}
		now := others(w)
		for mfn, was := range contents {
			if now[mfn] != was {
				t.Errorf("domU wrote to frame %#x of another, or took it", mfn)
			}
		}
		if d := w.domU.dom; d.Privileged || d.hasDevices() || g.raised {
			t.Error("domU has become privileged")
		}
		end(t, w)
		audit(t, w.m)
		if now := frames(w.m); now != all {
			t.Errorf("%d frames are somebody's or free, %d were", now, all)
		}
	})
}

// ownMap is domU's memory map in the description of the machine. It may set its own.
var ownMap = regexp.MustCompile(`^(domain 1: .*, memory map )\[.*?\]`)

// fixedState describes dom0, the HVM domain, the machine, and of domU and the PV domain
// what no call of domU's may change. Rows have the PV domain grant frames and keep ports.
func fixedState(w *world) []string {
	lines := StateOf(w.m)
	for i, line := range lines {
		lines[i] = ownMap.ReplaceAllString(line, "${1}its own")
	}
	return slices.DeleteFunc(lines, func(line string) bool {
		switch fields := strings.Fields(line); {
		case strings.HasPrefix(line, "domain 1:"):
			return slices.Contains([]string{"frames", "port", "grant", "paused", "vCPU"}, fields[2])
		case strings.HasPrefix(line, "domain 2:"):
			return slices.Contains([]string{"frames", "port", "grant"}, fields[2])
		}
		return strings.HasPrefix(line, "free frames")
	})
}

// content is a frame's owner, and a checksum of what is in it.
type content struct {
	owner *xsm.Domain
	sum   uint64
}

var seed = maphash.MakeSeed()

// others are the frames of other domains but for those that Xen shares with them, and
// for the one that the PV domain grants.
func others(w *world) map[abi.MFN]content {
	all := make(map[abi.MFN]content)
	for i := range w.m.frames {
		pg, mfn := &w.m.frames[i], abi.MFN(i)
		switch pg.Owner {
		case &w.m.dom0.Domain, &w.pv.Domain, &w.hvm.Domain:
			if pg.countInfo.Load()&pgcXenHeap == 0 && mfn != w.pvFrames[5] {
				c := content{owner: pg.Owner}
				if !testing.Short() || mfn == w.spare || pg.Owner != &w.m.dom0.Domain { // dom0 has a thousand
					c.sum = maphash.Bytes(seed, w.m.frame(mfn))
				}
				all[mfn] = c
			}
		}
	}
	return all
}

// frames counts the frames that are free or a domain's, the hypervisor's for it
// included.
func frames(m *Machine) int {
	n := m.heap.available()
	for _, d := range m.domainList() {
		n += int(d.totPages) + len(d.xenPageMFNs())
	}
	return n
}

// foreign looks for entries of domU's page tables that name frames of others,
// but for the one that the PV domain grants.
func foreign(t *testing.T, w *world) {
	for i := range w.m.frames {
		pg := &w.m.frames[i]
		ti := pg.typeInfo.Load()
		if pg.Owner != &w.domU.dom.Domain || tableLevel(ti) != 1 || ti&pgtCountMask == 0 {
			continue
		}
		for slot, e := range w.m.table(abi.MFN(i)) {
			target := abi.PteMFN(e)
			if e&abi.PtePresent == 0 || !guestSlot(1, ti, slot) || target == w.pvFrames[5] {
				continue
			}
			switch owner := w.m.frames[target].Owner; {
			case owner == &w.domU.dom.Domain:
			case owner != &w.m.domXen.Domain:
				t.Errorf("domU's page table %#x maps frame %#x of another", i, target)
			case e&abi.PteRW != 0:
				t.Errorf("domU's page table %#x maps Xen's frame %#x writable", i, target)
			}
		}
	}
}

// end has dom0 end domU.
func end(t *testing.T, w *world) {
	op := &abi.Domctl{Cmd: abi.DomctlDestroyDomain, Interface: abi.DomctlInterfaceVersion, DomID: idDomU}
	for range 1000 {
		rc := w.dom0.call(abi.DomctlOp, &abi.Args{H: op})
		if rc == 0 {
			return
		}
		if rc != -int64(abi.EAGAIN) {
			t.Fatalf("destroy domU: %v", abi.Errno(-rc))
		}
		w.dom0.pcpu.softirq.Store(0)
	}
	t.Fatal("domU cannot be destroyed")
}

// domUFuzz turns bytes into hypercalls.
type domUFuzz struct {
	*world
	input  []byte
	raised bool // whether a call has changed what memory domU may have
}

func (g *domUFuzz) byte() byte {
	if len(g.input) == 0 {
		return 0
	}
	b := g.input[0]
	g.input = g.input[1:]
	return b
}

// step makes one hypercall.
func (g *domUFuzz) step() {
	c := &calls[(int(g.byte())|int(g.byte())<<8)%len(calls)]
	a := c.args(g.world)
	var words []reflect.Value
	collect(&words, reflect.ValueOf(&a), 0)
	for range g.byte() >> 5 {
		word, v := words[int(g.byte())%len(words)], g.value()
		if word.CanInt() {
			word.SetInt(int64(v))
		} else {
			word.SetUint(v & (1<<word.Type().Bits() - 1))
		}
	}
	g.domU.pcpu.softirq.Store(0) // nobody else is to run
	most := g.domU.dom.maxPages  // which some rows raise for their call
	g.domU.call(c.nr, &a)
	g.raised = g.raised || g.domU.dom.maxPages != most
}

// collect lists the numbers that can be set in a value.
func collect(words *[]reflect.Value, v reflect.Value, depth int) {
	if depth > 8 {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			collect(words, v.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				collect(words, v.Field(i), depth+1)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range min(v.Len(), 8) {
			collect(words, v.Index(i), depth+1)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.CanSet() {
			*words = append(*words, v)
		}
	}
}

// value is a number that means something to a hypervisor, or eight bytes.
func (g *domUFuzz) value() uint64 {
	kind, x := g.byte(), g.byte()
	frame := g.domUFrames[int(x)%len(g.domUFrames)]
	if x >= 128 {
		frame = [...]abi.MFN{g.spare, g.pvFrames[int(x)%len(g.pvFrames)], g.m.xen.m2pFirst, abi.MFN(len(g.m.frames)) - 1}[x&3]
	}
	switch kind % 8 {
	case 0:
		return uint64(x)
	case 1:
		return uint64(frame)
	case 2:
		return uint64(frame)<<abi.PageShift | uint64(kind>>3)
	case 3:
		return abi.MkPte(frame, [...]uint64{flagsRO, flagsRW, flagsRW | abi.PteUser, flagsRW | abi.PtePSE}[kind>>3&3])
	case 4:
		return uint64([...]abi.DomID{abi.DomSelf, 0, idDomU, idPV, idHVM, idNone, abi.DomIO, abi.DomXen}[x&7])
	case 5:
		return 1 << (x & 63)
	case 6:
		return ^uint64(0) >> (x & 63)
	}
	var b [8]byte
	for i := range b {
		b[i] = g.byte()
	}
	return binary.LittleEndian.Uint64(b[:])
}
