package program

import (
	"debug/elf"
	"encoding/binary"
)

// replacement is code that the program copies over its own when it starts, if the
// processor has some feature, or lacks it.
type replacement struct {
	lo   uint64 // where the file has it
	code []byte
}

// sizeofAlternative is that of Xen's struct alt_instr (arch/x86/include/asm/alternative.h):
// the distances of the original and of the replacement from the fields that have
// them, the feature, and the lengths of the original, of the replacement, and of the padding.
const sizeofAlternative = 14

// alternativesOf are the replacements by the addresses that they are copied to. A table of
// another form has none.
func alternativesOf(list []elf.Symbol, bounds [2]string, r *refs) map[uint64][]replacement {
	all := map[uint64][]replacement{}
	var lo, hi uint64
	for _, s := range list {
		switch s.Name {
		case "":
		case bounds[0]:
			lo = s.Value
		case bounds[1]:
			hi = s.Value
		}
	}
	table := r.bytes(lo, hi)
	if len(table)%sizeofAlternative != 0 {
		return all
	}
	for i := 0; i < len(table); i += sizeofAlternative {
		at := lo + uint64(i)
		distance := func(field int) uint64 {
			return at + uint64(field) + uint64(int64(int32(binary.LittleEndian.Uint32(table[i+field:]))))
		}
		original, x := distance(0), replacement{lo: distance(4)}
		size := uint64(table[i+11])
		if x.code = r.bytes(x.lo, x.lo+size); size > 0 && x.code == nil {
			return map[uint64][]replacement{}
		}
		all[original] = append(all[original], x)
	}
	return all
}
