package model

import (
	"fmt"
	"math"

	"xsmbench/abi"
)

// constructDom0 fills dom0's memory from the boot modules and readies its
// first vCPU (construct_dom0 in arch/x86/domain_build.c).
//
// The layout, which the domain builder in dom0 repeats for other domains:
// PFN n is mapped at VirtBase + n*PageSize by 4 KiB pages, writable but for the
// page tables, and holds, by rising n,
//
//	the kernel image     from PFN 0
//	the module           at ModStart, if there is one
//	the page tables      from PTBase, NrPTFrames of them: the top-level table
//	                     first, then the other levels downwards
//	free memory          up to NrPages
//
// The top-level table is pinned and is the first vCPU's base pointer. The
// start information and the P2M table are not in the domain's memory: the
// vCPU's entry point gets them as values.
func (m *Machine) constructDom0(d *Domain, kernel, module []byte, entry abi.VCPUEntry) error {
	n := m.cfg.Dom0Frames
	kernelFrames, moduleFrames := framesOf(len(kernel)), framesOf(len(module))
	counts := tableCounts(n)
	tables := 0
	for _, c := range counts {
		tables += c
	}
	first := kernelFrames + moduleFrames // of the page tables
	if first+tables >= n {
		return fmt.Errorf("build domain %d: %d frames, but its image needs %d", d.ID, n, first+tables)
	}
	if n > maxDirectMap {
		return fmt.Errorf("build domain %d: %d frames do not fit below the hypervisor", d.ID, n)
	}
	d.pageLock.Lock()
	d.maxPages = math.MaxUint32 // as without dom0_mem=max:
	d.pageLock.Unlock()
	p2m, err := m.populate(d, n)
	if err != nil {
		return err
	}
	m.copyIn(p2m, kernel)
	m.copyIn(p2m[kernelFrames:], module)
	m.buildTables(p2m, first, counts)

	v := d.vcpu(0)
	root := p2m[first]
	if !m.getPageAndType(root, d, pgtRoot) {
		return fmt.Errorf("build domain %d: its page tables are not valid", d.ID)
	}
	m.frames[root].typeInfo.Or(pgtPinned)
	if !m.newGuestCR3(v, root) {
		return fmt.Errorf("build domain %d: load base pointer", d.ID)
	}

	si := &abi.StartInfo{
		Magic: "xen-3.0-" + archName, NrPages: uint64(n), Shared: d.shared, SharedMFN: d.sharedMFN,
		Flags:  abi.SIFPrivileged | abi.SIFInitDomain,
		PTBase: abi.VirtBase + uint64(first)<<abi.PageShift, NrPTFrames: uint64(tables),
		MFNList: p2m,
	}
	if len(module) > 0 {
		si.ModStart = abi.VirtBase + uint64(kernelFrames)<<abi.PageShift
		si.Module = module
	}
	if rc := v.setContext(&abi.VCPUContext{
		Flags: abi.VGCFInKernel, Entry: entry, CR3: root, StartInfo: si, EventMask: true,
	}); rc != 0 {
		return fmt.Errorf("build domain %d: set context of vCPU 0: %w", d.ID, -abi.Errno(rc))
	}
	v.pauseFlags.Store(0)
	return nil
}

func framesOf(bytes int) int { return (bytes + abi.PageSize - 1) >> abi.PageShift }

// populate allocates a domain's memory, in extents as large as there are.
func (m *Machine) populate(d *Domain, n int) ([]abi.MFN, error) {
	p2m := make([]abi.MFN, 0, n)
	for order := maxOrder; len(p2m) < n; {
		for 1<<order > n-len(p2m) {
			order--
		}
		mfn, ok := m.allocDomheapPages(d, order)
		if !ok {
			if order == 0 {
				return nil, fmt.Errorf("build domain %d: out of memory after %d of %d frames", d.ID, len(p2m), n)
			}
			order--
			continue
		}
		for i := range abi.MFN(1) << order {
			clear(m.frame(mfn + i))
			m.setGPFN(mfn+i, abi.PFN(len(p2m)))
			p2m = append(p2m, mfn+i)
		}
	}
	return p2m, nil
}

// copyIn copies an image into consecutive PFNs.
func (m *Machine) copyIn(p2m []abi.MFN, image []byte) {
	for i := 0; len(image) > 0; i++ {
		image = image[copy(m.frame(p2m[i]), image):]
	}
}

// tableCounts is how many page tables of each level, the top level first, map
// the first n PFNs.
func tableCounts(n int) []int {
	last := abi.VirtBase + uint64(n-1)<<abi.PageShift
	var counts []int
	for level := abi.PTLevels; level > 0; level-- {
		shift := abi.PageShift + 9*level
		if level == abi.PTLevels {
			counts = append(counts, 1)
			continue
		}
		counts = append(counts, int(last>>shift-abi.VirtBase>>shift)+1)
	}
	return counts
}

// buildTables writes page tables that map all of the memory into the PFNs from
// first on.
func (m *Machine) buildTables(p2m []abi.MFN, first int, counts []int) {
	tables := 0
	for _, c := range counts {
		tables += c
	}
	start := first // of the tables of a level
	for i, count := range counts {
		level := abi.PTLevels - i
		shift := abi.PageShift + 9*(level-1) // of what one entry maps
		entries := int((abi.VirtBase+uint64(len(p2m)-1)<<abi.PageShift)>>shift-abi.VirtBase>>shift) + 1
		slot := abi.PTIndex(abi.VirtBase, level)
		for j := range entries {
			table := m.table(p2m[start+(slot+j)/abi.PTEntries])
			pfn, flags := start+count+j, tableFlags(level)
			if level == 1 {
				pfn, flags = j, abi.PtePresent|abi.PteAccessed|abi.PteDirty
				if pfn < first || pfn >= first+tables {
					flags |= abi.PteRW
				}
			}
			table[(slot+j)%abi.PTEntries] = abi.MkPte(p2m[pfn], flags)
		}
		start += count
	}
}

// tableFlags are the bits of an entry of level 2 or more.
func tableFlags(level int) uint64 {
	if abi.PTLevels == 3 && level == 3 {
		return abi.PtePresent
	}
	return abi.PtePresent | abi.PteRW | abi.PteUser | abi.PteAccessed
}
