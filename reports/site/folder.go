package site

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// Names in the folder. The mark tells that the folder is a site's: what stands in
// it under a name like one of a site's files may be written over and removed.
const (
	indexPage   = "index.html"
	runsPage    = "runs.html"
	comparePage = "compare.html"
	dataFolder  = "data"
	trendFolder = "trends"
	markFile    = "site.json"
	lockFile    = ".lock"
)

const mark = `{"made_by": "xsmbench site", "schema": 1}
`

// ours are the files below the folder that a site may leave and the next one may
// remove.
var ours = regexp.MustCompile(`^(data/[0-9a-f]{16}\.(json|js)|trends/[a-z0-9_-]+/[a-z0-9_-]+\.html)$`)

// folder is where a site is written.
type folder struct {
	root    string
	lock    *flock.Flock
	has     map[string]bool // files of the site
	changed int
	removed int
}

// openFolder makes the folder, or takes one that has a site or nothing that a site
// would write over.
func openFolder(root string) (*folder, error) {
	if err := os.MkdirAll(root, 0o777); err != nil {
		return nil, err
	}
	f := &folder{root: root, lock: flock.New(filepath.Join(root, lockFile)), has: map[string]bool{}}
	if err := f.claim(); err != nil {
		return nil, err
	}
	switch locked, err := f.lock.TryLock(); {
	case err != nil:
		return nil, err
	case !locked:
		return nil, fmt.Errorf("another process writes a site into %s: wait until it has ended, or name another folder with -o", root)
	}
	return f, f.put(markFile, []byte(mark))
}

// claim refuses a folder that has files of others under names of a site's.
func (f *folder) claim() error {
	if _, err := os.Lstat(f.path(markFile)); err == nil {
		return nil
	}
	for _, name := range []string{indexPage, runsPage, comparePage, dataFolder, trendFolder} {
		switch _, err := os.Lstat(f.path(name)); {
		case err == nil:
			return fmt.Errorf("%s has %s, which is not of a site of xsmbench: name another folder with -o", f.root, name)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	return nil
}

func (f *folder) close() error { return f.lock.Close() }

func (f *folder) path(name string) string { return filepath.Join(f.root, filepath.FromSlash(name)) }

// put makes a file hold a text. A reader finds the old text or the new one.
func (f *folder) put(name string, text []byte) error {
	f.has[name] = true
	path := f.path(name)
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Size() == int64(len(text)) {
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
			return nil
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f.changed++
	return renameio.WriteFile(path, text, 0o666)
}

// sweep removes the files of a site that it no longer has: runs that were taken out
// of the history, benchmarks that no run has.
func (f *folder) sweep() error {
	for _, top := range []string{dataFolder, trendFolder} {
		err := filepath.WalkDir(f.path(top), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name, err := filepath.Rel(f.root, path)
			if name = filepath.ToSlash(name); err != nil || d.IsDir() || f.has[name] || !ours.MatchString(name) {
				return err
			}
			f.removed++
			return os.Remove(path)
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return f.sweepFolders()
}

// sweepFolders removes folders of lines that have nothing any more.
func (f *folder) sweepFolders() error {
	entries, err := os.ReadDir(f.path(trendFolder))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	for _, e := range entries {
		left, err := os.ReadDir(f.path(trendFolder + "/" + e.Name()))
		if err == nil && e.IsDir() && len(left) == 0 {
			err = os.Remove(f.path(trendFolder + "/" + e.Name()))
		}
		if err != nil && e.IsDir() {
			return err
		}
	}
	return nil
}

// up leads from a file to the folder: "../../" for one two folders below.
func up(name string) string { return strings.Repeat("../", strings.Count(name, "/")) }
