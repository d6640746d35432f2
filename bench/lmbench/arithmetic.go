package lmbench

import (
	"fmt"
	"math"
	"strings"
	"unsafe"

	"xsmbench/bench"
	"xsmbench/bench/lmbench/loops"
)

// arithmeticKinds are the types of lat_ops, and which operations each has.
var arithmeticKinds = []struct {
	name string
	ops  []string
}{
	{"integer", []string{"bit", "add", "mul", "div", "mod"}},
	{"int64", []string{"bit", "add", "mul", "div", "mod"}},
	{"float", []string{"add", "mul", "div"}},
	{"double", []string{"add", "mul", "div"}},
}

// vector is the length of lat_ops' vectors.
const vector = 1000

// parallelism is the unit of par_ops and par_mem: how many operations go on at once.
const parallelism = "parallel"

// registerArithmetic registers lat_ops and par_ops, which make no system call.
func registerArithmetic() {
	for _, kind := range arithmeticKinds {
		for _, op := range kind.ops {
			registerOperation(kind.name, op)
		}
	}
	register(bench.Benchmark{
		Name: "lat_ops/type=float/op=bogomflops", Source: "lat_ops: float bogomflops", Ops: vector, Full: true,
		Doc: "(1+x)(1.5-x)/x of an element of a vector", Setup: computing(bogomflops[float32]()),
	})
	register(bench.Benchmark{
		Name: "lat_ops/type=double/op=bogomflops", Source: "lat_ops: double bogomflops", Ops: vector, Full: true,
		Doc: "(1+x)(1.5-x)/x of an element of a vector", Setup: computing(bogomflops[float64]()),
	})
	for _, kind := range arithmeticKinds {
		for _, op := range kind.ops {
			name := kind.name + " " + op
			register(bench.Benchmark{
				Name: fmt.Sprintf("par_ops/type=%s/op=%s", kind.name, op), Source: "par_ops: " + name + " parallelism", Unit: parallelism, Full: true,
				Doc: fmt.Sprintf("how many %s operations go on at once: 1 to %d chains side by side", name, len(loops.Chains(name))),
				Run: func(d bench.Domain, o bench.Options) ([]bench.Value, error) {
					return parallelChains(d.OS(), o, loops.Chains(name))
				},
			})
		}
	}
}

func registerOperation(kind, op string) {
	name := kind + " " + op
	loop, each := loops.Operation(name)
	b := bench.Benchmark{
		Name: fmt.Sprintf("lat_ops/type=%s/op=%s", kind, op), Source: "lat_ops: " + name, Ops: each, Full: true,
		Doc:   fmt.Sprintf("%s, which needs the result of the one before", name),
		Setup: computing(loop),
	}
	whole := strings.HasPrefix(kind, "int")
	switch {
	case whole && op == "mul":
		b.Baseline = computing(loops.Simple(kind, 2))
	case whole && op == "mod":
		b.Baseline = computing(loops.Simple(kind, 100))
	}
	register(b)
}

// computing is the setup of an operation that needs nothing of the system.
func computing(loop func(n int64)) setup {
	return func(bench.Domain) (bench.Loop, func(), error) {
		return func(n int64) error {
			if n > 0 {
				loop(n)
			}
			return nil
		}, nil, nil
	}
}

func callProcedure(n int64) { loops.Procedure(n) }

// bogomflops makes the loop over a vector.
func bogomflops[T float32 | float64]() func(n int64) {
	var x [vector]T
	return func(n int64) {
		for i := range x {
			x[i] = math.Pi
		}
		for ; n > 0; n-- {
			for i := range x {
				x[i] = (1 + x[i]) * (1.5 - x[i]) / x[i]
			}
		}
	}
}

