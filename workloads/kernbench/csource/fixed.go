package csource

import (
	"path"
	"slices"
	"strings"
)

// fixedSources are files that every tree has: the string functions and the entry.
const fixedSources = 2

// fixed writes what does not depend on the size.
func (g *generator) fixed() {
	add := func(name, text string) {
		g.tree.Headers = append(g.tree.Headers, File{g.tree.Include + "/" + name, []byte(text)})
	}
	add("kern/types.h", typesHeader)
	add("kern/string.h", stringHeader)
	g.tree.Sources = append(g.tree.Sources, File{"lib/string.c", []byte(stringSource)})
	g.tree.Functions = append(g.tree.Functions, "memcpy", "memset", "copy", "checksum")
}

const typesHeader = `/* numbers of known widths */
#ifndef KB_TYPES_H
#define KB_TYPES_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

static inline u32 rotate32(u32 v, u32 by)
{
	return v << by | v >> (32U - by);
}

#endif /* KB_TYPES_H */
`

const stringHeader = `/* memory as bytes */
#ifndef KB_STRING_H
#define KB_STRING_H

#include "kern/types.h"

void *memcpy(void *to, const void *from, u64 bytes);
void *memset(void *at, int value, u64 bytes);
void copy(void *to, const void *from, u64 bytes);
u32 checksum(const void *at, u64 bytes);

#endif /* KB_STRING_H */
`

// Compilers may call memcpy and memset themselves. The pointers are volatile so that
// none makes a call of memcpy out of memcpy's own loop.
const stringSource = `/* lib/string.c */
#include "kern/string.h"

void *memcpy(void *to, const void *from, u64 bytes)
{
	volatile u8 *t = to;
	const volatile u8 *f = from;

	while (bytes--)
		*t++ = *f++;
	return to;
}

void *memset(void *at, int value, u64 bytes)
{
	volatile u8 *t = at;

	while (bytes--)
		*t++ = (u8)value;
	return at;
}

void copy(void *to, const void *from, u64 bytes)
{
	memcpy(to, from, bytes);
}

u32 checksum(const void *at, u64 bytes)
{
	const u8 *p = at;
	u32 sum = 1, i;

	for (i = 0; i < bytes; i++)
		sum = sum * 31U + p[i];
	return sum;
}
`

// entry writes the image's first function: it calls one of each file, and ends the
// process with what they computed.
func (g *generator) entry() {
	var w writer
	w.line("/* init/main.c */")
	w.line(`#include "kern/types.h"`)
	for _, a := range g.parts {
		w.line("#include %q", a.header)
	}
	w.line("")
	w.line("typedef u32 (*call_t)(u32);")
	w.line("")
	w.line("static const call_t calls[] = {")
	for _, c := range g.calls {
		w.line("\t%s,", c)
	}
	w.line("\t0,")
	w.line("};")
	w.line("")
	w.line("void %s(void)", Entry)
	w.line("{")
	w.line("\tu32 v = 1, i;")
	w.line("")
	w.line("\tfor (i = 0; calls[i]; i++)")
	w.line("\t\tv = v * 31U + calls[i](i);")
	w.line("\tv = (v ^ v >> 8 ^ v >> 16 ^ v >> 24) & 0xffU;")
	w.line("\t/* exit(v) */")
	w.line(`	__asm__ volatile ("syscall" : : "a" (60L), "D" ((u64)v) : "rcx", "r11", "memory");`)
	w.line("}")
	g.tree.Functions = append(g.tree.Functions, Entry)
	g.tree.Sources = append(g.tree.Sources, File{"init/main.c", w.text})
}

// directories finds those of the files.
func (g *generator) directories() {
	for _, f := range slices.Concat(g.tree.Headers, g.tree.Sources) {
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			g.tree.Dirs = append(g.tree.Dirs, dir)
		}
	}
	slices.SortFunc(g.tree.Dirs, func(a, b string) int {
		if n := strings.Count(a, "/") - strings.Count(b, "/"); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	g.tree.Dirs = slices.Compact(g.tree.Dirs)
}
