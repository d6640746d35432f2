package guest

import (
	"xsmbench/abi"
	"xsmbench/bench"
)

// executable is a program that exec can run: how its file and the shared
// libraries it needs are mapped, which pages a start touches, and its code.
type executable struct {
	main     bench.Program
	segments []segment
}

// segment is one mapping of an executable (an ELF program header, and what
// the dynamic linker maps).
type segment struct {
	va        uint64 // 0: where mmap puts it
	node      *inode // nil for zeroes: bss, heap and stack
	first     int    // the file's page
	pages     int
	write     bool
	atStart   int // pages touched by a start, spread over the segment
	afterFork int // pages touched on the way from fork to what follows it
}

// Shared libraries of every program, in pages: those of glibc 2.4, which
// Linux distributions of 2006 had. What a start touches of them is the work
// of the dynamic linker and of the C library's initialisation.
const (
	linkerText, linkerData   = 25, 2
	libraryText, libraryData = 308, 6
	heapPages, stackPages    = 33, 32
)

// installLibraries makes the files of the shared libraries.
func (k *Kernel) installLibraries() error {
	var err error
	if k.linker, err = k.installImage("/lib/ld-linux.so.2", linkerText+linkerData); err != nil {
		return err
	}
	k.libc, err = k.installImage("/lib/libc.so.6", libraryText+libraryData)
	return err
}

// installImage makes a file of the given number of pages. Its contents are in
// the page cache, as after a first run.
func (k *Kernel) installImage(path string, pages int) (*inode, error) {
	if err := k.fs.makeParents(path); err != nil {
		return nil, err
	}
	n, err := k.fs.create(path)
	if err != nil {
		return nil, err
	}
	n.mode = modeFile | 0o755
	for i := range pages {
		f := n.pageAt(k, i)
		if f == 0 {
			return nil, abi.ENOMEM
		}
		setEntry(k.page(f, true), 0, uint64(i)) // no two pages alike
	}
	n.size = int64(pages) * abi.PageSize
	return n, nil
}

// installProgram makes an executable file.
func (k *Kernel) installProgram(e bench.Executable) error {
	text := int(pageRound(uint64(e.Text)) >> abi.PageShift)
	data := int(pageRound(uint64(e.Data)) >> abi.PageShift)
	n, err := k.installImage(e.Path, text+data)
	if err != nil {
		return err
	}
	n.program = &executable{
		main: e.Main,
		segments: []segment{
			{va: textBase, node: n, pages: text, atStart: (text + 1) / 2, afterFork: min(text, 2)},
			{va: dataBase, node: n, first: text, pages: data, write: true, atStart: data, afterFork: min(data, 1)},
			{va: dataBase + uint64(data)<<abi.PageShift, pages: heapPages, write: true, atStart: 2, afterFork: 1},
			{node: k.linker, pages: linkerText, atStart: 14},
			{node: k.linker, first: linkerText, pages: linkerData, write: true, atStart: linkerData, afterFork: 1},
			{node: k.libc, pages: libraryText, atStart: 24, afterFork: 6},
			{node: k.libc, first: libraryText, pages: libraryData, write: true, atStart: libraryData, afterFork: 2},
			{va: stackTop + abi.PageSize - stackPages<<abi.PageShift, pages: stackPages, write: true, atStart: 2, afterFork: 1},
		},
	}
	return nil
}

// Exec replaces the process by the program at path, runs it, and returns its
// exit status, 127 if there is no such program.
func (p *Process) Exec(path string, args ...string) int {
	p.enter()
	n, err := p.k.fs.lookup(path)
	if err != nil || n.program == nil {
		p.leave()
		return 127
	}
	if !p.load(n.program) {
		p.leave()
		return 127
	}
	p.signals.reset()
	p.passArguments(args)
	p.leave()
	n.program.start(p)
	return n.program.main(p, args)
}

// load gives the process a new address space with the program's mappings
// (flush_old_exec, load_elf_binary): it is pinned while it is still empty, the
// processor changes to it, and the old one goes.
func (p *Process) load(x *executable) bool {
	k := p.k
	mm := k.newAddressSpace()
	if mm == nil {
		return false
	}
	for _, s := range x.segments {
		r := region{node: s.node, first: s.first, prot: bench.PROT_READ}
		if s.write {
			r.prot |= bench.PROT_WRITE
		}
		size := uint64(s.pages) << abi.PageShift
		if r.start = s.va; r.start == 0 {
			r.start = mm.gap(size)
		}
		r.end = r.start + size
		mm.insert(r)
	}
	mm.pin()
	old := p.mm
	p.mm, p.prog = mm, x
	k.use(mm)
	if old != nil {
		old.destroy()
	}
	return true
}

// passArguments writes the argument strings and their vector to the top of
// the stack.
func (p *Process) passArguments(args []string) {
	mm := p.mm
	for _, a := range args {
		mm.stackTop -= uint64(len(a) + 1)
		for i := range len(a) {
			p.k.cpu.Store8(mm.stackTop+uint64(i), a[i], true)
		}
		p.k.cpu.Store8(mm.stackTop+uint64(len(a)), 0, true)
	}
	mm.stackTop &^= 15
	mm.stackTop -= uint64(len(args)+2) * 8
	p.k.cpu.Store64(mm.stackTop, uint64(len(args)), true)
}

// start touches what the start of the program touches, afterFork what a
// process touches when fork returns.
func (x *executable) start(p *Process) {
	p.touch(x, func(s *segment) int { return s.atStart })
}

func (x *executable) afterFork(p *Process) {
	p.touch(x, func(s *segment) int { return s.afterFork })
}

// touch reads, or writes if it may, a number of pages of each segment, as far
// apart as they can be.
func (p *Process) touch(x *executable, count func(*segment) int) {
	mapped := 0
	for i := range x.segments {
		s := &x.segments[i]
		va := s.va
		if va == 0 {
			va = mmapBase + uint64(mapped)<<abi.PageShift
			mapped += s.pages
		}
		n := count(s)
		for j := range n {
			a := va + uint64(j*s.pages/n)<<abi.PageShift
			if s.va > mmapBase && s.node == nil { // the stack, from its top
				a = va + uint64(s.pages-1-j)<<abi.PageShift
			}
			if s.write {
				p.k.cpu.Store8(a+8, byte(j), true)
			} else {
				p.k.cpu.Load8(a+8, true)
			}
		}
	}
}
