package benchtest

import (
	"xsmbench/abi"
	"xsmbench/bench"
)

// mapping is a range of a process's address space. A page is absent until it
// is touched; a private page of a file is the file's own until it is written.
type mapping struct {
	start, end bench.Addr
	prot       []int // per page
	shared     bool
	file       *inode
	first      int // page of the file
	pages      [][]byte
	own        []bool // the page is the mapping's, not the file's
}

// fork copies what is private.
func (m *mapping) fork() *mapping {
	c := *m
	c.prot = append([]int(nil), m.prot...)
	c.pages = append([][]byte(nil), m.pages...)
	c.own = append([]bool(nil), m.own...)
	for i, own := range c.own {
		if own && !m.shared {
			c.pages[i] = append([]byte(nil), m.pages[i]...)
		}
	}
	return &c
}

// touch returns a page, nil if its protection forbids the access.
func (m *mapping) touch(i int, write bool) (page []byte, faulted bool) {
	if write && m.prot[i]&bench.PROT_WRITE == 0 || m.prot[i]&(bench.PROT_READ|bench.PROT_WRITE) == 0 {
		return nil, false
	}
	if m.pages[i] == nil {
		faulted = true
		if m.file != nil {
			m.pages[i] = m.file.page(m.first + i)
		} else {
			m.pages[i], m.own[i] = make([]byte, abi.PageSize), true
		}
	}
	if write && !m.shared && !m.own[i] {
		faulted = true
		m.pages[i], m.own[i] = append([]byte(nil), m.pages[i]...), true
	}
	return m.pages[i], faulted
}

func (p *process) Mmap(length, prot, flags int, fd bench.FD, offset int64) (bench.Addr, error) {
	defer p.enter()()
	n := (length + abi.PageSize - 1) / abi.PageSize
	if n <= 0 || offset%abi.PageSize != 0 {
		return 0, abi.EINVAL
	}
	m := &mapping{
		start: p.nextAddr, end: p.nextAddr + bench.Addr(n*abi.PageSize),
		shared: flags&bench.MAP_SHARED != 0,
		prot:   make([]int, n), pages: make([][]byte, n), own: make([]bool, n),
	}
	for i := range m.prot {
		m.prot[i] = prot
	}
	if flags&bench.MAP_ANONYMOUS == 0 {
		f, err := p.file(fd)
		if err != nil {
			return 0, err
		}
		if f.inode == nil {
			return 0, abi.ENODEV
		}
		m.file, m.first = f.inode, int(offset/abi.PageSize)
	}
	p.nextAddr = m.end + abi.PageSize
	p.maps = append(p.maps, m)
	return m.start, nil
}

func (p *process) find(a bench.Addr) *mapping {
	for _, m := range p.maps {
		if a >= m.start && a < m.end {
			return m
		}
	}
	return nil
}

// Munmap unmaps whole mappings only.
func (p *process) Munmap(a bench.Addr, length int) error {
	defer p.enter()()
	for i, m := range p.maps {
		if m.start == a && m.end >= a+bench.Addr(length) {
			p.maps = append(p.maps[:i:i], p.maps[i+1:]...)
			return nil
		}
	}
	return abi.EINVAL
}

func (p *process) Mprotect(a bench.Addr, length int, prot int) error {
	defer p.enter()()
	for end := a + bench.Addr(length); a < end; a += abi.PageSize {
		m := p.find(a)
		if m == nil {
			return abi.ENOMEM
		}
		m.prot[(a-m.start)/abi.PageSize] = prot
	}
	return nil
}

func (p *process) Msync(a bench.Addr, _ int) error {
	defer p.enter()()
	if p.find(a) == nil {
		return abi.ENOMEM
	}
	return nil
}

// access returns the memory from a to the end of its page, after as many
// signals as it takes.
func (p *process) access(a bench.Addr, write bool) []byte {
	for {
		if b := p.try(a, write); b != nil {
			return b
		}
		p.deliver(bench.SIGSEGV)
	}
}

func (p *process) try(a bench.Addr, write bool) []byte {
	defer p.enter()()
	m := p.find(a)
	if m == nil {
		return nil
	}
	page, faulted := m.touch(int((a-m.start)/abi.PageSize), write)
	if page == nil {
		return nil
	}
	if faulted {
		p.used.MinorFaults++
	}
	return page[a%abi.PageSize:]
}

func (p *process) Load(a bench.Addr) byte { return p.access(a, false)[0] }

func (p *process) Store(a bench.Addr, b byte) { p.access(a, true)[0] = b }

func (p *process) Page(a bench.Addr, write bool) []byte { return p.access(a, write) }