// parallelChains is max_parallelism of par_ops.c: the most that several chains do in
// the time of one.
func parallelChains(c bench.Clock, o bench.Options, chains []func(n int64)) ([]bench.Value, error) {
	most, alone := 1.0, 0.0
	for i, chain := range chains {
		us, err := bench.Fastest(c, o, func(n int64) error { chain(n); return nil })
		if err != nil {
			return nil, fmt.Errorf("time %d chains: %w", i+1, err)
		}
		if i == 0 {
			alone = us
		}
		most = max(most, alone/us*float64(i+1))
	}
	return []bench.Value{{Value: most, Unit: parallelism}}, nil
}

// registerClock registers mhz, and what lmbench finds out of the machine before it
// measures: timing_o, loop_o and memsize.
func registerClock() {
	register(bench.Benchmark{
		Name: "mhz", Source: "mhz", Unit: "MHz", Full: true,
		Doc: "the processor's clock: the longest period of which nine expressions take whole numbers",
		Run: func(d bench.Domain, o bench.Options) ([]bench.Value, error) { return clockRate(d.OS(), o) },
	})
	register(bench.Benchmark{
		Name: "timing_o", Source: "timing_o", Full: true,
		Doc: "read the clock (lmbench: in whole µs)",
		Setup: func(d bench.Domain) (bench.Loop, func(), error) {
			os := d.OS()
			return func(n int64) error {
				for ; n > 0; n-- {
					os.Now()
				}
				return nil
			}, nil, nil
		},
	})
	register(bench.Benchmark{
		Name: "loop_o", Source: "loop_o", Full: true, Unit: "ns/op",
		Doc: "an iteration of an empty loop, as it is subtracted from each operation: twice a loop of one load less a loop of two",
		Run: func(d bench.Domain, o bench.Options) ([]bench.Value, error) {
			return []bench.Value{{Value: bench.Calibrate(d.OS(), quickly(o)).LoopNS, Unit: "ns/op"}}, nil
		},
	})
	register(bench.Benchmark{
		Name: "memsize", Source: "memsize 16", Unit: "MB", Full: true,
		Doc: fmt.Sprintf("how much of %d MiB a process can have and touch in less than %v a page", memoryLimit>>20, tooLong),
		Run: func(d bench.Domain, o bench.Options) ([]bench.Value, error) { return usableMemory(d.OS()) },
	})
}

// quickly are options whose window is known: nothing is to be found out.
func quickly(o bench.Options) bench.Options {
	if o.EnoughUS <= 0 {
		o.EnoughUS = bench.ShortestWindow
	}
	return o
}

// clockRate finds the longest period of which what the expressions take are
// multiples: of the shortest, divided by 1, 2, 3 and so on, the first whose remainders are
// small.
func clockRate(c bench.Clock, o bench.Options) ([]bench.Value, error) {
	var p uintptr
	p = uintptr(unsafe.Pointer(&p))
	var times []float64 // ns of one expression
	for _, loop := range loops.Clocks() {
		us, err := bench.Fastest(c, o, func(n int64) error { loop(&p, n); return nil })
		if err != nil {
			return nil, fmt.Errorf("time an expression: %w", err)
		}
		times = append(times, us*1e3/expressions)
	}
	return []bench.Value{{Value: 1e3 / period(times), Unit: "MHz"}}, nil
}

// expressions are how many of them an iteration of loops.Clocks does.
const expressions = 100

// period is the greatest common divisor of measured times. Noise is a part of them, so it is the
// longest of which each is nearly a multiple, and if there is none, that of which they
// are most nearly.
func period(times []float64) float64 {
	const (
		most = 8    // divisors of the shortest
		near = 0.06 // of a period
	)
	shortest := math.Inf(1)
	for _, t := range times {
		shortest = min(shortest, t)
	}
	best, least := shortest, math.Inf(1)
	for k := 1; k <= most; k++ {
		p := shortest / float64(k)
		worst := 0.0
		for _, t := range times {
			worst = max(worst, math.Abs(t/p-math.Round(t/p)))
		}
		if worst < near {
			return p
		}
		if worst < least {
			best, least = p, worst
		}
	}
	return best
}
