package depot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// folder is a directory that several machines see, as by NFS.
type folder struct{ dir string }

func openFolder(u *url.URL) (*folder, error) {
	if u.Host != "" && u.Host != "localhost" || !filepath.IsAbs(u.Path) || u.RawQuery != "" {
		return nil, fmt.Errorf("%s names no folder: give file:///FOLDER", shown(u))
	}
	return &folder{filepath.Clean(filepath.FromSlash(u.Path))}, nil
}

// String is the folder's URL.
func (f *folder) String() string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(f.dir)}).String()
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// Get opens an archive.
func (f *folder) Get(_ context.Context, name string) (io.ReadCloser, error) {
	in, err := os.Open(f.path(name))
	if err != nil {
		return nil, f.told(err)
	}
	return in, nil
}

// Has looks for an archive.
func (f *folder) Has(_ context.Context, name string) (bool, error) {
	_, err := os.Stat(f.path(name))
	err = f.told(err)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// told is an error as depots tell them. The folder itself is not made: what is
// not there may be a disk of others that is not mounted.
func (f *folder) told(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		if _, gone := os.Stat(f.dir); gone != nil {
			return errors.New("the folder is not there: make it, or mount it")
		}
	case errors.Is(err, unix.EROFS):
		return &kindOfError{fs.ErrPermission, err}
	}
	return err
}

// unfinished begins the names of files that are being written.
const unfinished = ".unfinished-"

// Put writes an archive beside its place and renames it.
func (f *folder) Put(ctx context.Context, name string, archive io.ReaderAt, size int64) error {
	if _, err := os.Stat(f.dir); err != nil {
		return f.told(err)
	}
	place := f.path(name)
	if err := os.MkdirAll(filepath.Dir(place), 0o777); err != nil {
		return f.told(err)
	}
	f.sweep(filepath.Dir(place))
	out, err := os.CreateTemp(filepath.Dir(place), unfinished+"*")
	if err != nil {
		return f.told(err)
	}
	err = f.write(ctx, out, io.NewSectionReader(archive, 0, size), size)
	if err == nil {
		err = os.Rename(out.Name(), place)
	}
	if err != nil {
		_ = os.Remove(out.Name())
	}
	return f.told(err)
}

func (*folder) write(ctx context.Context, out *os.File, archive io.Reader, size int64) error {
	defer out.Close()
	for left := size; left > 0; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := io.CopyN(out, archive, min(left, 1<<20))
		if err != nil {
			return err
		}
		left -= n
	}
	if err := out.Chmod(0o644); err != nil { // for all machines, whoever runs there
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	return out.Close()
}

// abandoned is the age at which an unfinished file is nobody's.
const abandoned = 24 * time.Hour

// sweep removes what processes that were killed have left.
func (*folder) sweep(dir string) {
	found, _ := os.ReadDir(dir)
	for _, e := range found {
		if !strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
