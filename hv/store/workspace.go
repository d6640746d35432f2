package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/renameio/v2"
)

const (
	workspaceLock = "lock"
	aboutName     = "about"
	intactName    = "intact"
)

// Workspace is a folder that keeps its contents from one use to the next and
// is changed in place, by one holder at a time: an incremental build tree. Its
// contents are not verified.
type Workspace struct {
	Dir string
	// Intact says that the last holder closed it as intact. If not, it is new,
	// or its last holder failed or died while it changed it: what is in it may
	// be anything.
	Intact bool

	store *Store
	kind  Kind
	place string
	about about
	lock  *lock
	close sync.Once
}

// about is what a workspace says of itself.
type about struct {
	Kind    string    `json:"kind"`
	Key     Key       `json:"key"`
	What    string    `json:"what"`
	Created time.Time `json:"created"`
	Size    int64     `json:"size"` // when it was closed
}

// Workspace waits until nobody else holds the workspace of a key, makes it if
// it is not there, and holds it. progress may be nil.
func (s *Store) Workspace(ctx context.Context, k Kind, key Key, what string, progress func(string)) (*Workspace, error) {
	if err := check(k, key); err != nil {
		return nil, fmt.Errorf("open workspace for %s: %w", what, err)
	}
	if s.readOnly {
		return nil, &ReadOnlyError{Dir: s.top, What: what, Err: errors.New("it is built in place")}
	}
	place := filepath.Join(s.workspaces(), k.Name, string(key))
	l, err := s.awaitWorkspace(ctx, place, what, Recipe{Progress: progress})
	if err != nil {
		return nil, waitError(ctx, what, err)
	}
	w := &Workspace{Dir: filepath.Join(place, filesName), store: s, kind: k, place: place, lock: l}
	w.about = about{Kind: k.Name, Key: key, What: what, Created: time.Now().UTC().Truncate(time.Second)}
	if err := w.begin(); err != nil {
		l.leave()
		return nil, fmt.Errorf("open workspace for %s: %w", what, err)
	}
	return w, nil
}

// awaitWorkspace takes the lock. The folder may be removed while it waits.
func (s *Store) awaitWorkspace(ctx context.Context, place, what string, r Recipe) (*lock, error) {
	for {
		if err := errors.Join(makeDir(filepath.Dir(place)), makeDir(place)); err != nil {
			return nil, err
		}
		path := filepath.Join(place, workspaceLock)
		l, err := awaitLock(ctx, path, exclusive, s.patience, func() {
			r.progress("waiting for the workspace of %s, which %s uses", what, signer(path))
		})
		if !errors.Is(err, fs.ErrNotExist) {
			return l, err
		}
	}
}

// begin takes the mark away, for the time of the changes.
func (w *Workspace) begin() error {
	w.lock.sign()
	w.lock.touch()
	if old, err := readAbout(w.place); err == nil {
		w.about.Created, w.about.Size = old.Created, old.Size
	}
	if err := makeDir(w.Dir); err != nil {
		return err
	}
	mark := filepath.Join(w.place, intactName)
	_, err := os.Lstat(mark)
	w.Intact = err == nil
	if err := os.Remove(mark); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := w.writeAbout(); err != nil {
		return err
	}
	return syncDir(w.place)
}

// Path joins names to the workspace's folder.
func (w *Workspace) Path(elem ...string) string {
	return filepath.Join(append([]string{w.Dir}, elem...)...)
}

// LockFile is the locked file. A child that gets it (exec.Cmd.ExtraFiles) holds
// the lock on if this process dies, so that the next holder does not meet it.
func (w *Workspace) LockFile() *os.File { return w.lock.file }

// Close ends the use. intact says that the next holder may build on what is
// there; it is not kept as intact if it cannot be brought to the disk. Children
// that have the lock's file keep the workspace until they end.
func (w *Workspace) Close(intact bool) (err error) {
	w.close.Do(func() {
		defer w.lock.leave()
		if err = w.end(intact); err != nil {
			err = fmt.Errorf("close workspace of %s: %w", w.about.What, err)
		}
		w.store.bound(w.kind)
	})
	return err
}

func (w *Workspace) end(intact bool) error {
	w.lock.touch()
	w.about.Size = treeSize(w.Dir)
	if err := w.writeAbout(); err != nil || !intact {
		return err
	}
	if err := syncAll(w.place); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(w.place, intactName), nil, 0o644); err != nil {
		return err
	}
	return syncDir(w.place)
}

func (w *Workspace) writeAbout() error {
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(w.about); err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(w.place, aboutName), text.Bytes(), 0o644)
}

func readAbout(place string) (a about, err error) {
	text, err := os.ReadFile(filepath.Join(place, aboutName))
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(text, &a)
}

// treeSize sums the sizes of the files in a folder that may be changing.
func treeSize(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	return size
}
