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
