// Package debian fetches source and binary packages from the package archives
// that the machine is configured to use. It works on an index of its own in the
// store, with sources derived from the machine's configuration: nothing is
// installed, the machine's configuration is left alone, and no root is needed.
package debian

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"xsmbench/hv/child"
	"xsmbench/hv/store"
	"xsmbench/hv/store/content"
)

// Kind is a type of package.
type Kind string

// Types of packages.
const (
	Binary Kind = "deb"
	Source Kind = "deb-src"
)

// Archive is the machine's package archives, seen through an index in the
// store.
type Archive struct {
	index   *store.Entry
	scratch string // directory for what apt wants to write
	release func()
	options []string // of every call of apt's programs
}

func (m Machine) newArchive(s *store.Store, index *store.Entry) (*Archive, error) {
	scratch, release, err := s.Scratch("apt's cache")
	if err != nil {
		index.Release()
		return nil, fmt.Errorf("open package archive: %w", err)
	}
	a := &Archive{index: index, scratch: scratch, release: release}
	a.options = append(m.options(index.Dir), "-o", "Dir::Cache="+scratch)
	if err := os.MkdirAll(filepath.Join(scratch, "archives", "partial"), 0o755); err != nil {
		a.Close()
		return nil, fmt.Errorf("open package archive: %w", err)
	}
	return a, nil
}

// Close gives the index back.
func (a *Archive) Close() {
	a.index.Release()
	a.release()
}

// Index names the state of the archives that is seen.
func (a *Archive) Index() string { return string(a.index.Key) }

// File is a package's file in the archives.
type File struct {
	Name   string // as apt-get keeps it: "zlib1g_1%3a1.2.13.dfsg-1_amd64.deb"
	Digest string // as the archive has it: "SHA256:…"
}

// String names the file and its content.
func (f File) String() string { return f.Name + " " + f.Digest }

// Files tells which files the newest versions of binary packages are, sorted by
// their names. Nothing is fetched.
func (a *Archive) Files(ctx context.Context, names ...string) ([]File, error) {
	out, err := a.run(ctx, "", "apt-get", append([]string{"download", "--print-uris", "-qq"}, names...)...)
	if err != nil {
		return nil, fmt.Errorf("look up packages: %w", err)
	}
	return parseFiles(out)
}

// SourceFiles tells which files the newest version of a source package is.
func (a *Archive) SourceFiles(ctx context.Context, name string) ([]File, error) {
	out, err := a.run(ctx, "", "apt-get", "source", "--print-uris", "-qq", name)
	if err != nil {
		return nil, fmt.Errorf("look up source package %s: %w", name, err)
	}
	return parseFiles(out)
}

// parseFiles reads the lines of apt's --print-uris: an address in quotes, a
// file's name, its size and its digest.
func parseFiles(out string) ([]File, error) {
	var files []File
	for line := range strings.Lines(out) {
		words := strings.Fields(line)
		if len(words) == 0 || !strings.HasPrefix(line, "'") {
			continue
		}
		if len(words) < 4 || !strings.Contains(words[3], ":") {
			return nil, fmt.Errorf("look up packages: apt-get names a file without its digest: %q", strings.TrimSpace(line))
		}
		if words[1] != filepath.Base(words[1]) {
			return nil, fmt.Errorf("look up packages: apt-get names a file outside of its directory: %q", words[1])
		}
		files = append(files, File{words[1], words[3]})
	}
	if files == nil {
		return nil, errors.New("look up packages: apt-get names no file")
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Name < files[j].Name })
	return files, nil
}

// Source fetches a source package and unpacks it below dir.
func (a *Archive) Source(ctx context.Context, dir, name string) error {
	if err := need("dpkg-source"); err != nil {
		return err
	}
	if _, err := a.run(ctx, dir, "apt-get", "source", "-qq", name); err != nil {
		return a.outdated(ctx, err)
	}
	return nil
}

