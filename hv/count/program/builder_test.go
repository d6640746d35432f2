package program

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/count/code"
)

var spec = Spec{
	HookOf: func(string) (string, bool) { return "", false },
	Probes: []string{"context_switch"},
}

func TestCut(t *testing.T) {
	whole := []Function{{Name: "f", Lo: 10, Hi: 40}}
	at := func(hook string, depth int, pieces ...[2]uint64) site {
		return site{hook: hook, pieces: pieces, entry: pieces[0][0], depth: depth}
	}
	type piece struct {
		lo, hi uint64
		cell   code.Cell
	}
	f := func(hook string) code.Cell { return code.Cell{Function: "f", Hook: hook} }
	tests := []struct {
		name      string
		functions []Function
		sites     []site
		want      []piece
	}{
		{"a function", whole, nil, []piece{{10, 40, f("")}}},
		{"a gap is none's", []Function{{Name: "f", Lo: 10, Hi: 20}, {Name: "g", Lo: 30, Hi: 40}}, nil,
			[]piece{{10, 20, f("")}, {30, 40, code.Cell{Function: "g"}}}},
		{"a site", whole, []site{at("a", 1, [2]uint64{20, 30})},
			[]piece{{10, 20, f("")}, {20, 30, f("a")}, {30, 40, f("")}}},
		{"the innermost site owns its code", whole, []site{at("a", 1, [2]uint64{10, 40}), at("b", 2, [2]uint64{20, 30})},
			[]piece{{10, 20, f("a")}, {20, 30, f("b")}, {30, 40, f("a")}}},
		{"a site in pieces", whole, []site{at("a", 1, [2]uint64{30, 35}, [2]uint64{10, 15})},
			[]piece{{10, 15, f("a")}, {15, 30, f("")}, {30, 35, f("a")}, {35, 40, f("")}}},
		{"an empty piece is none", whole, []site{at("a", 1, [2]uint64{20, 20})}, []piece{{10, 40, f("")}}},
		{"a probe", []Function{{Name: "context_switch", Lo: 10, Hi: 20}}, nil,
			[]piece{{10, 20, code.Cell{Function: "context_switch", Probe: true}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBuilder(spec, 64, nil, tt.functions, hooks{sites: tt.sites})
			b.cut()
			var got []piece
			for _, r := range b.m.Ranges {
				got = append(got, piece{r.Lo, r.Hi, b.m.Cells[r.Cell]})
			}
			if d := cmp.Diff(tt.want, got, cmp.AllowUnexported(piece{})); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestFirstFrom(t *testing.T) {
	pieces := [][2]uint64{{20, 30}, {40, 50}}
	for pc, want := range map[uint64]uint64{20: 20, 25: 25, 10: 20, 35: 40, 60: 20} {
		if got := firstFrom(pieces, pc); got != want {
			t.Errorf("from %d: %d, want %d", pc, got, want)
		}
	}
}

// TestEntryOf: a check in place is entered where it compares, if the compiler
// does not tell.
func TestEntryOf(t *testing.T) {
	code := text{{10, []byte{0x89, 0xc3, 0x90, 0x39, 0xdd, 0x74, 0x00, 0x84, 0xdb}}} // mov, nop, cmp, je, test
	s := site{hook: "a", pieces: [][2]uint64{{10, 12}, {13, 19}}, entry: 10}
	for compares, want := range map[bool]uint64{false: 10, true: 13} {
		spec := spec
		spec.Compares = compares
		if got := newBuilder(spec, 32, code, nil, hooks{}).entryOf(s); got != want {
			t.Errorf("compares %v: entered at %d, want %d", compares, got, want)
		}
	}
	s.pieces = s.pieces[:1] // no comparison
	spec := spec
	spec.Compares = true
	if got := newBuilder(spec, 32, code, nil, hooks{}).entryOf(s); got != 10 {
		t.Errorf("without a comparison entered at %d, want 10", got)
	}
}
