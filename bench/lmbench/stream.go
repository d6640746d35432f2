package lmbench

import (
	"fmt"
	"unsafe"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/bench/lmbench/loops"
)

// streamSize is the size of each of stream's three arrays, in bytes: lmbench's are of
// a third of 24 MB, by default.
const streamSize = 2 << 20

// registerMemoryMore registers the modes of bw_mem that the default suite leaves out,
// and stream. They make no system call.
func registerMemoryMore() {
	for _, k := range []struct {
		op, doc string
		copies  bool
		kernel  kernel
	}{
		{"frd", "read every word of 512 KiB", false, func(a, _ []byte) uint32 { loops.ReadWords(a); return 0 }},
		{"fwr", "write every word of 512 KiB", false, func(a, _ []byte) uint32 { loops.WriteWords(a); return 0 }},
		{"fcp", "copy every word of 512 KiB", true, func(a, b []byte) uint32 { loops.CopyWords(a, b); return 0 }},
	} {
		register(bench.Benchmark{
			Name: "bw_mem/size=512K/op=" + k.op, Source: "bw_mem 512k " + k.op, Doc: k.doc, Unit: "MB/s", Bytes: memorySize, Full: true,
			Setup: func(d bench.Domain) (bench.Loop, func(), error) { return onMemory(d.OS(), k.copies, k.kernel) },
		})
	}
	register(bench.Benchmark{
		Name: "bw_mem/size=512K/op=bcopy/conflict=1", Source: "bw_mem 512k bcopy conflict", Unit: "MB/s", Bytes: memorySize, Full: true,
		Doc:   "copy 512 KiB with the language's own means, to memory that lies 128 bytes before a half of a page (in pieces of a page)",
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return copyInConflict(d.OS()) },
	})
	for _, k := range []struct {
		version    int
		op, source string
		doc        string
		arrays     int64 // how many an operation touches
	}{
		{1, "copy", "STREAM copy", "c = a", 2},
		{1, "scale", "STREAM scale", "b = 3c", 2},
		{1, "add", "STREAM add", "c = a + b (lmbench runs sum here, by mistake)", 3},
		{1, "triad", "STREAM triad", "a = b + 3c", 3},
		{2, "fill", "STREAM2 fill", "a = 0", 1},
		{2, "copy", "STREAM2 copy", "c = a", 2},
		{2, "daxpy", "STREAM2 daxpy", "a = a + 3b", 3},
		{2, "sum", "STREAM2 sum", "the sum of a", 1},
	} {
		register(bench.Benchmark{
			Name: fmt.Sprintf("stream/v=%d/op=%s", k.version, k.op), Source: fmt.Sprintf("stream -v %d -M 6M: %s", k.version, k.source),
			Doc: "on arrays of numbers: " + k.doc, Unit: "MB/s", Bytes: k.arrays * streamSize, Full: true,
			Setup: func(d bench.Domain) (bench.Loop, func(), error) { return streaming(d.OS(), loops.Stream(k.op)) },
		})
	}
}

// copyInConflict copies pages to memory that lies otherwise in its pages.
func copyInConflict(os bench.OS) (bench.Loop, func(), error) {
	const apart = abi.PageSize/2 - 128
	a, freeA, err := pages(os, memorySize)
	if err != nil {
		return nil, nil, err
	}
	b, freeB, err := pages(os, memorySize+abi.PageSize)
	if err != nil {
		freeA()
		return nil, nil, err
	}
	loop := func(n int64) error {
		for ; n > 0; n-- {
			for i, from := range a {
				done := copy(b[i][apart:], from)
				copy(b[i+1], from[done:])
			}
		}
		return nil
	}
	return loop, func() { freeB(); freeA() }, nil
}

// streaming runs a loop over three arrays, which take turns as in stream.c.
func streaming(os bench.OS, loop func(a, b, c []float64)) (bench.Loop, func(), error) {
	var arrays [3][][]float64 // in pieces
	var frees []func()
	free := func() {
		for _, f := range frees {
			f()
		}
	}
	for i := range arrays {
		memory, f, err := pieces(os, streamSize)
		if err != nil {
			free()
			return nil, nil, err
		}
		frees = append(frees, f)
		for _, piece := range memory {
			numbers := unsafe.Slice((*float64)(unsafe.Pointer(&piece[0])), len(piece)/8)
			for j := range numbers {
				numbers[j] = []float64{1, 2, 0}[i]
			}
			arrays[i] = append(arrays[i], numbers)
		}
	}
	a, b, c := arrays[0], arrays[1], arrays[2]
	return func(n int64) error {
		for ; n > 0; n-- {
			for i := range a {
				loop(a[i], b[i], c[i])
			}
			a, b, c = b, c, a
		}
		return nil
	}, free, nil
}
