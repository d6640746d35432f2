package guest

import (
	"encoding/binary"

	"xsmbench/abi"
)

// Entries as Linux makes them. The accessed and dirty bits are set where the
// kernel knows that the page is about to be used.
const (
	tableFlags  = abi.PtePresent | abi.PteRW | abi.PteUser | abi.PteAccessed | abi.PteDirty
	kernelRW    = abi.PtePresent | abi.PteRW | abi.PteAccessed | abi.PteDirty
	kernelRO    = abi.PtePresent | abi.PteAccessed | abi.PteDirty
	userRO      = abi.PtePresent | abi.PteUser | abi.PteAccessed
	userRW      = userRO | abi.PteRW | abi.PteDirty
	levelShift  = 9
	entriesMask = abi.PTEntries - 1
)

// span is how many bytes of addresses an entry of a level covers.
func span(level int) uint64 { return 1 << (abi.PageShift + levelShift*(level-1)) }

// entryAt is entry i of a table that is seen as bytes.
func entryAt(table []byte, i int) uint64 { return binary.LittleEndian.Uint64(table[i*8:]) }

func setEntry(table []byte, i int, e uint64) { binary.LittleEndian.PutUint64(table[i*8:], e) }

// frameOf is the domain's frame that an entry maps.
func (k *Kernel) frameOf(e uint64) pfn { return k.m2p[abi.PteMFN(e)] }

// pte makes an entry for a frame of the domain's.
func (k *Kernel) pte(f pfn, flags uint64) uint64 { return abi.MkPte(k.p2m[f], flags) }

// machine is the machine address of entry i of a table.
func (k *Kernel) machine(table pfn, i int) uint64 {
	return uint64(k.p2m[table])<<abi.PageShift + uint64(i)*8
}

// leaf finds the lowest-level table that covers va; 0 if there is none.
func (mm *addressSpace) leaf(va uint64) pfn {
	t := mm.top
	for level := abi.PTLevels; level > 1; level-- {
		e := mm.k.cpu.Load64(kva(t)+uint64(abi.PTIndex(va, level))*8, false)
		if e&abi.PtePresent == 0 {
			return 0
		}
		t = mm.k.frameOf(e)
	}
	return t
}

// makeLeaf is leaf, but makes the tables that are missing. It returns 0 when
// the domain has no memory left.
func (mm *addressSpace) makeLeaf(va uint64) pfn {
	t := mm.top
	for level := abi.PTLevels; level > 1; level-- {
		i := abi.PTIndex(va, level)
		e := mm.k.cpu.Load64(kva(t)+uint64(i)*8, false)
		if e&abi.PtePresent == 0 {
			n := mm.addTable(t, i, level)
			if n == 0 {
				return 0
			}
			t = n
			continue
		}
		t = mm.k.frameOf(e)
	}
	return t
}

// addTable makes entry i of a table of the given level lead to a new, empty
// table. In a pinned address space the table must first become read-only, and
// the hypervisor makes the entry; in one that is not it is plain memory.
func (mm *addressSpace) addTable(parent pfn, i, level int) pfn {
	k := mm.k
	n := k.zeroed()
	if n == 0 {
		return 0
	}
	flags := tableFlags
	if level == abi.PTLevels {
		flags = topFlags
	}
	e := k.pte(n, flags)
	if mm.pinned {
		k.updateVAMapping(kva(n), k.pte(n, kernelRO), abi.UVMFNone)
		k.updateEntry(k.machine(parent, i), e)
		k.stats.TablesAdded++
	} else {
		setEntry(k.page(parent, true), i, e)
	}
	mm.tables = append(mm.tables, n)
	return n
}

// freeTables frees the tables below the top that the range [start, end) used
// and no region uses any more (free_pgtables).
func (mm *addressSpace) freeTables(start, end uint64) {
	for level := 2; level <= abi.PTLevels; level++ {
		if level == eagerTables+1 {
			return // the tables below were there from the start
		}
		size := span(level)
		for va := start &^ (size - 1); va < end; va += size {
			if i, ok := mm.find(va); ok || i < len(mm.regions) && mm.regions[i].start < va+size {
				continue
			}
			mm.freeTable(va, level)
		}
	}
}

// freeTable removes the entry for va in the table of a level, and the table
// that it leads to.
func (mm *addressSpace) freeTable(va uint64, level int) {
	k := mm.k
	t := mm.top
	for l := abi.PTLevels; l > level; l-- {
		e := k.cpu.Load64(kva(t)+uint64(abi.PTIndex(va, l))*8, false)
		if e&abi.PtePresent == 0 {
			return
		}
		t = k.frameOf(e)
	}
	i := abi.PTIndex(va, level)
	e := k.cpu.Load64(kva(t)+uint64(i)*8, false)
	if e&abi.PtePresent == 0 {
		return
	}
	n := k.frameOf(e)
	if mm.pinned {
		k.updateEntry(k.machine(t, i), 0)
		k.updateVAMapping(kva(n), k.pte(n, kernelRW), abi.UVMFNone)
		k.stats.TablesFreed++
	} else {
		setEntry(k.page(t, true), i, 0)
	}
	for j, x := range mm.tables {
		if x == n {
			mm.tables[j] = mm.tables[len(mm.tables)-1]
			mm.tables = mm.tables[:len(mm.tables)-1]
			break
		}
	}
	k.mem.put(n)
}
