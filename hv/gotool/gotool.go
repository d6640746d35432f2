// Package gotool runs the go command in a source tree of xsmbench, from which the
// model and what runs inside a domain of the real Xen are built. The program
// carries such a tree with it.
package gotool

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"xsmbench/hv/child"
)

// ErrNoGo is the cause when the Go tool is not found.
var ErrNoGo = errors.New("no Go tool in PATH: install Go 1.26 or later from https://go.dev/dl")

// Tool is the go command in a source tree, for one architecture.
type Tool struct {
	Path string
	Dir  string // of the source tree
	Arch string // a GOARCH
	// Alone has the tree be no part of a workspace (go.work), as one that
	// happens to lie around the store.
	Alone bool

	added *added // by Link; nil if nothing was
}

// Find finds the go command in PATH.
func Find(dir, arch string) (Tool, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return Tool{}, ErrNoGo
	}
	return Tool{Path: path, Dir: dir, Arch: arch}, nil
}

// command prepares a go command; cgo is off so that the C toolchain, and
// whether there is one, cannot change the program. It is to be run as a child:
// the end of ctx then ends the compilers that it starts, too.
func (g Tool) command(ctx context.Context, args ...string) *exec.Cmd {
	if g.added != nil && (args[0] == "list" || args[0] == "build") {
		args = slices.Insert(slices.Clone(args), 1, "-overlay", g.added.overlay)
	}
	cmd := exec.CommandContext(ctx, g.Path, args...)
	cmd.Dir = g.Dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+g.Arch, "PWD="+g.Dir)
	switch {
	case g.added != nil:
		cmd.Env = append(cmd.Env, "GOWORK="+g.added.work)
	case g.Alone:
		cmd.Env = append(cmd.Env, "GOWORK=off")
	}
	return cmd
}

// Output runs a go command and returns what it prints; a failure carries the
// first line of its complaint.
func (g Tool) Output(ctx context.Context, args ...string) ([]byte, error) {
	cmd := g.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := child.Run(cmd); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if line := firstError(stderr.String()); line != "" {
			return nil, fmt.Errorf("go %s: %s", args[0], g.Shown(line))
		}
		return nil, fmt.Errorf("go %s: %w", args[0], err)
	}
	return stdout.Bytes(), nil
}

// Settings are the variables that change what the compiler makes.
var Settings = []string{"GOVERSION", "GOOS", "GOARCH", "GOAMD64", "GO386", "GOEXPERIMENT", "GOFLAGS", "GOFIPS140"}

// Env reads the settings in force in the tree; a go.mod may select another
// toolchain than the one in PATH.
func (g Tool) Env(ctx context.Context) (map[string]string, error) {
	return g.env(ctx, Settings...)
}

func (g Tool) env(ctx context.Context, names ...string) (map[string]string, error) {
	out, err := g.Output(ctx, append([]string{"env", "-json"}, names...)...)
	if err != nil {
		return nil, err
	}
	env := map[string]string{}
	if err := json.Unmarshal(out, &env); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	return env, nil
}

// firstError is the line to show of a compiler's output: the first that
// begins with a place in a file, else the first that is no package heading.
func firstError(text string) string {
	isHeading := func(line string) bool { return strings.HasPrefix(line, "#") }
	line := cmp.Or(
		child.FirstLine(text, func(line string) bool { return !isHeading(line) && strings.Contains(line, ".go:") }),
		child.FirstLine(text, func(line string) bool { return !isHeading(line) }))
	return strings.TrimSuffix(line, "; to add it:") // the command is on the next line
}
