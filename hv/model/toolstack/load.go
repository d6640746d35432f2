package toolstack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"xsmbench/abi"
)

// layout says what lies in which of a new domain's frames, in the order in
// which xc_dom_build_image lays it out: kernel, module, P2M list, start info,
// store page, console page, page tables with the top level first, boot stack.
// The rest is free.
type layout struct {
	module, p2m, startInfo, store, console, tables, stack int // first PFN
	nTables                                               int
}

func frames(bytes int) int { return (bytes + abi.PageSize - 1) / abi.PageSize }

// plan lays a domain out.
func plan(s Spec) (layout, error) {
	var l layout
	next := frames(len(s.Kernel.Data))
	take := func(n int) int { first := next; next += n; return first }
	l.module = take(frames(len(s.Module)))
	l.p2m = take(frames(s.Frames * 8))
	l.startInfo = take(1)
	l.store = take(1)
	l.console = take(1)
	l.nTables = tableCount(s.Frames)
	l.tables = take(l.nTables)
	l.stack = take(1)
	if next >= s.Frames {
		return l, fmt.Errorf("lay out %d frames: the kernel and its tables need %d", s.Frames, next)
	}
	return l, nil
}

// tableCount is the number of page tables that map n frames at abi.VirtBase.
func tableCount(n int) int {
	total := 0
	for level := 1; level <= abi.PTLevels; level++ {
		first, last := slot(abi.VirtBase, level), slot(abi.VirtBase+uint64(n-1)<<abi.PageShift, level)
		total += int(last-first) + 1
	}
	return total
}

// slot numbers the tables of a level: the one that maps va.
func slot(va uint64, level int) uint64 {
	if level == abi.PTLevels {
		return 0
	}
	return va >> (abi.PageShift + 9*level)
}

// Flags of the entries that a domain starts with.
const (
	tableFlags = abi.PtePresent | abi.PteRW | abi.PteUser | abi.PteAccessed | abi.PteDirty
	pageFlags  = abi.PtePresent | abi.PteRW | abi.PteAccessed | abi.PteDirty
)

// load fills the domain's memory, hands its page tables over to the hypervisor
// and sets its first processor's state.
func (t *Toolstack) load(d *Domain) error {
	l, err := plan(d.Spec)
	if err != nil {
		return err
	}
	d.StoreMFN, d.ConsoleMFN = d.Frames[l.store], d.Frames[l.console]
	if err := t.writeAll(d, l); err != nil {
		return err
	}
	if err := t.setM2P(d); err != nil {
		return err
	}
	if err := t.pin(d, l); err != nil {
		return err
	}
	return t.setContext(d, l)
}

// writeAll writes every frame that has contents at the start.
func (t *Toolstack) writeAll(d *Domain, l layout) error {
	p2m := make([]byte, len(d.Frames)*8)
	for i, m := range d.Frames {
		binary.LittleEndian.PutUint64(p2m[i*8:], uint64(m))
	}
	for _, part := range []struct {
		first int
		data  []byte
	}{
		{0, d.Spec.Kernel.Data},
		{l.module, d.Spec.Module},
		{l.p2m, p2m},
		{l.startInfo, make([]byte, abi.PageSize)},
		{l.store, make([]byte, abi.PageSize)},
		{l.console, make([]byte, abi.PageSize)},
		{l.tables, tables(d.Frames, l)},
	} {
		if err := t.write(d, part.first, part.data); err != nil {
			return err
		}
	}
	return nil
}

// writeBatch is how many foreign frames are mapped at a time.
const writeBatch = 32

// write copies data into the domain's frames from PFN first on, through
// mappings that are gone when it returns.
func (t *Toolstack) write(d *Domain, first int, data []byte) error {
	for len(data) > 0 {
		n := min(frames(len(data)), writeBatch)
		va, err := t.k.MapFrames(d.ID, d.Frames[first:first+n])
		if err != nil {
			return err
		}
		for i := range n {
			page := t.k.Page(va + uint64(i)<<abi.PageShift)
			clear(page[copy(page, data):])
			data = data[min(len(data), abi.PageSize):]
		}
		t.k.UnmapFrames(va, n)
		first += n
	}
	return nil
}

