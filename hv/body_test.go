package hv

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	body := func(name, code, shifted string, size int64) Body {
		return Body{Name: name, Size: size, Code: code, Shifted: shifted}
	}
	part := func(b Body) Body { b.Part = true; return b }
	tests := []struct {
		name          string
		before, after []Body
		want          []Difference
	}{
		{"nothing", nil, nil, nil},
		{"the same", []Body{body("f", "a", "b", 1)}, []Body{body("f", "a", "c", 1)}, nil},
		{"the same but for lines", []Body{body("f", "a", "s", 1)}, []Body{body("f", "b", "s", 1)}, nil},
		{"changed", []Body{body("f", "a", "a", 10)}, []Body{body("f", "b", "b", 12)}, []Difference{{"f", false, 10, 12}}},
		{"new and gone", []Body{body("g", "a", "a", 3)}, []Body{body("f", "a", "a", 3)}, []Difference{{"f", false, 0, 3}, {"g", false, 3, 0}}},
		{"of one name, in another order", []Body{body("f", "a", "a", 1), body("f", "b", "b", 2)}, []Body{body("f", "b", "b", 2), body("f", "a", "a", 1)}, nil},
		{"of one name, one more", []Body{body("f", "a", "a", 1)}, []Body{body("f", "a", "a", 1), body("f", "a", "a", 1)}, []Difference{{"f", false, 1, 2}}},
		{"of one name, one changed", []Body{body("f", "a", "a", 1), body("f", "a", "a", 1)}, []Body{body("f", "a", "a", 1), body("f", "c", "c", 4)}, []Difference{{"f", false, 2, 5}}},
		{"the part", []Body{body("f", "a", "a", 1), part(body("f", "p", "p", 7))}, []Body{body("f", "a", "a", 1), part(body("f", "q", "q", 7))}, []Difference{{"f", true, 7, 7}}},
		{"both", []Body{body("f", "a", "a", 1)}, []Body{part(body("f", "q", "q", 7)), body("f", "b", "b", 2)}, []Difference{{"f", false, 1, 2}, {"f", true, 0, 7}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, Compare(tt.before, tt.after)); d != "" {
				t.Error(d)
			}
			if n := len(Compare(tt.after, tt.before)); n != len(tt.want) {
				t.Errorf("the other way round there are %d differences, not %d", n, len(tt.want))
			}
		})
	}
}
