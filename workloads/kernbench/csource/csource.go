// Package csource writes a tree of C source that is like a small kernel's:
// headers that include each other several levels deep, directories of files that
// call each other, an entry that calls them all. The same size gives the same
// bytes, on every machine and with every version of this program that has the same
// generator.
//
// The tree needs no header and no library of a system, so that any compiler for
// x86_64 is enough. What its functions compute is defined by the language alone
// (unsigned numbers, static storage): the linked image ends with a status that is
// the same whichever compiler made it.
package csource

import (
	"math/rand/v2"
	"slices"
)

// Size says how large a tree is.
type Size struct {
	Sources int // files to compile, with the entry and the string functions among them
	Levels  int // of headers that include those of the level below
	Width   int // headers on a level
}

// Sizes of trees: one that takes seconds, whose sources see some ninety headers each,
// as in a small kernel; one for an emulator that counts instructions; one for tests.
var (
	Usual   = Size{Sources: 72, Levels: 8, Width: 8}
	Counted = Size{Sources: 24, Levels: 6, Width: 4}
	Quick   = Size{Sources: 12, Levels: 4, Width: 4}
)

// File is a file of a tree.
type File struct {
	Path string // relative to the tree
	Text []byte
}

// Tree is a source tree.
type Tree struct {
	Dirs    []string // in an order in which they can be made
	Headers []File
	Sources []File // in the order in which they are compiled
	// Functions are those that the linked image must have, all with external
	// linkage.
	Functions []string
	// Include is the directory of headers.
	Include string
}

// Entry is the image's first function.
const Entry = "_start"

// Bytes is the size of all files.
func (t *Tree) Bytes() int {
	n := 0
	for _, f := range slices.Concat(t.Headers, t.Sources) {
		n += len(f.Text)
	}
	return n
}

// seed is the generator's: another one is another tree.
const seed = 0x6b62656e6368

// New writes the tree of a size.
func New(s Size) *Tree {
	g := &generator{size: s, random: rand.New(rand.NewPCG(seed, uint64(s.Sources)))}
	g.tree.Include = "include"
	g.headers()
	g.areas()
	g.fixed()
	g.sources()
	g.entry()
	g.directories()
	return &g.tree
}

// generator writes a tree.
type generator struct {
	size   Size
	random *rand.Rand
	tree   Tree
	levels [][]object // what headers declare, by level
	parts  []area
	calls  []string // functions of files that the entry calls, in their order
}

// below is a number from 0 to n-1.
func (g *generator) below(n int) int { return g.random.IntN(n) }

// one chooses.
func one[T any](g *generator, list []T) T { return list[g.below(len(list))] }

// some chooses up to n different ones, in their order.
func some[T any](g *generator, list []T, n int) []T {
	chosen := g.random.Perm(len(list))[:min(n, len(list))]
	slices.Sort(chosen)
	var out []T
	for _, i := range chosen {
		out = append(out, list[i])
	}
	return out
}
