package program

import (
	"debug/elf"
	"encoding/binary"
	"testing"
)

// refsOf are of a program with code at 0x1000 and data at 0x2000.
func refsOf(data []byte) *refs {
	return &refs{
		sections:  []*content{{name: ".text", lo: 0x1000, hi: 0x1100, data: make([]byte, 0x100)}, {name: ".rodata", lo: 0x2000, hi: 0x2000 + uint64(len(data)), data: data}, {name: ".bss", lo: 0x3000, hi: 0x3100}},
		functions: []Function{{Name: "f", Lo: 0x1000, Hi: 0x1040}, {Name: "f", Lo: 0x1040, Hi: 0x1050, Part: true}, {Name: "g", Lo: 0x1080, Hi: 0x10c0}},
		objects:   []object{{0x3000, 0x3010, "table"}},
		labels:    map[uint64]string{0x3020: "end", 0x2004: "count", 0x1100: "etext"},
	}
}

func words(values ...int32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

func TestRefs(t *testing.T) {
	f := Function{Name: "f", Lo: 0x1000, Hi: 0x1040}
	for _, tt := range []struct {
		name string
		data []byte
		at   uint64
		load int
		want string
	}{
		{"a function", nil, 0x1090, 0, "code g"},
		{"a variable", nil, 0x3008, 8, "data table+8"},
		{"a label", nil, 0x3020, 0, "label end"},
		{"the end of a section", nil, 0x1100, 0, "label etext"},
		{"what a label has", []byte{0, 0, 0, 0, 5, 0, 0, 0}, 0x2004, 4, "label count"},
		{"nothing that has a name", nil, 0x3040, 4, "label in .bss"},
		{"nothing of the program", nil, 0x9000, 4, "address 9000"},
		{"a string", []byte("-text\x00more"), 0x2001, 0, "string text"},
		{"a string without an end", []byte("text"), 0x2000, 0, "label in .rodata"},
		{"a constant", []byte{1, 2, 3, 4, 5}, 0x2001, 4, "constant 02030405"},
		{"a constant at the end", []byte{1, 2, 3}, 0x2001, 4, "label in .rodata"},
		{"a pointer", append(words(0x1080), 0, 0, 0, 0), 0x2000, 8, "pointer to code g"},
		{"distances", words(0x1004-0x2000, 0x1010-0x2000, 0x1044-0x2000, 0x1080-0x2000), 0x2000, 0, "switch  4 16 part"},
		{"addresses", words(0x1004, 0, 0x1010, 0, 0x1080, 0), 0x2000, 0, "switch  4 16"},
	} {
		if got := refsOf(tt.data).name(tt.at, tt.load, f); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestLabels(t *testing.T) {
	for _, tt := range []struct {
		labels []string
		want   string
	}{
		{[]string{"__ctors_end"}, boundary},
		{[]string{"__alt_instructions_end", "__ctors_start"}, boundary},
		{[]string{"_etext"}, boundary},
		{[]string{"__2M_rodata_end"}, boundary},
		{[]string{"__start_bug_frames", "symbols_names"}, "symbols_names"},
		{[]string{"symbols_names", "__end_schedulers_array"}, "symbols_names"},
		{[]string{"symbols_names", "symbols_markers"}, "symbols_markers"},
		{[]string{"send_vector"}, "send_vector"},
	} {
		r := &refs{labels: map[uint64]string{}}
		for _, name := range tt.labels {
			r.label(1, name)
		}
		if r.labels[1] != tt.want {
			t.Errorf("%v: %s, want %s", tt.labels, r.labels[1], tt.want)
		}
	}
}

// FuzzRefs reads anything that data may hold.
func FuzzRefs(f *testing.F) {
	f.Add([]byte("text\x00"), uint16(0), uint8(0))
	f.Add(words(0x1004-0x2000, 0x1010-0x2000), uint16(0), uint8(8))
	f.Add(append(words(0x1000-0x2000, 0x1080-0x2004), 9, 0, 5, 5, 0, 0), uint16(0), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, at uint16, load uint8) {
		r := refsOf(data)
		if r.name(0x2000+uint64(at), int(load), r.functions[0]) == "" {
			t.Error("a reference without a name")
		}
		bounds := []elf.Symbol{{Name: "begin", Value: 0x2000}, {Name: "end", Value: 0x2000 + uint64(len(data))}}
		for _, list := range alternativesOf(bounds, [2]string{"begin", "end"}, r) {
			for _, x := range list {
				if len(x.code) > 255 {
					t.Errorf("a replacement of %d bytes", len(x.code))
				}
			}
		}
	})
}
