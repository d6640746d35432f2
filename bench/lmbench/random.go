package lmbench

import "xsmbench/bench"

// drand48 is the generator of 48 bits that POSIX defines: its state times a, plus c.
type drand48 uint64

const (
	rand48A    = 0x5deece66d
	rand48C    = 0xb
	rand48Mask = 1<<48 - 1
	rand48Seed = 0x1234abcd330e // of a program that sets none
)

func (g *drand48) next() uint64 {
	*g = (*g*rand48A + rand48C) & rand48Mask
	return uint64(*g)
}

// double is in [0, 1), long the upper 31 bits.
func (g *drand48) double() float64 { return float64(g.next()) / (1 << 48) }
func (g *drand48) long() int64     { return int64(g.next() >> 17) }

// additive is the generator behind the C library's random and rand: each word is the
// sum of those 3 and 31 before (random_r, type 3).
type additive struct {
	state       [31]int32
	front, rear int
}

// newAdditive seeds the generator as srandom does.
func newAdditive(seed int32) *additive {
	g := &additive{front: 3}
	g.state[0] = seed
	for i := 1; i < len(g.state); i++ {
		// 16807 times the word before, modulo 2^31-1, without overflow.
		high, low := int64(g.state[i-1])/127773, int64(g.state[i-1])%127773
		w := 16807*low - 2836*high
		if w < 0 {
			w += 1<<31 - 1
		}
		g.state[i] = int32(w)
	}
	for range 10 * len(g.state) {
		g.next()
	}
	return g
}

func (g *additive) next() int32 {
	g.state[g.front] += g.state[g.rear]
	result := int32(uint32(g.state[g.front]) >> 1)
	if g.front++; g.front == len(g.state) {
		g.front = 0
	}
	if g.rear++; g.rear == len(g.state) {
		g.rear = 0
	}
	return result
}

// registerRandom registers lat_rand: the C library's generators, or where a target has no C
// library, the same computed here.
func registerRandom() {
	for i, r := range []struct {
		name, doc string
		loop      func(n int64)
	}{
		{"drand48", "a number in [0, 1) of the linear congruential generator of 48 bits", func(n int64) {
			g, sum := drand48(rand48Seed), 0.0
			for ; n > 0; n-- {
				sum += g.double()
			}
			keep(sum)
		}},
		{"lrand48", "31 bits of the linear congruential generator of 48 bits", func(n int64) {
			g, sum := drand48(rand48Seed), int64(0)
			for ; n > 0; n-- {
				sum += g.long()
			}
			keep(float64(sum))
		}},
		{"rand", "a number of the additive generator, as the C library's rand", additiveLoop()},
		{"random", "a number of the additive generator", additiveLoop()},
	} {
		register(bench.Benchmark{
			Name: "lat_rand/fn=" + r.name, Source: "lat_rand: " + r.name, Full: true,
			Doc: r.doc + " (of the C library, if the target has one; else without its lock)", Setup: native(bench.NativeRandom, computing(r.loop), int64(i)),
		})
	}
}

func additiveLoop() func(n int64) {
	g := newAdditive(1)
	return func(n int64) {
		sum := int64(0)
		for ; n > 0; n-- {
			sum += int64(g.next())
		}
		keep(float64(sum))
	}
}
