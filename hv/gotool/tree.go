package gotool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

const modulePath = "xsmbench"

// TreeAbove finds the source tree around the working directory, if there is one
// with the program, a path below its root.
func TreeAbove(program string) (string, bool) {
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
