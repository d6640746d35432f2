// Package debian fetches source and binary packages from the package archives
// that the machine is configured to use. It works in directories of its own,
// with lists derived from the machine's configuration: nothing is installed,
// the machine's configuration is left alone, and no root is needed.
package debian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// Kind is a type of package.
type Kind string

// Types of packages.
const (
	Binary Kind = "deb"
	Source Kind = "deb-src"
)

// Archive is the machine's package archives, seen through lists of our own.
type Archive struct {
	options []string // of every call of apt's programs
}

// Open fetches the archives' index into dir.
func Open(ctx context.Context, dir string, kind Kind) (*Archive, error) {
	if err := need("apt-get"); err != nil {
		return nil, err
	}
	entries, err := machineSources("/etc/apt", string(kind))
	if err != nil {
		return nil, err
	}
	for _, d := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, fmt.Errorf("open package archive: %w", err)
		}
	}
	list := filepath.Join(dir, "machine.sources")
	if err := os.WriteFile(list, []byte(entries), 0o644); err != nil {
		return nil, fmt.Errorf("open package archive: %w", err)
	}
	a := &Archive{options: []string{
		"-o", "Dir::Etc::sourcelist=" + list,
		"-o", "Dir::Etc::sourceparts=-",
		"-o", "Dir::State::lists=" + filepath.Join(dir, "lists"),
		"-o", "Dir::Cache=" + filepath.Join(dir, "cache"),
		"-o", "APT::Sandbox::User=",
	}}
	if _, err := a.run(ctx, dir, "apt-get", "update", "-qq"); err != nil {
		return nil, fmt.Errorf("fetch the package index: %w", err)
	}
	return a, nil
}

// Source fetches a source package and unpacks it below dir.
func (a *Archive) Source(ctx context.Context, dir, name string) error {
	if err := need("dpkg-source"); err != nil {
		return err
	}
	_, err := a.run(ctx, dir, "apt-get", "source", "-qq", name)
	return err
}

// Unpack fetches binary packages and unpacks all of them into root, without
// installing them. It returns the versions, as "name_version_arch.deb".
func (a *Archive) Unpack(ctx context.Context, root string, names ...string) ([]string, error) {
	work, err := os.MkdirTemp(filepath.Dir(root), "debs-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("fetch packages: %w", err)
	}
	defer os.RemoveAll(work)
	if _, err := a.run(ctx, work, "apt-get", append([]string{"download", "-qq"}, names...)...); err != nil {
		return nil, fmt.Errorf("fetch packages: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil || len(files) != len(names) {
		return nil, fmt.Errorf("fetch packages: asked for %d, got %d", len(names), len(files))
	}
	sort.Strings(files)
	for i, f := range files {
		if _, err := run(ctx, work, "dpkg-deb", "-x", f, root); err != nil {
			return nil, fmt.Errorf("unpack %s: %w", filepath.Base(f), err)
		}
		files[i] = filepath.Base(f)
	}
	return files, nil
}

// Depends lists the packages that a package depends on directly.
func (a *Archive) Depends(ctx context.Context, name string) ([]string, error) {
	out, err := a.run(ctx, "", "apt-cache", "depends", "--important", name)
	if err != nil {
		return nil, fmt.Errorf("look up package %s: %w", name, err)
	}
	var names []string
	for line := range strings.Lines(out) {
		if _, dep, ok := strings.Cut(line, "Depends: "); ok {
			names = append(names, strings.TrimSpace(dep))
		}
	}
	return names, nil
}

func (a *Archive) run(ctx context.Context, dir, program string, args ...string) (string, error) {
	return run(ctx, dir, program, append(append([]string{}, a.options...), args...)...)
}

func run(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var out, all bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &all
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", program, err, errorLine(all.String()))
	}
	return out.String(), nil
}

// errorLine picks the line that says what went wrong: apt's begin with "E:".
func errorLine(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, l := range lines {
		if strings.HasPrefix(l, "E:") {
			return l
		}
	}
	return lines[len(lines)-1]
}

// ErrNoTool is the cause when one of Debian's package programs is absent.
var ErrNoTool = errors.New("not found; this step needs a Debian machine with its package tools (packages apt and dpkg-dev)")

func need(program string) error {
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("%s: %w", program, ErrNoTool)
	}
	return nil
}
