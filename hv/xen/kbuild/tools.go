package kbuild

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"

	"xsmbench/hv/child"

	"golang.org/x/sync/errgroup"
)

// tool is a program that a build runs and that has a say in its result.
type tool struct {
	program string
	version string // the first line of its --version
}

// tools are all of them, the compiler first.
type tools []tool

// toolNames are the programs: gcc, make, the binutils that gcc calls, and what
// makes Xen's generated files and FLASK's policy. Only the first two must be
// there; the doctor asks for the others, and make says what it lacks.
var toolNames = []string{"gcc", "make", "as", "ld", "objcopy", "python3", "flex", "bison", "m4", "checkpolicy"}

// Causes when a program is not there.
var (
	errNoCompiler = errors.New("no working gcc: install the packages gcc and libc6-dev")
	errNoMake     = errors.New("no working make: install the package make")
)

// findTools asks the programs for their versions.
func findTools(ctx context.Context) (tools, error) {
	found := make(tools, len(toolNames))
	var group errgroup.Group
	for i, name := range toolNames {
		group.Go(func() error {
			found[i] = tool{name, VersionOf(ctx, name)}
			return nil
		})
	}
	_ = group.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case found[0].version == "":
		return nil, errNoCompiler
	case found[1].version == "":
		return nil, errNoMake
	}
	return found, nil
}

// VersionOf is what a program says of itself, "" if it is not there. Some exit
// with a status, as checkpolicy does.
func VersionOf(ctx context.Context, program string) string {
	flag := "--version"
	if program == "checkpolicy" {
		flag = "-V"
	}
	out, _ := child.Output(exec.CommandContext(ctx, program, flag))
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first
}

func (t tools) compiler() string { return t[0].version }

// decide is all of a build's surroundings that has a say in its result: the
// tools and the environment.
func (t tools) decide() []string {
	parts := environment("/")
	for _, tool := range t {
		parts = append(parts, fmt.Sprintf("%s: %s", tool.program, tool.version))
	}
	return parts
}

// python is the interpreter itself. The one in PATH may be a script that looks
// for it, and Xen's build starts some hundred.
var python = sync.OnceValue(func() string {
	out, err := child.Output(exec.Command("python3", "-c", "import sys; print(sys.executable)"))
	if name := strings.TrimSpace(string(out)); err == nil && name != "" {
		return name
	}
	return "python3"
})
