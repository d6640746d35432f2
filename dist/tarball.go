package main

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// writeTarball writes an archive with one folder, in which files lie as below
// /usr/local.
func (c *contents) writeTarball(to string) error {
	return written(to, func(f *os.File) error {
		z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
		if err != nil {
			return err
		}
		t := tar.NewWriter(z)
		for _, dir := range c.folders() {
			if err := t.WriteHeader(c.header(tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755})); err != nil {
				return err
			}
		}
		for _, e := range c.files {
			if err := c.addFile(t, e); err != nil {
				return err
			}
		}
		if err := t.Close(); err != nil {
			return err
		}
		return z.Close()
	})
}

// folders are those of all files, each before those in it.
func (c *contents) folders() []string {
	var all []string
	for _, e := range c.files {
		for dir := path.Dir(path.Join(c.name(), e.name)); dir != "."; dir = path.Dir(dir) {
			all = append(all, dir)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// header has nothing of this machine.
func (c *contents) header(h tar.Header) *tar.Header {
	h.ModTime, h.Uname, h.Gname, h.Format = c.time, "root", "root", tar.FormatPAX
	return &h
}

func (c *contents) addFile(t *tar.Writer, e entry) error {
	from, err := os.Open(filepath.FromSlash(e.from))
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	err = t.WriteHeader(c.header(tar.Header{Typeflag: tar.TypeReg, Name: path.Join(c.name(), e.name), Mode: int64(e.mode), Size: info.Size()}))
	if err != nil {
		return err
	}
	_, err = io.Copy(t, from)
	return err
}
