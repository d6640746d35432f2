package content

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CopyTree copies a tree's files into a folder, with their modes and times, and
// returns the digest of what it copied.
func CopyTree(from, to string, files Files) (digest string, err error) {
	var t tree
	err = files(func(rel string, info fs.FileInfo) error {
		path := filepath.Join(to, rel)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		content, err := copyFile(filepath.Join(from, rel), path, info)
		if err != nil {
			return err
		}
		t.add(rel, info, content)
		if isLink(info) {
			return nil
		}
		return os.Chtimes(path, info.ModTime(), info.ModTime())
	})
	if err != nil {
		return "", fmt.Errorf("copy %s: %w", from, err)
	}
	return t.digest(), nil
}

// copyFile copies a file or a symbolic link to a path at which there is none,
// and returns what it copied, hashed.
func copyFile(from, to string, info fs.FileInfo) (string, error) {
	if isLink(info) {
		target, err := os.Readlink(from)
		if err != nil {
			return "", err
		}
		return target, os.Symlink(target, to)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer out.Close()
	hash, err := copyHashed(out, from)
	if err != nil {
		return "", err
	}
	if err := out.Chmod(info.Mode().Perm()); err != nil { // whatever the umask
		return "", err
	}
	return hash, out.Close()
}
