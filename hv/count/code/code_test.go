package code

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWriteMap(t *testing.T) {
	m := Map{
		Area: Range{Lo: 0xffff800000000000, Hi: 0xffff880000000000}, Cells: []Cell{{Function: "(stub)"}, {Function: "f", Hook: "demo"}},
		Ranges:  []Range{{0xffff82d040200000, 0xffff82d040200010, 1}},
		Entries: map[uint64]int{0xffff82d040200100: 0, 0xffff82d040200000: 1},
		Events: []Event{
			{0xffff82d040200009, Call, 4}, {0xffff82d040200009, Return, 0}, {0xffff82d040200004, Call, 3},
			{0xffff82d040200009, Return, 0}, // found twice
		},
	}
	var b strings.Builder
	if err := m.WriteMap(&b); err != nil {
		t.Fatal(err)
	}
	want := `area ffff800000000000 ffff880000000000 shared 0 cells 2 ranges 1 entries 2 events 3
r ffff82d040200000 ffff82d040200010 1
e ffff82d040200000 1
e ffff82d040200100 0
v ffff82d040200004 c 3
v ffff82d040200009 r 0
v ffff82d040200009 c 4
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}
