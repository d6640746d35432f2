package toolstack

import (
	"context"
	"debug/elf"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"

	"xsmbench/hv/store/content"
	"xsmbench/hv/xen/image"
	"xsmbench/hv/xen/kbuild"
	"xsmbench/hv/xen/protocol"
)

// machine is this one, whose libraries the programs were linked with.
const machine = image.Root("/")

// install copies the programs and all that they load into the root.
func (b *builder) install(ctx context.Context) error {
	files, err := b.closure()
	if err != nil {
		return &kbuild.Error{Step: "install the toolstack of", First: err.Error(), Log: b.log(), Err: err}
	}
	var own []string // of the tree
	for _, to := range slices.Sorted(maps.Keys(files)) {
		from, path := files[to], filepath.Join(b.out, to)
		if err := machine.CopyFile(from, path); err != nil {
			return fmt.Errorf("install the toolstack: %w", err)
		}
		if rel, err := filepath.Rel(b.tree(), from); err == nil && filepath.IsLocal(rel) {
			own = append(own, path)
		}
	}
	return b.do(ctx, "install", "strip", append([]string{"--strip-unneeded"}, own...)...)
}

// closure finds the programs and the libraries that they need, directly or
// through each other: where each goes, and the file that it is.
func (b *builder) closure() (map[string]string, error) {
	libc, err := machine.Library("libc.so.6")
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	todo := slices.Clone(Loaded)
	take := func(to, from string) error {
		files[to] = from
		i, err := image.ImportsOf(from)
		if err != nil {
			return fmt.Errorf("read %s: %w", from, err)
		}
		if i.Interpreter != "" {
			files[i.Interpreter] = filepath.Join("/", i.Interpreter)
		}
		todo = append(todo, i.Libraries...)
		return nil
	}
	for _, name := range Programs {
		path, err := b.program(name)
		if err == nil {
			err = take(filepath.Join(protocol.ToolstackDir[1:], name), path)
		}
		if err != nil {
			return nil, err
		}
	}
	for ; len(todo) > 0; todo = todo[1:] {
		to := filepath.Join(filepath.Dir(libc), todo[0]) // where the dynamic linker looks
		if files[to] != "" {
			continue
		}
		path, err := b.findLibrary(todo[0])
		if err == nil {
			err = take(to, path)
		}
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// program finds a program of the tree. Its folder depends on the version.
func (b *builder) program(name string) (string, error) {
	for _, pattern := range []string{"tools/*/", "tools/*/*/"} {
		found, err := filepath.Glob(filepath.Join(b.tree(), pattern, name))
		if err != nil {
			return "", err
		}
		for _, path := range found {
			if f, err := elf.Open(path); err == nil {
				f.Close()
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("the build made no program %s", name)
}

// findLibrary finds a library: the tree's, or this machine's.
func (b *builder) findLibrary(name string) (string, error) {
	found, err := filepath.Glob(filepath.Join(b.tree(), "tools/libs/*", name))
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return found[0], nil
	}
	path, err := machine.Library(name)
	return filepath.Join("/", path), err
}

// tools are programs that have a say in a toolstack.
var tools = []string{"gcc", "make", "as", "ld", "strip", "python3", "perl", "flex", "bison", "iasl", "autoconf"}

// surroundings are what decides a toolstack besides the source: this machine's
// tools and libraries, and how it is configured.
func surroundings(ctx context.Context) ([]string, error) {
	parts := slices.Concat(configuration, environment, Programs)
	for _, name := range tools {
		parts = append(parts, name+": "+kbuild.VersionOf(ctx, name))
	}
	for _, name := range libraries {
		path, err := machine.Library(name)
		if err != nil {
			continue // Missing tells
		}
		hash, err := content.HashFile(filepath.Join("/", path))
		if err != nil {
			return nil, fmt.Errorf("build the toolstack: %w", err)
		}
		parts = append(parts, name+": "+hash)
	}
	_, err := exec.LookPath("gcc")
	return parts, err
}
