package kbench

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// vmPages is how many pages an iteration of the fault benchmarks touches.
const vmPages = 64

// registerVM registers page faults that lmbench has no program for.
func registerVM() {
	perFault := []bench.Crossing{
		{Hook: "update_va_mapping", PerOp: 1, Note: "and 1 per page table"},
		{Hook: "mmu_normal_update", Note: "1 per page table"},
	}
	for _, b := range []bench.Benchmark{
		{
			Name: "vm/op=anon_fault", Doc: "first write to an anonymous page, less mapping and unmapping",
			Source: "Linux 2.6.18 mm/memory.c:do_anonymous_page",
			Hooks:  perFault,
			Setup:  func(d bench.Domain) (bench.Loop, func(), error) { return faults(d.OS(), false, true) },
			Baseline: func(d bench.Domain) (bench.Loop, func(), error) {
				return faults(d.OS(), false, false)
			},
		},
		{
			Name: "vm/op=cow_fault", Doc: "first write to a private page of a file that was read before, less mapping, reading and unmapping",
			Source: "Linux 2.6.18 mm/memory.c:do_wp_page",
			Hooks:  perFault[:1],
			Setup:  func(d bench.Domain) (bench.Loop, func(), error) { return faults(d.OS(), true, true) },
			Baseline: func(d bench.Domain) (bench.Loop, func(), error) {
				return faults(d.OS(), true, false)
			},
		},
	} {
		b.Suite, b.Unit, b.Ops = suite, "ns/op", vmPages
		bench.Register(b)
	}
	bench.Register(bench.Benchmark{
		Suite: suite, Name: "vm/op=anon_touch", Unit: "ns/op",
		Doc:       "first write to an anonymous page next to one in use, not counting mapping and unmapping",
		Source:    "Linux 2.6.18 mm/memory.c:do_anonymous_page",
		Hooks:     perFault[:1],
		Intervals: func(d bench.Domain) (bench.Interval, error) { return touches(d.OS()), nil },
	})
}

// mostTouched bounds the pages of one mapping, so that a page table holds all.
const mostTouched = 256

// touches writes to pages of a mapping that is made before and goes after. Its
// first page is in use before, and with it, nearly always, the page table.
func touches(os bench.OS) bench.Interval {
	var at bench.Addr
	size := func(n int64) int { return int(n+1) * abi.PageSize }
	return bench.Interval{
		Most: mostTouched,
		Before: func(n int64) (err error) {
			if at, err = os.Mmap(size(n), bench.PROT_READ|bench.PROT_WRITE, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0); err != nil {
				return fmt.Errorf("map %d bytes: %w", size(n), err)
			}
			os.Store(at, 1)
			return nil
		},
		Loop: func(n int64) error {
			for i := range n {
				os.Store(at+bench.Addr(i+1)*abi.PageSize, 1)
			}
			return nil
		},
		After: func(n int64) error { return os.Munmap(at, size(n)) },
	}
}

const vmFile = "/tmp/kbench.vm"

// mapping is an area that every iteration maps, touches and unmaps.
type mapping struct {
	os    bench.OS
	flags int
	fd    bench.FD
	read  bool // touch every page by reading
	write bool // touch every page by writing
}

// faults times mappings. Pages of a file are read before they are written,
// so that the write finds a page that it must copy.
func faults(os bench.OS, file, write bool) (bench.Loop, func(), error) {
	m := mapping{os: os, fd: -1, flags: bench.MAP_PRIVATE | bench.MAP_ANONYMOUS, write: write}
	cleanup := func() {}
	if file {
		fd, err := vmData(os)
		if err != nil {
			return nil, nil, err
		}
		m.fd, m.flags, m.read = fd, bench.MAP_PRIVATE, true
		cleanup = func() { os.Close(fd); os.Unlink(vmFile) }
	}
	return func(n int64) error {
		for ; n > 0; n-- {
			if err := m.once(); err != nil {
				return err
			}
		}
		return nil
	}, cleanup, nil
}

func vmData(os bench.OS) (bench.FD, error) {
	fd, err := os.Open(vmFile, bench.O_RDWR|bench.O_CREAT|bench.O_TRUNC)
	if err != nil {
		return -1, fmt.Errorf("create %s: %w", vmFile, err)
	}
	if _, err := os.Write(fd, make([]byte, vmPages*abi.PageSize)); err != nil {
		os.Close(fd)
		return -1, fmt.Errorf("write %s: %w", vmFile, err)
	}
	return fd, nil
}

func (m *mapping) once() error {
	const size = vmPages * abi.PageSize
	at, err := m.os.Mmap(size, bench.PROT_READ|bench.PROT_WRITE, m.flags, m.fd, 0)
	if err != nil {
		return fmt.Errorf("map %d bytes: %w", size, err)
	}
	end := at + size
	if m.read {
		for a := at; a < end; a += abi.PageSize {
			m.os.Load(a)
		}
	}
	if m.write {
		for a := at; a < end; a += abi.PageSize {
			m.os.Store(a, 1)
		}
	}
	if err := m.os.Munmap(at, size); err != nil {
		return fmt.Errorf("unmap %d bytes: %w", size, err)
	}
	return nil
}
