package program

import (
	"testing"

	"golang.org/x/arch/x86/x86asm"
)

func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		name string
		data []byte
		size int
		rip  bool // an operand is relative to where it lies
	}{
		{"MOV, which the decoder knows", []byte{0x44, 0x8b, 0x25, 1, 2, 3, 4, 0x90}, 7, true},
		{"VMWRITE of memory", []byte{0x0f, 0x79, 0x05, 0xcd, 0xfb, 0x1c, 0x00, 0x90}, 7, true},
		{"VMREAD to a register", []byte{0x45, 0x0f, 0x78, 0xc9, 0x0f, 0x94}, 4, false},
		{"VMPTRLD", []byte{0x0f, 0xc7, 0x34, 0x24, 0x76, 0x3c}, 4, false},
		{"VMXON", []byte{0xf3, 0x0f, 0xc7, 0x74, 0x24, 0x18, 0x0f}, 6, false},
		{"INVEPT", []byte{0x66, 0x0f, 0x38, 0x80, 0x84, 0x24, 0x80, 0, 0, 0, 0x90}, 10, false},
		{"VMLOAD", []byte{0x0f, 0x01, 0xda, 0x48}, 3, false},
		{"an opcode of none", []byte{0x0f, 0x0e, 0x45}, 1, false},
		{"what ends too early", []byte{0x0f, 0x79}, 1, false},
		{"nothing but prefixes", []byte{0x66, 0x66}, 1, false},
	} {
		inst := decode(tt.data, 64)
		rip := false
		for _, arg := range inst.Args {
			m, ok := arg.(x86asm.Mem)
			rip = rip || ok && m.Base == x86asm.RIP
		}
		if inst.Len != tt.size || rip != tt.rip || rip && inst.PCRel != 4 {
			t.Errorf("%s: %d bytes, relative %v (%d)", tt.name, inst.Len, rip, inst.PCRel)
		}
	}
}

// FuzzDecode: an instruction is within its code.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{0x0f, 0x79, 0x05, 0xcd, 0xfb, 0x1c, 0x00, 0x90})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		for _, mode := range []int{32, 64} {
			inst := decode(data, mode)
			if inst.Len < 1 || inst.Len > len(data) || inst.PCRelOff+inst.PCRel > inst.Len {
				t.Errorf("%x: %d bytes, %d at %d", data, inst.Len, inst.PCRel, inst.PCRelOff)
			}
		}
	})
}
