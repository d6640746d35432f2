package loops_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"unsafe"

	"xsmbench/bench/lmbench/loops"
)

// names are the operations of lat_ops and par_ops.
func names() []string {
	var list []string
	for _, kind := range []string{"integer", "int64", "float", "double"} {
		ops := []string{"add", "mul", "div"}
		if kind == "integer" || kind == "int64" {
			ops = []string{"bit", "add", "mul", "div", "mod"}
		}
		for _, op := range ops {
			list = append(list, kind+" "+op)
		}
	}
	return list
}

// TestOperations runs every loop: none divides by zero, however often.
func TestOperations(t *testing.T) {
	for _, name := range names() {
		loop, each := loops.Operation(name)
		if loop == nil || each < 20 {
			t.Fatalf("%s: %d operations in an iteration", name, each)
		}
		loop(1000)
		chains := loops.Chains(name)
		if len(chains) < 4 {
			t.Errorf("%s: only %d chains", name, len(chains))
		}
		for _, chain := range chains {
			chain(1000)
		}
	}
	if loop, _ := loops.Operation("integer pow"); loop != nil {
		t.Error("a loop of an operation that there is not")
	}
	for _, kind := range []string{"integer", "int64"} {
		loops.Simple(kind, 2)(10)
		loops.Simple(kind, 100)(10)
	}
	loops.Procedure(10)
}

func TestClocks(t *testing.T) {
	if n := len(loops.Clocks()); n != 9 {
		t.Errorf("%d expressions, mhz has 9", n)
	}
	self = uintptr(unsafe.Pointer(&self))
	for _, loop := range loops.Clocks() {
		loop(&self, 10)
	}
}

// What points to places must not be on a stack, which moves.
var (
	self uintptr
	ring [7]uintptr
)

// TestChase follows chains of 7 places: after a hundred loads each is 2 further.
func TestChase(t *testing.T) {
	for i := range ring {
		ring[i] = uintptr(unsafe.Pointer(&ring[(i+1)%len(ring)]))
	}
	for width := 1; width <= loops.MostChains; width++ {
		var at, want [loops.MostChains]uintptr
		for i := range width {
			at[i] = uintptr(unsafe.Pointer(&ring[i%len(ring)]))
			want[i] = uintptr(unsafe.Pointer(&ring[(i+100)%len(ring)]))
		}
		loops.Chase(width)(&at, 1)
		if at != want {
			t.Errorf("%d chains: at %x, want %x", width, at, want)
		}
	}
}

// TestStream computes with each loop, and finds what is beyond the arrays as it was.
func TestStream(t *testing.T) {
	type place struct{ a, b, c float64 }
	for op, want := range map[string]place{
		"copy":  {5, 7, 5},
		"scale": {5, 33, 11},
		"add":   {5, 7, 12},
		"triad": {40, 7, 11},
		"fill":  {0, 7, 11},
		"daxpy": {26, 7, 11},
		"sum":   {5, 7, 11},
	} {
		for _, size := range []int{0, 1, 7, 512} {
			a, b, c := make([]float64, size+1), make([]float64, size+1), make([]float64, size+1)
			for i := range a {
				a[i], b[i], c[i] = 5, 7, 11
			}
			loops.Stream(op)(a[:size], b[:size], c[:size])
			for i := range a {
				got, want := place{a[i], b[i], c[i]}, want
				if i == size {
					want = place{5, 7, 11}
				}
				if got != want {
					t.Fatalf("%s of %d numbers: at %d there is %v, want %v", op, size, i, got, want)
				}
			}
		}
	}
}

// TestSum adds words that are all different.
func TestSum(t *testing.T) {
	for _, size := range []int{0, 8, 1016, 1024, 1032, 4096} {
		b := make([]byte, size)
		whole, want := size/1024*1024, uint64(0)
		for i := 0; i < size; i += 8 {
			v := uint64(i) * 0x9e3779b97f4a7c15
			binary.LittleEndian.PutUint64(b[i:], v)
			if i < whole {
				want += v
			}
		}
		if sum, done := loops.SumWords(b); sum != want || done != whole {
			t.Errorf("of %d bytes: %#x of %d, want %#x of %d", size, sum, done, want, whole)
		}
	}
}

// TestWords checks that each word is written and copied, and nothing beyond.
func TestWords(t *testing.T) {
	for _, size := range []int{0, 511, 512, 4096} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			a, b := make([]byte, size+4), make([]byte, size+4)
			whole := size / 512 * 512
			loops.WriteWords(a[:size])
			for i := 0; i+4 <= len(a); i += 4 {
				want := uint32(0)
				if i < whole {
					want = 1
				}
				if got := binary.LittleEndian.Uint32(a[i:]); got != want {
					t.Fatalf("word %d is %d, want %d", i, got, want)
				}
			}
			for i := range whole {
				a[i] = byte(i)
			}
			loops.CopyWords(a[:size], b[:size])
			loops.ReadWords(a[:size])
			for i := range b {
				want := byte(0)
				if i < whole {
					want = byte(i)
				}
				if b[i] != want {
					t.Fatalf("byte %d is %d, want %d", i, b[i], want)
				}
			}
		})
	}
}
