package lmbench

import (
	"fmt"
	"math/rand/v2"

	"xsmbench/abi"
	"xsmbench/bench"
)

// faultPages is the size of the file that lat_pagefault maps: 1 MiB, the
// least it takes.
const faultPages = 256

// registerPagefault registers lat_pagefault.
func registerPagefault() {
	register(bench.Benchmark{
		Name: "lat_pagefault", Source: "lat_pagefault",
		Doc:   "touch a page of a mapped file; the pages in random order (a fixed one, lmbench's is the process number's), less mapping the file",
		Ops:   faultPages,
		Hooks: []bench.Crossing{{Hook: updateVAMapping, PerOp: 1, Note: "and 1 per page table"}, {Hook: mmuNormalUpdate, Note: "1 per page table"}},
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return mapFile(d.OS(), true) },
		Baseline: func(d bench.Domain) (bench.Loop, func(), error) {
			return mapFile(d.OS(), false)
		},
	})
}

// mapFile maps a file again and again, with or without touching every page of
// it first.
func mapFile(os bench.OS, touch bool) (bench.Loop, func(), error) {
	const size = faultPages * abi.PageSize
	fd, err := openFile(os, scratchFile, size)
	if err != nil {
		return nil, nil, err
	}
	drop := func() { os.Close(fd); os.Unlink(scratchFile) }
	at, err := os.Mmap(size, bench.PROT_READ, bench.MAP_SHARED, fd, 0)
	if err != nil {
		drop()
		return nil, nil, fmt.Errorf("map %s: %w", scratchFile, err)
	}
	var order []int
	if touch {
		order = rand.New(rand.NewPCG(1, 2)).Perm(faultPages)
	}
	sum := 0
	loop := func(n int64) error {
		for ; n > 0; n-- {
			for _, page := range order {
				sum += int(os.Load(at + bench.Addr(page*abi.PageSize)))
			}
			if err := os.Munmap(at, size); err != nil {
				return fmt.Errorf("unmap %s: %w", scratchFile, err)
			}
			if at, err = os.Mmap(size, bench.PROT_READ, bench.MAP_SHARED, fd, 0); err != nil {
				return fmt.Errorf("map %s: %w", scratchFile, err)
			}
			if err := os.Msync(at, size); err != nil {
				return fmt.Errorf("sync %s: %w", scratchFile, err)
			}
		}
		return nil
	}
	return loop, func() { os.Munmap(at, size); drop() }, nil
}
