package hv

import (
	"cmp"
	"context"
	"slices"
)

// Body is what an image's function consists of, so that another image's can be
// compared with it. Static functions of one name, and copies that the compiler
// specialised, have a body each.
type Body struct {
	Name string
	// Part tells a part that the compiler moved out of the function's way.
	Part bool
	Size int64 // bytes
	// Code stands for the instructions, wherever they and what they refer to
	// lie. In Shifted, numbers that may be those of source lines stand relative to
	// the line that the instruction is from. Bodies that agree in one of the two
	// are the same.
	Code, Shifted string
}

// Same reports whether two bodies do the same, with the same instructions.
func (b Body) Same(o Body) bool { return b.Code == o.Code || b.Shifted == o.Shifted }

// BodyReader is a target that can tell of what the functions of its images consist.
type BodyReader interface {
	// Bodies may be called for several images at a time.
	Bodies(ctx context.Context, img *Image) ([]Body, error)
}

// Difference tells what became of a function, or of its part.
type Difference struct {
	Name string
	Part bool
	// Before and After are its bytes, of all bodies of the name; 0 if it is not
	// there.
	Before, After int64
}

// Compare lists the functions of which two images do not have the same bodies, by
// name, parts after the rest.
func Compare(before, after []Body) []Difference {
	type key struct {
		name string
		part bool
	}
	sides := map[key]*[2][]Body{}
	for i, side := range [][]Body{before, after} {
		for _, b := range side {
			k := key{b.Name, b.Part}
			if sides[k] == nil {
				sides[k] = &[2][]Body{}
			}
			sides[k][i] = append(sides[k][i], b)
		}
	}
	var list []Difference
	for k, s := range sides {
		if !sameBodies(s[0], s[1]) {
			list = append(list, Difference{k.name, k.part, bytesOf(s[0]), bytesOf(s[1])})
		}
	}
	slices.SortFunc(list, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), boolOrder(a.Part)-boolOrder(b.Part))
	})
	return list
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sameBodies reports whether each of the bodies has its like.
func sameBodies(before, after []Body) bool {
	if len(before) != len(after) {
		return false
	}
	left := slices.Clone(after)
	for _, b := range before {
		i := slices.IndexFunc(left, b.Same)
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}

func bytesOf(list []Body) int64 {
	n := int64(0)
	for _, b := range list {
		n += b.Size
	}
	return n
}
