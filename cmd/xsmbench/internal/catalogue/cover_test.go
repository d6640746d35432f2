package catalogue

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"xsmbench/hv"
	"xsmbench/hv/hvtest"
)

func setsOf(words ...string) []set {
	var sets []set
	for _, w := range words {
		s := set{}
		for _, name := range strings.Fields(w) {
			s[name] = true
		}
		sets = append(sets, s)
	}
	return sets
}

func TestSmallestCover(t *testing.T) {
	for _, c := range []struct {
		sets []set
		want []int
	}{
		{nil, nil},
		{setsOf("", ""), nil},
		{setsOf("a", "a", "a"), []int{0}},
		{setsOf("a", "a b", "b"), []int{1}},
		{setsOf("a", "b", "a b c", "d"), []int{2, 3}},
		// Taking the largest first needs three.
		{setsOf("a b c d", "a b e", "c d f"), []int{1, 2}},
	} {
		if got := smallestCover(c.sets); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.sets, got, c.want)
		}
	}
}

// TestCoverIsSmallest compares with all choices there are, of random sets.
func TestCoverIsSmallest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		masks := make([]uint, 1+r.IntN(9))
		sets := make([]set, len(masks))
		for i := range masks {
			masks[i] = uint(r.IntN(1<<8) &^ r.IntN(1<<8)) // a quarter of the elements
			sets[i] = set{}
			for e := range 8 {
				if masks[i]&(1<<e) != 0 {
					sets[i][string(rune('a'+e))] = true
				}
			}
		}
		got := smallestCover(sets)
		if n, ok := least(masks); len(got) != n || !ok(got) {
			t.Fatalf("%v: %v covers all: %v; the smallest cover has %d", sets, got, ok(got), n)
		}
	}
}

// least is how many sets a smallest cover has, and whether a choice is one.
func least(masks []uint) (n int, covers func([]int) bool) {
	var all uint
	for _, m := range masks {
		all |= m
	}
	n = len(masks)
	for choice := range uint(1) << len(masks) {
		var union uint
		for i, m := range masks {
			if choice&(1<<i) != 0 {
				union |= m
			}
		}
		if union == all {
			n = min(n, bits.OnesCount(choice))
		}
	}
	return n, func(list []int) bool {
		var union uint
		for _, i := range list {
			union |= masks[i]
		}
		return union == all
	}
}

// TestCover: what the benchmarks of the cover cross is what all cross.
func TestCover(t *testing.T) {
	c := NewCover([]hv.Target{&hvtest.Target{}}, nil).Cover
	crossed := map[string]bool{}
	for _, b := range c.Benchmarks {
		for _, h := range b.Hooks {
			crossed[h] = true
		}
	}
	if len(crossed) != c.Crossed || c.Crossed+len(c.Uncrossed) != c.Hooks || c.Crossed < 20 {
		t.Errorf("%d hooks crossed, %d said; %d uncrossed of %d", len(crossed), c.Crossed, len(c.Uncrossed), c.Hooks)
	}
}
