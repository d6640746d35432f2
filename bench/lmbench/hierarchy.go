package lmbench

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/bench/lmbench/loops"
)

// Memory that programs of lmbench look at, in bytes: theirs are 32 and 64 MiB, which
// a guest does not have.
const (
	hierarchySize = 8 << 20
	loadsEnough   = 100_000 // µs, lat_mem_rd's windows
	dramGroup     = 16      // pages
)

// Of tlb.c and lib_mem.c: how much slower a load is beyond the TLB, and by what
// factors a line shows.
const (
	tlbThreshold = 1.15
	tlbStart     = 8
	lineJump     = 1.3
	lineFlat     = 1.15
	cacheJump    = 1.5
)

// registerHierarchy registers lat_mem_rd, lat_dram_page, tlb, line, cache and
// par_mem, which make no system call while they measure.
func registerHierarchy() {
	for _, s := range []struct {
		name string
		size int
	}{{"4K", 4 << 10}, {"32K", 32 << 10}, {"256K", 256 << 10}, {"1M", 1 << 20}, {"8M", hierarchySize}} {
		for _, stride := range []int{16, 128, 1024} {
			register(bench.Benchmark{
				Name: fmt.Sprintf("lat_mem_rd/size=%s/stride=%d", s.name, stride), Source: fmt.Sprintf("lat_mem_rd 8 %d, at %s", stride, s.name),
				Doc: fmt.Sprintf("load of a pointer that is %d bytes after the one before, in %sB", stride, s.name),
				Ops: chased, Enough: loadsEnough, Full: true,
				Setup: func(d bench.Domain) (bench.Loop, func(), error) {
					return walkRing(d.OS(), s.size, strided(s.size, stride))
				},
			})
		}
		register(bench.Benchmark{
			Name: fmt.Sprintf("lat_mem_rd/size=%s/t=1", s.name), Source: "lat_mem_rd -t 8 16, at " + s.name,
			Doc: fmt.Sprintf("load of a pointer that is in another page than the one before, in %sB", s.name),
			Ops: chased, Enough: loadsEnough, Full: true,
			Setup: func(d bench.Domain) (bench.Loop, func(), error) {
				return walkRing(d.OS(), s.size, thrashing(s.size, 16))
			},
		})
	}
	for _, b := range []struct {
		name, source, unit, doc string
		run                     func(os bench.OS, o bench.Options) ([]bench.Value, error)
		beside                  []string
	}{
		{"lat_dram_page", "lat_dram_page -M 8M", "ns/op", "what a load costs more if the memory must open another page of its own for it", dramPage, nil},
		{"tlb", "tlb -c -M 8M", "pages", "how many pages the TLB holds, 0 if that does not show; and what a load beyond it costs more", tlbSize, []string{"ns/op"}},
		{"line", "line -M 8M", "bytes", "the length of a cache's line, 0 if it does not show", lineSize, nil},
		{"cache", "cache -M 8M", "ns/op", "a load from memory, and the sizes of the caches before it, as far as they show", cacheSizes, cacheUnits()},
		{"par_mem", "par_mem -M 8M", parallelism, fmt.Sprintf("how many loads from memory go on at once: 1 to %d chains", loops.MostChains), parallelLoads, nil},
	} {
		register(bench.Benchmark{
			Name: b.name, Source: b.source, Unit: b.unit, Beside: b.beside, Doc: b.doc, Full: true,
			Run: func(d bench.Domain, o bench.Options) ([]bench.Value, error) { return b.run(d.OS(), o) },
		})
	}
}

func walkRing(os bench.OS, size int, offsets []int) (bench.Loop, func(), error) {
	a, err := newArena(os, size)
	if err != nil {
		return nil, nil, err
	}
	a.link(offsets)
	return a.walk(offsets[0]), a.free, nil
}

func dramPage(os bench.OS, o bench.Options) ([]bench.Value, error) {
	a, err := newArena(os, hierarchySize)
	if err != nil {
		return nil, err
	}
	defer a.free()
	hit, err := a.ringTime(os, o, lineByLine(hierarchySize, pointerSize))
	if err != nil {
		return nil, err
	}
	miss, err := a.ringTime(os, o, grouped(hierarchySize, pointerSize, dramGroup))
	if err != nil {
		return nil, err
	}
	more := miss - hit
	if hit >= 0.95*miss {
		more = 0
	}
	return []bench.Value{{Value: more, Unit: "ns/op"}}, nil
}

