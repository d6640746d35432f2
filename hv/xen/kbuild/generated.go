package kbuild

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// generated are the files of a folder of generated headers, by their names in it.
type generated map[string]generatedFile

type generatedFile struct {
	text []byte
	at   time.Time
}

// readGenerated reads a folder, but for the files in which make keeps how it made
// the others. A folder that is not there has no files.
func readGenerated(dir string) (generated, error) {
	g := generated{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(path, ".cmd") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		g[rel] = generatedFile{text, info.ModTime()}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return g, err
}

// sourceOf is the public header that a generated file comes from, by way of others:
// public/x.h gives x.c, x.i, x.h and .xlat/x.h.
func sourceOf(name string) string {
	name = strings.TrimPrefix(name, ".xlat"+string(filepath.Separator))
	return strings.TrimSuffix(name, filepath.Ext(name)) + ".h"
}

// restoreTimes gives files that were made again, and are what they were, the times
// that they had, so that make does not compile what includes them. It does so where
// all that comes from one public header is as it was, and that header is no newer:
// then the times are in the order in which make made the files.
func (old generated) restoreTimes(dir, public string) error {
	if len(old) == 0 {
		return nil
	}
	made, err := readGenerated(dir)
	if err != nil {
		return err
	}
	changed := map[string]bool{}
	for name := range union(old, made) {
		source := sourceOf(name)
		info, err := os.Stat(filepath.Join(public, source))
		before, now := old[name], made[name]
		if err != nil || before.at.IsZero() || now.at.IsZero() || !bytes.Equal(before.text, now.text) || info.ModTime().After(before.at) {
			changed[source] = true
		}
	}
	for name, file := range old {
		if changed[sourceOf(name)] {
			continue
		}
		if err := os.Chtimes(filepath.Join(dir, name), file.at, file.at); err != nil {
			return err
		}
	}
	return nil
}

func union(a, b generated) generated {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
