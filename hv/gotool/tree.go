package gotool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/mod/modfile"
)

const modulePath = "xsmbench"

// ErrNoTree is the cause when no source tree is found.
var ErrNoTree = errors.New("no source tree of xsmbench above the working directory")

// FindTree finds the source tree around the working directory; else the one
// that this program was compiled from, if it is still there. The tree must
// hold the program, a path below its root.
func FindTree(program string) (string, error) {
	if dir, ok := treeAbove(program); ok {
		return dir, nil
	}
	if dir, ok := treeOfOrigin(program); ok {
		return dir, nil
	}
	return "", ErrNoTree
}

// IsTree tells whether dir is the root of this module (or of another revision
// of it) with the program in it.
func IsTree(dir, program string) error {
	if err := isModule(dir); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, program)); err != nil {
		return fmt.Errorf("%s: no %s in it: not a tree that it can be built from", dir, program)
	}
	return nil
}

func isModule(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(dir); err != nil {
			return fmt.Errorf("%s: no such directory", dir)
		}
		return fmt.Errorf("%s: no go.mod in it: not the root of a source tree", dir)
	case err != nil:
		return err
	}
	if path := modfile.ModulePath(text); path != modulePath {
		return fmt.Errorf("%s: its go.mod is of module %q, not of %q", dir, path, modulePath)
	}
	return nil
}

func treeAbove(program string) (string, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		if IsTree(dir, program) == nil {
			return dir, true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", false
		}
		dir = up
	}
}

// treeOfOrigin is the tree that the compiler recorded in this program; with
// -trimpath it recorded none.
func treeOfOrigin(program string) (string, bool) {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return "", false
	}
	dir := filepath.Join(filepath.Dir(file), "..", "..")
	return dir, IsTree(dir, program) == nil
}
