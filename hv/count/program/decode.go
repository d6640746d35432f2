package program

import (
	"bytes"

	"golang.org/x/arch/x86/x86asm"
)

// decode decodes an instruction for its length and its operands. The decoder lacks
// some that a hypervisor has (VMREAD, VMWRITE, VMPTRLD, INVEPT …): another opcode with
// operands of the same form stands in for them. What is not known at all is a byte long.
func decode(data []byte, mode int) x86asm.Inst {
	inst, err := x86asm.Decode(data, mode)
	if err == nil && inst.Op != 0 { // 0: a prefix alone
		return inst
	}
	unknown := x86asm.Inst{Len: 1}
	skipped, i := 0, 0
	for skipped < len(data) && isPrefix(data[skipped]) {
		skipped++
	}
	rest := data[skipped:]                                   // the others do not exist with prefixes
	if mode == 64 && len(rest) > 0 && rest[0]&0xf0 == 0x40 { // REX
		i++
	}
	if i+2 >= len(rest) || rest[i] != 0x0f {
		return unknown
	}
	like := bytes.Clone(rest[:min(len(rest), longestInst)])
	switch rest[i+1] {
	case 0x78, 0x79, 0xc7: // VMREAD, VMWRITE, and the group of VMPTRLD and RDRAND
		like[i+1] = 0xaf // IMUL
	case 0x38: // INVEPT, INVVPID, MOVDIRI
		like[i+2] = 0x00 // PSHUFB
	case 0x01: // VMLOAD, STGI …, without operands
		unknown.Len = skipped + i + 3
		return unknown
	default:
		return unknown
	}
	if inst, err = x86asm.Decode(like, mode); err != nil {
		return unknown
	}
	inst.Op = 0
	inst.Len += skipped
	inst.PCRelOff += skipped
	return inst
}

// longestInst is the longest instruction of x86, in bytes.
const longestInst = 15

// isPrefix tells the prefixes that choose an instruction.
func isPrefix(b byte) bool { return b == 0x66 || b == 0xf2 || b == 0xf3 }
