package lmbench

import (
	"fmt"
	"time"

	"xsmbench/abi"
	"xsmbench/bench"
)

// Of memsize.c: what is tried at most, in which steps, and how long a page may take.
// lmbench tries 1 GiB by default; a guest that runs out of memory dies of it.
const (
	memoryLimit = 16 << 20
	memoryStep  = 1 << 20
	tooLong     = 10 * time.Microsecond
)

// usableMemory maps as much as the limit and touches it, more each time, until it takes too
// long.
func usableMemory(os bench.OS) ([]bench.Value, error) {
	at, size, err := mapMost(os, memoryLimit)
	if err != nil {
		return nil, err
	}
	defer os.Munmap(at, size)
	usable := 0
	for touched := memoryStep; touched <= size; touched += memoryStep {
		for off := touched - memoryStep; off < touched; off += abi.PageSize {
			os.Store(at+bench.Addr(off), 1) // present from now on
		}
		start := os.Now()
		for off := 0; off < touched; off += abi.PageSize {
			os.Store(at+bench.Addr(off), 1)
		}
		if os.Now()-start > time.Duration(touched/abi.PageSize)*tooLong {
			break
		}
		usable = touched
	}
	return []bench.Value{{Value: float64(usable >> 20), Unit: "MB"}}, nil
}

// mapMost maps the limit, or half of it as often as it takes.
func mapMost(os bench.OS, limit int) (at bench.Addr, size int, err error) {
	for size = limit; size >= memoryStep; size /= 2 {
		at, err = os.Mmap(size, bench.PROT_READ|bench.PROT_WRITE, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
		if err == nil {
			return at, size, nil
		}
	}
	return 0, 0, fmt.Errorf("map %d bytes: %w", memoryStep, err)
}
