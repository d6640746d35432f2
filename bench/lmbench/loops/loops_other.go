//go:build !amd64

package loops

import "unsafe"

type integer interface{ int32 | int64 }
type floating interface{ float32 | float64 }

// sunk keeps results, so that the compiler keeps what computes them.
var sunk [4]float64

// repeated makes a loop of a step that is done each times in an iteration, by each
// of a number of chains.
func repeated[T integer | floating](r, s T, width, each int, step func(r, s T) (T, T)) func(n int64) {
	return func(n int64) {
		var a, b [MostChains]T
		for i := range width {
			a[i], b[i] = r, s
		}
		for ; n > 0; n-- {
			for range each {
				for i := range width {
					a[i], b[i] = step(a[i], b[i])
				}
			}
		}
		sunk[0], sunk[1] = float64(a[0]), float64(b[0])
	}
}

// family is an operation on a type, and what its chain begins with.
type family[T integer | floating] struct {
	name string
	r, s T
	each int // in an iteration of lat_ops
	step func(r, s T) (T, T)
}

func integers[T integer](wide T) []family[T] {
	return []family[T]{
		{"bit", 1 + wide, 3 + wide, 100, func(r, s T) (T, T) { r ^= s; s ^= r; r |= s; return r, s }},
		{"add", 58 + wide, 32 + wide, 100, func(r, s T) (T, T) { r += s; s -= r; return r, s }},
		{"mul", 37433 + wide, 5, 20, func(r, s T) (T, T) { return r * s, s }},
		{"div", 37 + 37*wide, (38 + 38*wide) << 13, 100, func(r, s T) (T, T) { return s / r, s }},
		{"mod", 1 + wide, 63 + 63*wide, 100, func(r, s T) (T, T) { return r%s | s, s }},
	}
}

func floats[T floating]() []family[T] {
	return []family[T]{
		{"add", 1024, -1023, 2, func(r, s T) (T, T) {
			for range 10 {
				r += r
			}
			return r + s, s
		}},
		{"mul", 8, 0.125, 20, func(r, s T) (T, T) { return r * r * s, s }},
		{"div", 1.41421356, 3.14159265, 100, func(r, s T) (T, T) { return s / r, s }},
	}
}

var (
	operations = map[string]func(n int64){}
	simple     = map[string]func(n int64){}
	chains     = map[string][]func(n int64){}
)

func init() {
	list("integer", integers[int32](0))
	list("int64", integers[int64](1<<33))
	list("float", floats[float32]())
	list("double", floats[float64]())
}

func list[T integer | floating](kind string, families []family[T]) {
	for _, f := range families {
		name := kind + " " + f.name
		operations[name] = repeated(f.r, f.s, 1, f.each, f.step)
		for width := 1; width <= 4; width++ {
			chains[name] = append(chains[name], repeated(f.r, f.s, width, 10, f.step))
		}
		if f.name == "add" {
			simple[kind+" 2"] = repeated(f.r, f.s, 1, 1, f.step)
			simple[kind+" 100"] = repeated(f.r, f.s, 1, 50, f.step)
		}
	}
}

// at is what an address holds. The memory is none of Go's, or is kept by its owner.
func at(p uintptr) uintptr { return **(**uintptr)(unsafe.Pointer(&p)) }

// expression makes a loop of one of mhz's.
func expression(step func(a, b, n int) (int, int)) func(p *uintptr, n int64) {
	return func(_ *uintptr, n int64) {
		a, b := 1, 1
		for ; n > 0; n-- {
			for range 100 {
				a, b = step(a, b, int(n))
			}
		}
		sunk[2] = float64(a + b)
	}
}

var clocks = []func(p *uintptr, n int64){
	func(p *uintptr, n int64) {
		a := *p
		for n *= 100; n > 0; n-- {
			a = at(a)
		}
		sunk[3] = float64(a)
	},
	expression(func(a, b, _ int) (int, int) { return a ^ (a + a), b }),
	expression(func(a, b, _ int) (int, int) { return a ^ (a + a + a), b }),
	expression(func(a, b, _ int) (int, int) { return a >> (b & 31), b }),
	expression(func(a, b, _ int) (int, int) { return a >> ((a + a) & 31), b }),
	expression(func(a, b, _ int) (int, int) { return a ^ a<<(b&31), b }),
	expression(func(a, b, _ int) (int, int) { return a ^ (a + b), b }),
	expression(func(a, b, _ int) (int, int) { return a + (a+b)&7, b }),
	expression(func(a, b, n int) (int, int) { a ^= n; b ^= a; return a | b, b }),
}

var chases = func() []func(at *[MostChains]uintptr, n int64) {
	var list []func(at *[MostChains]uintptr, n int64)
	for width := 1; width <= MostChains; width++ {
		list = append(list, func(p *[MostChains]uintptr, n int64) {
			for n *= 100; n > 0; n-- {
				for i := range width {
					p[i] = at(p[i])
				}
			}
		})
	}
	return list
}()

//go:noinline
func identity(n int64) int64 { return n }

func procedure(n int64) {
	for ; n > 0; n-- {
		identity(n)
	}
}

func words(a *byte, n int64) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(a)), n*wordsStep/4)
}

func sumWords(sum *uint64, a *byte, n int64) {
	for _, w := range unsafe.Slice((*uint64)(unsafe.Pointer(a)), n*sumStep/8) {
		*sum += w
	}
}

func readWords(a *byte, n int64) {
	sum := uint32(0)
	for _, w := range words(a, n) {
		sum += w
	}
	sunk[2] = float64(sum)
}

func writeWords(a *byte, n int64) {
	list := words(a, n)
	for i := range list {
		list[i] = 1
	}
}

func copyWords(a, b *byte, n int64) { copy(words(b, n), words(a, n)) }

// scalar is what stream multiplies by.
const scalar = 3.0

// each makes a loop of what stream does with a place of three arrays.
func each(step func(a, b, c *float64)) func(a, b, c *float64, n int64) {
	return func(a, b, c *float64, n int64) {
		as, bs, cs := unsafe.Slice(a, n), unsafe.Slice(b, n), unsafe.Slice(c, n)
		for i := range as {
			step(&as[i], &bs[i], &cs[i])
		}
	}
}

var streamed = map[string]func(a, b, c *float64, n int64){
	"copy":  each(func(a, _, c *float64) { *c = *a }),
	"scale": each(func(_, b, c *float64) { *b = scalar * *c }),
	"add":   each(func(a, b, c *float64) { *c = *a + *b }),
	"triad": each(func(a, b, c *float64) { *a = *b + scalar**c }),
	"fill":  each(func(a, _, _ *float64) { *a = 0 }),
	"daxpy": each(func(a, b, _ *float64) { *a += scalar * *b }),
	"sum":   each(func(a, _, _ *float64) { sunk[2] += *a }),
}