// tlbSize doubles the number of pages until a load of each takes longer than one of
// as many neighbouring words, and then halves the interval.
func tlbSize(os bench.OS, o bench.Options) ([]bench.Value, error) {
	a, err := newArena(os, hierarchySize)
	if err != nil {
		return nil, err
	}
	defer a.free()
	const most = hierarchySize / abi.PageSize
	more, misses := 0.0, false
	look := func(pages int) error {
		apart, err := a.loadTime(os, o, perPage(pages))
		if err != nil {
			return err
		}
		near, err := a.loadTime(os, o, lineByLine(pages*pointerSize, pointerSize))
		if err != nil {
			return err
		}
		more, misses = apart-near, apart > near*tlbThreshold
		return nil
	}
	upper := tlbStart
	for ; upper <= most; upper *= 2 {
		if err := look(upper); err != nil {
			return nil, err
		}
		if misses {
			break
		}
	}
	if !misses {
		return []bench.Value{{Value: 0, Unit: "pages"}}, nil
	}
	cost, lower := more, upper/2
	for lower+1 < upper {
		middle := lower + (upper-lower)/2
		if err := look(middle); err != nil {
			return nil, err
		}
		if misses {
			upper = middle
		} else {
			lower = middle
		}
	}
	return []bench.Value{{Value: float64(lower), Unit: "pages"}, {Value: max(0, cost), Unit: "ns/op"}}, nil
}

// lineSize looks for the distance at which loads stop becoming slower: each is then of
// another line.
func lineSize(os bench.OS, o bench.Options) ([]bench.Value, error) {
	a, err := newArena(os, hierarchySize)
	if err != nil {
		return nil, err
	}
	defer a.free()
	before, jumped := 0.0, false
	for distance := pointerSize; distance <= abi.PageSize/16; distance *= 2 {
		t, err := a.loadTime(os, o, apart(distance))
		if err != nil {
			return nil, err
		}
		switch {
		case before > 0 && t > lineJump*before:
			jumped = true
		case jumped && t < lineFlat*before:
			return []bench.Value{{Value: float64(distance / 2), Unit: "bytes"}}, nil
		}
		before = t
	}
	return []bench.Value{{Value: 0, Unit: "bytes"}}, nil
}

// apart visits some words of each page, at a distance from each other: the first ones
// of all its words in the order of line_initialize, so that no prefetcher sees a line
// next to the one before.
func apart(distance int) []int {
	words := reversed(abi.PageSize/pointerSize, pointerSize)[:abi.PageSize/distance]
	var list []int
	for _, p := range shuffled(hierarchySize / abi.PageSize) {
		for _, w := range words {
			list = append(list, p*abi.PageSize+w)
		}
	}
	return list
}

// mostCaches is how many levels of caches are told apart.
const mostCaches = 4

// cacheUnits are those of the caches' sizes: "L1-bytes".
func cacheUnits() []string {
	var units []string
	for level := range mostCaches {
		units = append(units, fmt.Sprintf("L%d-bytes", level+1))
	}
	return units
}

// cacheSizes walks through more and more memory: where a load becomes slower, a cache
// ends.
func cacheSizes(os bench.OS, o bench.Options) ([]bench.Value, error) {
	a, err := newArena(os, hierarchySize)
	if err != nil {
		return nil, err
	}
	defer a.free()
	const line = 64
	var values []bench.Value
	level, t := 0.0, 0.0
	for size := 4 << 10; size <= hierarchySize; size *= 2 {
		if t, err = a.loadTime(os, o, lineByLine(size, line)); err != nil {
			return nil, err
		}
		if level > 0 && t > cacheJump*level && len(values) < mostCaches {
			values = append(values, bench.Value{Value: float64(size / 2), Unit: cacheUnits()[len(values)]})
		}
		if level == 0 || t > cacheJump*level {
			level = t
		}
	}
	return append([]bench.Value{{Value: t, Unit: "ns/op"}}, values...), nil
}

// parallelLoads follows several chains in memory that no cache holds, as par_ops does
// with operations.
func parallelLoads(os bench.OS, o bench.Options) ([]bench.Value, error) {
	a, err := newArena(os, hierarchySize)
	if err != nil {
		return nil, err
	}
	defer a.free()
	ring := lineByLine(hierarchySize, abi.PageSize/16)
	a.link(ring)
	most, alone := 1.0, 0.0
	for width := 1; width <= loops.MostChains; width++ {
		begin := make([]int, width)
		for i := range begin {
			begin[i] = ring[i*len(ring)/width]
		}
		us, err := bench.Fastest(os, o, a.walk(begin...))
		if err != nil {
			return nil, fmt.Errorf("time %d chains: %w", width, err)
		}
		if width == 1 {
			alone = us
		}
		most = max(most, alone/us*float64(width))
	}
	return []bench.Value{{Value: most, Unit: parallelism}}, nil
}