// outdated marks the index, so that the next use of the archive asks for
// another one: archives remove packages for which they have newer ones.
func (a *Archive) outdated(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return errors.Join(err, a.index.Reject("a package that it names could not be fetched"))
}

// Unpack fetches binary packages and unpacks all of them into root, without
// installing them. What comes must be the files that are wanted.
func (a *Archive) Unpack(ctx context.Context, root string, want []File, names ...string) error {
	work, err := os.MkdirTemp(a.scratch, "debs-")
	if err != nil {
		return fmt.Errorf("fetch packages: %w", err)
	}
	defer os.RemoveAll(work)
	if _, err := a.run(ctx, work, "apt-get", append([]string{"download", "-qq"}, names...)...); err != nil {
		return fmt.Errorf("fetch packages: %w", a.outdated(ctx, err))
	}
	for _, f := range want {
		path := filepath.Join(work, f.Name)
		if err := f.verify(path); err != nil {
			return fmt.Errorf("fetch packages: %w", err)
		}
		if _, err := run(ctx, work, "dpkg-deb", "-x", path, root); err != nil {
			return fmt.Errorf("unpack %s: %w", f.Name, err)
		}
	}
	return nil
}

// verify compares a fetched file with what the archive said of it.
func (f File) verify(path string) error {
	want, ok := strings.CutPrefix(f.Digest, "SHA256:")
	got, err := content.HashFile(path)
	switch {
	case err != nil:
		return err
	case ok && got != want:
		return fmt.Errorf("%s is not the file that the archive's index names: its SHA-256 is %s, not %s", f.Name, got, want)
	}
	return nil
}

// Depends lists the packages that packages depend on directly, sorted. Names
// that no package has, only what several provide, are left out.
func (a *Archive) Depends(ctx context.Context, names ...string) ([]string, error) {
	out, err := a.run(ctx, "", "apt-cache", append([]string{"depends", "--important"}, names...)...)
	if err != nil {
		return nil, fmt.Errorf("look up package %s: %w", strings.Join(names, " "), err)
	}
	return parseDepends(out), nil
}

// parseDepends reads what apt-cache depends prints: "  Depends: NAME", with a
// stroke before the first of two alternatives, and angle brackets around what
// is no package.
func parseDepends(out string) []string {
	var names []string
	for line := range strings.Lines(out) {
		_, dep, _ := strings.Cut(line, "Depends: ")
		if dep = strings.TrimSpace(dep); dep != "" && dep[0] != '<' {
			names = append(names, dep)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Libraries lists the packages of shared libraries that a package needs, directly
// or through each other, sorted: among dependencies they are told by their names.
func (a *Archive) Libraries(ctx context.Context, name string) ([]string, error) {
	var found []string
	for todo := []string{name}; len(todo) > 0; {
		depends, err := a.Depends(ctx, todo...)
		if err != nil {
			return nil, err
		}
		todo = slices.DeleteFunc(depends, func(d string) bool { return !isLibrary(d) || slices.Contains(found, d) })
		found = append(found, todo...)
	}
	slices.Sort(found)
	return found, nil
}

// isLibrary tells a shared library's package. All but one follow Debian's policy
// (section 8.1): they are named after the library.
func isLibrary(name string) bool {
	return strings.HasPrefix(name, "lib") || strings.HasPrefix(name, "zlib1g")
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
	if err := child.Run(cmd); err != nil { // apt-get and dpkg-source start others
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", fmt.Errorf("%s: %w: %s", program, err, errorLine(all.String()))
	}
	return out.String(), nil
}

// errorLine picks the line that says what went wrong: apt's begin with "E:".
func errorLine(out string) string {
	isError := func(line string) bool { return strings.HasPrefix(line, "E:") }
	return cmp.Or(child.FirstLine(out, isError), child.LastLine(out))
}

// ErrNoTool is the cause when one of Debian's package programs is absent.
var ErrNoTool = errors.New("not found; this step needs a Debian machine with its package tools (packages apt and dpkg-dev)")

func need(program string) error {
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("%s: %w", program, ErrNoTool)
	}
	return nil
}
