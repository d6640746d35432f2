package native

import (
	"encoding/binary"
	"fmt"
	"math"
)

// register is a 64-bit register of the processor, by its number.
type register byte

const (
	rax register = iota
	rcx
	rdx
	rbx
	rsp
	rbp
	rsi
	rdi
	r8
	r9
	r10
	r11
	r12
	r13
	r14
	r15
)

// condition is what a conditional jump tests, by its number.
type condition byte

const (
	below        condition = 0x2 // unsigned
	aboveOrEqual condition = 0x3
	equal        condition = 0x4
	notEqual     condition = 0x5
	negative     condition = 0x8
	less         condition = 0xc // signed
	greater      condition = 0xf
)

// assembler writes machine code for amd64: the few instructions that the
// program is made of, each in one form. Addresses of code are labels, resolved
// by link; a label may be used before it is defined.
type assembler struct {
	code   []byte
	labels map[string]int
	uses   []use
}

// use is a 32-bit displacement to a label, relative to its own end.
type use struct {
	at    int
	label string
}

func newAssembler() *assembler { return &assembler{labels: map[string]int{}} }

// label names the place of the next instruction. A second definition is a
// mistake in the program and panics.
func (a *assembler) label(name string) {
	if _, ok := a.labels[name]; ok {
		panic(fmt.Sprintf("assemble: label %s is defined twice", name))
	}
	a.labels[name] = len(a.code)
}

// link resolves the labels and returns the code.
func (a *assembler) link() ([]byte, error) {
	for _, u := range a.uses {
		to, ok := a.labels[u.label]
		if !ok {
			return nil, fmt.Errorf("assemble: label %s is not defined", u.label)
		}
		binary.LittleEndian.PutUint32(a.code[u.at:], uint32(to-(u.at+4)))
	}
	return a.code, nil
}

func (a *assembler) bytes(b ...byte) { a.code = append(a.code, b...) }

func (a *assembler) word(v int32) { a.code = binary.LittleEndian.AppendUint32(a.code, uint32(v)) }

func (a *assembler) to(label string) {
	a.uses = append(a.uses, use{len(a.code), label})
	a.word(0)
}

// Parts of a REX prefix: 64-bit operands, and the high bits of ModRM's two
// registers.
const (
	rex  = 0x40
	wide = 0x08
)

// prefix is the REX prefix for ModRM operands reg and rm.
func prefix(w byte, reg, rm register) byte {
	return rex | w | byte(reg>>3)<<2 | byte(rm>>3)
}

// direct writes an instruction whose operands are both registers.
func (a *assembler) direct(w byte, opcode byte, reg, rm register) {
	a.bytes(prefix(w, reg, rm), opcode, 0xc0|byte(reg&7)<<3|byte(rm&7))
}

// memory writes an instruction with the operand [base+disp]. rsp and r12 would
// need another form and are not used as a base.
func (a *assembler) memory(w byte, opcode []byte, reg, base register, disp int32) {
	if base&7 == rsp {
		panic("assemble: rsp and r12 are no base registers here")
	}
	a.bytes(prefix(w, reg, base))
	a.bytes(opcode...)
	a.bytes(0x80 | byte(reg&7)<<3 | byte(base&7))
	a.word(disp)
}

// set sets a register to a constant.
func (a *assembler) set(dst register, v int64) {
	switch {
	case v >= 0 && v <= math.MaxUint32:
		a.bytes(rex|byte(dst>>3), 0xb8|byte(dst&7))
		a.word(int32(uint32(v)))
	case v >= math.MinInt32 && v < 0:
		a.bytes(prefix(wide, 0, dst), 0xc7, 0xc0|byte(dst&7))
		a.word(int32(v))
	default:
		a.bytes(prefix(wide, 0, dst), 0xb8|byte(dst&7))
		a.code = binary.LittleEndian.AppendUint64(a.code, uint64(v))
	}
}

// address sets a register to a label's address.
func (a *assembler) address(dst register, label string) {
	a.bytes(prefix(wide, dst, 0), 0x8d, 0x05|byte(dst&7)<<3)
	a.to(label)
}

func (a *assembler) move(dst, src register) { a.direct(wide, 0x89, src, dst) }
func (a *assembler) add(dst, src register)  { a.direct(wide, 0x01, src, dst) }
func (a *assembler) sub(dst, src register)  { a.direct(wide, 0x29, src, dst) }
func (a *assembler) clear(dst register)     { a.direct(wide, 0x31, dst, dst) }

