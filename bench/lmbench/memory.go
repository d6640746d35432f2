package lmbench

import (
	"encoding/binary"
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/bench/lmbench/loops"
)

// memorySize is what bw_mem works on, twice for the copies.
const memorySize = 512 << 10

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

// onMemory applies a kernel to memory of the process, in pieces that lie one after
// the other for the process: pages, or on hardware the whole.
func onMemory(os bench.OS, copies bool, k kernel) (bench.Loop, func(), error) {
	a, freeA, err := pieces(os, memorySize)
	if err != nil {
		return nil, nil, err
	}
	b, freeB := make([][]byte, len(a)), func() {}
	if copies {
		if b, freeB, err = pieces(os, memorySize); err != nil {
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

// pieces maps anonymous memory and returns it, present and writable, in pieces that
// lie one after the other: its pages, or on hardware the whole.
func pieces(os bench.OS, size int) ([][]byte, func(), error) {
	at, list, free, err := mapPages(os, size)
	if whole, ok := os.(bench.Spanner); ok && err == nil {
		list = [][]byte{whole.Span(at, size)}
	}
	return list, free, err
}

// pages maps anonymous memory and returns its pages, present and writable.
func pages(os bench.OS, size int) ([][]byte, func(), error) {
	_, list, free, err := mapPages(os, size)
	return list, free, err
}

func mapPages(os bench.OS, size int) (bench.Addr, [][]byte, func(), error) {
	at, err := os.Mmap(size, bench.PROT_READ|bench.PROT_WRITE, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("map %d bytes: %w", size, err)
	}
	list := make([][]byte, 0, size/abi.PageSize)
	for off := 0; off < size; off += abi.PageSize {
		list = append(list, os.Page(at+bench.Addr(off), true))
	}
	return at, list, func() { os.Munmap(at, size) }, nil
}

// chunk is what the kernels do without a jump, as lmbench's do.
const chunk = 512

func readWords(a, _ []byte) uint32 {
	sum := uint32(0)
	for ; len(a) >= chunk; a = a[chunk:] {
		p := a[:chunk:chunk]
		sum += half(p[0:]) + half(p[16:]) + half(p[32:]) + half(p[48:]) + half(p[64:]) + half(p[80:]) + half(p[96:]) + half(p[112:]) +
			half(p[128:]) + half(p[144:]) + half(p[160:]) + half(p[176:]) + half(p[192:]) + half(p[208:]) + half(p[224:]) + half(p[240:]) +
			half(p[256:]) + half(p[272:]) + half(p[288:]) + half(p[304:]) + half(p[320:]) + half(p[336:]) + half(p[352:]) + half(p[368:]) +
			half(p[384:]) + half(p[400:]) + half(p[416:]) + half(p[432:]) + half(p[448:]) + half(p[464:]) + half(p[480:]) + half(p[496:])
	}
	return sum
}

func writeWords(a, _ []byte) uint32 {
	for ; len(a) >= chunk; a = a[chunk:] {
		p := a[:chunk:chunk]
		setHalf(p[0:], 1)
		setHalf(p[16:], 1)
		setHalf(p[32:], 1)
		setHalf(p[48:], 1)
		setHalf(p[64:], 1)
		setHalf(p[80:], 1)
		setHalf(p[96:], 1)
		setHalf(p[112:], 1)
		setHalf(p[128:], 1)
		setHalf(p[144:], 1)
		setHalf(p[160:], 1)
		setHalf(p[176:], 1)
		setHalf(p[192:], 1)
		setHalf(p[208:], 1)
		setHalf(p[224:], 1)
		setHalf(p[240:], 1)
		setHalf(p[256:], 1)
		setHalf(p[272:], 1)
		setHalf(p[288:], 1)
		setHalf(p[304:], 1)
		setHalf(p[320:], 1)
		setHalf(p[336:], 1)
		setHalf(p[352:], 1)
		setHalf(p[368:], 1)
		setHalf(p[384:], 1)
		setHalf(p[400:], 1)
		setHalf(p[416:], 1)
		setHalf(p[432:], 1)
		setHalf(p[448:], 1)
		setHalf(p[464:], 1)
		setHalf(p[480:], 1)
		setHalf(p[496:], 1)
	}
	return 0
}

func readWriteWords(a, _ []byte) uint32 {
	sum := uint32(0)
	for ; len(a) >= chunk; a = a[chunk:] {
		p := a[:chunk:chunk]
		sum += half(p[0:])
		setHalf(p[0:], 1)
		sum += half(p[16:])
		setHalf(p[16:], 1)
		sum += half(p[32:])
		setHalf(p[32:], 1)
		sum += half(p[48:])
		setHalf(p[48:], 1)
		sum += half(p[64:])
		setHalf(p[64:], 1)
		sum += half(p[80:])
		setHalf(p[80:], 1)
		sum += half(p[96:])
		setHalf(p[96:], 1)
		sum += half(p[112:])
		setHalf(p[112:], 1)
		sum += half(p[128:])
		setHalf(p[128:], 1)
		sum += half(p[144:])
		setHalf(p[144:], 1)
		sum += half(p[160:])
		setHalf(p[160:], 1)
		sum += half(p[176:])
		setHalf(p[176:], 1)
		sum += half(p[192:])
		setHalf(p[192:], 1)
		sum += half(p[208:])
		setHalf(p[208:], 1)
		sum += half(p[224:])
		setHalf(p[224:], 1)
		sum += half(p[240:])
		setHalf(p[240:], 1)
		sum += half(p[256:])
		setHalf(p[256:], 1)
		sum += half(p[272:])
		setHalf(p[272:], 1)
		sum += half(p[288:])
		setHalf(p[288:], 1)
		sum += half(p[304:])
		setHalf(p[304:], 1)
		sum += half(p[320:])
		setHalf(p[320:], 1)
		sum += half(p[336:])
		setHalf(p[336:], 1)
		sum += half(p[352:])
		setHalf(p[352:], 1)
		sum += half(p[368:])
		setHalf(p[368:], 1)
		sum += half(p[384:])
		setHalf(p[384:], 1)
		sum += half(p[400:])
		setHalf(p[400:], 1)
		sum += half(p[416:])
		setHalf(p[416:], 1)
		sum += half(p[432:])
		setHalf(p[432:], 1)
		sum += half(p[448:])
		setHalf(p[448:], 1)
		sum += half(p[464:])
		setHalf(p[464:], 1)
		sum += half(p[480:])
		setHalf(p[480:], 1)
		sum += half(p[496:])
		setHalf(p[496:], 1)
	}
	return sum
}

func copyWords(a, b []byte) uint32 {
	for ; len(a) >= chunk && len(b) >= chunk; a, b = a[chunk:], b[chunk:] {
		p, q := a[:chunk:chunk], b[:chunk:chunk]
		setHalf(q[0:], half(p[0:]))
		setHalf(q[16:], half(p[16:]))
		setHalf(q[32:], half(p[32:]))
		setHalf(q[48:], half(p[48:]))
		setHalf(q[64:], half(p[64:]))
		setHalf(q[80:], half(p[80:]))
		setHalf(q[96:], half(p[96:]))
		setHalf(q[112:], half(p[112:]))
		setHalf(q[128:], half(p[128:]))
		setHalf(q[144:], half(p[144:]))
		setHalf(q[160:], half(p[160:]))
		setHalf(q[176:], half(p[176:]))
		setHalf(q[192:], half(p[192:]))
		setHalf(q[208:], half(p[208:]))
		setHalf(q[224:], half(p[224:]))
		setHalf(q[240:], half(p[240:]))
		setHalf(q[256:], half(p[256:]))
		setHalf(q[272:], half(p[272:]))
		setHalf(q[288:], half(p[288:]))
		setHalf(q[304:], half(p[304:]))
		setHalf(q[320:], half(p[320:]))
		setHalf(q[336:], half(p[336:]))
		setHalf(q[352:], half(p[352:]))
		setHalf(q[368:], half(p[368:]))
		setHalf(q[384:], half(p[384:]))
		setHalf(q[400:], half(p[400:]))
		setHalf(q[416:], half(p[416:]))
		setHalf(q[432:], half(p[432:]))
		setHalf(q[448:], half(p[448:]))
		setHalf(q[464:], half(p[464:]))
		setHalf(q[480:], half(p[480:]))
		setHalf(q[496:], half(p[496:]))
	}
	return 0
}

// sumWords is bread: the sum of all words of 8 bytes.
func sumWords(b []byte) uint64 {
	sum, done := loops.SumWords(b)
	for b = b[done:]; len(b) >= 8; b = b[8:] {
		sum += word(b)
	}
	return sum
}

// Words as the processor has them.
func word(b []byte) uint64       { return binary.LittleEndian.Uint64(b) }
func half(b []byte) uint32       { return binary.LittleEndian.Uint32(b) }
func setHalf(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }
