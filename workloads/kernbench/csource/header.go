package csource

import "fmt"

// object is what a header declares: a structure with its inline functions.
type object struct {
	name    string // of the structure, and the beginning of its functions' names
	header  string // below the directory of headers
	members []string
	slots   int // length of its array, a power of two
	level   int
	parts   []object
}

// nouns and kinds name objects, as kernels do.
var (
	nouns = []string{"page", "slab", "zone", "task", "inode", "dentry", "sock", "frag", "timer", "queue", "irq", "bus", "port", "lock", "grant", "event"}
	kinds = []string{"desc", "info", "ops", "state", "cache", "table", "ring", "list"}
)

// named is the name of the object at a place.
func (g *generator) named(level, at int) string {
	i := level*g.size.Width + at
	return fmt.Sprintf("%s_%s", nouns[i%len(nouns)], kinds[i/len(nouns)%len(kinds)])
}

// headers writes the levels, the lowest first.
func (g *generator) headers() {
	for level := range g.size.Levels {
		var list []object
		for at := range g.size.Width {
			list = append(list, g.header(level, at))
		}
		g.levels = append(g.levels, list)
	}
}

// included is how many headers of the level below a header includes; deep, how many
// levels an inline function reaches down at most.
const (
	included = 3
	deep     = 3
)

func (g *generator) header(level, at int) object {
	o := object{name: g.named(level, at), level: level, slots: 4 << g.below(3)}
	o.header = fmt.Sprintf("core/%s.h", o.name)
	if level > 0 {
		o.parts = some(g, g.levels[level-1], included)
	}
	for i := range 5 + g.below(6) {
		o.members = append(o.members, fmt.Sprintf("%s%d", one(g, []string{"flags", "count", "order", "index", "refs", "weight"}), i))
	}
	g.tree.Headers = append(g.tree.Headers, File{g.tree.Include + "/" + o.header, g.headerText(o)})
	return o
}

// headerText is a header with constants, a structure and inline functions.
func (g *generator) headerText(o object) []byte {
	var w writer
	w.begin(o.name, "core: "+o.name+", what the layers above see of it")
	w.line(`#include "kern/types.h"`)
	for _, p := range o.parts {
		w.line("#include %q", p.header)
	}
	w.line("")
	w.line("#define %s_SLOTS %dU", upper(o.name), o.slots)
	w.line("#define %s_MASK (%s_SLOTS - 1U)", upper(o.name), upper(o.name))
	for i, m := range o.members {
		w.line("#define %s_%s_SHIFT %dU", upper(o.name), upper(m), 1+(i*5+g.below(4))%29)
	}
	w.line("")
	w.line("enum %s_phase {", o.name)
	for _, p := range phases {
		w.line("\t%s_%s,", upper(o.name), p)
	}
	w.line("};")
	w.line("")
	g.structure(&w, o)
	g.inlines(&w, o)
	w.end(o.name)
	return w.text
}

var phases = []string{"IDLE", "READY", "BUSY", "DONE"}

// structure holds the first of its parts, and points to the others.
func (g *generator) structure(w *writer, o object) {
	w.line("struct %s {", o.name)
	for i, m := range o.members {
		w.line("\t%s %s;", []string{"u32", "u32", "u64", "u16"}[(i+len(o.name))%4], m)
	}
	w.line("\tu32 phase; /* enum %s_phase */", o.name)
	w.line("\tu32 slots[%s_SLOTS];", upper(o.name))
	for i, p := range o.parts {
		if i == 0 {
			w.line("\tstruct %s %s; /* lives as long as this */", p.name, p.name)
		} else {
			w.line("\tstruct %s *%s;", p.name, p.name)
		}
	}
	w.line("};")
	w.line("")
}

// inlines are an object's functions: one that sets it up, one that mixes a number
// with it, one that moves it on.
func (g *generator) inlines(w *writer, o object) {
	w.line("static inline void %s_init(struct %s *x, u32 seed)", o.name, o.name)
	w.line("{")
	w.line("\tu32 i;")
	w.line("")
	for i, m := range o.members {
		w.line("\tx->%s = seed * %dU + %dU;", m, 3+2*g.below(60), i)
	}
	w.line("\tx->phase = %s_IDLE;", upper(o.name))
	w.line("\tfor (i = 0; i < %s_SLOTS; i++)", upper(o.name))
	w.line("\t\tx->slots[i] = seed ^ (i << %dU);", 1+g.below(8))
	for i, p := range o.parts {
		if i == 0 {
			w.line("\t%s_init(&x->%s, seed + %dU);", p.name, p.name, 1+g.below(100))
		} else {
			w.line("\tx->%s = (struct %s *)0;", p.name, p.name)
		}
	}
	w.line("}")
	w.line("")
	w.line("static inline u32 %s_mix(const struct %s *x, u32 v)", o.name, o.name)
	w.line("{")
	for _, m := range some(g, o.members, 2) {
		w.line("\tv ^= rotate32((u32)x->%s, %s_%s_SHIFT);", m, upper(o.name), upper(m))
	}
	w.line("\tv += x->slots[v & %s_MASK];", upper(o.name))
	if o.level%deep != 0 {
		w.line("\treturn %s_mix(&x->%s, v * %dU);", o.parts[0].name, o.parts[0].name, 3+2*g.below(60))
	} else {
		w.line("\treturn v * %dU;", 3+2*g.below(60))
	}
	w.line("}")
	w.line("")
	w.line("static inline u32 %s_advance(struct %s *x)", o.name, o.name)
	w.line("{")
	w.line("\tif (x->phase == %s_DONE)", upper(o.name))
	w.line("\t\tx->phase = %s_IDLE;", upper(o.name))
	w.line("\telse")
	w.line("\t\tx->phase++;")
	w.line("\treturn x->phase;")
	w.line("}")
	w.line("")
}

// area is a directory of files, with the header that declares their functions.
type area struct {
	dir     string
	header  string
	objects []object // that its header includes
	files   []string // names without an ending
}

// dirs are the directories of a small kernel.
var dirs = []string{"arch", "kernel", "mm", "fs", "ipc", "net", "drivers/block", "drivers/char", "drivers/net", "sound", "crypto", "security"}

// areas shares the files out among directories, and writes their headers.
func (g *generator) areas() {
	files := max(0, g.size.Sources-fixedSources)
	for i, dir := range dirs {
		a := area{dir: dir, header: "area/" + flat(dir) + ".h"}
		for n := range files {
			if n%len(dirs) == i {
				a.files = append(a.files, one(g, nouns)+fmt.Sprintf("%02d", n/len(dirs)))
			}
		}
		if len(a.files) == 0 {
			continue
		}
		a.objects = some(g, g.levels[len(g.levels)-1], included)
		g.parts = append(g.parts, a)
		g.tree.Headers = append(g.tree.Headers, File{g.tree.Include + "/" + a.header, a.text()})
	}
}

// text is an area's header. Every file has one function that others may call.
func (a area) text() []byte {
	var w writer
	w.begin(flat(a.dir), a.dir+": what the other directories may call")
	for _, o := range a.objects {
		w.line("#include %q", o.header)
	}
	w.line("")
	for _, f := range a.files {
		w.line("u32 %s(u32 v);", a.function(f))
	}
	w.line("")
	w.end(flat(a.dir))
	return w.text
}

// function is the one of a file that others call.
func (a area) function(file string) string { return flat(a.dir) + "_" + file }
