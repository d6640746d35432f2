package csource

import (
	"fmt"
	"slices"
)

// Functions of a file: so many, and one more that other files call.
const (
	fewestFunctions = 5
	moreFunctions   = 4
	fewestSteps     = 3
	moreSteps       = 4
)

// sources writes the files of the areas.
func (g *generator) sources() {
	for _, a := range g.parts {
		for _, f := range a.files {
			g.source(a, f)
		}
	}
}

// source is a file: a table, functions that each take an object a few steps on,
// and the one that others call, which calls these and one of an earlier file.
func (g *generator) source(a area, file string) {
	var w writer
	name := a.function(file)
	near := one(g, g.levels[len(g.levels)/2])
	callee, headers := "", []string{"kern/types.h", "kern/string.h", a.header}
	if len(g.calls) > 0 {
		callee = one(g, g.calls)
		headers = append(headers, g.areaOf(callee).header)
	}
	w.line("/* %s/%s.c */", a.dir, file)
	for _, h := range slices.Compact(append(headers, near.header)) {
		w.line("#include %q", h)
	}
	w.line("")
	g.table(&w, name)
	var steps []object
	for i := range fewestFunctions + g.below(moreFunctions) {
		o := one(g, append(slices.Clone(a.objects), near))
		g.function(&w, stepName(name, i), name+"_table", o)
		g.tree.Functions = append(g.tree.Functions, stepName(name, i))
		steps = append(steps, o)
	}
	g.called(&w, name, callee, steps)
	g.tree.Functions = append(g.tree.Functions, name)
	g.calls = append(g.calls, name)
	g.tree.Sources = append(g.tree.Sources, File{a.dir + "/" + file + ".c", w.text})
}

func stepName(function string, i int) string { return fmt.Sprintf("%s_step%d", function, i) }

func (g *generator) areaOf(function string) area {
	for _, a := range g.parts {
		for _, f := range a.files {
			if a.function(f) == function {
				return a
			}
		}
	}
	panic("a function of no area: " + function)
}

// tableSize is the length of a file's table, a power of two.
const tableSize = 32

func (g *generator) table(w *writer, name string) {
	w.line("static const u32 %s_table[%d] = {", name, tableSize)
	for range tableSize / 4 {
		w.line("\t0x%08xU, 0x%08xU, 0x%08xU, 0x%08xU,", g.random.Uint32(), g.random.Uint32(), g.random.Uint32(), g.random.Uint32())
	}
	w.line("};")
	w.line("")
}

// function changes an object and a number in several steps.
func (g *generator) function(w *writer, name, table string, o object) {
	w.line("u32 %s(struct %s *x, u32 v)", name, o.name)
	w.line("{")
	w.line("\tu32 i;")
	w.line("")
	w.line("\tfor (i = 0; i < %s_SLOTS; i++)", upper(o.name))
	w.line("\t\tx->slots[i] += v;")
	for range fewestSteps + g.below(moreSteps) {
		g.step(w, table, o)
	}
	w.line("\treturn %s_mix(x, v);", o.name)
	w.line("}")
	w.line("")
}

// step is a few lines of what such functions are made of.
func (g *generator) step(w *writer, table string, o object) {
	m, big := one(g, o.members), upper(o.name)
	switch g.below(7) {
	case 0:
		w.line("\tv = v * %dU + (u32)x->%s;", 3+2*g.below(500), m)
	case 1:
		w.line("\tfor (i = 0; i < (v & 7U); i++)")
		w.line("\t\tx->slots[i & %s_MASK] ^= v >> i;", big)
	case 2:
		w.line("\tswitch (%s_advance(x)) {", o.name)
		for _, p := range phases {
			w.line("\tcase %s_%s:", big, p)
			w.line("\t\tv ^= 0x%xU;", g.random.Uint32())
			w.line("\t\tbreak;")
		}
		w.line("\tdefault:")
		w.line("\t\tv = 0;")
		w.line("\t}")
	case 3:
		w.line("\tif ((x->%s & %dU) == 0) {", m, 1<<g.below(8))
		w.line("\t\tx->%s++;", m)
		w.line("\t\tv += %s[v %% %dU];", table, tableSize)
		w.line("\t} else if (v > 0x%xU) {", g.random.Uint32())
		w.line("\t\tv = rotate32(v, %dU);", 1+g.below(31))
		w.line("\t}")
	case 4:
		w.line("\tfor (i = v %% 13U; i > 0; i /= 2U)")
		w.line("\t\tv += %s[(v ^ i) & %dU] >> (i & 15U);", table, tableSize-1)
	case 5:
		w.line("\tx->%s += (v & 0xffU) * %dU;", m, 1+g.below(1000))
		w.line("\tv -= x->slots[(u32)x->%s & %s_MASK];", m, big)
	case 6:
		w.line("\tif (checksum(x->slots, sizeof(x->slots)) & %dU)", 1<<g.below(8))
		w.line("\t\tcopy(x->slots, %s, sizeof(u32) * %dU);", table, min(o.slots, 4))
	}
}

// called is a file's function for others. The objects are static: a kernel's stack
// is small.
func (g *generator) called(w *writer, name, callee string, steps []object) {
	w.line("u32 %s(u32 v)", name)
	w.line("{")
	var own []string
	for _, o := range steps {
		if !slices.Contains(own, o.name) {
			own = append(own, o.name)
			w.line("\tstatic struct %s %s;", o.name, o.name)
		}
	}
	w.line("")
	w.line("\t%s_init(&%s, v);", own[0], own[0])
	for i, o := range steps {
		w.line("\tv = %s(&%s, v);", stepName(name, i), o.name)
	}
	if callee != "" {
		w.line("\tif (v & %dU)", 1<<g.below(8))
		w.line("\t\tv += %s(v >> 3);", callee)
	}
	w.line("\treturn v;")
	w.line("}")
}
