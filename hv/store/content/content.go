// Package content hashes and copies files and trees. A tree's digest depends
// on the names of its files, their contents, whether they can be executed, and
// where symbolic links lead; times and owners do not count, nor do folders but
// as part of a name. What a copy returns is the digest of what was copied, so
// that a tree that changes meanwhile is found out.
package content

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Files calls visit for each file and symbolic link of a tree that counts, with
// the path relative to the tree.
type Files func(visit func(rel string, info fs.FileInfo) error) error

// All are the files of a tree but those that skip names; a folder that it names
// is left out whole. skip may be nil. What is neither a file nor a folder nor a
// symbolic link does not count.
func All(dir string, skip func(rel string, d fs.DirEntry) bool) Files {
	return func(visit func(string, fs.FileInfo) error) error {
		return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || path == dir {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			if skip != nil && skip(rel, d) {
				if d.IsDir() {
					return filepath.SkipDir
				}
				return nil
			}
			if !d.Type().IsRegular() && d.Type() != fs.ModeSymlink {
				return nil
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			return visit(rel, info)
		})
	}
}

// HashFile is the SHA-256 of a file, in hexadecimal digits.
func HashFile(path string) (string, error) {
	return copyHashed(io.Discard, path)
}

// copyHashed copies a file and returns the hash of what it copied.
func copyHashed(to io.Writer, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(to, h), f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// HashTree is the digest of a tree.
func HashTree(dir string, files Files) (string, error) {
	var t tree
	err := files(func(rel string, info fs.FileInfo) error {
		content, err := hash(filepath.Join(dir, rel), info)
		t.add(rel, info, content)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash %s: %w", dir, err)
	}
	return t.digest(), nil
}

// hash is a file's hash, or where a symbolic link leads.
func hash(path string, info fs.FileInfo) (string, error) {
	if isLink(info) {
		return os.Readlink(path)
	}
	return HashFile(path)
}

func isLink(info fs.FileInfo) bool { return info.Mode()&fs.ModeSymlink != 0 }

// tree collects what a tree's digest is made of.
type tree struct{ files []string }

func (t *tree) add(rel string, info fs.FileInfo, content string) {
	mode := info.Mode() & fs.ModeSymlink
	if mode == 0 {
		mode = info.Mode() & 0o111
	}
	rel = filepath.ToSlash(rel)
	t.files = append(t.files, fmt.Sprintf("%s\x00%o %d:%s\n", rel, mode, len(content), content))
}

func (t *tree) digest() string {
	slices.Sort(t.files)
	sum := sha256.Sum256([]byte(strings.Join(t.files, "")))
	return hex.EncodeToString(sum[:])
}
