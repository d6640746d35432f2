// Package source finds the tree of Xen's source that a build is made from:
// the distribution's source package, a user's own tree, or a revision of a
// user's git repository. It downloads nothing but through the distribution's
// package tools.
package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"xsmbench/hv/store"
	"xsmbench/hv/store/content"
)

// Kind is that of source packages and revisions, unpacked.
var Kind = store.Register(store.Kind{
	Name: "xen-sources", Doc: "source trees of Xen: source packages and revisions", Bound: 1 << 30,
})

// Tree is a source tree of Xen on disk.
type Tree struct {
	Dir     string // its root: contains xen/Makefile
	Version string // what it calls itself: a package version or a git revision
	Hash    string // SHA-256 over the files that a hypervisor build reads, when it was opened

	entry *store.Entry // nil for a user's own tree
}

// ErrNotXen is the cause when a directory is no source tree of Xen.
var ErrNotXen = errors.New("no Xen source tree (it has no xen/Makefile)")

// Open takes a user's own tree as it is, dirty or not.
func Open(ctx context.Context, dir string) (*Tree, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open source %s: %w", dir, err)
	}
	if _, err := os.Stat(filepath.Join(abs, "xen", "Makefile")); err != nil {
		return nil, fmt.Errorf("open source %s: %w", dir, ErrNotXen)
	}
	t := &Tree{Dir: abs}
	if t.Hash, err = content.HashTree(abs, t.Files); err != nil {
		return nil, fmt.Errorf("open source %s: %w", dir, err)
	}
	t.Version = describe(ctx, abs)
	return t, nil
}

// openAs opens a tree in the store. The tree holds the entry until Release.
func openAs(entry *store.Entry, dir, version string) (*Tree, error) {
	if _, err := os.Stat(filepath.Join(dir, "xen", "Makefile")); err != nil {
		entry.Release()
		return nil, ErrNotXen
	}
	t := &Tree{Dir: dir, Version: version, entry: entry}
	var err error
	if t.Hash, err = content.HashTree(dir, t.Files); err != nil {
		entry.Release()
		return nil, fmt.Errorf("open source %s: %w", dir, err)
	}
	return t, nil
}

// Fixed says that the tree cannot change: it is in the store.
func (t *Tree) Fixed() bool { return t.entry != nil }

// Release gives a tree of the store back.
func (t *Tree) Release() {
	if t.entry != nil {
		t.entry.Release()
	}
}

// read lists what a build of the hypervisor reads: the hypervisor, the files
// of its configuration, and FLASK's policy, which lives under tools.
var read = []string{"xen", "tools/flask/policy", "Config.mk", "config", "version.sh", "scripts", ".config"}

// Files calls visit for every file of the tree that a build of the hypervisor
// reads, in the order of their names, with the path relative to the tree.
// Products of an earlier build in the tree are left out.
func (t *Tree) Files(visit func(rel string, info fs.FileInfo) error) error {
	return t.FilesOf(read, visit)
}

// FilesOf does so for some files and folders of the tree.
func (t *Tree) FilesOf(parts []string, visit func(rel string, info fs.FileInfo) error) error {
	dir, made := t.Dir, productsOf(t)
	for _, part := range parts {
		root := filepath.Join(dir, part)
		if _, err := os.Lstat(root); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		err := filepath.Walk(root, func(path string, info fs.FileInfo, err error) error {
			if err != nil {
				return err
			}
			if info.IsDir() {
				if info.Name() == ".git" {
					return filepath.SkipDir
				}
				return nil
			}
			if !info.Mode().IsRegular() && info.Mode().Type() != fs.ModeSymlink {
				return nil // to read a pipe is to wait for who writes it
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil || made.has(rel) {
				return err
			}
			return visit(rel, info)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