// tables makes the contents of the page tables: all memory writable at
// abi.VirtBase, but for the tables themselves. The top level comes first, then
// the tables of each lower level by address.
func tables(mfns []abi.MFN, l layout) []byte {
	b := make([]byte, l.nTables*abi.PageSize)
	set := func(table, i int, e uint64) {
		binary.LittleEndian.PutUint64(b[table*abi.PageSize+i*8:], e)
	}
	first := 0 // the level's first table
	for level := abi.PTLevels; level > 1; level-- {
		last := abi.VirtBase + uint64(len(mfns)-1)<<abi.PageShift
		count := int(slot(last, level)-slot(abi.VirtBase, level)) + 1
		below := first + count
		flags := tableFlags
		if level == 3 && abi.PTLevels == 3 {
			flags = abi.PtePresent
		}
		n := int(slot(last, level-1) - slot(abi.VirtBase, level-1))
		for i := 0; i <= n; i++ {
			va := (slot(abi.VirtBase, level-1) + uint64(i)) << (abi.PageShift + 9*(level-1))
			table := first + int(slot(va, level)-slot(abi.VirtBase, level))
			set(table, abi.PTIndex(va, level), abi.MkPte(mfns[l.tables+below+i], flags))
		}
		first = below
	}
	for pfn, m := range mfns {
		va := abi.VirtBase + uint64(pfn)<<abi.PageShift
		flags := pageFlags
		if pfn >= l.tables && pfn < l.tables+l.nTables {
			flags &^= abi.PteRW
		}
		set(first+int(slot(va, 1)-slot(abi.VirtBase, 1)), abi.PTIndex(va, 1), abi.MkPte(m, flags))
	}
	return b
}

// setM2P tells the hypervisor the domain's own number of each frame.
func (t *Toolstack) setM2P(d *Domain) error {
	const batch = 128
	for i := 0; i < len(d.Frames); i += batch {
		var list abi.MMUUpdateArgs
		for j := i; j < min(i+batch, len(d.Frames)); j++ {
			list.Reqs = append(list.Reqs, abi.MMUUpdate{
				Ptr: uint64(d.Frames[j])<<abi.PageShift | abi.MMUMachphysUpdate, Val: uint64(j)})
		}
		err := t.call("mmu_update of the machine-to-physical table", abi.MMUUpdateOp,
			&abi.Args{R: [4]uint64{0, uint64(d.ID)}, H: &list})
		if err != nil {
			return err
		}
	}
	return nil
}

// pin has the hypervisor validate the page tables.
func (t *Toolstack) pin(d *Domain, l layout) error {
	cmd := abi.PinL4Table
	if abi.PTLevels == 3 {
		cmd = abi.PinL3Table
	}
	list := abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: cmd, Arg1: uint64(d.Frames[l.tables])}}}
	return t.call("mmuext_op pin", abi.MMUExtOp, &abi.Args{R: [4]uint64{0, uint64(d.ID)}, H: &list})
}

// kernelSS is the selector of a guest kernel's stack.
const kernelSS = 0xe02b

// setContext sets the state in which the domain's first processor starts.
func (t *Toolstack) setContext(d *Domain, l layout) error {
	info, err := t.Info(d.ID)
	if err != nil {
		return err
	}
	if d.Spec.Kernel.Entry == nil {
		return errors.New("load kernel: it has no entry point")
	}
	va := func(pfn int) uint64 { return abi.VirtBase + uint64(pfn)<<abi.PageShift }
	si := &abi.StartInfo{
		Magic:         "xen-3.0-model",
		NrPages:       uint64(len(d.Frames)),
		SharedMFN:     abi.MFN(info.SharedInfoMFN),
		StoreMFN:      d.StoreMFN,
		StoreEvtchn:   d.Store,
		ConsoleMFN:    d.ConsoleMFN,
		ConsoleEvtchn: d.Console,
		PTBase:        va(l.tables),
		NrPTFrames:    uint64(l.nTables),
		MFNList:       d.Frames,
		CmdLine:       "domid=" + strconv.Itoa(int(d.ID)) + " " + d.Spec.CmdLine,
	}
	if d.Spec.Module != nil {
		si.ModStart = va(l.module)
		si.Module = d.Spec.Module
	}
	return t.domctl("setvcpucontext", &abi.Domctl{Cmd: abi.DomctlSetVCPUContext, DomID: d.ID,
		Context: &abi.VCPUContext{
			Flags:     abi.VGCFInKernel | abi.VGCFOnline,
			Entry:     d.Spec.Kernel.Entry,
			CR3:       d.Frames[l.tables],
			KernelSS:  kernelSS,
			KernelSP:  va(l.stack + 1),
			StartInfo: si,
			EventMask: true,
		}})
}
