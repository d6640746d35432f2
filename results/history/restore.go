package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Restore makes a run directory again. It writes over nothing, and into no
// other directory.
func Restore(dir string, files []File) error {
	if _, err := os.Lstat(filepath.Join(dir, "run.json")); err == nil {
		return fmt.Errorf("make run directory: %s already holds a run", dir)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("make run directory: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("make run directory: %w", err)
	}
	defer root.Close()
	for _, f := range files {
		if err := restoreFile(root, f); err != nil {
			return fmt.Errorf("make run directory: %w", err)
		}
	}
	return nil
}

// restoreFile writes a file. A history that others made may name any, and links
// in the directory may lead anywhere.
func restoreFile(root *os.Root, f File) error {
	if !filepath.IsLocal(f.Name) {
		return fmt.Errorf("%q is not the name of a file in it", f.Name)
	}
	name := filepath.FromSlash(f.Name)
	if err := root.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	to, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = to.Write(f.Text)
	return errors.Join(err, to.Close())
}
