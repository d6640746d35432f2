package store

import (
	"io/fs"
	"os"
	"path/filepath"
)

// manyFiles are so many that the whole file system is synced at once.
const manyFiles = 64

// syncTree brings a folder with its files and manifest to the disk.
func syncTree(dir string, files []file) error {
	if len(files) > manyFiles {
		return syncAll(dir)
	}
	for _, f := range files {
		if f.Mode&fs.ModeSymlink != 0 {
			continue
		}
		if err := syncFile(filepath.Join(dir, filesName, filepath.FromSlash(f.Path))); err != nil {
			return err
		}
	}
	if err := syncDir(filepath.Join(dir, filesName)); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error { return syncFile(dir) }

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// exchangeSlowly swaps two paths in three steps. If the process dies between
// them, b is absent and made anew.
func exchangeSlowly(a, b string) error {
	aside := a + "x"
	if err := os.Rename(b, aside); err != nil {
		return err
	}
	if err := os.Rename(a, b); err != nil {
		return err
	}
	return os.Rename(aside, a)
}
