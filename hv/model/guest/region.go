package guest

import (
	"sort"

	"xsmbench/abi"
	"xsmbench/bench"
)

// region is a range of addresses that are mapped alike (struct
// vm_area_struct).
type region struct {
	start, end uint64
	prot       int
	shared     bool
	node       *inode // nil for anonymous memory
	first      int    // the file's page at start
	// private pages were made in it: fork must copy its entries. Without
	// any, a child can fault the file's pages in again (copy_page_range).
	anon bool
}

// filePage is the file's page at an address of the region.
func (r *region) filePage(va uint64) int { return r.first + int((va-r.start)>>abi.PageShift) }

// find returns the index of the region that holds va, or of the first one
// above it.
func (mm *addressSpace) find(va uint64) (i int, ok bool) {
	if i = mm.lastFound; i < len(mm.regions) && mm.regions[i].start <= va && va < mm.regions[i].end {
		return i, true
	}
	i = sort.Search(len(mm.regions), func(i int) bool { return mm.regions[i].end > va })
	ok = i < len(mm.regions) && mm.regions[i].start <= va
	if ok {
		mm.lastFound = i
	}
	return i, ok
}

// insert adds a region to the address space, whose range must be free.
func (mm *addressSpace) insert(r region) {
	i, _ := mm.find(r.start)
	if r.node != nil {
		r.node.users++
	}
	mm.regions = append(mm.regions, region{})
	copy(mm.regions[i+1:], mm.regions[i:])
	mm.regions[i] = r
}

// delete takes a region out.
func (mm *addressSpace) delete(i int) {
	if n := mm.regions[i].node; n != nil {
		mm.k.fs.release(n)
	}
	mm.regions = append(mm.regions[:i], mm.regions[i+1:]...)
}

// split makes va a border between regions.
func (mm *addressSpace) split(va uint64) {
	i, ok := mm.find(va)
	if !ok || mm.regions[i].start == va {
		return
	}
	upper := mm.regions[i]
	upper.first = upper.filePage(va)
	upper.start = va
	mm.regions[i].end = va
	mm.insert(upper)
}

// gap finds room for length bytes in the area for mappings, from its bottom
// up. It returns 0 if there is none.
func (mm *addressSpace) gap(length uint64) uint64 {
	va := uint64(mmapBase)
	i, _ := mm.find(va)
	for ; i < len(mm.regions); i++ {
		if mm.regions[i].start >= va+length {
			break
		}
		va = mm.regions[i].end
	}
	if va+length > mmapEnd {
		return 0
	}
	return va
}

func pageRound(n uint64) uint64 { return (n + abi.PageSize - 1) &^ (abi.PageSize - 1) }

// Mmap maps length bytes of a file, or of zeroes with MAP_ANONYMOUS, at an
// address that the kernel chooses.
func (p *Process) Mmap(length int, prot, flags int, fd bench.FD, offset int64) (bench.Addr, error) {
	p.enter()
	a, err := p.mmap(length, prot, flags, fd, offset)
	p.leave()
	return bench.Addr(a), err
}

func (p *Process) mmap(length int, prot, flags int, fd bench.FD, offset int64) (uint64, error) {
	k := p.k
	if length <= 0 || offset < 0 || offset%abi.PageSize != 0 ||
		(flags&bench.MAP_SHARED != 0) == (flags&bench.MAP_PRIVATE != 0) {
		return 0, abi.EINVAL
	}
	r := region{prot: prot, shared: flags&bench.MAP_SHARED != 0, first: int(offset >> abi.PageShift)}
	if flags&bench.MAP_ANONYMOUS == 0 {
		f := p.file(fd)
		switch {
		case f == nil:
			return 0, abi.EBADF
		case f.node == nil || f.node.entries != nil:
			return 0, abi.EACCES
		case f.flags&3 == bench.O_WRONLY,
			r.shared && prot&bench.PROT_WRITE != 0 && f.flags&3 != bench.O_RDWR:
			return 0, abi.EACCES
		}
		switch {
		case f.node.mode&modeFile == modeFile:
			r.node = f.node
		case f.node.open == fileOps(zeroOps{}):
			r.first = 0
		default:
			return 0, abi.ENODEV
		}
	}
	size := pageRound(uint64(length))
	r.start = p.mm.gap(size)
	if r.start == 0 {
		return 0, abi.ENOMEM
	}
	if r.node == nil && r.shared {
		// Shared anonymous memory is a file without a name (shmem).
		r.node = k.fs.newInode(modeFile|0o600, regularOps{})
		r.node.size = int64(size)
		r.first = 0
	}
	r.end = r.start + size
	p.mm.insert(r)
	return r.start, nil
}

// Munmap removes whatever is mapped in a range.
func (p *Process) Munmap(a bench.Addr, length int) error {
	p.enter()
	err := p.mm.unmap(uint64(a), length)
	p.leave()
	return err
}

// checkRange tests the arguments that name a range of pages.
func checkRange(start uint64, length int) (end uint64, err error) {
	end = start + pageRound(uint64(length))
	if start%abi.PageSize != 0 || length <= 0 || end > abi.UserEnd || end < start {
		return 0, abi.EINVAL
	}
	return end, nil
}

// unmap removes the mappings in a range: their entries by plain writes, which
// the hypervisor emulates, the tables that become empty, and then, once, what
// the processor has cached.
func (mm *addressSpace) unmap(start uint64, length int) error {
	end, err := checkRange(start, length)
	if err != nil {
		return err
	}
	mm.split(start)
	mm.split(end)
	i, _ := mm.find(start)
	if i == len(mm.regions) || mm.regions[i].start >= end {
		return nil
	}
	for j := i; j < len(mm.regions) && mm.regions[j].start < end; j++ {
		mm.zap(mm.regions[j].start, mm.regions[j].end)
	}
	for i < len(mm.regions) && mm.regions[i].start < end {
		mm.delete(i)
	}
	mm.k.flushTLB()
	mm.freeTables(start, end)
	return nil
}

// Mprotect sets the protection of a range, all of which must be mapped.
func (p *Process) Mprotect(a bench.Addr, length int, prot int) error {
	p.enter()
	err := p.mm.protect(uint64(a), length, prot)
	p.leave()
	return err
}

func (mm *addressSpace) protect(start uint64, length int, prot int) error {
	end, err := checkRange(start, length)
	if err != nil {
		return err
	}
	if !mm.covers(start, end) {
		return abi.ENOMEM
	}
	mm.split(start)
	mm.split(end)
	i, _ := mm.find(start)
	for ; i < len(mm.regions) && mm.regions[i].start < end; i++ {
		r := &mm.regions[i]
		if r.prot == prot {
			continue
		}
		r.prot = prot
		mm.reprotect(r)
	}
	mm.k.flushTLB()
	return nil
}

// covers reports whether all of a range is mapped.
func (mm *addressSpace) covers(start, end uint64) bool {
	for va := start; va < end; {
		i, ok := mm.find(va)
		if !ok {
			return false
		}
		va = mm.regions[i].end
	}
	return true
}

// Msync makes a mapped file's contents those of the file. The file system is
// the page cache, so there is nothing to write back; the range is checked.
func (p *Process) Msync(a bench.Addr, length int) error {
	p.enter()
	end, err := checkRange(uint64(a), length)
	if err == nil && !p.mm.covers(uint64(a), end) {
		err = abi.ENOMEM
	}
	p.leave()
	return err
}
