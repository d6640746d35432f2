package lmbench

import (
	"fmt"
	"math/bits"
	"unsafe"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/bench/lmbench/loops"
)

// pointerSize is that of a pointer, chased how many loads loops.Chase does in an
// iteration.
const (
	pointerSize = int(unsafe.Sizeof(uintptr(0)))
	chased      = 100
)

// arena is memory of a process that chains of pointers run through. Offsets are the
// process's; where a page lies in the machine is the domain's matter.
type arena struct {
	pages [][]byte
	free  func()
}

// newArena maps memory, all of it present.
func newArena(os bench.OS, size int) (*arena, error) {
	list, free, err := pages(os, (size+abi.PageSize-1)/abi.PageSize*abi.PageSize)
	if err != nil {
		return nil, err
	}
	return &arena{list, free}, nil
}

// at is where an offset lies.
func (a *arena) at(offset int) *uintptr {
	return (*uintptr)(unsafe.Pointer(&a.pages[offset/abi.PageSize][offset%abi.PageSize]))
}

// link makes a ring of pointers at offsets, in their order.
func (a *arena) link(offsets []int) {
	for i, from := range offsets {
		*a.at(from) = a.address(offsets[(i+1)%len(offsets)])
	}
}

func (a *arena) address(offset int) uintptr { return uintptr(unsafe.Pointer(a.at(offset))) }

// walk returns loops of a hundred loads of each of a number of chains that begin at
// some places.
func (a *arena) walk(begin ...int) bench.Loop {
	var at [loops.MostChains]uintptr
	for i, offset := range begin {
		at[i] = a.address(offset)
	}
	chase := loops.Chase(len(begin))
	return func(n int64) error {
		if n > 0 {
			chase(&at, n)
		}
		return nil
	}
}

// strided are offsets a stride apart.
func strided(size, stride int) []int {
	var list []int
	for off := 0; off < size; off += stride {
		list = append(list, off)
	}
	return list
}

// reversed are the multiples of a scale below count of them, in the order of their
// bits read backwards: neighbours lie far apart (words_initialize, which repeats some
// where count is no power of two).
func reversed(count, scale int) []int {
	width := bits.Len(uint(count - 1))
	list := make([]int, 0, count)
	for i := range 1 << width {
		if n := int(bits.Reverse64(uint64(i)) >> (64 - width)); n < count {
			list = append(list, n*scale)
		}
	}
	return list
}

// shuffled are the numbers below count in an order that is always the same.
func shuffled(count int) []int {
	list := make([]int, count)
	for i := range list {
		list[i] = i
	}
	seed := uint64(count)
	for i := count - 1; i > 0; i-- {
		seed = seed*6364136223846793005 + 1442695040888963407
		j := int(seed >> 33 % uint64(i+1))
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// thrashing are offsets of which each lies in another page than the one before, and
// far from it (thrash_initialize): a miss of each cache and of the TLB.
func thrashing(size, line int) []int {
	if size <= abi.PageSize {
		return reversed(size/line, line)
	}
	lines := reversed(abi.PageSize/line, line)
	order := shuffled(size / abi.PageSize)
	list := make([]int, 0, size/line)
	for turn := range lines {
		for i, p := range order {
			list = append(list, p*abi.PageSize+lines[(i+turn)%len(lines)])
		}
	}
	return list
}

// lineByLine are offsets of all lines of a page, far apart, before those of another
// (mem_initialize); in each line the word is one of its.
func lineByLine(size, line int) []int {
	lines := reversed(max(1, min(size, abi.PageSize)/line), line)
	words := reversed(max(1, line/pointerSize), pointerSize)
	var list []int
	for _, p := range shuffled((size + abi.PageSize - 1) / abi.PageSize) {
		for i, l := range lines {
			list = append(list, p*abi.PageSize+l+words[i%len(words)])
		}
	}
	return list
}

// perPage are one word of each of some pages, in different lines (tlb_initialize).
func perPage(count int) []int {
	words := reversed(abi.PageSize/pointerSize, pointerSize)
	order := shuffled(count)
	list := make([]int, count)
	for i, p := range order {
		list[i] = p*abi.PageSize + words[i%len(words)]
	}
	return list
}

// grouped visits the same line of several pages before their next line
// (dram_page_initialize): each load opens another page of the memory's own.
func grouped(size, line, group int) []int {
	lines := reversed(abi.PageSize/line, line)
	order := shuffled(size / abi.PageSize)
	var list []int
	for len(order) > 0 {
		some := order[:min(group, len(order))]
		order = order[len(some):]
		for _, l := range lines {
			for _, p := range some {
				list = append(list, p*abi.PageSize+l)
			}
		}
	}
	return list
}

// loadTime is the least time of a load along a ring, ns.
func (a *arena) loadTime(c bench.Clock, o bench.Options, offsets []int) (float64, error) {
	a.link(offsets)
	us, err := bench.Fastest(c, o, a.walk(offsets[0]))
	if err != nil {
		return 0, fmt.Errorf("time loads: %w", err)
	}
	return us * 1e3 / chased, nil
}

// ringTime is the usual time of a load in whole rounds of a ring, ns: rings are compared
// that need more memory than the caches have, and whose parts differ.
func (a *arena) ringTime(c bench.Clock, o bench.Options, offsets []int) (float64, error) {
	a.link(offsets)
	round, walk := int64(len(offsets)/chased+1), a.walk(offsets[0])
	us, err := bench.Typical(c, o, func(n int64) error { return walk(n * round) })
	if err != nil {
		return 0, fmt.Errorf("time rounds: %w", err)
	}
	return us * 1e3 / float64(round*chased), nil
}