// compare sets the flags by x-y, test by x, test32 by the lower half of x.
func (a *assembler) compare(x, y register) { a.direct(wide, 0x39, y, x) }
func (a *assembler) test(x register)       { a.direct(wide, 0x85, x, x) }
func (a *assembler) test32(x register)     { a.direct(0, 0x85, x, x) }

// Operations of the group that takes a constant, by their numbers.
const (
	groupAdd     register = 0
	groupAnd     register = 4
	groupSub     register = 5
	groupCompare register = 7
)

func (a *assembler) constant(group, dst register, v int32) {
	a.direct(wide, 0x81, group, dst)
	a.word(v)
}

func (a *assembler) addConst(dst register, v int32)   { a.constant(groupAdd, dst, v) }
func (a *assembler) subConst(dst register, v int32)   { a.constant(groupSub, dst, v) }
func (a *assembler) compareConst(x register, v int32) { a.constant(groupCompare, x, v) }

// align rounds a register down to a multiple of a power of two.
func (a *assembler) align(dst register, to int32) { a.constant(groupAnd, dst, -to) }

// multiplyConst is dst = src * v, shiftLeft is dst <<= bits, and shiftRight is
// dst >>= bits with zeroes.
func (a *assembler) multiplyConst(dst, src register, v int32) {
	a.direct(wide, 0x69, dst, src)
	a.word(v)
}

func (a *assembler) shiftLeft(dst register, bits byte) {
	a.direct(wide, 0xc1, 4, dst)
	a.bytes(bits)
}

func (a *assembler) shiftRight(dst register, bits byte) {
	a.direct(wide, 0xc1, 5, dst)
	a.bytes(bits)
}

// load and store move 64 bits, load32 32 (clearing the upper half), loadByte 8
// (clearing the rest).
func (a *assembler) load(dst, base register, disp int32) {
	a.memory(wide, []byte{0x8b}, dst, base, disp)
}

func (a *assembler) load32(dst, base register, disp int32) {
	a.memory(0, []byte{0x8b}, dst, base, disp)
}

func (a *assembler) loadByte(dst, base register, disp int32) {
	a.memory(0, []byte{0x0f, 0xb6}, dst, base, disp)
}

func (a *assembler) store(base register, disp int32, src register) {
	a.memory(wide, []byte{0x89}, src, base, disp)
}

// storeByte stores a constant byte.
func (a *assembler) storeByte(base register, disp int32, v byte) {
	a.memory(0, []byte{0xc6}, 0, base, disp)
	a.bytes(v)
}

// storeLow stores the low byte of a register.
func (a *assembler) storeLow(base register, disp int32, src register) {
	a.memory(0, []byte{0x88}, src, base, disp)
}

// addTo adds a constant to 64 bits in memory, addFrom adds 64 bits of memory to
// a register.
func (a *assembler) addTo(base register, disp, v int32) {
	a.memory(wide, []byte{0x81}, groupAdd, base, disp)
	a.word(v)
}

func (a *assembler) addFrom(dst, base register, disp int32) {
	a.memory(wide, []byte{0x03}, dst, base, disp)
}

func (a *assembler) jump(label string) { a.bytes(0xe9); a.to(label) }
func (a *assembler) call(label string) { a.bytes(0xe8); a.to(label) }

func (a *assembler) jumpIf(c condition, label string) { a.bytes(0x0f, 0x80|byte(c)); a.to(label) }

// jumpUnless jumps if the condition does not hold.
func (a *assembler) jumpUnless(c condition, label string) { a.jumpIf(c^1, label) }

// signExtend makes 64 bits of a register's lower 32, with their sign.
func (a *assembler) signExtend(r register) { a.direct(wide, 0x63, r, r) }

// callTo calls the address in a register.
func (a *assembler) callTo(r register) { a.direct(0, 0xff, 2, r) }

// pushFrom pushes 64 bits of memory, pushConst a constant; jumpThrough jumps to the
// address in memory.
func (a *assembler) pushFrom(base register, disp int32) { a.memory(0, []byte{0xff}, 6, base, disp) }

func (a *assembler) pushConst(v int32) {
	a.bytes(0x68)
	a.word(v)
}

func (a *assembler) jumpThrough(base register, disp int32) {
	a.memory(0, []byte{0xff}, 4, base, disp)
}

func (a *assembler) push(r register) { a.bytes(rex|byte(r>>3), 0x50|byte(r&7)) }

func (a *assembler) ret()          { a.bytes(0xc3) }
func (a *assembler) syscall()      { a.bytes(0x0f, 0x05) }
func (a *assembler) compareBytes() { a.bytes(0xf3, 0xa6) } // rcx bytes at rsi and rdi
