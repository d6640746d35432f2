package lmbench

import (
	"fmt"

	"xsmbench/bench"
)

// Of lat_mmap.c: how far apart the touched bytes are, and which part of the
// mapping is touched.
const (
	touchStep = 16 << 10
	touchPart = 10
)

// registerMmap registers lat_mmap.
func registerMmap() {
	for _, s := range []struct {
		name string
		size int
	}{{"512K", 512 << 10}, {"1M", 1 << 20}} {
		touched := (s.size/touchPart + touchStep - 1) / touchStep
		register(bench.Benchmark{
			Name: "lat_mmap/size=" + s.name, Source: "lat_mmap " + s.name,
			Doc: "map " + s.name + " of a file, write a byte every 16K of its first tenth, and unmap it",
			Hooks: []bench.Crossing{
				{Hook: updateVAMapping, PerOp: float64(touched), Note: "and 1 per page table"},
				{Hook: mmuNormalUpdate, Note: "1 per page table"},
			},
			Setup: func(d bench.Domain) (bench.Loop, func(), error) { return mapAndTouch(d.OS(), s.size) },
		})
	}
}

func mapAndTouch(os bench.OS, size int) (bench.Loop, func(), error) {
	fd, err := openFile(os, scratchFile, size)
	if err != nil {
		return nil, nil, err
	}
	loop := func(n int64) error {
		for ; n > 0; n-- {
			at, err := os.Mmap(size, bench.PROT_READ|bench.PROT_WRITE, bench.MAP_SHARED, fd, 0)
			if err != nil {
				return fmt.Errorf("map %s: %w", scratchFile, err)
			}
			for off := 0; off < size/touchPart; off += touchStep {
				os.Store(at+bench.Addr(off), byte(n))
			}
			if err := os.Munmap(at, size); err != nil {
				return fmt.Errorf("unmap %s: %w", scratchFile, err)
			}
		}
		return nil
	}
	remove := func() { os.Close(fd); os.Unlink(scratchFile) }
	loop, cleanup, err := nativeOr(os, loop, bench.NativeMap, int64(fd), int64(size))
	if err != nil {
		remove()
		return nil, nil, err
	}
	return loop, func() { cleanup(); remove() }, nil
}
