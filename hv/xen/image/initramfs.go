// Package image composes what the domains boot from: an uncompressed kernel
// and initial file systems in cpio format. The same inputs give the same
// bytes: entries are sorted, times and owners are zero, inode numbers count up.
package image

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/cavaliergopher/cpio"
)

// Initramfs is an initial file system under construction. The zero value is
// empty.
type Initramfs struct {
	entries map[string]entry // by path without a leading slash
}

type entry struct {
	mode cpio.FileMode
	data []byte // contents, or a symlink's target
}

func (fs *Initramfs) put(name string, e entry) {
	if fs.entries == nil {
		fs.entries = map[string]entry{}
	}
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	for dir := path.Dir(name); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if _, ok := fs.entries[dir]; !ok {
			fs.entries[dir] = entry{mode: cpio.TypeDir | 0o755}
		}
	}
	fs.entries[name] = e
}

// File adds a file with its contents and permissions.
func (fs *Initramfs) File(name string, data []byte, perm os.FileMode) {
	fs.put(name, entry{mode: cpio.TypeReg | cpio.FileMode(perm.Perm()), data: data})
}

// Dir adds an empty directory.
func (fs *Initramfs) Dir(name string) { fs.put(name, entry{mode: cpio.TypeDir | 0o755}) }

// Symlink adds a symbolic link.
func (fs *Initramfs) Symlink(name, target string) {
	fs.put(name, entry{mode: cpio.TypeSymlink | 0o777, data: []byte(target)})
}

// Copy adds a file of the host, following symbolic links, under another name.
func (fs *Initramfs) Copy(name, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return fmt.Errorf("add %s to the initramfs: %w", name, err)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("add %s to the initramfs: %w", name, err)
	}
	fs.File(name, data, info.Mode())
	return nil
}

// CopyAll adds the files below a directory of the host by their paths there.
func (fs *Initramfs) CopyAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return fs.Copy(rel, path)
	})
}

// WriteTo writes the archive in cpio's new ASCII format, uncompressed: a
// loader's decompression would be counted as the guest's instructions.
func (fs *Initramfs) WriteTo(w io.Writer) (int64, error) {
	names := make([]string, 0, len(fs.entries))
	for n := range fs.entries {
		names = append(names, n)
	}
	sort.Strings(names)
	count := &counter{w: w}
	archive := cpio.NewWriter(count)
	for i, name := range names {
		e := fs.entries[name]
		header := &cpio.Header{Name: name, Mode: e.mode, Size: int64(len(e.data)), Inode: int64(i + 1), Links: 1}
		if err := archive.WriteHeader(header); err != nil {
			return count.n, fmt.Errorf("write initramfs: %s: %w", name, err)
		}
		if len(e.data) > 0 {
			if _, err := archive.Write(e.data); err != nil {
				return count.n, fmt.Errorf("write initramfs: %s: %w", name, err)
			}
		}
	}
	if err := archive.Close(); err != nil {
		return count.n, fmt.Errorf("write initramfs: %w", err)
	}
	return count.n, nil
}

// Bytes returns the archive.
func (fs *Initramfs) Bytes() ([]byte, error) {
	var b bytes.Buffer
	_, err := fs.WriteTo(&b)
	return b.Bytes(), err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
