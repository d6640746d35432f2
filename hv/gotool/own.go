package gotool

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"xsmbench"
	"xsmbench/hv/store"
)

var ownSource = store.Register(store.Kind{
	Name: "own-source", Doc: "the source that xsmbench carries with it: the model's, and that of the agent in Xen's guests", Bound: 50 << 20,
	Local: "every xsmbench has it",
})

// Own unpacks the source that this program carries with it, or finds it
// unpacked. In the entry's folder the model and the guests' agent are built as
// in a clone of this program's revision, to the same bytes.
func Own(ctx context.Context, s *store.Store, progress func(string)) (*store.Entry, error) {
	own, err := ownFiles()
	if err != nil {
		return nil, fmt.Errorf("unpack xsmbench's own source: %w", err)
	}
	return s.Get(ctx, ownSource, own.key, store.Recipe{
		What: "xsmbench's own source", Progress: progress,
		Make: func(_ context.Context, dir string) error { return own.unpack(dir) },
	})
}

// carried is a source in memory, without tests.
type carried struct {
	files fs.FS
	names []string // of files, in order
	key   store.Key
}

var ownFiles = sync.OnceValues(func() (*carried, error) { return carry(xsmbench.Source()) })

func carry(files fs.FS) (*carried, error) {
	c := &carried{files: files}
	h := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(files, name)
		fmt.Fprintf(h, "%q %x\n", name, sha256.Sum256(text))
		c.names = append(c.names, name)
		return err
	})
	c.key = store.KeyOf("own source", string(h.Sum(nil)))
	return c, err
}

func (c *carried) unpack(dir string) error {
	for _, name := range c.names {
		text, err := fs.ReadFile(c.files, name)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// DiffersFromOwn names a file in which a source tree differs from the source
// that this program carries with it, as far as this is of consequence for what
// is built; it is empty if there is none.
func DiffersFromOwn(dir string) (string, error) {
	own, err := ownFiles()
	if err != nil {
		return "", err
	}
	return own.differs(os.DirFS(dir))
}

func (c *carried) differs(tree fs.FS) (string, error) {
	for _, name := range c.names {
		mine, err := fs.ReadFile(c.files, name)
		if err != nil {
			return "", err
		}
		theirs, err := fs.ReadFile(tree, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return name, nil
		case err != nil:
			return "", err
		case !bytes.Equal(mine, theirs):
			return name, nil
		}
	}
	return c.more(tree)
}

// more names a file that a tree has besides, in a package of the source.
func (c *carried) more(tree fs.FS) (string, error) {
	var dirs []string
	for _, name := range c.names {
		if path.Ext(name) == ".go" {
			dirs = append(dirs, path.Dir(name))
		}
	}
	for _, dir := range slices.Compact(dirs) {
		entries, err := fs.ReadDir(tree, dir)
		if err != nil {
			return "", err
		}
		for _, e := range entries {
			name := path.Join(dir, e.Name())
			if _, known := slices.BinarySearch(c.names, name); !e.IsDir() && compiled(e.Name()) && !known {
				return name, nil
			}
		}
	}
	return "", nil
}
