package lmbench

import (
	"encoding/binary"
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// memorySize is what bw_mem works on, twice for the copies.
const memorySize = 512 << 10

// stride is how far apart rd, wr, rdwr and cp of bw_mem access words.
const stride = 16

// kernel works on one page of each of two areas; the second is nil for those
// that need only one. What it returns keeps the compiler from dropping reads.
type kernel func(a, b []byte) uint32

// registerMemory registers bw_mem: no system calls, no faults.
func registerMemory() {
	for _, k := range []struct {
		op, doc string
		copies  bool
		kernel  kernel
	}{
		{"rd", "read every fourth word of 512 KiB", false, readWords},
		{"wr", "write every fourth word of 512 KiB", false, writeWords},
		{"rdwr", "read and write every fourth word of 512 KiB", false, readWriteWords},
		{"cp", "copy every fourth word of 512 KiB", true, copyWords},
		{"bzero", "clear 512 KiB with the language's own means", false, func(a, _ []byte) uint32 { clear(a); return 0 }},
		{"bcopy", "copy 512 KiB with the language's own means", true, func(a, b []byte) uint32 { return uint32(copy(b, a)) }},
	} {
		register(bench.Benchmark{
			Name: "bw_mem/size=512K/op=" + k.op, Source: "bw_mem 512k " + k.op,
			Doc: k.doc + " (bytes of the whole area count)", Unit: "MB/s", Bytes: memorySize,
			Setup: func(d bench.Domain) (bench.Loop, func(), error) { return onMemory(d.OS(), k.copies, k.kernel) },
		})
	}
}

// onMemory applies a kernel to memory of the process, page by page.
func onMemory(os bench.OS, copies bool, k kernel) (bench.Loop, func(), error) {
	a, freeA, err := pages(os, memorySize)
	if err != nil {
		return nil, nil, err
	}
	b, freeB := make([][]byte, len(a)), func() {}
	if copies {
		if b, freeB, err = pages(os, memorySize); err != nil {
			freeA()
			return nil, nil, err
		}
	}
	sum := uint32(0)
	loop := func(n int64) error {
		for ; n > 0; n-- {
			for i := range a {
				sum += k(a[i], b[i])
			}
		}
		return nil
	}
	return loop, func() { freeB(); freeA() }, nil
}

// pages maps anonymous memory and returns its pages, present and writable.
func pages(os bench.OS, size int) ([][]byte, func(), error) {
	at, err := os.Mmap(size, bench.PROT_READ|bench.PROT_WRITE, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("map %d bytes: %w", size, err)
	}
	list := make([][]byte, 0, size/abi.PageSize)
	for off := 0; off < size; off += abi.PageSize {
		list = append(list, os.Page(at+bench.Addr(off), true))
	}
	return list, func() { os.Munmap(at, size) }, nil
}

func readWords(a, _ []byte) uint32 {
	sum := uint32(0)
	for ; len(a) >= stride; a = a[stride:] {
		sum += binary.LittleEndian.Uint32(a)
	}
	return sum
}

func writeWords(a, _ []byte) uint32 {
	for ; len(a) >= stride; a = a[stride:] {
		binary.LittleEndian.PutUint32(a, 1)
	}
	return 0
}

func readWriteWords(a, _ []byte) uint32 {
	sum := uint32(0)
	for ; len(a) >= stride; a = a[stride:] {
		sum += binary.LittleEndian.Uint32(a)
		binary.LittleEndian.PutUint32(a, 1)
	}
	return sum
}

func copyWords(a, b []byte) uint32 {
	for ; len(a) >= stride && len(b) >= stride; a, b = a[stride:], b[stride:] {
		binary.LittleEndian.PutUint32(b, binary.LittleEndian.Uint32(a))
	}
	return 0
}

// sumWords is bread: the sum of all words.
func sumWords(b []byte) uint32 {
	sum := uint32(0)
	for ; len(b) >= 4; b = b[4:] {
		sum += binary.LittleEndian.Uint32(b)
	}
	return sum
}
