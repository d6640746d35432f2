package gotool

import (
	"bytes"
	"cmp"
	"context"
	"regexp"
	"slices"

	"xsmbench/hv/child"
	"xsmbench/hv/store"
)

// Program is what Compile makes.
type Program struct {
	Package string // below the tree's root
	Flags   []string
	Inputs  *Inputs // as they were listed
}

// Key names the program by all that decides it.
func (p Program) Key() store.Key {
	return store.KeyOf(append([]string{"go program", p.Inputs.Digest}, p.arguments()...)...)
}

// arguments make the program depend on nothing but its inputs: not on where
// the tree lies, nor on the state of its repository.
func (p Program) arguments() []string {
	return slices.Concat([]string{"-trimpath", "-buildvcs=false"}, p.Flags, []string{"./" + p.Package})
}

// CompileError is a program that does not compile.
type CompileError struct {
	First string // the compiler's first complaint
	Log   []byte // all of its output
}

// Error is one line.
func (e *CompileError) Error() string { return "compile: " + e.First }

// inSource is a complaint of a line of the source.
var inSource = regexp.MustCompile(`\.go:\d+(:\d+)?: `)

// OfSource says that the source is at fault, and not the machine.
func (e *CompileError) OfSource() bool { return inSource.MatchString(e.First) }

// Compile compiles and links a program into a file. What was listed must be
// what was compiled: if the inputs changed meanwhile, the error is
// ErrChanged, whether the program compiled or not.
func (g Tool) Compile(ctx context.Context, p Program, to string) error {
	cmd := g.command(ctx, append([]string{"build", "-o", to}, p.arguments()...)...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	failed := child.Run(cmd)
	if failed != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !p.Inputs.Current() {
		return ErrChanged
	}
	if failed != nil {
		return &CompileError{First: cmp.Or(g.Shown(firstError(log.String())), failed.Error()), Log: log.Bytes()}
	}
	return nil
}
