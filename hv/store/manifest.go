package store

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"xsmbench/hv/store/content"
)

const manifestName = "manifest"

// mostFiles bounds the lines of a manifest. The largest trees, those of Xen, have
// some 7000.
const mostFiles = 1 << 20

// header is the manifest's first line.
type header struct {
	Version int       `json:"version"`
	Kind    string    `json:"kind"`
	Key     Key       `json:"key"`
	What    string    `json:"what"`
	Created time.Time `json:"created"`
	Files   int       `json:"files"` // lines that follow
	Size    int64     `json:"size"`  // of all files
}

// file is one of the lines that follow: a file, a folder or a symbolic link.
type file struct {
	Path   string      `json:"path"` // with slashes
	Mode   fs.FileMode `json:"mode"`
	Size   int64       `json:"size,omitempty"`
	SHA256 string      `json:"sha256,omitempty"`
	Target string      `json:"target,omitempty"` // of a link
}

// seal writes the manifest of a folder's files and brings all to the disk.
func seal(dir string, head header) error {
	files, err := scan(filepath.Join(dir, filesName))
	if err != nil {
		return err
	}
	for i := range files {
		if err := files[i].digest(filepath.Join(dir, filesName)); err != nil {
			return err
		}
		head.Size += files[i].Size
	}
	head.Created, head.Files = time.Now().UTC().Truncate(time.Second), len(files)
	return complete(dir, head, files)
}

// complete writes the manifest of files that were just hashed and brings all to
// the disk.
func complete(dir string, head header, files []file) error {
	if err := writeManifest(filepath.Join(dir, manifestName), head, files); err != nil {
		return err
	}
	if err := syncTree(dir, files); err != nil {
		return err
	}
	if info, err := os.Stat(filepath.Join(dir, manifestName)); err == nil {
		verified.Store(identify(info), (*DamageError)(nil))
	}
	return nil
}

// scan lists what is in a folder, without digests, in the order of WalkDir.
func scan(root string) ([]file, error) {
	var files []file
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		f, err := describe(path, d)
		f.Path = filepath.ToSlash(rel)
		files = append(files, f)
		return err
	})
	return files, err
}

func describe(path string, d fs.DirEntry) (file, error) {
	info, err := d.Info()
	if err != nil {
		return file{}, err
	}
	f := file{Mode: info.Mode()}
	switch {
	case info.IsDir():
	case info.Mode().IsRegular():
		f.Size = info.Size()
	case info.Mode()&fs.ModeSymlink != 0:
		f.Target, err = os.Readlink(path)
	default:
		err = fmt.Errorf("%s is neither a file nor a folder nor a symbolic link", path)
	}
	return f, err
}

// digest hashes a regular file.
func (f *file) digest(root string) (err error) {
	if f.Mode.IsRegular() {
		f.SHA256, err = content.HashFile(filepath.Join(root, filepath.FromSlash(f.Path)))
	}
	return err
}

func writeManifest(path string, head header, files []file) error {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := formatManifest(out, head, files); err != nil {
		return err
	}
	if err := out.Chmod(0o644); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	return out.Close()
}

func formatManifest(out io.Writer, head header, files []file) error {
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	if err := enc.Encode(head); err != nil {
		return err
	}
	for _, f := range files {
		if err := enc.Encode(f); err != nil {
			return err
		}
	}
	return w.Flush()
}

// readHeader reads a manifest's first line.
func readHeader(path string) (header, error) {
	head, _, err := readManifest(path, false)
	return head, err
}

// readManifest reads a manifest, with its files or without.
func readManifest(path string, whole bool) (head header, files []file, err error) {
	in, err := os.Open(path)
	if err != nil {
		return head, nil, err
	}
	defer in.Close()
	return parseManifest(in, whole)
}

func parseManifest(in io.Reader, whole bool) (head header, files []file, err error) {
	dec := json.NewDecoder(in)
	if err := dec.Decode(&head); err != nil {
		return head, nil, err
	}
	if head.Files < 0 || head.Files > mostFiles {
		return head, nil, fmt.Errorf("it has %d lines", head.Files)
	}
	for whole && len(files) < head.Files {
		var f file
		if err := dec.Decode(&f); err != nil {
			return head, nil, err
		}
		files = append(files, f)
	}
	return head, files, nil
}
