package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const lockSuffix = ".lock"

// temp is a folder that is this process's as long as it lives.
type temp struct {
	dir  string
	lock *lock
}

// newTemp makes a folder. Its lock is there before it and after it, so that a
// folder with a free lock is nobody's.
func (s *Store) newTemp() (*temp, error) {
	for {
		f, err := os.CreateTemp(s.tmp(), "*"+lockSuffix)
		if err != nil {
			return nil, err
		}
		f.Close()
		l, err := tryLock(f.Name(), exclusive)
		if errors.Is(err, errHeld) {
			continue // somebody sweeps
		}
		if err != nil {
			return nil, err
		}
		t := &temp{dir: strings.TrimSuffix(f.Name(), lockSuffix), lock: l}
		if err := os.Mkdir(t.dir, 0o755); err != nil {
			t.remove()
			return nil, err
		}
		if err := os.Chmod(t.dir, 0o755); err != nil {
			t.remove()
			return nil, err
		}
		return t, nil
	}
}

// remove deletes the folder, if it is still there.
func (t *temp) remove() error {
	err := removeTree(t.dir)
	if err == nil {
		t.lock.remove()
	} else {
		t.lock.release() // the next sweep tries again
	}
	return err
}

// discard moves a folder out of its place and deletes it. after is called when
// it is gone from its place.
func (s *Store) discard(path string, after func()) error {
	t, err := s.newTemp()
	if err != nil {
		return err
	}
	err = os.Rename(path, filepath.Join(t.dir, "removed"))
	if err == nil {
		after()
	}
	return errors.Join(err, t.remove())
}

// sweep removes what processes that died have left.
func (s *Store) sweep() {
	if s.readOnly {
		return
	}
	found, err := os.ReadDir(s.tmp())
	if err != nil {
		return
	}
	for _, f := range found {
		path := filepath.Join(s.tmp(), strings.TrimSuffix(f.Name(), lockSuffix))
		l, err := tryLock(path+lockSuffix, exclusive)
		if err != nil {
			continue
		}
		_ = (&temp{dir: path, lock: l}).remove()
	}
	s.sweepOld()
}

// Scratch makes a temporary folder of this process. If the process dies before
// release, the next one that opens the store removes it. Beside a store that
// cannot be written it is an ordinary temporary folder.
func (s *Store) Scratch(what string) (dir string, release func(), err error) {
	if s.readOnly {
		dir, err = os.MkdirTemp("", "xsmbench-")
		if err != nil {
			return "", nil, fmt.Errorf("make folder for %s: %w", what, err)
		}
		return dir, func() { _ = removeTree(dir) }, nil
	}
	t, err := s.newTemp()
	if err != nil {
		return "", nil, fmt.Errorf("make folder for %s: %w", what, err)
	}
	return t.dir, func() { _ = t.remove() }, nil
}

// removeTree deletes a folder, also one with folders that forbid it.
func removeTree(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
