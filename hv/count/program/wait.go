package program

import (
	"slices"

	"golang.org/x/arch/x86/x86asm"

	"xsmbench/hv/count/code"
)

// waits are the pieces of code that execute only while a processor waits for another
// one: from a PAUSE up to the jump that begins the next round, or to what is jumped to
// from in front of the PAUSE, since that executes whether it waits or not.
func (b *builder) waits() []code.Range {
	var all []code.Range
	for _, f := range b.functions {
		if slices.Contains(b.spec.Waits, f.Name) {
			all = append(all, b.waitsIn(f)...)
		}
	}
	return all
}

func (b *builder) waitsIn(f Function) []code.Range {
	var rounds []code.Range
	targets, open := b.jumpsIn(f), false
	each(b.text.bytes(f.Lo, f.Hi), f.Lo, b.mode, func(at uint64, inst x86asm.Inst) {
		end := at + uint64(inst.Len)
		switch {
		case inst.Op == x86asm.PAUSE:
			rounds, open = append(rounds, code.Range{Lo: at, Hi: end}), true
		case open && targets[at]:
			open = false
		case open:
			rounds[len(rounds)-1].Hi, open = end, !leaves(inst)
		}
	})
	return rounds
}

// jumpsIn are the addresses that a function's jumps go to.
func (b *builder) jumpsIn(f Function) map[uint64]bool {
	targets := map[uint64]bool{}
	each(b.text.bytes(f.Lo, f.Hi), f.Lo, b.mode, func(at uint64, inst x86asm.Inst) {
		if to, ok := inst.Args[0].(x86asm.Rel); ok && inst.Op != x86asm.CALL {
			targets[at+uint64(inst.Len)+uint64(int64(to))] = true
		}
	})
	return targets
}

// leaves tells an instruction after which another than the next may come.
func leaves(inst x86asm.Inst) bool {
	switch inst.Op {
	case x86asm.CALL, x86asm.RET:
		return true
	}
	_, jumps := inst.Args[0].(x86asm.Rel)
	return jumps
}

func isIn(pieces []code.Range, at uint64) bool {
	return slices.ContainsFunc(pieces, func(r code.Range) bool { return at >= r.Lo && at < r.Hi })
}
