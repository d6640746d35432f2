package program

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"

	"golang.org/x/arch/x86/x86asm"

	"xsmbench/hv"
)

// Bodies describes the bodies of a program's functions so that they can be
// compared with another program's: where a function lies, and where lies what it
// refers to, does not count.
//
// A call or jump out of the function, and an address of data, stand for the name of
// what is there; for data without a symbol that is its content: a string, the
// targets of a switch, a constant. Code that may replace other code when the program
// starts (alternatives) belongs to the function that it is copied into, but for the
// feature that decides. Other tables beside the code (of exceptions, of bugs with their
// lines) are no part of it.
func Bodies(f *elf.File, s Spec) ([]hv.Body, error) {
	o, err := openFile(f)
	if err != nil {
		return nil, err
	}
	l, err := linesOf(o.debug)
	if err != nil {
		return nil, err
	}
	functions := functionsOf(f, o.symbols, s)
	r := newReader(f, o.symbols, functions)
	alternatives := alternativesOf(o.symbols, s.Alternatives, r)
	var all []hv.Body
	for _, fn := range functions {
		b := body{refs: r, lines: l, alternatives: alternatives, function: fn, code: sha256.New(), shifted: sha256.New()}
		if b.read(o.text.bytes(fn.Lo, fn.Hi), o.mode); b.size == 0 {
			continue // a label
		}
		all = append(all, hv.Body{Name: fn.Name, Part: fn.Part, Size: b.size, Code: short(b.code), Shifted: short(b.shifted)})
	}
	return all, nil
}

// short is enough of a hash to tell the bodies of one name apart.
func short(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:6]) }

// body is a function's while it is read.
type body struct {
	refs         *refs
	lines        lines
	alternatives map[uint64][]replacement // by the addresses that they are copied to
	function     Function
	// code has all of it; in shifted, numbers that may be those of source lines
	// stand relative to the line that the instruction is from.
	code, shifted hash.Hash
	index         map[uint64]int // of instructions, by address
	size          int64          // bytes, without what fills up at its end
	filling       [][]byte       // instructions that do nothing, until one follows that does something
}

// read takes all instructions.
func (b *body) read(data []byte, mode int) {
	var all []x86asm.Inst
	b.index = map[uint64]int{}
	for i := 0; i < len(data); {
		inst := decode(data[i:], mode)
		b.index[b.function.Lo+uint64(i)] = len(all)
		all = append(all, inst)
		i += inst.Len
	}
	i := 0
	for _, inst := range all {
		at := b.function.Lo + uint64(i)
		for _, x := range b.alternatives[at] {
			b.replace(x, mode)
		}
		b.see(at, data[i:i+inst.Len], inst)
		i += inst.Len
	}
}

// see takes the next instruction.
func (b *body) see(at uint64, raw []byte, inst x86asm.Inst) {
	if isFilling(inst) {
		b.filling = append(b.filling, raw)
		return
	}
	b.fill()
	b.size += int64(len(raw))
	own := b.resolved(at, raw, inst)
	shifted := own
	if line, imm, ok := b.lineIn(at, inst); ok {
		shifted = bytes.Clone(own)
		erase(shifted, uint64(uint32(imm)), 4)
		shifted = append(shifted, "line "+strconv.FormatInt(imm-int64(line), 10)...)
	}
	b.write(own, shifted)
}

// fill takes the instructions that do nothing and were no filling at the end.
func (b *body) fill() {
	for _, f := range b.filling {
		b.write(f, f)
		b.size += int64(len(f))
	}
	b.filling = b.filling[:0]
}

// replace takes code that may replace that which follows.
func (b *body) replace(x replacement, mode int) {
	b.fill()
	b.write([]byte("or "), []byte("or "))
	for i := 0; i < len(x.code); {
		inst := decode(x.code[i:], mode)
		text := b.resolved(x.lo+uint64(i), x.code[i:i+inst.Len], inst)
		b.write(text, text)
		i += inst.Len
	}
}

