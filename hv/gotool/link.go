package gotool

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// Package is a Go package in a module of its own, to be linked into a program of
// a source tree.
type Package struct {
	Dir    string // full name of its folder
	Import string // its import path
	module moduleRoot
}

// FindPackage finds the package in a folder, as it is with build tags.
func FindPackage(dir string, tags ...string) (Package, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Package{}, err
	}
	m, err := moduleAround(dir)
	if err != nil {
		return Package{}, err
	}
	if m.path == modulePath {
		return Package{}, fmt.Errorf("%s belongs to a source tree of xsmbench itself: a package from outside is in a module of its own", dir)
	}
	ctx := build.Default
	ctx.BuildTags, ctx.CgoEnabled = tags, false
	p, err := ctx.ImportDir(dir, 0)
	switch {
	case err != nil:
		return Package{}, err
	case p.Name == "main":
		return Package{}, fmt.Errorf("%s: package main cannot be imported: give the package another name", filepath.Join(dir, p.GoFiles[0]))
	}
	below, err := filepath.Rel(m.dir, dir)
	return Package{Dir: dir, Import: path.Join(m.path, filepath.ToSlash(below)), module: m}, err
}

// moduleRoot is a module in a source tree.
type moduleRoot struct {
	dir, path string
	goVersion string // that it asks for
}

// moduleAround finds the module that a folder is in.
func moduleAround(dir string) (moduleRoot, error) {
	if _, err := os.Stat(dir); err != nil {
		return moduleRoot{}, fmt.Errorf("%s: no such directory", dir)
	}
	for root := dir; ; root = filepath.Dir(root) {
		m, err := moduleIn(root)
		if !errors.Is(err, fs.ErrNotExist) {
			return m, err
		}
		if root == filepath.Dir(root) {
			return m, fmt.Errorf("%s: no go.mod in it or above it: make one with go mod init", dir)
		}
	}
}

// moduleIn reads the go.mod of a folder.
func moduleIn(dir string) (moduleRoot, error) {
	file := filepath.Join(dir, "go.mod")
	text, err := os.ReadFile(file)
	if err != nil {
		return moduleRoot{}, err
	}
	mod, err := modfile.ParseLax(file, text, nil)
	switch {
	case err != nil:
		return moduleRoot{}, err
	case mod.Module == nil:
		return moduleRoot{}, fmt.Errorf("%s: no module statement", file)
	}
	m := moduleRoot{dir: dir, path: mod.Module.Mod.Path}
	if mod.Go != nil {
		m.goVersion = mod.Go.Version
	}
	return m, nil
}

// added is a package that a program of the tree imports besides what its source
// does.
type added struct {
	Package
	of      workspace // that the package's module is used in
	work    string    // the workspace of both modules and of that, a go.work
	overlay string    // the file that imports it, as the go command takes it
}

// linkFile is in the program's folder, as far as the go command can tell.
const linkFile = "linked_by_xsmbench.go"

// Link has a program of the tree import a package. What the go command needs for
// that is written into a folder, which must stay as long as the tool is used;
// nothing is written into the tree, or into the package's module. Modules that the
// user's workspace has beside that one are found, too.
func (g *Tool) Link(program string, p Package, scratch string) error {
	tree, err := moduleIn(g.Dir)
	if err != nil {
		return err
	}
	of, err := workspaceOf(p.module)
	if err != nil {
		return err
	}
	work, err := of.joined(tree, p.module)
	if err != nil {
		return err
	}
	sums, err := of.sums()
	if err != nil {
		return err
	}
	link := filepath.Join(scratch, linkFile)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(g.Dir, program, linkFile): link}})
	if err != nil {
		return err
	}
	a := &added{Package: p, of: of, work: filepath.Join(scratch, "go.work"), overlay: filepath.Join(scratch, "overlay.json")}
	for name, text := range map[string]string{
		link:      fmt.Sprintf("package main\n\nimport _ %q\n", p.Import),
		a.work:    work,
		a.overlay: string(overlay),

		filepath.Join(scratch, "go.work.sum"): sums,
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	g.added = a
	return nil
}

// Shown is a line of the go command's, or of a program's it made, with full names
// of files outside the tree.
func (g Tool) Shown(line string) string {
	file, rest, ok := strings.Cut(line, ":")
	switch {
	case !ok || g.added == nil:
	case strings.HasPrefix(file, ".."+string(filepath.Separator)): // as seen from the tree
		return filepath.Join(g.Dir, file) + ":" + rest
	case path.Dir(file) == g.added.Import: // as programs know it
		return filepath.Join(g.added.Dir, path.Base(file)) + ":" + rest
	}
	return line
}
