package kernbench

import (
	"path"
	"strings"
)

// compiler is a C compiler's program with what it is asked for. The tree needs
// nothing of the system, and gets nothing of it.
type compiler struct {
	path          string
	compile, link []string // before the files
}

// optimise is the level at which compilers that have levels compile: kernels are
// compiled with more, which takes a second longer on slow machines and shows no more of
// the system.
const optimise = "-O1"

// compilerAt knows the options of tcc, and of GCC and what is like it.
func compilerAt(program string) compiler {
	c := compiler{path: program}
	if strings.HasPrefix(path.Base(program), "tcc") {
		c.compile = []string{"-c", "-nostdinc"}
		c.link = []string{"-g", "-nostdlib", "-static"} // without -g the image has no symbols
		return c
	}
	// What a distribution has its compiler add by itself would need its library.
	c.compile = []string{"-c", optimise, "-nostdinc", "-ffreestanding", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-mno-sse"}
	c.link = []string{"-nostdlib", "-static"}
	return c
}

// compileArgs compile a source.
func (c compiler) compileArgs(include, source, object string) []string {
	return append(append([]string{c.path}, c.compile...), "-I"+include, "-o", object, source)
}

// linkArgs link objects.
func (c compiler) linkArgs(image string, objects []string) []string {
	return append(append(append([]string{c.path}, c.link...), "-o", image), objects...)
}
