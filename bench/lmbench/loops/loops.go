// Package loops is what lmbench's programs for processors and memory repeat, in
// machine code where a compiler would shorten or lengthen it: arithmetic in which
// each operation needs the one before (lat_ops), such chains side by side (par_ops),
// the expressions by which a clock's rate is found (mhz), chains of pointers
// (lat_mem_rd and the others of lib_mem), words that are read, written and copied one
// by one (bw_mem) or added up (bread), and numbers likewise (stream). On other processors than amd64 it is Go's code, and
// means less.
package loops

//go:generate go run gen.go

// MostChains is how many chains of pointers are followed side by side: as many as
// registers hold (lmbench: 16, some of them in memory).
const MostChains = 12

// Operation returns a loop of an operation of lat_ops, such as "integer add", and
// how many operations one iteration is; nil if there is none.
func Operation(name string) (loop func(n int64), each int64) {
	loop = operations[name]
	switch {
	case loop == nil:
		return nil, 0
	case name == "integer bit", name == "int64 bit":
		return loop, 300
	case name == "integer add", name == "int64 add":
		return loop, 200
	case name == "integer mul", name == "int64 mul":
		return loop, 20
	case name == "float add", name == "double add":
		return loop, 22
	case name == "float mul", name == "double mul":
		return loop, 40
	}
	return loop, 100
}

// Simple returns a loop of a number of simple operations, 2 or 100, on a type: what
// lat_ops subtracts from multiplications and remainders.
func Simple(kind string, count int) func(n int64) {
	if count == 2 {
		return simple[kind+" 2"]
	}
	return simple[kind+" 100"]
}

// Chains returns loops of one, two and more chains of an operation side by side. An
// iteration is ten steps of each chain.
func Chains(name string) []func(n int64) { return chains[name] }

// Clocks returns loops of a hundred expressions each, which take different numbers
// of the clock's periods. p points to itself.
func Clocks() []func(p *uintptr, n int64) { return clocks }

// Chase returns a loop that follows a number of chains, from 1 to MostChains: a
// hundred loads of each in an iteration. It leaves at where it is.
func Chase(width int) func(at *[MostChains]uintptr, n int64) { return chases[width-1] }

// Procedure calls a function n times.
func Procedure(n int64) { procedure(n) }

// ReadWords, WriteWords and CopyWords work on each word of a piece of memory, whose
// length is a multiple of 512 bytes.
func ReadWords(a []byte) {
	if n := len(a) / wordsStep; n > 0 {
		readWords(&a[0], int64(n))
	}
}

// WriteWords writes each word.
func WriteWords(a []byte) {
	if n := len(a) / wordsStep; n > 0 {
		writeWords(&a[0], int64(n))
	}
}

// CopyWords copies a to b.
func CopyWords(a, b []byte) {
	if n := min(len(a), len(b)) / wordsStep; n > 0 {
		copyWords(&a[0], &b[0], int64(n))
	}
}

// SumWords adds the words of 8 bytes of a piece of memory, and returns how many bytes it
// has added: a multiple of 1024.
func SumWords(a []byte) (sum uint64, done int) {
	if n := len(a) / sumStep; n > 0 {
		sumWords(&sum, &a[0], int64(n))
	}
	return sum, len(a) / sumStep * sumStep
}

const (
	wordsStep = 512
	sumStep   = 1024
)

// Stream returns a loop of stream's over three arrays of a length: "copy", "scale", "add"
// and "triad" (McCalpin's STREAM), "fill", "daxpy" and "sum" (STREAM2).
func Stream(op string) func(a, b, c []float64) {
	loop := streamed[op]
	return func(a, b, c []float64) {
		if n := min(len(a), len(b), len(c)); n > 0 {
			loop(&a[0], &b[0], &c[0], int64(n))
		}
	}
}
