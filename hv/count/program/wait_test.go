package program

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/count/code"
)

// TestWaits finds rounds of waiting: they begin with a PAUSE, and end with the jump back or
// where the loop is entered.
func TestWaits(t *testing.T) {
	const pause0, pause1 = 0xf3, 0x90
	for _, tt := range []struct {
		name string
		code []byte
		want []code.Range
	}{
		{"looked at before", []byte{
			0x8b, 0x07, // mov (%rdi),%eax
			0x74, 0x07, // je to the end
			pause0, pause1,
			0x8b, 0x07, // mov
			0x3a, 0xc1, // cmp
			0x75, 0xf8, // jne to the pause
			0xc3,
		}, []code.Range{{Lo: 104, Hi: 112}}},
		{"looked at where it is entered", []byte{
			0xeb, 0x02, // jmp over the pause
			pause0, pause1,
			0x8b, 0x07, // mov
			0x75, 0xfa, // jne to the pause
			0xc3,
		}, []code.Range{{Lo: 102, Hi: 104}}},
		{"two waits", []byte{
			pause0, pause1, 0x75, 0xfc,
			pause0, pause1, 0x90, 0xe8, 0, 0, 0, 0, // a call ends it, too
			0x90, 0xc3,
		}, []code.Range{{Lo: 100, Hi: 104}, {Lo: 104, Hi: 112}}},
		{"none", []byte{0x90, 0xc3}, nil},
	} {
		spec := spec
		spec.Waits = []string{"_spin_lock"}
		end := 100 + uint64(len(tt.code))
		functions := []Function{{Name: "_spin_lock", Lo: 100, Hi: end}, {Name: "cpu_relax", Lo: 200, Hi: 203}}
		b := newBuilder(spec, 64, text{{100, tt.code}, {200, []byte{pause0, pause1, 0xc3}}}, functions, hooks{})
		if d := cmp.Diff(tt.want, b.waits()); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
		b.cut()
		for _, r := range b.m.Ranges {
			if c := b.m.Cells[r.Cell]; c.Wait != isIn(tt.want, r.Lo) {
				t.Errorf("%s: at %d %+v", tt.name, r.Lo, c)
			}
		}
	}
}
