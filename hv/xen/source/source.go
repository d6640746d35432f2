// Package source finds the tree of Xen's source that a build is made from:
// the distribution's source package, a user's own tree, or a revision of a
// user's git repository. It downloads nothing but through the distribution's
// package tools.
package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Tree is a source tree of Xen on disk.
type Tree struct {
	Dir     string // its root: contains xen/Makefile
	Version string // what it calls itself: a package version or a git revision
	Hash    string // SHA-256 over the files that a hypervisor build reads
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
	hash, err := hashTree(abs)
	if err != nil {
		return nil, fmt.Errorf("open source %s: %w", dir, err)
	}
	return &Tree{Dir: abs, Version: describe(ctx, abs), Hash: hash}, nil
}

// read lists what a build of the hypervisor reads: the hypervisor, the files
// of its configuration, and FLASK's policy, which lives under tools.
var read = []string{"xen", "tools/flask/policy", "Config.mk", "config", "version.sh", "scripts", ".config"}

// Files calls visit for every file of the tree that a build of the hypervisor
// reads, in the order of their names, with the path relative to the tree.
// Products of an earlier build in the tree are left out.
func (t *Tree) Files(visit func(rel string, info fs.FileInfo) error) error {
	return walk(t.Dir, visit)
}

func walk(dir string, visit func(rel string, info fs.FileInfo) error) error {
	for _, part := range read {
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
			rel, err := filepath.Rel(dir, path)
			if err != nil || isProduct(rel) {
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

// products are the names of generated files in xen/, which a tree that was
// built in place carries beside its sources.
var products = map[string]bool{
	"xen/xen": true, "xen/xen-syms": true, "xen/xen.efi": true, "xen/xen.gz": true,
	"xen/xen-syms.map": true, "xen/xen.efi.map": true, "xen/System.map": true, "xen/.config": true, "xen/.config.old": true,
	"xen/include/xen/compile.h": true, "xen/xsm/flask/policy.bin": true, "xen/xsm/flask/policy.conf": true,
	"xen/xsm/flask/flask-policy.S": true, "xen/arch/x86/xen.lds": true, "xen/tools/kconfig/conf": true, "xen/tools/symbols": true,
}

func isProduct(rel string) bool {
	rel = filepath.ToSlash(rel)
	base := filepath.Base(rel)
	switch {
	case products[rel]:
		return true
	case strings.HasPrefix(rel, "xen/include/generated/"), strings.HasPrefix(rel, "xen/include/config/"):
		return true
	case strings.HasPrefix(base, ".") && (strings.HasSuffix(base, ".d") || strings.HasSuffix(base, ".cmd") || strings.Contains(base, ".o.") || strings.HasSuffix(base, ".d2")):
		return true
	}
	switch filepath.Ext(base) {
	case ".o", ".a", ".i", ".s":
		return true
	}
	return false
}

// hashTree hashes names, modes and contents of what a build reads.
func hashTree(dir string) (string, error) {
	type entry struct {
		rel  string
		info fs.FileInfo
	}
	var entries []entry
	err := walk(dir, func(rel string, info fs.FileInfo) error {
		entries = append(entries, entry{rel, info})
		return nil
	})
	if err != nil {
		return "", err
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].rel < entries[j].rel })
	h := sha256.New()
	for _, e := range entries {
		fmt.Fprintf(h, "%s\x00%o\x00%d\x00", filepath.ToSlash(e.rel), e.info.Mode()&(fs.ModeType|0o111), e.info.Size())
		if err := hashFile(h, filepath.Join(dir, e.rel), e.info); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func hashFile(w io.Writer, path string, info fs.FileInfo) error {
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, target)
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