// resolved stands for an instruction, wherever it and what it refers to lie.
func (b *body) resolved(at uint64, raw []byte, inst x86asm.Inst) []byte {
	own := bytes.Clone(raw)
	for _, arg := range inst.Args {
		if to, ok := arg.(x86asm.Rel); ok {
			own = b.jump(inst, at+uint64(inst.Len)+uint64(int64(to)))
		} else {
			b.resolve(at, inst, arg, own)
		}
	}
	return own
}

func (b *body) write(code, shifted []byte) {
	b.code.Write(code)
	b.shifted.Write(shifted)
}

// isFilling tells instructions that fill up to an alignment.
func isFilling(inst x86asm.Inst) bool {
	switch inst.Op {
	case x86asm.NOP:
		return true
	case x86asm.INT:
		return inst.Args[0] == x86asm.Imm(3)
	case x86asm.XCHG:
		return inst.Args[0] == inst.Args[1]
	}
	return false
}

// jump stands for a jump or a call: how far it goes depends on what lies between, and
// so does how long it is.
func (b *body) jump(inst x86asm.Inst, target uint64) []byte {
	if i, ok := b.index[target]; ok {
		return fmt.Appendf(nil, "%v to %d", inst.Op, i)
	}
	return fmt.Appendf(nil, "%v to %s", inst.Op, b.refs.name(target, 0, b.function))
}

// resolve replaces an address in an instruction by what is there, in both hashes.
func (b *body) resolve(at uint64, inst x86asm.Inst, arg x86asm.Arg, raw []byte) {
	var target uint64
	switch a := arg.(type) {
	case x86asm.Mem:
		if target = uint64(a.Disp); a.Base == x86asm.RIP || a.Base == x86asm.EIP {
			target = at + uint64(inst.Len) + uint64(int64(int32(a.Disp))) // the decoder gives it without a sign
		} else if !b.refs.has(target) {
			return
		}
	case x86asm.Imm:
		if target = uint64(a); !b.refs.has(target) {
			return
		}
	default:
		return
	}
	if target >= b.function.Lo && target < b.function.Hi && inst.PCRel > 0 {
		return // it lies as far from here wherever the function lies
	}
	if inst.PCRel > 0 {
		clear(raw[inst.PCRelOff : inst.PCRelOff+inst.PCRel])
	} else if !erase(raw, target, 8) {
		erase(raw, uint64(uint32(target)), 4)
	}
	name := []byte(b.refs.name(target, loads(inst, arg), b.function))
	b.write(name, name)
}

// loads is how many bytes an instruction reads at the address in it, 0 if it only
// takes the address, or adds to it.
func loads(inst x86asm.Inst, arg x86asm.Arg) int {
	m, ok := arg.(x86asm.Mem)
	if !ok || inst.Op == x86asm.LEA || m.Index != 0 || m.Base != 0 && m.Base != x86asm.RIP {
		return 0
	}
	return inst.MemBytes
}

// erase clears the last bytes that have a value.
func erase(raw []byte, value uint64, width int) bool {
	var want [8]byte
	binary.LittleEndian.PutUint64(want[:], value)
	for i := len(raw) - width; i > 0; i-- {
		if string(raw[i:i+width]) == string(want[:width]) {
			clear(raw[i : i+width])
			return true
		}
	}
	return false
}

// mostBelow is how many lines a number may be below the line that its instruction is
// from, and still be taken for the number of a line: a statement has several.
const mostBelow = 8

// lineIn finds an argument that may be the number of the source line that the
// instruction is from (__LINE__). It returns the line, and the argument.
func (b *body) lineIn(at uint64, inst x86asm.Inst) (line int, imm int64, ok bool) {
	if inst.Op != x86asm.MOV && inst.Op != x86asm.PUSH {
		return 0, 0, false
	}
	for _, arg := range inst.Args {
		a, isImm := arg.(x86asm.Imm)
		if !isImm || a < 1 || inst.Len < 5 {
			continue
		}
		for _, line := range b.lines.at(at) {
			if d := int64(a) - int64(line); d >= 0 && d <= mostBelow {
				return line, int64(a), true
			}
		}
	}
	return 0, 0, false
}
