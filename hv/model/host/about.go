package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/child"
	"xsmbench/hv/gotool"
	"xsmbench/hv/process"
	"xsmbench/xsm"
)

// aboutFile is what a module from outside says of itself, in its image's entry.
const aboutFile = "module.json"

// writeAbout has a program that was just built say what its module is.
func (t *Target) writeAbout(ctx context.Context, r recipe, dir string) error {
	text, err := t.ask(ctx, r.goTool, filepath.Join(dir, binaryFile))
	if err != nil {
		return fmt.Errorf("module %s: %w", r.build.Module, err)
	}
	return os.WriteFile(filepath.Join(dir, aboutFile), text, 0o644)
}

// readAbout reads it again.
func readAbout(path string) (xsm.About, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return xsm.About{}, fmt.Errorf("read what the module is: %w", err)
	}
	return parseAbout(text)
}

func parseAbout(text []byte) (a xsm.About, err error) {
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("read what the module is: %w", err)
	}
	return a, nil
}

// ask starts a program that ends without booting: with the description of its
// module, or with what is wrong with it or with its policy.
func (t *Target) ask(ctx context.Context, g gotool.Tool, program string, args ...string) ([]byte, error) {
	command, err := t.command(g.Arch)
	if err != nil {
		return nil, err
	}
	command = append(append(command, program, "-about"), args...)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = process.Environment()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := child.Run(cmd); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, complaint(g, stderr.String(), err)
	}
	return stdout.Bytes(), nil
}

// command is what starts programs of an architecture besides their names.
func (t *Target) command(arch string) ([]string, error) {
	err := t.Starts(hv.Build{Arch: arch}, "")
	if errors.Is(err, ErrNo386) {
		if path, e := exec.LookPath(emulators[arch]); e == nil {
			return []string{path}, nil
		}
	}
	return nil, err
}

// complaint is what a program said that failed: of a panic its first line, and
// where in the module it was.
func complaint(g gotool.Tool, said string, failed error) error {
	first := child.FirstLine(said, func(string) bool { return true })
	if first == "" {
		return failed
	}
	if !strings.HasPrefix(first, "panic:") {
		return errors.New(strings.TrimPrefix(first, "xsmmodel: "))
	}
	for line := range strings.Lines(said) {
		place, _, _ := strings.Cut(strings.TrimSpace(line), " +0x")
		if shown := g.Shown(place); shown != place {
			return fmt.Errorf("%s: %s", shown, first)
		}
	}
	return errors.New(first)
}
